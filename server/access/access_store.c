/* SPDX-License-Identifier: Apache-2.0 */
#include "server/access/access_store.h"

#include <assert.h>

#include "edu/v1/access.tables.h"
#include "proto/runtime/array.h"
#include "server/access/access_windows.h"
#include "server/db/table.h"

#define GRANT_COLUMNS(F, C, R)                                                                               \
	F(R, "scope_id", I64, scope_id)                                                                      \
	C(R, "start_time", I64, start_us)                                                                    \
	C(R, "expire_time", I64_OR_NULL, end_us)                                                             \
	C(R, "revoke_time", I64_OR_NULL, revoke_us)
DB_ROW(grant_row, struct access_bounds, GRANT_COLUMNS);

#define HELD_COLUMNS(F, C, R)                                                                                \
	F(R, "catalogue_id", I64, scope_id)                                                                  \
	C(R, "start_time", I64, start_us)                                                                    \
	C(R, "end_time", I64_OR_NULL, end_us)
DB_ROW(held_row, struct access_bounds, HELD_COLUMNS);

/* The enrollment, once for each grant of the course. */
struct pair_row {
	struct access access;
	struct access_bounds grant; /* scope_id 0: none */
};
#define PAIR_COLUMNS(F, C, R)                                                                                \
	F(R, "e.user_id IS NOT NULL", BOOL, access.enrolled)                                                 \
	C(R, "e.epoch", I64, access.epoch)                                                                   \
	C(R, "e.start_time", I64, access.start_us)                                                           \
	C(R, "IFNULL(e.epoch_time, e.start_time)", I64, access.epoch_us)                                     \
	C(R, "g.scope_id", I64, grant.scope_id)                                                              \
	C(R, "g.start_time", I64, grant.start_us)                                                            \
	C(R, "g.expire_time", I64_OR_NULL, grant.end_us)                                                     \
	C(R, "g.revoke_time", I64_OR_NULL, grant.revoke_us)
DB_ROW(pair_row, struct pair_row, PAIR_COLUMNS);

enum { PAIR, OF_USER, OF_COURSE };

static_assert(ACCESS_SCOPE_COURSE == 1 && ACCESS_SCOPE_CATALOGUE == 2, "scopes in the statements");
static_assert(ACCESS_SCOPE_CATALOGUE == AccessScope_MAX && ACCESS_SOURCE_SUBSCRIPTION == AccessSource_MAX,
	      "a new one stands in the checks of schema/0006_access.sql, too");
static const struct db_stmt stmts[] = {
	[PAIR] =
		{"access_pair", "iiii", &pair_row,
		 DB_SELECT(
			 PAIR_COLUMNS,
			 " FROM (SELECT 1) one"
			 " LEFT JOIN enrollment e ON e.user_id = ? AND e.course_id = ?"
			 " LEFT JOIN access_grant g ON g.user_id = ? AND g.scope_kind = 1 AND g.scope_id = ?")},
	[OF_USER] = {"access_catalogues_of_user", "i", &grant_row,
		     DB_SELECT(GRANT_COLUMNS, " FROM access_grant WHERE user_id = ? AND scope_kind = 2")},
	[OF_COURSE] = {"access_catalogues_of_course", "i", &held_row,
		       DB_SELECT(HELD_COLUMNS, " FROM catalogue_course WHERE course_id = ?")},
};

const struct db_stmt_list access_stmts = {"access", stmts, ARRAY_SIZE(stmts)};

int access_store_pair(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
		      int64_t now_us, struct access *ret, struct error *err)
{
	struct pair_row *rows;
	unsigned n;
	int r = db_read_all(conn, &stmts[PAIR],
			    DB_ARGS(db_i64(user_id), db_i64(course_id), db_i64(user_id), db_i64(course_id)),
			    arena, &rows, &n, err);
	if (r < 0)
		return r;
	struct access_window *windows = arena_array(arena, n, sizeof(*windows));
	if (!windows)
		return arena_full(err);
	*ret = rows[0].access;
	ret->windows = windows;
	if (!rows[0].grant.scope_id)
		return 0;
	for (unsigned i = 0; i < n; i++)
		windows[i] = access_window_of(&rows[i].grant, now_us);
	ret->n_windows = access_windows_join(windows, n);
	return 0;
}

static int read_windows(struct db_conn *conn, struct arena *arena, const struct db_stmt *stmt, int64_t id,
			int64_t now_us, struct access_window **ret, unsigned *ret_n, struct error *err)
{
	struct access_bounds *bounds;
	unsigned n;
	int r = db_read_all(conn, stmt, DB_ARGS(db_i64(id)), arena, &bounds, &n, err);
	if (r < 0)
		return r;
	*ret = arena_array(arena, n, sizeof(**ret));
	if (!*ret)
		return arena_full(err);
	for (unsigned i = 0; i < n; i++)
		(*ret)[i] = access_window_of(&bounds[i], now_us);
	*ret_n = access_windows_join(*ret, n);
	return 0;
}

int access_store_catalogues_of_user(struct db_conn *conn, struct arena *arena, int64_t user_id,
				    int64_t now_us, struct access_window **ret, unsigned *ret_n,
				    struct error *err)
{
	return read_windows(conn, arena, &stmts[OF_USER], user_id, now_us, ret, ret_n, err);
}

int access_store_catalogues_of_course(struct db_conn *conn, struct arena *arena, int64_t course_id,
				      struct access_window **ret, unsigned *ret_n, struct error *err)
{
	return read_windows(conn, arena, &stmts[OF_COURSE], course_id, 0, ret, ret_n, err);
}
