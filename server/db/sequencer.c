/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/sequencer.h"

#include <stdlib.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/ticker.h"
#include "server/db/table.h"

/* Events in one transaction. */
enum { BATCH = 5000, POLL_MS = 250 };

#define LEASE_NAME "event.sequencer"
#define LEASE_US (INT64_C(6) * 1000000)
#define RENEW_US (INT64_C(2) * 1000000)
#define BATCH_TIME_US (INT64_C(10) * 1000000)

enum { SEQUENCE_LOCK, SEQUENCE_PENDING, SEQUENCE_GIVE, SEQUENCE_ADVANCE, SEQUENCE_STATEMENTS };

static const struct db_stmt stmts[SEQUENCE_STATEMENTS] = {
	[SEQUENCE_LOCK] = {"sequence_lock", "", &db_row_i64,
			   "SELECT position FROM event_sequence WHERE sequence_id = 1 FOR UPDATE"},
	/* Without locks: it sees what is committed, and does not wait for what is not. */
	[SEQUENCE_PENDING] =
		{"sequence_pending", "i", &db_row_i64,
		 "SELECT event_id FROM event FORCE INDEX (event_position) WHERE position IS NULL "
		 "ORDER BY event_id LIMIT ?"},
	[SEQUENCE_GIVE] = {"sequence_give", "ii", NULL,
			   "UPDATE event SET position = ? WHERE event_id = ? AND position IS NULL"},
	[SEQUENCE_ADVANCE] = {"sequence_advance", "i", NULL,
			      "UPDATE event_sequence SET position = ? WHERE sequence_id = 1"},
};
static const struct db_stmt_list sequencer_stmts = {"sequencer", stmts, SEQUENCE_STATEMENTS};
static const struct db_stmt_list *const lists[] = {&sequencer_stmts, &lease_stmts, NULL};

int sequencer_lead(struct sequencer *s, struct error *err)
{
	int64_t now_us = monotonic_us();
	if (now_us < s->next_take_us)
		return 0;
	int r = lease_take(s->conn, LEASE_NAME, s->holder, LEASE_US, err);
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
	int r = db_read(conn, &stmts[SEQUENCE_LOCK], DB_NO_ARGS, NULL, ret, err);
	if (r == 0)
		return error_internal(err, "the event sequence has no row");
	return r < 0 ? r : 0;
}

/* One batch of events, as (position, event_id) pairs for SEQUENCE_GIVE. */
struct batch {
	unsigned n;
	struct db_value args[BATCH][2];
};

static int read_pending(struct db_conn *conn, int64_t position, struct batch *b, struct error *err)
{
	struct arena arena;
	int64_t *ids;
	arena_init(&arena, 2 * BATCH * sizeof(int64_t));
	int r = db_read_all(conn, &stmts[SEQUENCE_PENDING], DB_ARGS(db_i64(BATCH)), &arena, &ids, &b->n, err);
	for (unsigned i = 0; r == 0 && i < b->n; i++) {
		b->args[i][0] = db_i64(position + i + 1);
		b->args[i][1] = db_i64(ids[i]);
	}
	arena_done(&arena);
	return r;
}

static int give(struct db_conn *conn, const struct batch *b, struct error *err)
{
	uint64_t affected = 0;
	int r = db_exec_array(conn, &stmts[SEQUENCE_GIVE], b->args[0], 2, b->n, &affected, err);
	if (r == 0 && affected != b->n)
		return error_internal(err, "only %u of %u events took their position", (unsigned)affected,
				      b->n);
	return r;
}

static int sequence_batch(struct db_conn *conn, void *arg, struct error *err)
{
	struct batch *b = arg;
	int64_t position = 0;
	int r = read_position(conn, &position, err);
	if (r == 0)
		r = read_pending(conn, position, b, err);
	if (r == 0 && b->n > 0)
		r = give(conn, b, err);
	if (r == 0 && b->n > 0)
		r = db_exec(conn, &stmts[SEQUENCE_ADVANCE], DB_ARGS(db_i64(position + b->n)), NULL, err);
	return r;
}

/* Asked before anything is locked: most of the time there is nothing. */
static int some_pending(struct db_conn *conn, struct error *err)
{
	return db_found(conn, &stmts[SEQUENCE_PENDING], DB_ARGS(db_i64(1)), err);
}

static int run_batches(struct sequencer *s, struct batch *b, struct error *err)
{
	int r = 0;
	do {
		db_set_deadline(s->conn, monotonic_us() + BATCH_TIME_US);
		/* Run again after an unknown outcome it finds fewer events pending, or other ones: both are
		 * right. */
		r = db_transaction(s->conn, true, sequence_batch, b, err);
		if (r == 0)
			r = sequencer_lead(s, err);
	} while (r == 0 && s->held && b->n == BATCH && !atomic_load(&s->stopping));
	return r;
}

int sequencer_run(struct sequencer *s, struct error *err)
{
	int r = s->held ? some_pending(s->conn, err) : 0;
	if (r <= 0)
		return r;
	struct batch *b = malloc(sizeof(*b));
	if (!b)
		return error_internal(err, "out of memory for the positions of events");
	r = run_batches(s, b, err);
	free(b);
	return r;
}

void sequencer_resign(struct sequencer *s)
{
	struct error err;
	db_set_deadline(s->conn, monotonic_us() + BATCH_TIME_US);
	if (s->held && lease_release(s->conn, LEASE_NAME, s->holder, &err) < 0)
		log_warning("cannot give the event sequencer's lease back: %s", err.message);
	s->held = false;
}

/* --- the thread --- */

static void turn(void *arg)
{
	struct sequencer *s = arg;
	struct error err;
	db_set_deadline(s->conn, monotonic_us() + BATCH_TIME_US);
	int r = sequencer_lead(s, &err);
	if (r == 0)
		r = sequencer_run(s, &err);
	if (r < 0 && !s->in_trouble)
		log_warning("event sequencer: %s", err.message);
	else if (r == 0 && s->in_trouble)
		log_info("event sequencer: at work again");
	s->in_trouble = r < 0;
}

int sequencer_open(struct sequencer *s, const struct db_config *db, struct error *err)
{
	*s = (struct sequencer){.db = *db};
	lease_holder(s->holder);
	return db_open(&s->db, lists, &s->conn, err);
}

void sequencer_close(struct sequencer *s)
{
	db_close(s->conn);
}

int sequencer_start(const struct db_config *db, int poll_ms, struct sequencer **ret, struct error *err)
{
	struct sequencer *s = malloc(sizeof(*s));
	if (!s)
		return error_internal(err, "out of memory for the event sequencer");
	int r = sequencer_open(s, db, err);
	if (r == 0)
		r = ticker_start("sequencer", turn, s, (poll_ms ? poll_ms : POLL_MS) * INT64_C(1000),
				 &s->ticker, err);
	if (r < 0) {
		sequencer_close(s);
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void sequencer_stop(struct sequencer *s)
{
	if (!s)
		return;
	atomic_store(&s->stopping, true);
	ticker_stop(s->ticker);
	/* A database in trouble is not waited for: the lease ends by itself. */
	if (!s->in_trouble)
		sequencer_resign(s);
	sequencer_close(s);
	free(s);
}
