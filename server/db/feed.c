/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdlib.h>
#include <uthash.h>

#include "server/base/log.h"
#include "server/base/ticker.h"
#include "server/db/event.h"

enum { PAGE = 1000, IDS_PAGE = 5000, LATE_PAGE = 100, POLL_MS = 250, ARENA_CAP = 64 << 20 };

/*
 * Events delivered before they had a position that are remembered. There are more only when nobody has given
 * positions for long; then an event whose transaction took so long that younger ones were read before it
 * waits for its position.
 */
enum { EARLY_MAX = 300000 };

/*
 * The feed goes on where it stopped, and a gap shows in the positions, so a restart of the database loses
 * nothing and must not end everybody's session. Only after so long might events have been removed with all
 * that came after them.
 */
enum { LOST_MS = 15 * 60 * 1000 };

/* One poll, and the first, which a server's start waits for. */
#define POLL_TIME_US (INT64_C(10) * 1000000)
#define FIRST_POLL_TIME_US (INT64_C(60) * 1000000)

#define COLUMNS                                                                                              \
	"event_id, position, kind, subject_id, user_id, course_id, organization_id, create_time, payload"
#define COLUMN_TYPES "iisiiiiis"

enum { FEED_TAIL, FEED_BEHIND, FEED_PENDING, FEED_PENDING_IDS, FEED_STATEMENTS };

static const struct db_stmt stmts[FEED_STATEMENTS] = {
	[FEED_TAIL] = {"feed_tail", "", DB_CELLS("i"),
		       "SELECT position FROM event_sequence WHERE sequence_id = 1"},
	[FEED_BEHIND] = {"feed_behind", "ii", DB_CELLS(COLUMN_TYPES),
			 "SELECT " COLUMNS " FROM event FORCE INDEX (event_position) WHERE position > ? "
			 "ORDER BY position LIMIT ?"},
	/* By itself the optimizer reads every event there is, or every one without a position for each page.
	 */
	[FEED_PENDING] = {"feed_pending", "ii", DB_CELLS(COLUMN_TYPES),
			  "SELECT " COLUMNS " FROM event FORCE INDEX (event_position) "
			  "WHERE position IS NULL AND event_id > ? ORDER BY event_id LIMIT ?"},
	[FEED_PENDING_IDS] = {"feed_pending_ids", "iii", DB_CELLS("i"),
			      "SELECT event_id FROM event FORCE INDEX (event_position) "
			      "WHERE position IS NULL AND event_id > ? AND event_id <= ? "
			      "ORDER BY event_id LIMIT ?"},
};
static const struct db_stmt_list feed_stmts = {"feed", stmts, FEED_STATEMENTS};
static const struct db_stmt_list *const feed_lists[] = {&feed_stmts, NULL};

/* An event that was delivered before it had a position, and is not to be delivered again when it has. */
struct early {
	int64_t event_id;
	UT_hash_handle hh;
};

struct event_feed {
	struct event_feed_config config;
	struct db_config db;
	struct db_conn *conn;
	struct ticker *ticker;
	struct arena arena;
	bool placed;      /* `position` says where to go on */
	int64_t position; /* of the last event read that has one */
	int64_t newest;   /* greatest id met without a position */
	struct early *early;
	bool in_trouble;         /* the last poll failed, and the log says so */
	_Atomic int64_t read_us; /* monotonic time of the last poll that came to the end; 0: none yet */
};

/* --- one event --- */

static struct early *early_find(struct event_feed *f, int64_t event_id)
{
	struct early *e;
	HASH_FIND(hh, f->early, &event_id, sizeof(event_id), e);
	return e;
}

static bool early_forget(struct event_feed *f, int64_t event_id)
{
	struct early *e = early_find(f, event_id);
	if (!e)
		return false;
	HASH_DEL(f->early, e);
	free(e);
	return true;
}

