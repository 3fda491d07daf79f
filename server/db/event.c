/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/event.h"

#include "proto/runtime/array.h"

static const struct db_stmt stmts[] = {
	{"event_append", "isiiiiis", NULL,
	 "INSERT INTO event (event_id, kind, subject_id, user_id, course_id, organization_id, create_time, "
	 "payload) "
	 "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"},
};
const struct db_stmt_list event_stmts = {"event", stmts, ARRAY_SIZE(stmts)};

enum { EVENT_ARGS = 8 };

bool event_is_of(const struct event *e, const char *noun)
{
	size_t len = strlen(noun);

	return strncmp(e->kind, noun, len) == 0 && e->kind[len] == '.';
}

static void bind_event(struct db_value *v, const struct event *e)
{
	const struct db_value row[EVENT_ARGS] = {
		db_i64(e->event_id),   db_str(e->kind),
		db_i64(e->subject_id), db_i64(e->user_id),
		db_i64(e->course_id),  db_i64(e->organization_id),
		db_i64(e->create_us),  {.type = 's', .s = e->payload},
	};
	memcpy(v, row, sizeof(row));
}

int event_append(struct db_conn *conn, const struct event *e, struct error *err)
{
	struct db_value args[EVENT_ARGS];

	bind_event(args, e);
	return db_exec(conn, &stmts[0], args, EVENT_ARGS, NULL, err);
}

int event_append_many(struct db_conn *conn, struct arena *arena, const struct event *events, unsigned n,
		      struct error *err)
{
	struct db_value *args = arena_array(arena, (size_t)n * EVENT_ARGS, sizeof(*args));

	if (!args)
		return error_internal(err, "no memory for %u events", n);
	for (unsigned i = 0; i < n; i++)
		bind_event(args + (size_t)i * EVENT_ARGS, &events[i]);
	return db_exec_array(conn, &stmts[0], args, EVENT_ARGS, n, NULL, err);
}
