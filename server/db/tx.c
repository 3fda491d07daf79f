/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <time.h>

#include "server/base/clock.h"
#include "server/db/conn.h"
#include "server/db/errors.h"

enum {
	CONFLICT_ATTEMPTS = 12,
	LOST_ATTEMPTS = 4,
	AWAY_ATTEMPTS = 8, /* only to settle an outcome */
	PAUSE_MIN_US = 500,
	PAUSE_DOUBLINGS = 7,
	PAUSE_AWAY_US = 100000,
};

static int outcome_unknown(struct error *err)
{
	return error_raise(err, &RPC_REASON_OUTCOME_UNKNOWN,
			   "The commit's answer did not come; repeat the call with the same request_id.");
}

/* --- one attempt --- */

struct attempt {
	bool unknown; /* it may have been committed */
};

/* Fails with `unknown` set when COMMIT was sent and the answer is none of "done" and "given up for a
 * conflict". */
static int commit(struct db_conn *conn, struct attempt *attempt, struct error *err)
{
	int r = conn_ready(conn, err);
	if (r < 0)
		return r;
	if (conn_send(conn, "COMMIT") == 0) {
		conn->counters.commits++;
		return 0;
	}
	r = conn_fail(conn, mysql_errno(conn->mysql), mysql_error(conn->mysql), "COMMIT", err);
	attempt->unknown = conn->failure != DB_FAILURE_CONFLICT && conn->failure != DB_FAILURE_LOCKED;
	return r;
}

static int transaction_once(struct db_conn *conn, db_body body, void *arg, struct attempt *attempt,
			    struct error *err)
{
	int r = conn_text(conn, "START TRANSACTION", err);
	if (r < 0)
		return r;
	conn->in_transaction = true;
	r = body(conn, arg, err);
	if (r == 0 || conn->doomed) /* doomed: conn_ready() says so, whatever the body made of it */
		r = commit(conn, attempt, err);
	if (r < 0)
		conn_rollback(conn);
	conn->in_transaction = false;
	conn->doomed = false;
	return r;
}

static int compound_once(struct db_conn *conn, db_body body, void *arg, struct attempt *attempt,
			 struct error *err)
{
	conn->sent = false;
	int r = body(conn, arg, err);
	attempt->unknown = r < 0 && conn->sent &&
			   (conn->failure == DB_FAILURE_LOST || conn->failure == DB_FAILURE_AWAY ||
			    conn->failure == DB_FAILURE_DEADLINE);
	return r;
}

/* --- repeating --- */

static bool worth_repeating(struct db_conn *conn, unsigned attempts, bool unknown)
{
	switch (conn->failure) {
	case DB_FAILURE_LOCKED:
		return conn->lock_wait == DB_LOCK_WAIT_USUAL && attempts < CONFLICT_ATTEMPTS;
	case DB_FAILURE_CONFLICT:
		return attempts < CONFLICT_ATTEMPTS;
	case DB_FAILURE_LOST:
		return attempts < LOST_ATTEMPTS;
	case DB_FAILURE_AWAY:
		return unknown && attempts < AWAY_ATTEMPTS && !guard_is_cut(conn);
	default:
		return false;
	}
}

/* Waits, with jitter, so that those who collided do not collide again. False when the deadline would pass. */
static bool pause_before_repeating(const struct db_conn *conn, unsigned attempts)
{
	unsigned doublings = attempts < PAUSE_DOUBLINGS ? attempts : PAUSE_DOUBLINGS;
	uint32_t longest =
		conn->failure == DB_FAILURE_AWAY ? PAUSE_AWAY_US : (uint32_t)PAUSE_MIN_US << doublings;
	int64_t us = longest / 4 + arc4random_uniform(longest);
	if (conn->deadline_us != INT64_MAX && monotonic_us() + us >= conn->deadline_us)
		return false;
	const struct timespec t = timespec_of_us(us);
	nanosleep(&t, NULL);
	return true;
}

/* The last attempt failed before its commit: is it known that nothing was done? A refusal by the body after
 * an unknown commit is: the body claims its key or meets its ids first, so it has seen that the commit did
 * not happen. */
static bool settled(enum db_failure failure)
{
	return failure == DB_FAILURE_NONE || failure == DB_FAILURE_DUPLICATE || failure == DB_FAILURE_OTHER;
}

typedef int (*once_function)(struct db_conn *conn, db_body body, void *arg, struct attempt *attempt,
			     struct error *err);

static int repeat(struct db_conn *conn, once_function once, bool rerunnable, db_body body, void *arg,
		  struct error *err)
{
	if (conn->retried)
		return error_internal(err, "a transaction inside a transaction");
	conn->retried = true;
	bool unknown = false;
	struct attempt attempt;
	int r;
	for (unsigned attempts = 1;; attempts++) {
		attempt = (struct attempt){0};
		r = once(conn, body, arg, &attempt, err);
		if (r == 0)
			break;
		unknown |= attempt.unknown;
		if (unknown && !rerunnable)
			break;
		if (!worth_repeating(conn, attempts, unknown) || !pause_before_repeating(conn, attempts))
			break;
	}
	conn->retried = false;
	if (r < 0 && unknown && (!rerunnable || attempt.unknown || !settled(conn->failure)))
		return outcome_unknown(err);
	return r;
}

int db_transaction(struct db_conn *conn, bool rerunnable, db_body body, void *arg, struct error *err)
{
	return repeat(conn, transaction_once, rerunnable, body, arg, err);
}

int db_retry(struct db_conn *conn, db_body body, void *arg, struct error *err)
{
	return repeat(conn, compound_once, true, body, arg, err);
}
