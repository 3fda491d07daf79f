/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdlib.h>
#include <uthash.h>

#include "proto/runtime/ids.h"
#include "server/base/log.h"
#include "server/base/metrics.h"
#include "server/base/ticker.h"
#include "server/db/conn_state.h"
#include "server/db/event.h"
#include "server/db/table.h"

enum { PAGE = 1000, IDS_PAGE = 5000, LATE_PAGE = 100, POLL_MS = 250, ARENA_CAP = 64 << 20 };

/*
 * Events delivered before they had a position that are remembered. There are more only when nobody has given
 * positions for long; then an event whose transaction took so long that younger ones were read before it
 * waits for its position.
 */
enum { EARLY_MAX = 300000 };

/*
 * The feed goes on where it stopped, and a gap shows in the positions, so a connection that is lost loses
 * nothing. Only after so long might events have been removed with all that came after them. But a server that
 * was started anew, or another one, may lack commits that were seen before: what was remembered of these, and
 * the feed's place, are given up.
 */
enum { LOST_MS = 15 * 60 * 1000 };

/* One poll, and the first, which a server's start waits for. */
#define POLL_TIME_US (10 * SECOND_US)
#define FIRST_POLL_TIME_US MINUTE_US

#define FEED_COLUMNS(F, C, R) EVENT_OWN_COLUMNS(F, C, R) C(R, "position", I64, position)
DB_ROW(feed_row, struct event, FEED_COLUMNS);
#define FROM_EVENT " FROM event FORCE INDEX (event_position) "

struct tail {
	int64_t durable, last;
};
#define TAIL_COLUMNS(F, C, R) F(R, "durable_position", I64, durable) C(R, "position", I64, last)
DB_ROW(tail_row, struct tail, TAIL_COLUMNS);

enum { FEED_TAIL, FEED_BEHIND, FEED_PENDING, FEED_PENDING_IDS, FEED_STATEMENTS };

static const struct db_stmt stmts[FEED_STATEMENTS] = {
	[FEED_TAIL] = {"feed_tail", "", &tail_row,
		       DB_SELECT(TAIL_COLUMNS, " FROM event_sequence WHERE sequence_id = 1")},
	[FEED_BEHIND] = {"feed_behind", "ii", &feed_row,
			 DB_SELECT(FEED_COLUMNS, FROM_EVENT "WHERE position > ? ORDER BY position LIMIT ?")},
	/* By itself the optimizer reads every event there is, or every one without a position for each page.
	 */
	[FEED_PENDING] = {"feed_pending", "ii", &feed_row,
			  DB_SELECT(FEED_COLUMNS, FROM_EVENT "WHERE position = 0 AND event_id > ? "
							     "ORDER BY event_id LIMIT ?")},
	[FEED_PENDING_IDS] = {"feed_pending_ids", "iii", &db_row_i64,
			      "SELECT event_id" FROM_EVENT
			      "WHERE position = 0 AND event_id > ? AND event_id <= ? "
			      "ORDER BY event_id LIMIT ?"},
};
static const struct db_stmt_list feed_stmts = {"feed", stmts, FEED_STATEMENTS};
static const struct db_stmt_list *const feed_lists[] = {&feed_stmts, NULL};

/* An event that was delivered before it had a position that lasts, and is not to be delivered again then. */
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
	bool placed;             /* `position` says where to go on */
	int64_t position;        /* of the last event read whose position lasts */
	struct tail tail;        /* up to where positions last, and were given, at this poll */
	int64_t ahead;           /* the last position this poll has read */
	int64_t newest;          /* greatest id met without a position */
	bool pending;            /* this poll met some without */
	struct db_server server; /* that was read from last */
	struct early *early;     /* in the order of their delivery */
	struct metric *waiting, *oldest;
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

static void deliver(struct event_feed *f, const struct event *e)
{
	f->config.listener(f->config.arg, e);
}

/* --- pages of events --- */

static void tell_lost(struct event_feed *f, const char *why)
{
	log_warning("event feed: %s", why);
	if (f->config.lost)
		f->config.lost(f->config.arg);
}

