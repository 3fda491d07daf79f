/* SPDX-License-Identifier: Apache-2.0 */
#include "server/purchase/grant.h"

#include "proto/runtime/array.h"

enum { WINDOWS };

static const struct db_stmt stmts[] = {
	[WINDOWS] = {"grant_windows", "ii", "iii",
		     "SELECT start_time, expire_time, revoke_time FROM access_grant WHERE user_id = ? AND "
		     "course_id = ?"
		     " ORDER BY start_time"},
};

const struct db_stmt_list grant_stmts = {"grant", stmts, ARRAY_SIZE(stmts)};

enum { WINDOWS_AT_FIRST = 4 };

static int64_t end_of(const struct db_rows *rows, unsigned column)
{
	return db_is_null(rows, column) ? INT64_MAX : db_col_i64(rows, column);
}

static struct grant_window window_of_row(const struct db_rows *rows)
{
	int64_t expire = end_of(rows, 1), revoke = end_of(rows, 2);

	return (struct grant_window){.start_us = db_col_i64(rows, 0),
				     .end_us = expire < revoke ? expire : revoke};
}

/* The array with room for one more: a new one twice as large when it is full. NULL when the arena is. */
static struct grant_window *with_room(struct arena *arena, struct grant_window *windows, unsigned n,
				      unsigned *room)
{
	if (n < *room)
		return windows;
	*room = *room ? *room * 2 : WINDOWS_AT_FIRST;
	struct grant_window *larger = arena_array(arena, *room, sizeof(*larger));
	if (larger && n)
		memcpy(larger, windows, n * sizeof(*windows));
	return larger;
}

int grant_windows_read(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
		       struct grant_window **ret, unsigned *ret_n, struct error *err)
{
	struct db_rows rows _cleanup_rows_ = {0};
	struct grant_window *windows = NULL;
	unsigned n = 0, room = 0;
	int r = db_query(conn, &stmts[WINDOWS], DB_ARGS(db_i64(user_id), db_i64(course_id)), &rows, err);

	if (r < 0)
		return r;
	while ((r = db_next(&rows, err)) > 0) {
		struct grant_window w = window_of_row(&rows);

		if (w.end_us <= w.start_us)
			continue;
		windows = with_room(arena, windows, n, &room);
		if (!windows)
			return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
					   "The grants need too much memory.");
		windows[n++] = w;
	}
	if (r < 0)
		return r;
	*ret = windows;
	*ret_n = n;
	return 0;
}
