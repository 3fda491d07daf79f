/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/audit.h"

#include "proto/runtime/array.h"
#include "server/db/table.h"

#define COLUMNS(F, C, R)                                                                                     \
	F(R, "audit_id", I64, audit_id)                                                                      \
	C(R, "actor_id", I64, actor_id)                                                                      \
	C(R, "action", TEXT, action)                                                                         \
	C(R, "subject_id", I64, subject_id)                                                                  \
	C(R, "reason", TEXT, reason)                                                                         \
	C(R, "detail", TEXT, detail)                                                                         \
	C(R, "create_time", I64, create_us)
DB_ROW(audit_row, struct audit, COLUMNS);

static const struct db_stmt stmts[] = {
	{"audit_append", DB_LETTERS(COLUMNS), NULL, DB_INSERT("audit", COLUMNS)},
};
const struct db_stmt_list audit_stmts = {"audit", stmts, ARRAY_SIZE(stmts)};

int audit_append(struct db_conn *conn, const struct audit *a, struct error *err)
{
	struct audit row = *a;
	row.reason = a->reason ? a->reason : "";
	row.detail = a->detail ? a->detail : "";
	return db_write(conn, &stmts[0], &audit_row, &row, DB_NO_ARGS, err);
}