/* A position that does not last yet may be another event's after a crash of the database. */
static void take_behind(struct event_feed *f, const struct event *e)
{
	f->ahead = e->position;
	if (e->position > f->tail.durable) {
		if (early_note(f, e->event_id))
			deliver(f, e);
		return;
	}
	if (e->position != f->position + 1)
		tell_lost(f, "events were removed before they were read");
	if (!early_forget(f, e->event_id))
		deliver(f, e);
	f->position = e->position;
}

static void take_pending(struct event_feed *f, const struct event *e)
{
	f->pending = true;
	if (f->newest < e->event_id)
		f->newest = e->event_id;
	if (early_note(f, e->event_id))
		deliver(f, e);
}

typedef void (*take_function)(struct event_feed *f, const struct event *e);

/* How many events there were, or negative. */
static int read_page(struct event_feed *f, int statement, int64_t after, unsigned most, take_function take,
		     struct error *err)
{
	const struct event *events;
	unsigned n;
	arena_reset(&f->arena);
	int r = db_read_all(f->conn, &stmts[statement], DB_ARGS(db_i64(after), db_i64(most)), &f->arena,
			    &events, &n, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < n; i++)
		take(f, &events[i]);
	return (int)n;
}

/* Reads pages until one is not full; taking them moves *after. */
static int read_pages(struct event_feed *f, int statement, const int64_t *after, take_function take,
		      struct error *err)
{
	int n;
	do
		n = read_page(f, statement, *after, PAGE, take, err);
	while (n == PAGE);
	return n < 0 ? n : 0;
}

/* --- events that younger ones were read before --- */

/* Each of these that was not delivered, and those that follow it: they were late together if they were many.
 */
static int take_late(struct event_feed *f, const int64_t *ids, unsigned n, struct error *err)
{
	int r = 0;
	for (unsigned i = 0; r >= 0 && i < n; i++)
		if (!early_find(f, ids[i]))
			r = read_page(f, FEED_PENDING, ids[i] - 1, LATE_PAGE, take_pending, err);
	return r < 0 ? r : 0;
}

typedef int (*take_ids_function)(struct event_feed *f, const int64_t *ids, unsigned n, struct error *err);

/* The ids of all events without a position, up to `newest`. */
static int read_ids(struct event_feed *f, int64_t newest, take_ids_function take, struct error *err)
{
	struct arena arena;
	int64_t *ids, after = 0;
	unsigned n = IDS_PAGE;
	int r = 0;
	arena_init(&arena, 2 * IDS_PAGE * sizeof(after));
	while (r == 0 && n == IDS_PAGE && HASH_COUNT(f->early) <= EARLY_MAX) {
		arena_reset(&arena);
		r = db_read_all(f->conn, &stmts[FEED_PENDING_IDS],
				DB_ARGS(db_i64(after), db_i64(newest), db_i64(IDS_PAGE)), &arena, &ids, &n,
				err);
		f->pending |= n > 0;
		if (r == 0 && n > 0)
			after = ids[n - 1];
		if (r == 0)
			r = take(f, ids, n, err);
	}
	arena_done(&arena);
	return r;
}

/* A transaction may commit an event after younger ones were read: the ids tell. */
static int read_late(struct event_feed *f, int64_t newest, struct error *err)
{
	return read_ids(f, newest, take_late, err);
}

static int take_known(struct event_feed *f, const int64_t *ids, unsigned n, struct error *err)
{
	for (unsigned i = 0; i < n; i++)
		(void)early_note(f, ids[i]);
	if (n > 0)
		f->newest = ids[n - 1];
	return 0;
}

/* --- a poll --- */

/* What is left when all was read waits for its position. */
static void measure(const struct event_feed *f)
{
	int64_t made_ms = f->early ? id_time_ms(f->early->event_id) : INT64_MAX;
	int64_t now_ms = clock_now_ms(&clock_system);
	metric_set(f->waiting, HASH_COUNT(f->early));
	metric_set(f->oldest, made_ms < now_ms ? now_ms - made_ms : 0);
}

