/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/event.h"

#include <assert.h>

#include "proto/runtime/ids.h"
#include "server/db/table.h"

DB_ROW(event_row, struct event, EVENT_COLUMNS);

struct old {
	int64_t event_id, position;
};
#define OLD_COLUMNS(F, C, R) F(R, "event_id", I64, event_id) C(R, "position", I64, position)
DB_ROW(old_row, struct old, OLD_COLUMNS);

/* An id tells its time. Signed throughout: a time before the first id is a negative number, and not a great
 * one. */
static_assert(ID_EPOCH_MS == 1704067200000 && 1 << (ID_NODE_BITS + ID_SEQUENCE_BITS) == 4194304,
	      "in the statements");
#define ID_AT(time_us) "((" time_us ") DIV 1000 - 1704067200000) * 4194304"
#define TIME_OF(id) "(" id " DIV 4194304 + 1704067200000) * 1000"

/* Whatever works its way through the events has come so far. */
#define READ_BY_ALL "(SELECT IFNULL(MIN(r.position), 9223372036854775807) FROM event_reader r)"

enum stmt { APPEND, PICK_OLD, REMOVE_AUDIENCE, REMOVE, AGE, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
	[APPEND] = {"event_append", DB_LETTERS(EVENT_COLUMNS), NULL, DB_INSERT("event", EVENT_COLUMNS)},
	[PICK_OLD] = {"event_pick_old", "ii", &old_row,
		      DB_SELECT(OLD_COLUMNS,
				" FROM event FORCE INDEX (PRIMARY) WHERE event_id < " ID_AT(
					DB_NOW_US
					" - ?") " AND position BETWEEN 1 AND " READ_BY_ALL
						" ORDER BY event_id LIMIT ? FOR UPDATE SKIP LOCKED")},
	[REMOVE_AUDIENCE] = {"event_remove_audience", DB_LETTERS(OLD_COLUMNS), NULL,
			     "DELETE FROM event_audience WHERE event_id = ? AND position = ?"},
	[REMOVE] = {"event_remove", DB_LETTERS(OLD_COLUMNS), NULL,
		    "DELETE FROM event WHERE event_id = ? AND position = ?"},
	[AGE] = {"event_age", "", &db_row_i64,
		 "SELECT " DB_NOW_US " - " TIME_OF("event_id") " FROM event ORDER BY event_id LIMIT 1"},
};
const struct db_stmt_list event_stmts = {"event", stmts, N_STMTS};
const struct retention event_retention = {
	.pick = &stmts[PICK_OLD],
	.remove_first = &stmts[REMOVE_AUDIENCE],
	.remove = &stmts[REMOVE],
	.age = &stmts[AGE],
};

bool event_is_of(const struct event *e, const char *noun)
{
	size_t len = strlen(noun);

	return strncmp(e->kind, noun, len) == 0 && e->kind[len] == '.';
}

int event_append(struct db_conn *conn, const struct event *e, struct error *err)
{
	return db_write(conn, &stmts[APPEND], &event_row, e, DB_NO_ARGS, err);
}

int event_append_many(struct db_conn *conn, const struct event *events, unsigned n, struct error *err)
{
	return db_write_all(conn, &stmts[APPEND], &event_row, events, n, NULL, NULL, err);
}
