/* SPDX-License-Identifier: Apache-2.0 */
#include "server/progress/progress_feed.h"

#include "server/progress/progress_access.h"

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

void progress_on_event(struct app *app, const struct event *e)
{
	if (starts_with(e->kind, "grant.") || starts_with(e->kind, "purchase."))
		progress_access_invalidate(app->access, e->user_id, e->course_id);
}
