/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_feed.h"

#include <string.h>

#include "server/course/course_cache.h"

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

void course_on_event(struct cache *courses, struct cache *lessons, const struct event *e)
{
	bool of_lesson = starts_with(e->kind, "lesson.");
	if (of_lesson)
		cache_invalidate(lessons, span_of(&e->subject_id, sizeof(e->subject_id)));
	if (of_lesson || starts_with(e->kind, "course."))
		course_cache_forget(courses, e->course_id);
}
