/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_feed.h"

#include "server/course/course_cache.h"
#include "server/course/course_names.h"

void course_on_event(struct cache *courses, struct cache *lessons, const struct event *e)
{
	bool of_lesson = event_is_of(e, NOUN_LESSON);
	if (of_lesson)
		cache_invalidate(lessons, span_of(&e->subject_id, sizeof(e->subject_id)));
	if (of_lesson || event_is_of(e, NOUN_COURSE))
		course_cache_forget(courses, e->course_id);
}
