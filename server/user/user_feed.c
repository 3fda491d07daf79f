/* SPDX-License-Identifier: Apache-2.0 */
#include "server/user/user_feed.h"

#include <string.h>

void user_on_event(struct revocations *revocations, const struct event *e)
{
	if (strcmp(e->kind, EVENT_SESSION_REVOKED) == 0)
		revocations_add_session(revocations, e->subject_id, e->create_us);
	else if (strcmp(e->kind, EVENT_USER_ROLES_SET) == 0)
		revocations_add_user(revocations, e->subject_id, e->create_us);
}
