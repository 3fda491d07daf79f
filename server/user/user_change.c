/* SPDX-License-Identifier: Apache-2.0 */
#include "server/user/user_change.h"

#include <string.h>

#include "server/app/app.h"
#include "server/user/user_proto.h"

int user_append_event(struct db_conn *conn, const char *kind, int64_t event_id, const struct user *u,
		      struct error *err)
{
	const struct event e = {
		.event_id = event_id,
		.kind = kind,
		.subject_id = u->user_id,
		.user_id = u->user_id,
		.create_us = u->update_us,
	};
	return event_append(conn, &e, err);
}

static int check_etag(const struct user *u, const char *etag, struct error *err)
{
	char current[USER_ETAG_SIZE];
	if (!*etag || strcmp(etag, user_etag(u, current)) == 0)
		return 0;
	return error_raise(err, &REASON_ETAG_MISMATCH,
			   "The user has changed since it was read; read it again.");
}

static int change_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct user_change *change = arg;
	struct arena *arena = rpc_arena(change->call);
	struct user u;

	change->conn = conn;
	int r = change->prepare ? change->prepare(change, err) : 0;
	if (r >= 0)
		r = user_store_lock(conn, arena, change->user_id, &u, err);
	change->now_us = app_now_us(change->call);
	if (r >= 0)
		r = check_etag(&u, change->etag, err);
	if (r >= 0)
		r = change->apply(change, &u, err);
	if (r < 0)
		return r;
	u.version++;
	u.update_us = change->now_us;
	r = user_store_update(conn, &u, err);
	if (r >= 0)
		r = user_append_event(conn, change->event_kind, change->event_id, &u, err);
	if (r < 0)
		return r;
	*change->ret = user_to_proto(arena, &u);
	return arena_check(arena, err);
}

int user_change_run(struct user_change *change, struct error *err)
{
	int r = app_new_ids(change->call, APP_IDS(&change->event_id), err);
	return r < 0 ? r : db_transaction(db_of(change->call), false, change_body, change, err);
}
