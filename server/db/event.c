/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/event.h"

#include "proto/runtime/array.h"
#include "server/db/table.h"

DB_ROW(event_row, struct event, EVENT_COLUMNS);

static const struct db_stmt stmts[] = {
	{"event_append", DB_LETTERS(EVENT_COLUMNS), NULL, DB_INSERT("event", EVENT_COLUMNS)},
};
const struct db_stmt_list event_stmts = {"event", stmts, ARRAY_SIZE(stmts)};

bool event_is_of(const struct event *e, const char *noun)
{
	size_t len = strlen(noun);

	return strncmp(e->kind, noun, len) == 0 && e->kind[len] == '.';
}

int event_append(struct db_conn *conn, const struct event *e, struct error *err)
{
	return db_write(conn, &stmts[0], &event_row, e, DB_NO_ARGS, err);
}

int event_append_many(struct db_conn *conn, const struct event *events, unsigned n, struct error *err)
{
	return db_write_all(conn, &stmts[0], &event_row, events, n, NULL, NULL, err);
}
