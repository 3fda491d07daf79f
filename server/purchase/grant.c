/* SPDX-License-Identifier: Apache-2.0 */
#include "server/purchase/grant.h"

#include "proto/runtime/array.h"
#include "server/db/table.h"

struct bounds {
	int64_t start_us, expire_us, revoke_us; /* 0: no such end */
};
#define BOUNDS_COLUMNS(F, C, R)                                                                              \
	F(R, "start_time", I64, start_us)                                                                    \
	C(R, "expire_time", I64_OR_NULL, expire_us)                                                          \
	C(R, "revoke_time", I64_OR_NULL, revoke_us)
DB_ROW(bounds_row, struct bounds, BOUNDS_COLUMNS);

enum { WINDOWS };

static const struct db_stmt stmts[] = {
	[WINDOWS] = {"grant_windows", "ii", &bounds_row,
		     DB_SELECT(BOUNDS_COLUMNS,
			       " FROM access_grant WHERE user_id = ? AND course_id = ? ORDER BY start_time")},
};

const struct db_stmt_list grant_stmts = {"grant", stmts, ARRAY_SIZE(stmts)};

static struct grant_window window_of(const struct bounds *b)
{
	int64_t expire = b->expire_us ? b->expire_us : INT64_MAX,
		revoke = b->revoke_us ? b->revoke_us : INT64_MAX;
	return (struct grant_window){.start_us = b->start_us, .end_us = expire < revoke ? expire : revoke};
}

int grant_windows_read(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
		       struct grant_window **ret, unsigned *ret_n, struct error *err)
{
	struct bounds *bounds;
	unsigned n;
	int r = db_read_all(conn, &stmts[WINDOWS], DB_ARGS(db_i64(user_id), db_i64(course_id)), arena,
			    &bounds, &n, err);
	if (r < 0)
		return r;
	struct grant_window *windows = arena_array(arena, n, sizeof(*windows));
	if (!windows)
		return arena_full(err);
	*ret = windows;
	*ret_n = 0;
	for (unsigned i = 0; i < n; i++) {
		struct grant_window w = window_of(&bounds[i]);
		if (w.start_us < w.end_us)
			windows[(*ret_n)++] = w;
	}
	return 0;
}
