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
	unsigned n_windows; /* of the newest grants, should there be more */
	struct grant_window windows[PROGRESS_WINDOWS_MAX];
};

/* True when some grant covers the time. */
bool progress_access_covers(const struct progress_access *a, int64_t at_us);

/* From memory; false when it is not there. Any thread; does not block. */
bool progress_access_cached(struct cache *cache, int64_t user_id, int64_t course_id,
			    struct progress_access *ret);

/* From memory, else from the database, remembering it. `enrolled` is false for who never was. */
int progress_access_read(struct cache *cache, struct db_conn *conn, struct arena *arena, int64_t user_id,
			 int64_t course_id, struct progress_access *ret, struct error *err)
	__attribute__((warn_unused_result));

void progress_access_invalidate(struct cache *cache, int64_t user_id, int64_t course_id);

#endif
