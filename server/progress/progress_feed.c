/* SPDX-License-Identifier: Apache-2.0 */
#include "server/progress/progress_feed.h"

#include "server/progress/progress_access.h"

void progress_on_event(struct app *app, const struct event *e)
{
	static const char *const kinds[] = {EVENT_GRANT_ADDED, EVENT_PURCHASE_COMPLETED};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(e->kind, kinds[i]))
			progress_access_invalidate(app->access, e->user_id, e->course_id);
}
