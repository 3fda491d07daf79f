/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_LESSON_PAGES_H
#define COURSE_LESSON_PAGES_H

#include "server/course/course_cache.h"

/*
 * Pages of ListLessons as they go over the wire, of what is published or archived: app->lesson_pages. A page
 * is kept under the generation of its course's key in app->courses, so that whatever makes the course
 * forgotten there makes all its pages unfindable; these are bytes until others need the room.
 *
 * Only pages as they follow from the first with the page size that is default or the largest are kept: of a
 * course no more than its lessons twice, whatever sizes callers ask for.
 */
struct lesson_page_key {
	int64_t course_id;
	uint64_t generation;    /* course_cache_generation(), before anything of the page is read */
	int32_t after_position; /* 0: the first page */
	uint32_t size;          /* lessons asked for */
};

struct lesson_page {
	struct course_answer answer; /* the page without its token, which is made for each caller */
	int64_t revision;
	int32_t last_position; /* another page follows it; 0: none */
};

bool lesson_page_kept(const struct lesson_page_key *key);

/* A reference to release with cache_value_release(), as long as ret->answer.packed; NULL when absent. Any
 * thread, does not block. */
struct cache_value *lesson_page_get(struct cache *pages, const struct lesson_page_key *key,
				    struct lesson_page *ret);
void lesson_page_put(struct cache *pages, const struct lesson_page_key *key, const struct lesson_page *page,
		     struct arena *arena);

#endif
