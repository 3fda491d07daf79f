/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ACCESS_ACCESS_H
#define ACCESS_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/cache.h"
#include "server/db/db.h"

/*
 * The law of access. A user has access to a course at a time when a grant's window holds that time and the
 * grant is of the course, or of a catalogue that holds the course at that time. Grants and a course's places
 * in catalogues are never removed: they also say when there was access.
 *
 * It is asked for every progress report, so three things are remembered (app->access), each also when there
 * is nothing: of a user and a course the grants of the course and the enrollment; of a user the grants of
 * catalogues; of a course the catalogues that hold it. The latter two are put together where they are asked
 * for, and asked only when the grants of the course do not settle the question: who never subscribed costs
 * nothing more. Each event of the feed drops one of them (access_feed.h).
 */

/* Half-open: from start_us, no longer at end_us. */
struct access_window {
	int64_t scope_id;         /* the course, or the catalogue */
	int64_t start_us, end_us; /* INT64_MAX: no end */
};

struct access {
	bool enrolled;
	int64_t epoch;    /* of the progress; 0 unless enrolled */
	int64_t start_us; /* when access first began; set once and never moved; 0 unless enrolled */
	int64_t epoch_us; /* when the epoch began: start_us, until a reset; 0 unless enrolled */
	const struct access_window *windows; /* in the arena; in no order, and they may overlap */
	unsigned n_windows;
};

/* What is asked of an access. Yes must stay yes when windows are added. */
typedef bool (*access_question)(const struct access *a, const void *arg);

struct access_query {
	int64_t user_id, course_id;
	access_question asks;
	const void *arg;
};

/* Some window holds the time. */
bool access_covers(const struct access *a, int64_t at_us);

/* A question, whose `arg` is a time (int64_t): there is or was access by then. */
bool access_began(const struct access *a, const void *at_us);

/* Some window holds the time, or one that is to come. */
bool access_lasts(const struct access *a, int64_t at_us);

/* When the last of the windows that hold the time ends; INT64_MAX: none ends, or none holds it. */
int64_t access_end_us(const struct access *a, int64_t at_us);

/* When its first window begins, of which there must be one. */
int64_t access_first_us(const struct access *a);

/*
 * From memory: true when it knows the answer to be yes. Any thread; does not block. It may be older than a
 * purchase made a moment ago on another replica, so it may let a user in but not keep one out.
 */
bool access_cached(struct cache *cache, struct arena *arena, const struct access_query *q,
		   struct access *ret);

/*
 * From the database, remembering it: 1 when the answer is yes, 0 when it is no as committed now, negative on
 * trouble. One round trip when the grants of the course, or these and what is remembered of catalogues, say
 * yes; two or three otherwise. A grant that was taken away ends at `now_us` at the latest, whatever the clock
 * of who took it away said.
 */
int access_read(struct cache *cache, struct db_conn *conn, struct arena *arena, const struct access_query *q,
		int64_t now_us, struct access *ret, struct error *err) __attribute__((warn_unused_result));

/* All of it as committed now, whatever is remembered, and without remembering it: for a transaction that goes
 * on to change it. Up to three round trips. */
int access_read_all(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
		    int64_t now_us, struct access *ret, struct error *err)
	__attribute__((warn_unused_result));

/* Raises ACCESS_MISSING. */
int access_missing(struct error *err) __attribute__((warn_unused_result));

/* Forgets what was remembered of one user and course; of a user's catalogues; of a course's. */
void access_forget(struct cache *cache, int64_t user_id, int64_t course_id);
void access_forget_catalogues(struct cache *cache, int64_t user_or_course_id);

#endif
