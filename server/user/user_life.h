/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USER_USER_LIFE_H
#define USER_USER_LIFE_H

#include "server/app/change.h"
#include "server/user/user_store.h"

/* The life of a user: what may become of one. Its table is in user_life.c. */
enum user_step {
	STEP_USER_UPDATE,    /* `arg`: the UpdateUserRequest */
	STEP_USER_SET_ROLES, /* `arg`: as roles_rpc.c has it */
	USER_STEPS,
};

/* The change of a user by this step; see app/change.h for what else may be set, and for running it. */
struct change user_change(struct rpc_call *call, enum user_step step, int64_t user_id, const char *etag);

/* What the steps do; each beside its handler. */
int user_apply_update(struct change *change, void *user, struct error *err)
	__attribute__((warn_unused_result));
int user_prepare_roles(struct change *change, struct error *err) __attribute__((warn_unused_result));
int user_apply_roles(struct change *change, void *user, struct error *err)
	__attribute__((warn_unused_result));

/* An event about the user, of the moment of its last change. */
int user_append_event(struct db_conn *conn, const char *kind, int64_t event_id, const struct user *u,
		      struct error *err) __attribute__((warn_unused_result));

#endif
