/* SPDX-License-Identifier: Apache-2.0 */
#include "server/user/user_life.h"

#include "server/user/user_names.h"
#include "server/user/user_proto.h"

static const struct transition life[USER_STEPS] = {
	[STEP_USER_UPDATE] = {.event = EVENT_USER_UPDATED,
			      .audit = AUDIT_UPDATE_USER,
			      .own_unaudited = true,
			      .apply = user_apply_update},
	[STEP_USER_SET_ROLES] = {.event = EVENT_USER_ROLES_SET,
				 .audit = AUDIT_SET_USER_ROLES,
				 .prepare = user_prepare_roles,
				 .apply = user_apply_roles},
};

static int lock_user(struct db_conn *conn, struct arena *arena, int64_t id, void *ret, struct error *err)
{
	return user_store_lock(conn, arena, id, ret, err);
}

static int write_user(struct db_conn *conn, struct arena *arena, const void *user, struct error *err)
{
	return user_store_update(conn, user, err);
}

static void *show_user(struct arena *arena, const void *user)
{
	return user_to_proto(arena, user);
}

static void concerns_user(const struct change *change, const void *user, struct event *e)
{
	e->user_id = ((const struct user *)user)->user_id;
}

static const struct change_kind user_kind = {
	.size = sizeof(struct user),
	.version = offsetof(struct user, version),
	.update_us = offsetof(struct user, update_us),
	.state = offsetof(struct user, state),
	.lock = lock_user,
	.write = write_user,
	.to_proto = show_user,
	.concerns = concerns_user,
};

struct change user_change(struct rpc_call *call, enum user_step step, int64_t user_id, const char *etag)
{
	return (struct change){
		.call = call, .kind = &user_kind, .step = &life[step], .id = user_id, .etag = etag};
}

int user_append_event(struct db_conn *conn, const char *kind, int64_t event_id, const struct user *u,
		      struct error *err)
{
	const struct event e = {
		.event_id = event_id,
		.kind = kind,
		.subject_id = u->user_id,
		.version = u->version,
		.user_id = u->user_id,
		.create_us = u->update_us,
	};
	return event_append(conn, &e, err);
}
