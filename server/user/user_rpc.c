/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "edu/v1/edu_service.server.h"
#include "proto/runtime/format.h"
#include "server/app/app.h"
#include "server/auth/password.h"
#include "server/user/user_life.h"
#include "server/user/user_names.h"
#include "server/user/user_proto.h"

/* --- RegisterUser: password, then database --- */

struct registration {
	struct arena *arena;
	const RegisterUserRequest *req;
	RegisterUserResponse *ret;
	struct user user;
	int64_t user_id, event_id;
	char hash[PASSWORD_HASH_SIZE];
};

static void fill_user(struct registration *m, int64_t now_us)
{
	const RegisterUserRequest *req = m->req;
	struct arena *arena = m->arena;
	format_language(req->language);
	m->user = (struct user){
		.user_id = m->user_id,
		.user_name = user_text_fold(arena, req->user_name),
		.email = *req->email ? user_text_fold(arena, req->email) : NULL,
		.display_name = req->display_name,
		.bio = (char *)protobuf_c_empty_string,
		.language = req->language,
		.time_zone = req->time_zone,
		.password_hash = m->hash,
		.roles = ROLE_MASK_LEARNER,
		.rights_epoch = 1,
		.state = USER_ACTIVE,
		.version = 1,
		.create_us = now_us,
		.update_us = now_us,
	};
	if (!*m->user.display_name)
		m->user.display_name = m->user.user_name;
}

static int register_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct registration *m = arg;
	int r = user_store_insert(conn, &m->user, err);
	if (r >= 0)
		r = user_append_event(conn, EVENT_USER_REGISTERED, m->event_id, &m->user, err);
	if (r < 0)
		return r;
	m->ret->user = user_to_proto(m->arena, &m->user);
	return arena_check(m->arena, err);
}

static int store_user(struct rpc_call *call, void *state, struct error *err)
{
	struct registration *m = state;
	int r = app_new_ids(call, APP_IDS(&m->user_id, &m->event_id), err);
	if (r < 0)
		return r;
	fill_user(m, app_now_us(call));
	r = arena_check(m->arena, err);
	return r < 0 ? r : db_transaction(db_of(call), false, register_body, m, err);
}

static int register_user(struct rpc_call *call, const RegisterUserRequest *req, RegisterUserResponse *ret,
			 struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct registration *m = arena_zalloc(arena, sizeof(*m));
	if (!m)
		return arena_full(err);
	m->arena = arena;
	m->req = req;
	m->ret = ret;
	int r = password_hash(app_of(call)->passwords, req->password, m->hash, err);
	return r < 0 ? r : rpc_run_on(call, RPC_ON_DB, store_user, m);
}

/* --- GetUser --- */

/* Whether there is such a user is told to none who may not read him. */
static int read_by_name(struct rpc_call *call, struct arena *arena, const char *user_name, struct user *ret,
			struct error *err)
{
	char *folded = user_text_fold(arena, user_name);
	int r = arena_check(arena, err);
	if (r < 0)
		return r;
	bool found = (r = user_store_by_name(db_of(call), arena, folded, ret, err)) > 0;
	if (r >= 0)
		r = rpc_subject(call, found ? ret->user_id : 0, false, err);
	if (r >= 0 && !found)
		return error_raise(err, &REASON_USER_NOT_FOUND, "There is no such user.");
	return r;
}

static int read_by_id(struct rpc_call *call, struct arena *arena, const char *text, struct user *ret,
		      struct error *err)
{
	int64_t user_id = user_or_caller(rpc_principal(call), text);
	int r = rpc_subject(call, user_id, false, err);
	if (r >= 0)
		r = user_store_read(db_of(call), arena, user_id, ret, err);
	return r == 0 ? user_not_found(err, user_id) : r;
}

static int get_user(struct rpc_call *call, const GetUserRequest *req, GetUserResponse *ret, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct user user;
	int r;
	if (*req->user_id && *req->user_name)
		return error_field(err, "user_name", "may not come together with user_id");
	if (*req->user_name)
		r = read_by_name(call, arena, req->user_name, &user, err);
	else
		r = read_by_id(call, arena, req->user_id, &user, err);
	if (r < 0)
		return r;
	ret->user = user_to_proto(arena, &user);
	return arena_check(arena, err);
}

/* --- UpdateUser --- */

int user_apply_update(struct change *change, void *user, struct error *err)
{
	const UpdateUserRequest *req = change->arg;
	struct user *u = user;
	const User *from = req->user;
	char **paths = req->update_mask->paths;
	size_t n_paths = req->update_mask->n_paths;

	if (mask_has(paths, n_paths, "email"))
		u->email = *from->email ? user_text_fold(change->arena, from->email) : NULL;
	if (mask_has(paths, n_paths, "display_name"))
		u->display_name = from->display_name;
	if (mask_has(paths, n_paths, "bio"))
		u->bio = from->bio;
	if (mask_has(paths, n_paths, "language")) {
		format_language(from->language);
		u->language = from->language;
	}
	if (mask_has(paths, n_paths, "time_zone"))
		u->time_zone = from->time_zone;
	if (!*u->display_name)
		return error_field(err, "user.display_name", "must not be empty");
	return arena_check(change->arena, err);
}

static int update_user(struct rpc_call *call, const UpdateUserRequest *req, UpdateUserResponse *ret,
		       struct error *err)
{
	struct change change =
		user_change(call, STEP_USER_UPDATE, user_or_caller(rpc_principal(call), req->user->user_id),
			    req->user->etag);
	change.arg = (void *)req;
	change.ret = &ret->user;
	int r = app_check_mask(&edu_v1_user_rules, req->update_mask->paths, req->update_mask->n_paths,
			       "user_id", err);
	return r < 0 ? r : change_run(&change, &ret->base, err);
}

EDU_SERVICE_REGISTER_USER(register_user, RPC_ON_PASSWORD);
EDU_SERVICE_GET_USER(get_user, RPC_ON_DB);
EDU_SERVICE_UPDATE_USER(update_user, RPC_ON_DB);
