/* SPDX-License-Identifier: Apache-2.0 */
#include "server/access/access_feed.h"

#include "server/access/access.h"
#include "server/access/access_names.h"

void access_on_event(struct cache *access, const struct event *e)
{
	if (event_is_of(e, NOUN_CATALOGUE))
		access_forget_catalogues(access, e->course_id);
	else if (event_is_of(e, NOUN_ENROLLMENT) || (event_is_of(e, NOUN_ACCESS) && e->course_id))
		access_forget(access, e->user_id, e->course_id);
	else if (event_is_of(e, NOUN_ACCESS))
		access_forget_catalogues(access, e->user_id);
}
