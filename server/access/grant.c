/* SPDX-License-Identifier: Apache-2.0 */
#include "server/access/grant.h"

#include <assert.h>

#include "edu/v1/access.tables.h"
#include "proto/runtime/array.h"
#include "server/access/access_names.h"
#include "server/db/table.h"

struct grant {
	int64_t user_id, scope_id, grant_id, source_id, start_us;
	int scope_kind, source_kind;
};
#define GRANT_COLUMNS(F, C, R)                                                                               \
	F(R, "user_id", I64, user_id)                                                                        \
	C(R, "scope_kind", INT, scope_kind)                                                                  \
	C(R, "scope_id", I64, scope_id)                                                                      \
	C(R, "grant_id", I64, grant_id)                                                                      \
	C(R, "source_kind", INT, source_kind)                                                                \
	C(R, "source_id", I64, source_id)                                                                    \
	C(R, "start_time", I64, start_us)
DB_ROW(grant_row, struct grant, GRANT_COLUMNS);

enum { INSERT, LIVE, REVOKE, STANDS };

#define OF_INSTRUCTOR                                                                                        \
	" WHERE user_id = ? AND scope_kind = 1 AND scope_id = ? AND source_kind = 4 AND revoke_time IS NULL"

static_assert(ACCESS_SCOPE_COURSE == 1 && ACCESS_SCOPE_CATALOGUE == 2 && ACCESS_SOURCE_PURCHASE == 1 &&
		      ACCESS_SOURCE_INSTRUCTOR == 4,
	      "kinds in the statements");
static const struct db_stmt stmts[] = {
	[INSERT] = {"grant_insert", DB_LETTERS(GRANT_COLUMNS), NULL,
		    DB_INSERT("access_grant", GRANT_COLUMNS)},
	[LIVE] = {"grant_of_instructor", "ii", &db_row_i64,
		  "SELECT grant_id FROM access_grant" OF_INSTRUCTOR},
	[REVOKE] = {"grant_revoke_of_instructor", "iii", NULL,
		    "UPDATE access_grant SET revoke_time = ?" OF_INSTRUCTOR},
	[STANDS] =
		{"grant_stands", "iii", &db_row_i64,
		 "SELECT grant_id FROM access_grant g WHERE user_id = ? AND source_kind <> 4"
		 " AND (source_kind <> 1 OR revoke_time IS NULL)"
		 " AND ((scope_kind = 1 AND scope_id = ?) OR (scope_kind = 2 AND EXISTS"
		 "  (SELECT 1 FROM catalogue_course h WHERE h.course_id = ? AND h.catalogue_id = g.scope_id)))"
		 " LIMIT 1 LOCK IN SHARE MODE"},
};

const struct db_stmt_list grant_stmts = {"grant", stmts, ARRAY_SIZE(stmts)};

/* A grant changes twice: it is given, and it may be taken away. */
enum { GIVEN = 1, TAKEN = 2 };

static struct event event_of(const struct grant_ids *ids, const char *kind, int version, int64_t user_id,
			     int64_t course_id, int64_t now_us)
{
	return (struct event){
		.event_id = ids->event_id,
		.kind = kind,
		.subject_id = ids->grant_id,
		.version = version,
		.user_id = user_id,
		.course_id = course_id,
		.create_us = now_us,
	};
}

int grant_to_instructors(struct db_conn *conn, struct arena *arena, int64_t course_id,
			 const int64_t *user_ids, unsigned n, int64_t now_us, const struct grant_ids *ids,
			 struct error *err)
{
	struct grant *grants = arena_array(arena, n, sizeof(*grants));
	struct event *events = arena_array(arena, n, sizeof(*events));
	if (!grants || !events)
		return arena_full(err);
	if (n == 0)
		return 0;
	for (unsigned i = 0; i < n; i++) {
		grants[i] = (struct grant){.user_id = user_ids[i],
					   .scope_kind = ACCESS_SCOPE_COURSE,
					   .scope_id = course_id,
					   .grant_id = ids[i].grant_id,
					   .source_kind = ACCESS_SOURCE_INSTRUCTOR,
					   .source_id = course_id,
					   .start_us = now_us};
		events[i] = event_of(&ids[i], EVENT_ACCESS_GRANTED, GIVEN, user_ids[i], course_id, now_us);
	}
	int r = db_write_all(conn, &stmts[INSERT], &grant_row, grants, n, NULL, NULL, err);
	return r < 0 ? r : event_append_many(conn, events, n, err);
}

static int end_of_instructor(struct db_conn *conn, int64_t course_id, int64_t user_id, int64_t now_us,
			     struct grant_ids ids, struct error *err)
{
	int r = db_read(conn, &stmts[LIVE], DB_ARGS(db_i64(user_id), db_i64(course_id)), NULL, &ids.grant_id,
			err);
	if (r <= 0)
		return r;
	r = db_exec(conn, &stmts[REVOKE], DB_ARGS(db_i64(now_us), db_i64(user_id), db_i64(course_id)), NULL,
		    err);
	if (r < 0)
		return r;
	const struct event e = event_of(&ids, EVENT_ACCESS_REVOKED, TAKEN, user_id, course_id, now_us);
	return event_append(conn, &e, err);
}

int grant_end_of_instructors(struct db_conn *conn, int64_t course_id, const int64_t *user_ids, unsigned n,
			     int64_t now_us, const struct grant_ids *ids, struct error *err)
{
	int r = 0;
	for (unsigned i = 0; r >= 0 && i < n; i++)
		r = end_of_instructor(conn, course_id, user_ids[i], now_us, ids[i], err);
	return r;
}

int grant_stands(struct db_conn *conn, int64_t user_id, int64_t course_id, struct error *err)
{
	return db_found(conn, &stmts[STANDS], DB_ARGS(db_i64(user_id), db_i64(course_id), db_i64(course_id)),
			err);
}
