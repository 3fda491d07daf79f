/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_CACHE_H
#define COURSE_COURSE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/app/app.h"
#include "server/base/cache.h"
#include "server/base/principal.h"
#include "server/course/course_row.h"

/*
 * GetCourse's answers as they go over the wire, by course id, each beside what says who may see it.
 * Invalidated right after a local commit and by the event feed.
 */

/* The packed answer and who may see it; as long as the value's reference. */
struct course_answer {
	enum course_state state;
	unsigned n_instructors;
	struct course_share instructors[COURSE_INSTRUCTORS_MAX_ITEMS];
	struct span packed;
};

/* A reference to release with cache_value_release(); NULL when absent. Any thread, does not block. */
struct cache_value *course_cache_get(struct cache *courses, int64_t course_id, struct course_answer *ret);

/* Before the course is read; for course_cache_put(). */
uint64_t course_cache_generation(struct cache *courses, int64_t course_id);
void course_cache_put(struct cache *courses, const struct course *c, struct span packed, struct arena *arena,
		      uint64_t generation);

void course_cache_forget(struct cache *courses, int64_t course_id);

/* What is shown of the course may be another now, by a call on this server: it is forgotten, and the
 * catalogue reads it anew before it answers anybody. */
void course_changed_here(struct app *app, int64_t course_id);

/* The caller sees the course, as far as memory knows; to nobody it shows what he may not see. When it says no
 * and course_kept_for(), the database knows more. */
bool course_answer_seen(struct rpc_call *call, int64_t course_id, const struct course_answer *a);

#endif
