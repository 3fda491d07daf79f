/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/sequencer.h"

#include "server/base/clock.h"
#include "server/base/log.h"

enum { BATCH = 500 };

#define LEASE_NAME "event.sequencer"
#define LEASE_US (INT64_C(6) * 1000000)
#define RENEW_US (INT64_C(2) * 1000000)

enum { SEQUENCE_LOCK, SEQUENCE_PENDING, SEQUENCE_GIVE, SEQUENCE_ADVANCE, SEQUENCE_STATEMENTS };

static const struct db_stmt stmts[SEQUENCE_STATEMENTS] = {
	[SEQUENCE_LOCK] = {"sequence_lock", "", "i",
			   "SELECT position FROM event_sequence WHERE sequence_id = 1 FOR UPDATE"},
	/* Without locks: it sees what is committed, and does not wait for what is not. */
	[SEQUENCE_PENDING] = {"sequence_pending", "i", "i",
			      "SELECT event_id FROM event WHERE position IS NULL ORDER BY event_id LIMIT ?"},
	[SEQUENCE_GIVE] = {"sequence_give", "ii", NULL,
			   "UPDATE event SET position = ? WHERE event_id = ? AND position IS NULL"},
	[SEQUENCE_ADVANCE] = {"sequence_advance", "i", NULL,
			      "UPDATE event_sequence SET position = ? WHERE sequence_id = 1"},
};
const struct db_stmt_list sequencer_stmts = {"sequencer", stmts, SEQUENCE_STATEMENTS};

void sequencer_init(struct sequencer *s)
{
	*s = (struct sequencer){0};
	lease_holder(s->holder);
}

int sequencer_lead(struct sequencer *s, struct db_conn *conn, struct error *err)
{
	int64_t now_us = monotonic_us();
	if (now_us < s->next_take_us)
		return 0;
	int r = lease_take(conn, LEASE_NAME, s->holder, LEASE_US, err);
	if (r < 0) {
		s->held = false;
		return r;
	}
	if (s->held != (r == 1))
		log_info("event sequencer: %s", r == 1 ? "leading" : "another server leads");
	s->held = r == 1;
	s->next_take_us = now_us + RENEW_US;
	return 0;
}

static int read_position(struct db_conn *conn, int64_t *ret, struct error *err)
{
	struct db_rows rows = {0};
	int r = db_query_row(conn, &stmts[SEQUENCE_LOCK], DB_NO_ARGS, &rows, err);
	if (r == 0)
		return error_internal(err, "the event sequence has no row");
	if (r > 0)
		*ret = db_col_i64(&rows, 0);
	return r < 0 ? r : 0;
}

/* Pairs of (position, event_id), as SEQUENCE_GIVE takes them. */
static int read_pending(struct db_conn *conn, int64_t position, struct db_value *args, unsigned *ret_n,
			struct error *err)
{
	struct db_rows rows = {0};
	unsigned n = 0;
	int r = db_query(conn, &stmts[SEQUENCE_PENDING], DB_ARGS(db_i64(BATCH)), &rows, err);
	while (r == 0 && (r = db_next(&rows, err)) > 0) {
		args[2 * n] = db_i64(position + n + 1);
		args[2 * n + 1] = db_i64(db_col_i64(&rows, 0));
		n++;
		r = 0;
	}
	*ret_n = n;
	return r;
}

static int give(struct db_conn *conn, const struct db_value *args, unsigned n, struct error *err)
{
	uint64_t affected = 0;
	int r = db_exec_array(conn, &stmts[SEQUENCE_GIVE], args, 2, n, &affected, err);
	if (r == 0 && affected != n)
		return error_internal(err, "only %u of %u events took their position", (unsigned)affected, n);
	return r;
}

static int sequence_batch(struct db_conn *conn, void *arg, struct error *err)
{
	struct db_value args[2 * BATCH];
	int64_t position = 0;
	unsigned *ret_n = arg, n = 0;
	int r = read_position(conn, &position, err);
	if (r == 0)
		r = read_pending(conn, position, args, &n, err);
	if (r == 0 && n > 0)
		r = give(conn, args, n, err);
	if (r == 0 && n > 0)
		r = db_exec(conn, &stmts[SEQUENCE_ADVANCE], DB_ARGS(db_i64(position + n)), NULL, err);
	*ret_n = n;
	return r;
}

int sequencer_run(struct sequencer *s, struct db_conn *conn, struct error *err)
{
	unsigned n = BATCH;
	int r = 0;
	while (s->held && r == 0 && n == BATCH) {
		/* Run again after an unknown outcome it finds fewer events pending, or other ones: both are
		 * right. */
		r = db_transaction(conn, true, sequence_batch, &n, err);
		if (r == 0)
			r = sequencer_lead(s, conn, err);
	}
	return r;
}

void sequencer_resign(struct sequencer *s, struct db_conn *conn)
{
	struct error err;
	if (s->held && lease_release(conn, LEASE_NAME, s->holder, &err) < 0)
		log_warning("cannot give the event sequencer's lease back: %s", err.message);
	s->held = false;
}
