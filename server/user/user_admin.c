/* SPDX-License-Identifier: Apache-2.0 */
#include "server/user/user_admin.h"

#include "proto/runtime/rules.h"
#include "server/auth/password.h"
#include "server/db/audit.h"
#include "server/db/event.h"
#include "server/user/user_life.h"
#include "server/user/user_names.h"
#include "server/user/user_proto.h"

const struct db_stmt_list *const user_admin_stmts[] = {&user_stmts, &event_stmts, &audit_stmts, NULL};

enum { ARENA_CAP = 64 << 10 };

/* What RegisterUser would refuse is refused here. */
static int check_admin(const struct user_admin *admin, struct error *err)
{
	RegisterUserRequest req = REGISTER_USER_REQUEST_INIT;
	req.user_name = (char *)admin->user_name;
	req.password = (char *)admin->password;
	if (admin->email)
		req.email = (char *)admin->email;
	struct arena arena;
	arena_init(&arena, ARENA_CAP);
	int r = rules_check(&edu_v1_register_user_request_rules, &req.base, &arena, err);
	arena_done(&arena);
	return r;
}

struct creation {
	struct user user;
	int64_t event_id, audit_id;
};

static int create_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct creation *m = arg;
	const struct audit record = {
		.audit_id = m->audit_id,
		.action = AUDIT_CREATE_ADMIN,
		.subject_id = m->user.user_id,
		.reason = "made on the command line of the server",
		.create_us = m->user.create_us,
	};
	int r = user_store_insert(conn, &m->user, err);
	if (r >= 0)
		r = user_append_event(conn, EVENT_USER_REGISTERED, m->event_id, &m->user, err);
	return r < 0 ? r : audit_append(conn, &record, err);
}

static int fill_user(struct arena *arena, int64_t now_us, int64_t user_id, const struct user_admin *admin,
		     char *hash, struct user *ret, struct error *err)
{
	char *name = user_text_fold(arena, admin->user_name);
	bool has_email = admin->email && *admin->email;
	*ret = (struct user){
		.user_id = user_id,
		.user_name = name,
		.email = has_email ? user_text_fold(arena, admin->email) : NULL,
		.display_name = name,
		.bio = arena_strdup(arena, ""),
		.language = arena_strdup(arena, ""),
		.time_zone = arena_strdup(arena, ""),
		.password_hash = hash,
		.roles = ROLE_MASK_LEARNER | ROLE_MASK_ADMIN,
		.rights_epoch = 1,
		.state = USER_ACTIVE,
		.version = 1,
		.create_us = now_us,
		.update_us = now_us,
	};
	return arena_check(arena, err);
}

static int new_ids(struct node_lease *node, int64_t *ret_user_id, struct creation *m, struct error *err)
{
	int r = node_lease_new_id(node, ret_user_id, err);
	if (r == 0)
		r = node_lease_new_id(node, &m->event_id, err);
	return r < 0 ? r : node_lease_new_id(node, &m->audit_id, err);
}

static int create(struct db_conn *conn, struct arena *arena, const struct clock *clock,
		  struct node_lease *node, const struct user_admin *admin, int64_t *ret_user_id,
		  struct error *err)
{
	struct creation m;
	struct passwords passwords;
	char hash[PASSWORD_HASH_SIZE];
	int64_t user_id;
	int r = passwords_init(&passwords, admin->argon2_kib, admin->argon2_passes, err);
	if (r >= 0)
		r = password_hash(&passwords, admin->password, hash, err);
	if (r >= 0)
		r = new_ids(node, &user_id, &m, err);
	if (r >= 0)
		r = fill_user(arena, clock_now_us(clock), user_id, admin, hash, &m.user, err);
	if (r >= 0)
		r = db_transaction(conn, false, create_body, &m, err);
	if (r >= 0)
		*ret_user_id = m.user.user_id;
	return r;
}

int user_admin_create(struct db_conn *conn, const struct clock *clock, struct node_lease *node,
		      const struct user_admin *admin, int64_t *ret_user_id, struct error *err)
{
	struct arena arena;
	int r = check_admin(admin, err);
	if (r < 0)
		return r;
	arena_init(&arena, ARENA_CAP);
	r = create(conn, &arena, clock, node, admin, ret_user_id, err);
	arena_done(&arena);
	return r;
}
