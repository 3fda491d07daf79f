/* SPDX-License-Identifier: Apache-2.0 */
#include "server/purchase/purchase_feed.h"

#include "server/access/access.h"
#include "server/purchase/purchase_names.h"

void purchase_on_event(struct cache *access, const struct event *e)
{
	if (event_is_of(e, NOUN_PURCHASE))
		access_forget(access, e->user_id, e->course_id);
}
