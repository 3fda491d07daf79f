/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USER_USER_ADMIN_H
#define USER_USER_ADMIN_H

#include <stdint.h>

#include "server/base/clock.h"
#include "server/db/db.h"
#include "server/db/lease.h"

/* An administrator to be made from the server's own machine: the first has nobody to make it over the API. */
struct user_admin {
	const char *user_name; /* by the contract's rules; any case */
	const char *email;     /* NULL or "": none */
	const char *password;  /* 8 to 128 characters */
	unsigned argon2_kib, argon2_passes;
};

/* Statements a connection for user_admin_create() must have been opened with. NULL-terminated. */
extern const struct db_stmt_list *const user_admin_stmts[];

/*
 * Makes the user with the roles LEARNER and ADMIN; recorded for audit. FIELD_INVALID for what the contract
 * would refuse, USER_NAME_IN_USE.
 */
int user_admin_create(struct db_conn *conn, const struct clock *clock, struct node_lease *node,
		      const struct user_admin *admin, int64_t *ret_user_id, struct error *err)
	__attribute__((warn_unused_result));

#endif