/* False when it was delivered before. */
static bool early_note(struct event_feed *f, int64_t event_id)
{
	if (early_find(f, event_id))
		return false;
	struct early *e = HASH_COUNT(f->early) <= EARLY_MAX ? malloc(sizeof(*e)) : NULL;
	if (!e)
		return true;
	e->event_id = event_id;
	HASH_ADD(hh, f->early, event_id, sizeof(e->event_id), e);
	return true;
}

static void early_clear(struct event_feed *f)
{
	struct early *e, *next;
	HASH_ITER (hh, f->early, e, next) {
		HASH_DEL(f->early, e);
		free(e);
	}
}

static int deliver(struct event_feed *f, const struct db_rows *rows, struct error *err)
{
	arena_reset(&f->arena);
	const char *kind = db_col_str(rows, 2, &f->arena), *payload = db_col_str(rows, 8, &f->arena);
	if (!kind || !payload)
		return error_internal(err, "an event is too large for the feed");
	const struct event e = {.event_id = db_col_i64(rows, 0),
				.kind = kind,
				.subject_id = db_col_i64(rows, 3),
				.user_id = db_col_i64(rows, 4),
				.course_id = db_col_i64(rows, 5),
				.organization_id = db_col_i64(rows, 6),
				.create_us = db_col_i64(rows, 7),
				.payload = span_str(payload)};
	f->config.listener(f->config.arg, &e);
	return 0;
}

/* --- pages of events --- */

static void tell_lost(struct event_feed *f, const char *why)
{
	log_warning("event feed: %s", why);
	if (f->config.lost)
		f->config.lost(f->config.arg);
}

static int take_behind(struct event_feed *f, const struct db_rows *rows, int64_t *after, struct error *err)
{
	int64_t position = db_col_i64(rows, 1);
	if (position != *after + 1)
		tell_lost(f, "events were removed before they were read");
	int r = early_forget(f, db_col_i64(rows, 0)) ? 0 : deliver(f, rows, err);
	if (r == 0)
		f->position = *after = position;
	return r;
}

static int take_pending(struct event_feed *f, const struct db_rows *rows, int64_t *after, struct error *err)
{
	int64_t event_id = db_col_i64(rows, 0);
	*after = event_id;
	if (f->newest < event_id)
		f->newest = event_id;
	return early_note(f, event_id) ? deliver(f, rows, err) : 0;
}

typedef int (*take_function)(struct event_feed *f, const struct db_rows *rows, int64_t *after,
			     struct error *err);

/* Reads pages until one is not full. */
static int read_pages(struct event_feed *f, int statement, int64_t after, take_function take,
		      struct error *err)
{
	unsigned count;
	do {
		_cleanup_rows_ struct db_rows rows = {0};
		int r = db_query(f->conn, &stmts[statement], DB_ARGS(db_i64(after), db_i64(PAGE)), &rows,
				 err);
		while (r == 0 && (r = db_next(&rows, err)) > 0)
			r = take(f, &rows, &after, err);
		if (r < 0)
			return r;
		count = rows.count;
	} while (count == PAGE);
	return 0;
}

/* --- events that younger ones were read before --- */

/* The event, and those that follow it: they were late together if they were many. */
static int take_late(struct event_feed *f, int64_t event_id, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int64_t after;
	int r = db_query(f->conn, &stmts[FEED_PENDING], DB_ARGS(db_i64(event_id - 1), db_i64(LATE_PAGE)),
			 &rows, err);
	while (r == 0 && (r = db_next(&rows, err)) > 0)
		r = take_pending(f, &rows, &after, err);
	return r;
}

/* A transaction may commit an event after younger ones were read: the ids of all that have no position tell.
 */
