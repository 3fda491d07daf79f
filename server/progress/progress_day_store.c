/* SPDX-License-Identifier: Apache-2.0 */
#include "server/progress/progress_day_store.h"

#include "proto/runtime/array.h"
#include "server/db/table.h"

enum { MERGE, MARK, MARKS_DUE, LOCK_MARKS, UNMARK, MARKS_TO_TELL, CLEAR_MARK };

#define DAY_KEY(F, C, R) F(R, "user_id", I64, user_id) C(R, "day", I64, day) C(R, "course_id", I64, course_id)
#define DAY_COLUMNS(F, C, R)                                                                                 \
	DAY_KEY(F, C, R)                                                                                     \
	C(R, "credited_seconds", I64, amounts.learning_seconds)                                              \
	C(R, "interactions", I64, amounts.interactions)                                                      \
	C(R, "questions", I64, amounts.questions)
#define MARK_COLUMNS(F, C, R) F(R, "mark_time", I64, mark_us) DAY_KEY(C, C, R)
DB_ROW(day_row, struct progress_day, DAY_COLUMNS);
DB_ROW(marked_row, struct progress_mark, DAY_KEY);
DB_ROW(mark_row, struct progress_mark, MARK_COLUMNS);

static const struct db_stmt stmts[] = {
	[MERGE] = {"progress_day_merge", DB_LETTERS(DAY_COLUMNS), &db_row_i64,
		   DB_UPSERT("progress_day", DAY_COLUMNS,
			     " credited_seconds = credited_seconds + VALUES(credited_seconds),"
			     " interactions = interactions + VALUES(interactions),"
			     " questions = questions + VALUES(questions),"
			     " marked = IF(marked = 0, 1, 2)"
			     " RETURNING marked")},
	[MARK] = {"progress_day_mark", DB_LETTERS(MARK_COLUMNS), NULL,
		  DB_INSERT("progress_mark", MARK_COLUMNS)},
	[MARKS_DUE] = {"progress_day_marks_due", "i", &db_row_i64,
		       "SELECT 1 FROM progress_mark WHERE mark_time <= ? LIMIT 1"},
	[LOCK_MARKS] =
		{"progress_day_lock_marks", "ii", &mark_row,
		 DB_SELECT(MARK_COLUMNS,
			   " FROM progress_mark STRAIGHT_JOIN progress_day USING (user_id, day, course_id)"
			   " WHERE mark_time <= ? ORDER BY mark_time LIMIT ? FOR UPDATE SKIP LOCKED")},
	[UNMARK] = {"progress_day_unmark", DB_LETTERS(DAY_KEY), NULL,
		    "UPDATE progress_day SET marked = 0 WHERE user_id = ? AND day = ? AND course_id = ?"},
	/* A day that is not marked and has a mark is one that this transaction has taken. The LIMIT keeps the
	 * optimizer from beginning with all members. */
	[MARKS_TO_TELL] =
		{"progress_day_marks_to_tell", "ii", &mark_row,
		 DB_SELECT(
			 MARK_COLUMNS,
			 " FROM progress_mark m STRAIGHT_JOIN progress_day USING (user_id, day, course_id)"
			 " WHERE mark_time BETWEEN ? AND ? AND marked = 0 AND (SELECT 1 FROM organization_member o"
			 "  WHERE o.user_id = m.user_id AND o.live = 1 LIMIT 1)")},
	[CLEAR_MARK] = {"progress_day_clear_mark", DB_LETTERS(MARK_COLUMNS), NULL,
			"DELETE FROM progress_mark"
			" WHERE mark_time = ? AND user_id = ? AND day = ? AND course_id = ?"},
};

const struct db_stmt_list progress_day_stmts = {"progress_day", stmts, ARRAY_SIZE(stmts)};

/* Of the days that had no mark: what the merge says of each. */
static unsigned unmarked(const struct progress_day *days, const int64_t *marked, unsigned n, int64_t now_us,
			 struct progress_mark *ret)
{
	unsigned n_marks = 0;
	for (unsigned i = 0; i < n; i++)
		if (marked[i] == 1)
			ret[n_marks++] = (struct progress_mark){now_us, days[i].user_id, days[i].day,
								days[i].course_id};
	return n_marks;
}

int progress_day_store_merge(struct db_conn *conn, struct arena *arena, const struct progress_day *changes,
			     unsigned n, int64_t now_us, struct error *err)
{
	struct progress_mark *marks = arena_array(arena, n, sizeof(*marks));
	int64_t *marked = arena_array(arena, n, sizeof(*marked));
	if (!marks || !marked)
		return arena_full(err);
	if (n == 0)
		return 0;
	int r = db_write_all(conn, &stmts[MERGE], &day_row, changes, n, marked, NULL, err);
	if (r < 0)
		return r;
	n = unmarked(changes, marked, n, now_us, marks);
	return n ? db_write_all(conn, &stmts[MARK], &mark_row, marks, n, NULL, NULL, err) : 0;
}

/* --- marks --- */

int progress_day_store_marks_due(struct db_conn *conn, int64_t until_us, struct error *err)
{
	return db_found(conn, &stmts[MARKS_DUE], DB_ARGS(db_i64(until_us)), err);
}

int progress_day_store_lock_marks(struct db_conn *conn, struct arena *arena, int64_t until_us, unsigned limit,
				  struct progress_mark **ret, unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[LOCK_MARKS], DB_ARGS(db_i64(until_us), db_i64(limit)), arena, ret,
			   ret_n, err);
}

int progress_day_store_unmark(struct db_conn *conn, const struct progress_mark *marks, unsigned n,
			      struct error *err)
{
	return db_write_all(conn, &stmts[UNMARK], &marked_row, marks, n, NULL, NULL, err);
}

int progress_day_store_marks_to_tell(struct db_conn *conn, struct arena *arena,
				     const struct progress_mark *marks, unsigned n,
				     struct progress_mark **ret, unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[MARKS_TO_TELL],
			   DB_ARGS(db_i64(marks[0].mark_us), db_i64(marks[n - 1].mark_us)), arena, ret, ret_n,
			   err);
}

int progress_day_store_clear_marks(struct db_conn *conn, const struct progress_mark *marks, unsigned n,
				   struct error *err)
{
	return db_write_all(conn, &stmts[CLEAR_MARK], &mark_row, marks, n, NULL, NULL, err);
}
