/* SPDX-License-Identifier: Apache-2.0 */
#include "server/progress/progress_feed.h"

#include "server/progress/progress_access.h"
#include "server/purchase/purchase_names.h"

void progress_on_event(struct app *app, const struct event *e)
{
	if (event_is_of(e, NOUN_PURCHASE))
		progress_access_invalidate(app->access, e->user_id, e->course_id);
}
