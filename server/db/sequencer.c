/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/sequencer.h"

#include <stdlib.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/ticker.h"
#include "server/db/event.h"
#include "server/db/table.h"

/* Events in one transaction, and what is read of them. */
enum { BATCH = 5000, POLL_MS = 250, ARENA_CAP = 8 << 20 };

#define LEASE_NAME "event.sequencer"
#define LEASE_US (6 * SECOND_US)
#define RENEW_US (2 * SECOND_US)
#define BATCH_TIME_US (10 * SECOND_US)
/* What the config's `turn` may take, and keep positions waiting. */
#define TURN_TIME_US (2 * SECOND_US)

#define PENDING_COLUMNS(F, C, R)                                                                             \
	F(R, "event_id", I64, event_id)                                                                      \
	C(R, "kind", TEXT, kind)                                                                             \
	C(R, "subject_id", I64, subject_id)                                                                  \
	C(R, "version", I64, version)                                                                        \
	C(R, "user_id", I64, user_id)                                                                        \
	C(R, "organization_id", I64, organization_id)
DB_ROW(pending_row, struct event, PENDING_COLUMNS);
#define WAITING " FROM event FORCE INDEX (event_position) WHERE position = 0 "

enum {
	SEQUENCE_LOCK,
	SEQUENCE_WAITS,
	SEQUENCE_PENDING,
	SEQUENCE_GIVE,
	SEQUENCE_ADVANCE,
	SEQUENCE_LAST,
	SEQUENCE_DURABLE,
	SEQUENCE_STATEMENTS
};

static const struct db_stmt stmts[SEQUENCE_STATEMENTS] = {
	[SEQUENCE_LOCK] = {"sequence_lock", "", &db_row_i64,
			   "SELECT position FROM event_sequence WHERE sequence_id = 1 FOR UPDATE"},
	[SEQUENCE_WAITS] = {"sequence_waits", "", &db_row_i64, "SELECT event_id" WAITING "LIMIT 1"},
	/* Without locks: it sees what is committed, and does not wait for what is not. */
	[SEQUENCE_PENDING] = {"sequence_pending", "i", &pending_row,
			      DB_SELECT(PENDING_COLUMNS, WAITING "ORDER BY event_id LIMIT ?")},
	[SEQUENCE_GIVE] = {"sequence_give", "ii", NULL,
			   "UPDATE event SET position = ? WHERE event_id = ? AND position = 0"},
	[SEQUENCE_ADVANCE] = {"sequence_advance", "i", NULL,
			      "UPDATE event_sequence SET position = ? WHERE sequence_id = 1"},
	[SEQUENCE_LAST] = {"sequence_last", "", &db_row_i64,
			   "SELECT position FROM event_sequence WHERE sequence_id = 1"},
	[SEQUENCE_DURABLE] = {"sequence_durable", "ii", NULL,
			      "UPDATE event_sequence SET durable_position = ?"
			      " WHERE sequence_id = 1 AND durable_position < ?"},
};
static const struct db_stmt_list sequencer_stmts = {"sequencer", stmts, SEQUENCE_STATEMENTS};

static int tell_durable(struct sequencer *s, int64_t position, struct error *err)
{
	return db_exec(s->conn, &stmts[SEQUENCE_DURABLE], DB_ARGS(db_i64(position), db_i64(position)), NULL,
		       err);
}

/* Positions that another server gave, and ended before it said that they last: they do once a commit of ours
 * was answered that came after we saw them, as that of the lease has been. */
static int follow_up(struct sequencer *s, struct error *err)
{
	int64_t last = 0;
	int r = s->seen ? tell_durable(s, s->seen, err) : 0;
	if (r == 0)
		r = db_read(s->conn, &stmts[SEQUENCE_LAST], DB_NO_ARGS, NULL, &last, err);
	s->seen = last;
	return r < 0 ? r : 0;
}

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
	return s->held ? follow_up(s, err) : 0;
}

/* One batch: the events, in the arena, and their (position, event_id) for SEQUENCE_GIVE. */
struct batch {
	const struct sequencer *sequencer;
	struct arena arena;
	unsigned n, most;
	struct event *events;
	struct db_value args[BATCH][2];
};

static int read_pending(struct db_conn *conn, int64_t position, struct batch *b, struct error *err)
{
	arena_reset(&b->arena);
	int r = db_read_all(conn, &stmts[SEQUENCE_PENDING], DB_ARGS(db_i64(b->most)), &b->arena, &b->events,
			    &b->n, err);
	for (unsigned i = 0; r == 0 && i < b->n; i++) {
		b->events[i].position = position + i + 1;
		b->args[i][0] = db_i64(b->events[i].position);
		b->args[i][1] = db_i64(b->events[i].event_id);
	}
	return r;
}

static int give(struct db_conn *conn, const struct batch *b, struct error *err)
{
	const struct sequencer_config *config = &b->sequencer->config;
	uint64_t affected = 0;
	int r = db_exec_array(conn, &stmts[SEQUENCE_GIVE], b->args[0], 2, b->n, &affected, err);
	if (r == 0 && affected != b->n)
		return error_internal(err, "only %u of %u events took their position", (unsigned)affected,
				      b->n);
	if (r == 0)
		r = db_exec(conn, &stmts[SEQUENCE_ADVANCE], DB_ARGS(db_i64(b->events[b->n - 1].position)),
			    NULL, err);
	if (r == 0 && config->placed)
		r = config->placed(config->arg, conn, b->events, b->n, err);
	return r;
}

