/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRESS_ACCESS_H
#define PROGRESS_ACCESS_H

#include "server/base/cache.h"
#include "server/db/db.h"
#include "server/purchase/grant.h"

/*
 * Whether a learner has or had access to a course, and the epoch of the progress: asked for every report,
 * hence cached (app->access). The event feed keeps the cache true; see progress_feed.h.
 */
enum { PROGRESS_WINDOWS_MAX = 8 };

struct progress_access {
	bool enrolled;
	int64_t epoch;
	int64_t start_us; /* when access first began; set once and never moved */
	unsigned n_windows;
	struct grant_window windows[PROGRESS_WINDOWS_MAX]; /* by start, with gaps between them */
};

/*
 * Puts in `n` windows sorted by start, joined where they overlap or touch. Should more stay apart than there
 * is room for, the newest are kept: access that lasts is never lost to short grants that came after it.
 */
void progress_access_set_windows(struct progress_access *a, const struct grant_window *windows, unsigned n);

/* True when some grant covers the time. */
bool progress_access_covers(const struct progress_access *a, int64_t at_us);

/*
 * From memory; false when it is not there. Any thread; does not block. It may be older than a purchase made a
 * moment ago on another replica, so it may let a learner in but not keep one out.
 */
bool progress_access_cached(struct cache *cache, int64_t user_id, int64_t course_id,
			    struct progress_access *ret);

/* From the database, remembering it. `enrolled` is false for who never was; that is not remembered. */
int progress_access_read(struct cache *cache, struct db_conn *conn, struct arena *arena, int64_t user_id,
			 int64_t course_id, struct progress_access *ret, struct error *err)
	__attribute__((warn_unused_result));

void progress_access_invalidate(struct cache *cache, int64_t user_id, int64_t course_id);

#endif
