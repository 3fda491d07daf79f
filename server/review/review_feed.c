/* SPDX-License-Identifier: Apache-2.0 */
#include "server/review/review_feed.h"

#include "server/course/course_cache.h"
#include "server/review/review_names.h"

void review_on_event(struct cache *courses, struct catalogue *catalogue, const struct event *e)
{
	if (!event_is_of(e, NOUN_REVIEW))
		return;
	course_cache_forget(courses, e->course_id);
	catalogue_course_changed(catalogue, e->course_id);
}
