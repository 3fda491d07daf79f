/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/event.h"

static const struct db_stmt stmts[] = {
	{"event_append", "isiiiiis", NULL,
	 "INSERT INTO event (event_id, kind, subject_id, user_id, course_id, organization_id, create_time, "
	 "payload) "
	 "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"},
};
const struct db_stmt_list event_stmts = {"event", stmts, sizeof(stmts) / sizeof(*stmts)};

int event_append(struct db_conn *conn, const struct event *e, struct error *err)
{
	const struct db_value payload = {.type = 's', .s = e->payload};
	return db_exec(conn, &stmts[0],
		       DB_ARGS(db_i64(e->event_id), db_str(e->kind), db_i64(e->subject_id),
			       db_i64(e->user_id), db_i64(e->course_id), db_i64(e->organization_id),
			       db_i64(e->create_us), payload),
		       NULL, err);
}
