/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_EVENT_H
#define DB_EVENT_H

#include "server/base/clock.h"
#include "server/db/db.h"
#include "server/db/retention.h"

/*
 * The one event table: outbox, cache invalidation, revocation and partner feed. Every effect but a progress
 * heartbeat, which marks its day, appends a row in its own transaction. The sequencer gives rows their feed
 * position after commit, without gaps. The feed hands every replica every row within a second: each poll
 * reads the rows behind its last position and those that have none yet, so it neither waits for the sequencer
 * nor depends on how long a transaction takes or what any clock says, and it reads no row twice once it has a
 * position.
 */

struct event {
	int64_t event_id;   /* made by the caller before the transaction */
	const char *kind;   /* "noun.what_became_of_it"; the areas list theirs */
	int64_t subject_id; /* what changed; its id kind follows from the event's kind */
	/* After the change, of the subject or of what it is part of: it ascends with the commits of a
	 * subject's changes, as positions need not. 0: it has none. */
	int64_t version;
	int64_t user_id, course_id, organization_id; /* 0: none; what the feed is filtered by */
	int64_t create_us;
	struct span payload; /* JSON object of what a consumer needs; may be empty */
	int64_t position;    /* in the feed, which gives it; 0: it has none yet */
};
#define EVENT_OWN_COLUMNS(F, C, R)                                                                           \
	F(R, "event_id", I64, event_id)                                                                      \
	C(R, "kind", TEXT, kind)                                                                             \
	C(R, "subject_id", I64, subject_id)                                                                  \
	C(R, "version", I64, version)                                                                        \
	C(R, "user_id", I64, user_id)                                                                        \
	C(R, "course_id", I64, course_id)                                                                    \
	C(R, "organization_id", I64, organization_id)                                                        \
	C(R, "create_time", I64, create_us)
#define EVENT_COLUMNS(F, C, R) EVENT_OWN_COLUMNS(F, C, R) C(R, "payload", BYTES, payload)

/* Whether something became of one of these: the noun of its kind. */
bool event_is_of(const struct event *e, const char *noun);

int event_append(struct db_conn *conn, const struct event *e, struct error *err)
	__attribute__((warn_unused_result));

/* The same for `n` of them, in one round trip; inside a transaction. */
int event_append_many(struct db_conn *conn, const struct event *events, unsigned n, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list event_stmts;

/*
 * An event is over when it has happened; one that has no position yet never is. It goes with its place in
 * every audience's feed. What reads them falls behind by less than they are kept, or has to begin anew: a
 * replica's feed notices a gap, and goes on at the end after 15 minutes at most.
 */
extern const struct retention event_retention;

/* --- the feed, one per process: a thread with a connection of its own --- */

struct event_feed;

/*
 * Called once (after `lost` perhaps again) for every event committed since event_feed_start() was called, in
 * the order read (nearly that of commit), on the feed's thread or by event_feed_start() itself: what is read
 * from the database later is newer than all events before. Must not block. What the event points to is the
 * feed's. Its payload is not read: a replica needs none, and however large they are, its feed keeps
 * up.
 */
typedef void (*event_listener)(void *arg, const struct event *e);

struct event_feed_config {
	const struct db_config *db;
	int poll_ms; /* 0: 250 */
	int lost_ms; /* 0: 15 minutes; away for longer, the feed calls `lost` before it goes on */
	event_listener listener;
	/* The feed was away, has missed events that are gone, or reads from a database that was started anew
	 * and may lack what was seen of it: drop every cache. May be NULL. */
	void (*lost)(void *arg);
	void *arg;
};

int event_feed_start(const struct event_feed_config *config, struct event_feed **ret, struct error *err)
	__attribute__((warn_unused_result));
void event_feed_stop(struct event_feed *f); /* NULL is fine */

/* When the feed last read to its end, on the monotonic clock; 0 before it has. Thread-safe. */
int64_t event_feed_read_us(const struct event_feed *f);

/* Microseconds since the feed last read to its end, INT64_MAX before it has; over 5 s the replica is not
 * ready. Thread-safe. */
int64_t event_feed_age_us(const struct event_feed *f);

#endif
