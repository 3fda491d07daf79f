/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_AUDIT_H
#define DB_AUDIT_H

#include "server/db/db.h"

/* What privileged callers did, and why: written in the transaction that does it, never changed. And whose
 * data was read by others, before they were shown it. */
struct audit {
	int64_t audit_id;   /* made by the caller before the transaction */
	int64_t actor_id;   /* user or service account; 0: the platform itself */
	const char *action; /* the method called ("SetUserRoles"), or the server's command; the areas list
			       theirs */
	int64_t subject_id; /* what it was done to, or whose data was read; no two kinds share an id */
	const char *reason; /* as the actor gave it; NULL: none */
	const char *detail; /* JSON object of what changed; NULL: none */
	int64_t create_us;
};

int audit_append(struct db_conn *conn, const struct audit *a, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list audit_stmts;

#endif
