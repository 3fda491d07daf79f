/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_CATALOGUE_H
#define SEARCH_CATALOGUE_H

#include "server/base/cache.h"
#include "server/base/id_queue.h"
#include "server/db/event.h"
#include "server/search/index.h"
#include "server/search/misses.h"

/*
 * The catalogue of this replica: the index of all published courses, what of them has changed and was not
 * read anew yet, and courses as lists show them (cards), which are kept as long as there is room. Any thread
 * may ask it and does not block; it is read from the database by a keeper (keeper.h) and, for what changed on
 * this replica, by whoever asks next, so that everybody sees here what was answered here.
 */
struct catalogue;

/* `changed_here` is whom app.courses_changed tells; it stays the caller's. NULL when memory is out. */
struct catalogue *catalogue_new(size_t card_bytes, struct id_queue *changed_here);
void catalogue_free(struct catalogue *c);

/* --- what changes it --- */

/* Notes what an event made stale. Called for every event of the feed; does not block. */
void catalogue_on_event(struct catalogue *c, const struct event *e);

/* The same of what an area above tells: what is shown of the course may be another. */
void catalogue_course_changed(struct catalogue *c, int64_t course_id);

/* Events may have been missed: everything is to be read anew, and until then nobody is answered. */
void catalogue_lost(struct catalogue *c);

/* Whether it is there and nothing of it was lost: what makes a replica ready. Any thread. */
bool catalogue_ready(const struct catalogue *c);

/* Reads everything. The arena is reset on the way. */
int catalogue_load(struct catalogue *c, struct db_conn *conn, struct arena *arena, struct error *err)
	__attribute__((warn_unused_result));

/* Reads anew what had changed before, here or elsewhere. Blocks while somebody else does, until the deadline
 * (monotonic). */
enum catalogue_source { CHANGED_HERE, CHANGED_ELSEWHERE };
int catalogue_refresh(struct catalogue *c, enum catalogue_source source, struct db_conn *conn,
		      int64_t deadline_us, struct error *err) __attribute__((warn_unused_result));

/* Has what those teach whose names changed read anew as well. */
void catalogue_follow_names(struct catalogue *c);

/* Takes over ranks that were written; false when memory is out. */
bool catalogue_rank(struct catalogue *c, const struct index_rank *ranks, unsigned n)
	__attribute__((warn_unused_result));

/* Clears away what removed courses left, and tells /metrics how large it is. */
void catalogue_tidy(struct catalogue *c);
void catalogue_measure(struct catalogue *c);

/* --- asking --- */

/* Nothing that was answered on this replica is missing from it. */
bool catalogue_current(const struct catalogue *c);

/* DATABASE_UNAVAILABLE while it is not ready. */
int catalogue_find(struct catalogue *c, struct arena *arena, const struct index_query *q,
		   struct index_page *ret, struct error *err) __attribute__((warn_unused_result));

/* Counts a page for /metrics. */
void catalogue_count_page(struct catalogue *c, bool from_memory);

/* By course id, the ListCoursesResponse, packed, that has this one alone. */
struct cache *catalogue_cards(struct catalogue *c);
struct misses *catalogue_misses(struct catalogue *c);

#endif
