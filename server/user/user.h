/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USER_USER_H
#define USER_USER_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "edu/v1/user.tables.h"
#include "server/base/principal.h"
#include "server/db/db.h"

/* What other areas may know of users. */

/* edu.v1.UserState; stored as these numbers. */
enum user_state { USER_ACTIVE = USER_STATE_ACTIVE, USER_SUSPENDED = USER_STATE_SUSPENDED };
static_assert(USER_SUSPENDED == UserState_MAX, "a new state of the contract's");

enum { USER_ROLES_READ_MAX = 10 };

/*
 * The roles of up to USER_ROLES_READ_MAX users, as committed now, in the order asked: 0 for one that does not
 * exist or is suspended. One round trip.
 */
int user_roles_read(struct db_conn *conn, struct arena *arena, const int64_t *user_ids, unsigned n,
		    uint32_t *ret_roles, struct error *err) __attribute__((warn_unused_result));

/* What others may be shown of a user, and what tells whether they may. Text lies in the arena. */
struct user_profile {
	char *display_name, *bio;
	uint32_t roles;
	enum user_state state;
};

/* 1 when there is such a user, 0 when not. */
int user_profile_read(struct db_conn *conn, struct arena *arena, int64_t user_id, struct user_profile *ret,
		      struct error *err) __attribute__((warn_unused_result));

/* 0 when there is such a user, in whatever state; USER_NOT_FOUND otherwise. */
int user_require(struct db_conn *conn, int64_t user_id, struct error *err)
	__attribute__((warn_unused_result));

/* The user of a request's `user_id`, which the rules have checked, or the caller when it is empty. */
int64_t user_or_caller(const struct principal *caller, const char *user_id);

/* Raises USER_NOT_FOUND for the user. */
int user_not_found(struct error *err, int64_t user_id);

extern const struct db_stmt_list user_stmts;

#endif
