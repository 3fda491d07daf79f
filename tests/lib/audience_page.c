/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/audience_page.h"

#include "proto/runtime/array.h"
#include "server/db/table.h"

#define PAGE_COLUMNS(F, C, R) EVENT_COLUMNS(F, C, R) C(R, "position", I64, position)
DB_ROW(page_row, struct event, PAGE_COLUMNS);

static const struct db_stmt stmts[] = {
	{"audience_page", "iii", &page_row,
	 "SELECT STRAIGHT_JOIN " DB_NAMES(
		 PAGE_COLUMNS) " FROM event_audience JOIN event USING (event_id, position)"
			       " WHERE audience_id = ? AND position > ?"
			       "  AND position <= (SELECT durable_position FROM event_sequence)"
			       " ORDER BY position LIMIT ?"},
};
const struct db_stmt_list audience_page_stmts = {"audience_page", stmts, ARRAY_SIZE(stmts)};

int audience_page_read(struct db_conn *conn, struct arena *arena, int64_t audience_id, int64_t after,
		       unsigned most, const struct event **ret, unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[0], DB_ARGS(db_i64(audience_id), db_i64(after), db_i64(most)), arena,
			   ret, ret_n, err);
}