static int read_late(struct event_feed *f, int64_t newest, struct error *err)
{
	int64_t after = 0;
	unsigned count = IDS_PAGE;
	while (count == IDS_PAGE && HASH_COUNT(f->early) <= EARLY_MAX) {
		_cleanup_rows_ struct db_rows rows = {0};
		int r = db_query(f->conn, &stmts[FEED_PENDING_IDS],
				 DB_ARGS(db_i64(after), db_i64(newest), db_i64(IDS_PAGE)), &rows, err);
		while (r == 0 && (r = db_next(&rows, err)) > 0) {
			after = db_col_i64(&rows, 0);
			r = early_find(f, after) ? 0 : take_late(f, after, err);
		}
		if (r < 0)
			return r;
		count = rows.count;
	}
	return 0;
}

/* --- a poll --- */

static int find_place(struct event_feed *f, struct error *err)
{
	struct db_rows rows = {0};
	int r = db_query_row(f->conn, &stmts[FEED_TAIL], DB_NO_ARGS, &rows, err);
	if (r == 0)
		return error_internal(err, "the event sequence has no row");
	if (r < 0)
		return r;
	f->position = db_col_i64(&rows, 0);
	f->placed = true;
	return 0;
}

static void notice_absence(struct event_feed *f)
{
	int64_t read_us = atomic_load(&f->read_us);
	int64_t lost_ms = f->config.lost_ms ? f->config.lost_ms : LOST_MS;
	if (read_us != 0 && monotonic_us() - read_us > lost_ms * 1000)
		tell_lost(f, "away for too long");
}

/*
 * What has no position comes first, for it is that which is waited for. An event that gets its position
 * meanwhile is met among those that have one, then or at the next poll.
 */
static int poll_once(struct event_feed *f, int64_t time_us, struct error *err)
{
	db_set_deadline(f->conn, monotonic_us() + time_us);
	int r = f->placed ? 0 : find_place(f, err);
	if (r < 0)
		return r;
	int64_t begin_us = monotonic_us(), newest = f->newest;
	r = read_pages(f, FEED_PENDING, newest, take_pending, err);
	if (r == 0)
		r = read_late(f, newest, err);
	if (r == 0)
		r = read_pages(f, FEED_BEHIND, f->position, take_behind, err);
	if (r == 0) {
		notice_absence(f);
		atomic_store(&f->read_us, begin_us);
	}
	return r;
}

static void poll(void *arg)
{
	struct event_feed *f = arg;
	struct error err;
	int r = poll_once(f, POLL_TIME_US, &err);
	if (r < 0 && !f->in_trouble)
		log_warning("event feed: %s", err.message);
	else if (r == 0 && f->in_trouble)
		log_info("event feed: reading again");
	f->in_trouble = r < 0;
}

/* --- from outside --- */

static void feed_free(struct event_feed *f)
{
	early_clear(f);
	arena_done(&f->arena);
	db_close(f->conn);
	free(f);
}

int event_feed_start(const struct event_feed_config *config, struct event_feed **ret, struct error *err)
{
	struct event_feed *f = calloc(1, sizeof(*f));
	if (!f)
		return error_internal(err, "out of memory for the event feed");
	f->config = *config;
	f->db = *config->db;
	arena_init(&f->arena, ARENA_CAP);
	int poll_ms = config->poll_ms ? config->poll_ms : POLL_MS;
	int r = db_open(&f->db, feed_lists, &f->conn, err);
	if (r == 0)
		r = poll_once(f, FIRST_POLL_TIME_US, err);
	if (r == 0)
		r = ticker_start("event-feed", poll, f, poll_ms * INT64_C(1000), &f->ticker, err);
	if (r < 0) {
		feed_free(f);
		return r;
	}
	*ret = f;
	return 0;
}

void event_feed_stop(struct event_feed *f)
{
	if (!f)
		return;
	ticker_stop(f->ticker);
	feed_free(f);
}

int64_t event_feed_read_us(const struct event_feed *f)
{
	return atomic_load(&f->read_us);
}

int64_t event_feed_age_us(const struct event_feed *f)
{
	int64_t read_us = atomic_load(&f->read_us);
	return read_us ? monotonic_us() - read_us : INT64_MAX;
}
