/* SPDX-License-Identifier: Apache-2.0 */
#include "server/user/user_feed.h"

#include <string.h>

#include "server/user/user_names.h"

void user_on_event(struct auth *auth, const struct event *e)
{
	if (strcmp(e->kind, EVENT_SESSION_REVOKED) == 0 || strcmp(e->kind, EVENT_USER_ROLES_SET) == 0)
		auth_user_changed(auth, e->user_id);
}
