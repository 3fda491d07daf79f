/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/audit.h"

#include "proto/runtime/array.h"

static const struct db_stmt stmts[] = {
	{"audit_append", "iisissi", NULL,
	 "INSERT INTO audit (audit_id, actor_id, action, subject_id, reason, detail, create_time) "
	 "VALUES (?, ?, ?, ?, ?, ?, ?)"},
};
const struct db_stmt_list audit_stmts = {"audit", stmts, ARRAY_SIZE(stmts)};

int audit_append(struct db_conn *conn, const struct audit *a, struct error *err)
{
	return db_exec(conn, &stmts[0],
		       DB_ARGS(db_i64(a->audit_id), db_i64(a->actor_id), db_str(a->action),
			       db_i64(a->subject_id), db_str(a->reason ? a->reason : ""),
			       db_str(a->detail ? a->detail : ""), db_i64(a->create_us)),
		       NULL, err);
}