static int find_place(struct event_feed *f, struct error *err)
{
	int r = db_read_one(f->conn, &stmts[FEED_TAIL], DB_NO_ARGS, NULL, &f->tail, err);
	if (r < 0)
		return r;
	if (!f->placed)
		f->position = f->tail.durable;
	f->placed = true;
	return 0;
}

/* What was committed before the poll has a position by now, or was met without one. What is given its
 * position meanwhile is left to the next poll: as fast as that goes on, a poll would never come to an end. */
static int read_behind(struct event_feed *f, struct error *err)
{
	int r = find_place(f, err), n = PAGE;
	f->ahead = f->position;
	while (r == 0 && n == PAGE && f->ahead < f->tail.last) {
		n = read_page(f, FEED_BEHIND, f->ahead, PAGE, take_behind, err);
		r = n < 0 ? n : 0;
	}
	return r;
}

static void notice_absence(struct event_feed *f)
{
	int64_t read_us = atomic_load(&f->read_us);
	int64_t lost_ms = f->config.lost_ms ? f->config.lost_ms : LOST_MS;
	if (read_us != 0 && monotonic_us() - read_us > lost_ms * 1000)
		tell_lost(f, "away for too long");
}

/* Whether what was read is of another server than what was before, so that all is to be read anew. */
static bool begins_anew(struct event_feed *f)
{
	const struct db_server before = f->server;
	f->server = f->conn->guarded.server;
	if (!before.hash || db_server_same(&before, &f->server))
		return false;
	tell_lost(f, "the database was started anew, or is another");
	early_clear(f);
	f->newest = 0;
	f->placed = false;
	return true;
}

/*
 * What has no position comes first, for it is that which is waited for. An event that gets its position
 * meanwhile is met among those that have one, then or at the next poll.
 */
static int read_new(struct event_feed *f, struct error *err)
{
	int64_t newest = f->newest;
	f->pending = HASH_COUNT(f->early) > EARLY_MAX; /* then read_late() does not look */
	int r = f->placed ? 0 : find_place(f, err);
	if (r == 0)
		r = read_pages(f, FEED_PENDING, &f->newest, take_pending, err);
	if (r == 0)
		r = read_late(f, newest, err);
	return r < 0 ? r : read_behind(f, err);
}

static int poll_once(struct event_feed *f, int64_t time_us, struct error *err)
{
	int64_t begin_us;
	int r;
	do {
		begin_us = monotonic_us();
		db_set_deadline(f->conn, begin_us + time_us);
		r = read_new(f, err);
	} while (r == 0 && begins_anew(f));
	if (r < 0)
		return r;
	/* What is still there was seen committed, and lost by a crash of the database. */
	if (!f->pending && f->position == f->ahead)
		early_clear(f);
	notice_absence(f);
	measure(f);
	atomic_store(&f->read_us, begin_us);
	return 0;
}

/* Nothing is remembered here yet that what was committed before could have changed: that is not delivered,
 * and a long backlog not read. */
static int begin(struct event_feed *f, struct error *err)
{
	db_set_deadline(f->conn, monotonic_us() + FIRST_POLL_TIME_US);
	int r = find_place(f, err);
	if (r == 0)
		r = read_ids(f, INT64_MAX, take_known, err);
	return r < 0 ? r : poll_once(f, FIRST_POLL_TIME_US, err);
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
	f->waiting = metric_gauge(
		"edu_events_pending",
		"Events without a position in the feed; of more than 300,000 some are not counted.", NULL);
	f->oldest = metric_gauge(
		"edu_events_pending_age_milliseconds",
		"How old the oldest event without a position is, by its id; 0 when there is none.", NULL);
	arena_init(&f->arena, ARENA_CAP);
	int poll_ms = config->poll_ms ? config->poll_ms : POLL_MS;
	int r = db_open(&f->db, feed_lists, &f->conn, err);
	if (r == 0)
		r = begin(f, err);
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
