/* SPDX-License-Identifier: Apache-2.0 */
#include "server/user/user_feed.h"

#include <string.h>

#include "server/user/session_store.h"
#include "server/user/user_store.h"

static void void_session(void *arg, int64_t session_id, int64_t at_us)
{
	revocations_add_session(arg, session_id, at_us);
}

static void void_user(void *arg, int64_t user_id, int64_t before_us)
{
	revocations_add_user(arg, user_id, before_us);
}

void user_on_event(struct revocations *revocations, const struct event *e)
{
	if (strcmp(e->kind, EVENT_SESSION_REVOKED) == 0)
		void_session(revocations, e->subject_id, e->create_us);
	else if (strcmp(e->kind, EVENT_USER_ROLES_SET) == 0)
		void_user(revocations, e->subject_id, e->create_us);
}

int user_revocations_load(struct db_conn *conn, struct revocations *revocations, int64_t since_us,
			  struct error *err)
{
	int r = session_store_revoked_since(conn, since_us, void_session, revocations, err);
	return r < 0 ? r : user_store_roles_since(conn, since_us, void_user, revocations, err);
}