static int sequence_batch(struct db_conn *conn, void *arg, struct error *err)
{
	struct batch *b = arg;
	int64_t position = 0;
	int r = db_read_one(conn, &stmts[SEQUENCE_LOCK], DB_NO_ARGS, NULL, &position, err);
	if (r == 0)
		r = read_pending(conn, position, b, err);
	return r == 0 && b->n > 0 ? give(conn, b, err) : r;
}

/* What a database is too slow for in one transaction it does in several: else it would be tried for ever. */
static unsigned next_batch(unsigned batch, int r)
{
	if (r < 0)
		return batch / 8 + 1;
	return 2 * batch < BATCH ? 2 * batch : BATCH;
}

static int run_batches(struct sequencer *s, struct batch *b, struct error *err)
{
	int r = 0;
	do {
		db_set_deadline(s->conn, monotonic_us() + BATCH_TIME_US);
		b->most = s->batch;
		/* Run again after an unknown outcome it finds fewer events pending, or other ones: both are
		 * right. */
		r = db_transaction(s->conn, true, sequence_batch, b, err);
		s->batch = next_batch(s->batch, r);
		if (r == 0 && b->n > 0)
			r = tell_durable(s, b->events[b->n - 1].position, err);
		if (r == 0)
			r = sequencer_lead(s, err);
	} while (r == 0 && s->held && b->n == b->most && !atomic_load(&s->stopping));
	return r;
}

int sequencer_run(struct sequencer *s, struct error *err)
{
	/* Asked before anything is locked: most of the time there is nothing. */
	int r = s->held ? db_found(s->conn, &stmts[SEQUENCE_WAITS], DB_NO_ARGS, err) : 0;
	if (r <= 0)
		return r;
	struct batch *b = malloc(sizeof(*b));
	if (!b)
		return error_internal(err, "out of memory for the positions of events");
	b->sequencer = s;
	arena_init(&b->arena, ARENA_CAP);
	r = run_batches(s, b, err);
	arena_done(&b->arena);
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

/* What one thing that is done at each turn came to; only the first trouble is told. */
static void settle(int r, const struct error *err, int *ret, struct error *ret_err)
{
	if (r < 0 && *ret == 0) {
		*ret = r;
		*ret_err = *err;
	}
}

static void leave_to_others(struct sequencer *s)
{
	if (!s->held)
		return;
	log_warning("event sequencer: this server is not fit to lead");
	sequencer_resign(s);
	s->next_take_us = 0;
}

static int take_turn(struct sequencer *s, struct error *ret_err)
{
	const struct sequencer_config *config = &s->config;
	struct error err;
	int r = 0;
	if (config->fit && !config->fit(config->arg)) {
		leave_to_others(s);
		return 0;
	}
	settle(sequencer_lead(s, &err), &err, &r, ret_err);
	if (s->held && config->turn) {
		db_set_deadline(s->conn, monotonic_us() + TURN_TIME_US);
		settle(config->turn(config->arg, s->conn, &err), &err, &r, ret_err);
	}
	db_set_deadline(s->conn, monotonic_us() + BATCH_TIME_US);
	settle(sequencer_run(s, &err), &err, &r, ret_err);
	return r;
}

static void turn(void *arg)
{
	struct sequencer *s = arg;
	struct error err;
	db_set_deadline(s->conn, monotonic_us() + BATCH_TIME_US);
	int r = take_turn(s, &err);
	if (r < 0 && !s->in_trouble)
		log_warning("event sequencer: %s", err.message);
	else if (r == 0 && s->in_trouble)
		log_info("event sequencer: at work again");
	s->in_trouble = r < 0;
}

static int list_statements(struct sequencer *s, struct error *err)
{
	const struct db_stmt_list *const *more = s->config.stmts;
	unsigned n = 0;
	s->lists[n++] = &sequencer_stmts;
	s->lists[n++] = &lease_stmts;
	for (; more && *more && n < SEQUENCER_LISTS_MAX; more++)
		s->lists[n++] = *more;
	if (n == SEQUENCER_LISTS_MAX)
		return error_internal(err, "the event sequencer has room for %d lists of statements",
				      SEQUENCER_LISTS_MAX - 1);
	return 0;
}

int sequencer_open(struct sequencer *s, const struct sequencer_config *config, struct error *err)
{
	*s = (struct sequencer){.config = *config, .db = *config->db, .batch = BATCH};
	lease_holder(s->holder);
	int r = list_statements(s, err);
	return r < 0 ? r : db_open(&s->db, s->lists, &s->conn, err);
}

void sequencer_close(struct sequencer *s)
{
	db_close(s->conn);
}

int sequencer_start(const struct sequencer_config *config, struct sequencer **ret, struct error *err)
{
	struct sequencer *s = malloc(sizeof(*s));
	if (!s)
		return error_internal(err, "out of memory for the event sequencer");
	int r = sequencer_open(s, config, err);
	int poll_ms = config->poll_ms ? config->poll_ms : POLL_MS;
	if (r == 0)
		r = ticker_start("sequencer", turn, s, poll_ms * INT64_C(1000), &s->ticker, err);
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
