/* SPDX-License-Identifier: Apache-2.0 */
#include "server/organization/audience_store.h"

#include "proto/runtime/array.h"
#include "server/db/table.h"
#include "server/organization/audience.h"

#define SPAN_COLUMNS(F, C, R)                                                                                \
	F(R, "user_id", I64, user_id)                                                                        \
	C(R, "member_id", I64, member_id)                                                                    \
	C(R, "organization_id", I64, organization_id)                                                        \
	C(R, "begin_position", I64, begin_position)                                                          \
	C(R, "end_position", I64_OR_NULL, end_position)
DB_ROW(span_row, struct audience_span, SPAN_COLUMNS);

#define AUDIENCE_COLUMNS(F, C, R)                                                                            \
	F(R, "audience_id", I64, audience_id)                                                                \
	C(R, "position", I64, position)                                                                      \
	C(R, "event_id", I64, event_id)
DB_ROW(audience_row, struct audience_row, AUDIENCE_COLUMNS);

/* Spans of one member may overlap where events were placed in another order than they were committed in. */
#define ONCE " event_id = VALUES(event_id)"

enum { SPAN, ROW, MEMBERS };

static const struct db_stmt stmts[] = {
	[SPAN] = {"audience_span", DB_LETTERS(SPAN_COLUMNS), NULL,
		  DB_UPSERT("organization_member_span", SPAN_COLUMNS,
			    " end_position = IFNULL(end_position, VALUES(end_position))")},
	[ROW] = {"audience_row", DB_LETTERS(AUDIENCE_COLUMNS), NULL,
		 DB_UPSERT("event_audience", AUDIENCE_COLUMNS, ONCE)},
	/* By itself the optimizer may begin with every span there is. */
	[MEMBERS] =
		{"audience_members", "ii", NULL,
		 "INSERT INTO event_audience (" DB_NAMES(
			 AUDIENCE_COLUMNS) ")"
					   " SELECT s.organization_id, e.position, e.event_id"
					   " FROM event e FORCE INDEX (event_position)"
					   " STRAIGHT_JOIN organization_member_span s ON s.user_id = e.user_id"
					   "  AND s.begin_position <= e.position"
					   "  AND (s.end_position IS NULL OR s.end_position >= e.position)"
					   " WHERE e.position BETWEEN ? AND ?"
					   " ON DUPLICATE KEY UPDATE" ONCE},
};
const struct db_stmt_list audience_stmts = {"audience", stmts, ARRAY_SIZE(stmts)};

int audience_store_spans(struct db_conn *conn, const struct audience_span *spans, unsigned n,
			 struct error *err)
{
	return n ? db_write_all(conn, &stmts[SPAN], &span_row, spans, n, NULL, NULL, err) : 0;
}

int audience_store_rows(struct db_conn *conn, const struct audience_row *rows, unsigned n, struct error *err)
{
	return n ? db_write_all(conn, &stmts[ROW], &audience_row, rows, n, NULL, NULL, err) : 0;
}

int audience_store_members(struct db_conn *conn, int64_t first, int64_t last, struct error *err)
{
	return db_exec(conn, &stmts[MEMBERS], DB_ARGS(db_i64(first), db_i64(last)), NULL, err);
}
