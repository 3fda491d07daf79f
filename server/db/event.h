/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_EVENT_H
#define DB_EVENT_H

#include "proto/runtime/ids.h"
#include "server/base/clock.h"
#include "server/db/db.h"

/*
 * The one event table: outbox, cache invalidation, revocation and partner feed. Every effect but a progress
 * heartbeat appends a row in its own transaction. The sequencer gives rows their feed position after commit,
 * without gaps. The feed hands every replica every row within a second: each poll reads the rows behind its
 * last position and those that have none yet, so it neither waits for the sequencer nor depends on how long a
 * transaction takes or what any clock says, and it reads no row twice once it has a position.
 */

/* Kinds, as they are stored. */
#define EVENT_USER_REGISTERED "user.registered"
#define EVENT_USER_UPDATED "user.updated"
#define EVENT_USER_ROLES_SET "user.roles_set" /* subject: user, whose rights_epoch was raised */
#define EVENT_SESSION_STARTED "session.started"
#define EVENT_SESSION_REVOKED "session.revoked" /* subject: session */
#define EVENT_COURSE_CREATED "course.created"
#define EVENT_COURSE_UPDATED "course.updated"
#define EVENT_COURSE_SUBMITTED "course.submitted"
#define EVENT_COURSE_PUBLISHED "course.published"
#define EVENT_LESSON_CREATED "lesson.created"
#define EVENT_WALLET_TOPPED_UP "wallet.topped_up"
#define EVENT_PURCHASE_COMPLETED "purchase.completed"
#define EVENT_GRANT_ADDED "grant.added"
#define EVENT_LESSON_COMPLETED "progress.lesson_completed"

struct event {
	int64_t event_id; /* made by the caller before the transaction */
	const char *kind;
	int64_t subject_id; /* what changed; its id kind follows from the event's kind */
	int64_t user_id, course_id, organization_id; /* 0: none; what the feed is filtered by */
	int64_t create_us;
	struct span payload; /* JSON object of what a consumer needs; may be empty */
};

int event_append(struct db_conn *conn, const struct event *e, struct error *err)
	__attribute__((warn_unused_result));

/* The same for `n` of them, in one round trip; inside a transaction. */
int event_append_many(struct db_conn *conn, struct arena *arena, const struct event *events, unsigned n,
		      struct error *err) __attribute__((warn_unused_result));

extern const struct db_stmt_list event_stmts;

/* --- the feed, one per process: a thread with a connection of its own --- */

struct event_feed;

/*
 * Called for every event once, in the order read (nearly that of commit): by event_feed_start() for what it
 * finds, then on the feed's thread. Must not block. What the event points to is the feed's.
 */
typedef void (*event_listener)(void *arg, const struct event *e);

struct event_feed_config {
	const struct db_config *db;
	int poll_ms; /* 0: 250 */
	int lost_ms; /* 0: 15 minutes; away for longer, the feed calls `lost` before it goes on */
	event_listener listener;
	void (*lost)(void *arg); /* the feed was away, or has missed events that are gone: drop every cache;
				    may be NULL */
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
