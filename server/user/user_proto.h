/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USER_USER_PROTO_H
#define USER_USER_PROTO_H

#include "edu/v1/edu_service.tables.h"
#include "server/user/user_store.h"

/* A user as the contract shows it; in the arena, see arena_check() for when that is full. */
User *user_to_proto(struct arena *arena, const struct user *u);

/* Bits of enum role from the contract's roles, LEARNER always among them. FIELD_INVALID for one that is not
 * said. */
int roles_from_proto(const Role *roles, size_t n, uint32_t *ret, struct error *err)
	__attribute__((warn_unused_result));

/* A copy in lower case (ASCII): how names and addresses are stored and looked up. NULL when the arena is
 * full. */
char *user_text_fold(struct arena *arena, const char *text);

/* The same of a name that somebody signs in with, without the white space that a keyboard or a paste put
 * around it. */
char *user_login_fold(struct arena *arena, const char *text);

#endif
