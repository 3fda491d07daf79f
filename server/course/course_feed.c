/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_feed.h"

#include <string.h>

#include "proto/runtime/array.h"
#include "server/access/access_names.h"
#include "server/course/course_cache.h"
#include "server/course/course_names.h"
#include "server/course/lesson.h"
#include "server/user/user_names.h"

void course_on_event(struct cache *courses, struct cache *lessons, const struct event *e)
{
	if (!event_is_of(e, NOUN_LESSON) && !event_is_of(e, NOUN_SECTION) && !event_is_of(e, NOUN_COURSE))
		return;
	course_cache_forget(courses, e->course_id);
	lesson_info_forget(lessons, e->course_id);
}

/* Whose courses others are than before: not after an edit, nor before a review is passed. Who comes to a
 * course or leaves it is told by his grant of it. */
static bool changes_the_catalogue(const struct event *e)
{
	static const char *const edits[] = {EVENT_COURSE_CREATED,   EVENT_COURSE_UPDATED,
					    EVENT_COURSE_SUBMITTED, EVENT_COURSE_REORDERED,
					    EVENT_COURSE_WITHDRAWN, EVENT_COURSE_REJECTED};
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++)
		if (strcmp(e->kind, edits[i]) == 0)
			return false;
	return event_is_of(e, NOUN_COURSE);
}

void instructor_on_event(struct cache *instructors, const struct event *e)
{
	if (changes_the_catalogue(e))
		cache_clear(instructors);
	else if (event_is_of(e, NOUN_USER) || event_is_of(e, NOUN_ACCESS))
		cache_invalidate(instructors, span_of(&e->user_id, sizeof(e->user_id)));
}
