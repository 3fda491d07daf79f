/* SPDX-License-Identifier: Apache-2.0 */
#include "server/progress/progress_store.h"

#include <assert.h>

#include "proto/runtime/array.h"
#include "server/access/enrollment.h"
#include "server/db/table.h"
#include "server/progress/coverage.h"

enum {
	MERGE_SESSION,
	MERGE_LESSON,
	MERGE_COURSE,
	LESSON_LIST,
	ENROLLMENTS_OF_USER,
	ENROLLMENTS_OF_COURSE,
	ENROLLMENT,
	PICK_OLD,
	REMOVE,
	AGE,
};

/*
 * Credited seconds of a session: what it claims, but never more than lies between its ends, nor than a day,
 * so that a session which chained reports have made longer gains nothing. Its last time may lie before access
 * began, where its start was moved to, by as much as a client's clock may be slow.
 */
#define CREDITED "GREATEST(LEAST(learning_seconds, (last_time - start_time) DIV 1000000, 86400), 0)"

/* --- sessions --- */

#define SESSION_KEY(F, C, R)                                                                                 \
	F(R, "user_id", I64, user_id)                                                                        \
	C(R, "course_id", I64, course_id)                                                                    \
	C(R, "epoch", I64, epoch)                                                                            \
	C(R, "lesson_id", I64, lesson_id)                                                                    \
	C(R, "session_id", FIXED, session_id)
#define SESSION_COLUMNS(F, C, R)                                                                             \
	SESSION_KEY(F, C, R)                                                                                 \
	C(R, "start_time", I64, start_us)                                                                    \
	C(R, "last_time", I64, client_us)                                                                    \
	C(R, "learning_seconds", I64, learning_seconds)                                                      \
	C(R, "interactions", I64, interactions)                                                              \
	C(R, "questions", I64, questions)
DB_ROW(session_row, struct report, SESSION_COLUMNS);
DB_ROW(old_row, struct report, SESSION_KEY);

#define DELTA_COLUMNS(F, C, R)                                                                               \
	F(R, CREDITED " - credited_before", I64, added.learning_seconds)                                     \
	C(R, "interactions - interactions_before", I64, added.interactions)                                  \
	C(R, "questions - questions_before", I64, added.questions)                                           \
	C(R, "credited_before", I64, before.learning_seconds)                                                \
	C(R, "interactions_before", I64, before.interactions)                                                \
	C(R, "questions_before", I64, before.questions)                                                      \
	C(R, "start_time", I64, start_us)                                                                    \
	C(R, "start_before", I64, start_before_us)                                                           \
	C(R, "start_before = 0", I64, sessions)
DB_ROW(delta_row, struct progress_delta, DELTA_COLUMNS);

/* --- lessons --- */

struct lesson_merge {
	struct report report;
	struct progress_delta delta;
	bool completed;
	int64_t complete_us, now_us; /* complete_us 0: not completed by this report alone */
};
#define MERGE_COLUMNS(F, C, R)                                                                               \
	F(R, "user_id", I64, report.user_id)                                                                 \
	C(R, "course_id", I64, report.course_id)                                                             \
	C(R, "epoch", I64, report.epoch)                                                                     \
	C(R, "lesson_id", I64, report.lesson_id)                                                             \
	C(R, "coverage", U64, report.coverage)                                                               \
	C(R, "position_seconds", I64, report.position_seconds)                                               \
	C(R, "position_time", I64, report.client_us)                                                         \
	C(R, "position_session", FIXED, report.session_id)                                                   \
	C(R, "completed", BOOL, completed)                                                                   \
	C(R, "completed_now", BOOL, completed)                                                               \
	C(R, "complete_time", I64, complete_us)                                                              \
	C(R, "learning_seconds", I64, delta.added.learning_seconds)                                          \
	C(R, "interactions", I64, delta.added.interactions)                                                  \
	C(R, "questions", I64, delta.added.questions)                                                        \
	C(R, "sessions", I64, delta.sessions)                                                                \
	C(R, "last_time", I64, report.client_us)
/* And what a lesson that is completed by earlier reports and this one has for its time. */
#define MERGE_PARAMETERS(F, C, R) MERGE_COLUMNS(F, C, R) C(R, "now", I64, now_us)
DB_ROW(merge_row, struct lesson_merge, MERGE_PARAMETERS);

#define LESSON_COLUMNS(F, C, R)                                                                              \
	F(R, "coverage", U64, coverage)                                                                      \
	C(R, "position_seconds", I64, position_seconds)                                                      \
	C(R, "completed", BOOL, completed)                                                                   \
	C(R, "complete_time", I64, complete_us)                                                              \
	C(R, "learning_seconds", I64, learning_seconds)                                                      \
	C(R, "interactions", I64, interactions)                                                              \
	C(R, "questions", I64, questions)                                                                    \
	C(R, "sessions", I64, sessions)                                                                      \
	C(R, "last_time", I64, last_us)
#define MERGED_COLUMNS(F, C, R) LESSON_COLUMNS(F, C, R) C(R, "completed_now", BOOL, completed_now)
#define LISTED_COLUMNS(F, C, R)                                                                              \
	F(R, "lesson_id", I64, lesson_id) C(R, "epoch", I64, epoch) LESSON_COLUMNS(C, C, R)
DB_ROW(merged_row, struct progress_lesson, MERGED_COLUMNS);
DB_ROW(listed_row, struct progress_lesson, LISTED_COLUMNS);

/* --- courses and enrollments --- */

#define COURSE_COLUMNS(F, C, R)                                                                              \
	F(R, "user_id", I64, user_id)                                                                        \
	C(R, "course_id", I64, course_id)                                                                    \
	C(R, "epoch", I64, epoch)                                                                            \
	C(R, "lessons_completed", I64, lessons_completed)                                                    \
	C(R, "learning_seconds", I64, learning_seconds)                                                      \
	C(R, "interactions", I64, interactions)                                                              \
	C(R, "questions", I64, questions)                                                                    \
	C(R, "last_time", I64, last_us)
DB_ROW(course_row, struct progress_course_delta, COURSE_COLUMNS);

/* What the learner completed of lessons that are gone from the course, which is most often nothing. */
#define GONE_COMPLETED                                                                                       \
	"(SELECT COUNT(*) FROM lesson g STRAIGHT_JOIN progress_lesson x ON x.user_id = e.user_id"            \
	" AND x.course_id = e.course_id AND x.epoch = e.epoch AND x.lesson_id = g.lesson_id"                 \
	" WHERE g.course_id = e.course_id AND g.gone = 1 AND x.completed = 1)"

#define ENROLLMENT_COLUMNS(F, C, R)                                                                          \
	F(R, "e.user_id", I64, user_id)                                                                      \
	C(R, "e.course_id", I64, course_id)                                                                  \
	C(R, "e.epoch", I64, epoch)                                                                          \
	C(R, "e.start_time", I64, start_us)                                                                  \
	C(R, ENROLLMENT_ACCESSES_SQL, TEXT, accesses)                                                        \
	C(R, "COALESCE(p.lessons_completed, 0) - " GONE_COMPLETED, I64, lessons_completed)                   \
	C(R, "c.lesson_count", I64, lessons_total)                                                           \
	C(R, "COALESCE(p.last_time, 0)", I64, last_us)
DB_ROW(enrollment_row, struct progress_enrollment, ENROLLMENT_COLUMNS);

#define ENROLLMENT_SELECT                                                                                    \
	DB_SELECT(ENROLLMENT_COLUMNS, " FROM enrollment e JOIN course c ON c.course_id = e.course_id"        \
				      " LEFT JOIN progress_course p ON p.user_id = e.user_id"                \
				      "  AND p.course_id = e.course_id AND p.epoch = e.epoch")

/*
 * Assignments run left to right: the *_before columns are taken before what they come from, position before
 * the time it is decided by, coverage before completion.
 */
static_assert(COVERAGE_COMPLETE == 58 && REPORT_SESSION_SECONDS == 86400, "rules in the statements");
static const struct db_stmt stmts[] = {
	[MERGE_SESSION] = {"progress_merge_session", DB_LETTERS(SESSION_COLUMNS), &delta_row,
			   DB_UPSERT(
				   "progress_session", SESSION_COLUMNS,
				   " credited_before = " CREDITED ","
				   " interactions_before = interactions,"
				   " questions_before = questions,"
				   " start_before = start_time,"
				   " start_time = LEAST(start_time, VALUES(start_time)),"
				   " last_time = GREATEST(last_time, VALUES(last_time)),"
				   " learning_seconds = GREATEST(learning_seconds, VALUES(learning_seconds)),"
				   " interactions = GREATEST(interactions, VALUES(interactions)),"
				   " questions = GREATEST(questions, VALUES(questions))"
				   " RETURNING " DB_NAMES(DELTA_COLUMNS))},
	[MERGE_LESSON] =
		{"progress_merge_lesson", DB_LETTERS(MERGE_PARAMETERS), &merged_row,
		 DB_UPSERT(
			 "progress_lesson", MERGE_COLUMNS,
			 " position_seconds = IF("
			 "  (VALUES(position_time), VALUES(position_session), VALUES(position_seconds))"
			 "   > (position_time, position_session, position_seconds),"
			 "  VALUES(position_seconds), position_seconds),"
			 " position_session = IF(VALUES(position_time) > position_time,"
			 "  VALUES(position_session),"
			 "  IF(VALUES(position_time) = position_time,"
			 "   GREATEST(position_session, VALUES(position_session)), position_session)),"
			 " position_time = GREATEST(position_time, VALUES(position_time)),"
			 " coverage = coverage | VALUES(coverage),"
			 " completed_now = completed = 0 AND (VALUES(completed) OR BIT_COUNT(coverage) >= 58),"
			 " completed = completed OR completed_now,"
			 " complete_time = IF(completed_now, ?, complete_time),"
			 " learning_seconds = learning_seconds + VALUES(learning_seconds),"
			 " interactions = interactions + VALUES(interactions),"
			 " questions = questions + VALUES(questions),"
			 " sessions = sessions + VALUES(sessions),"
			 " last_time = GREATEST(last_time, VALUES(last_time))"
			 " RETURNING " DB_NAMES(MERGED_COLUMNS))},
	[MERGE_COURSE] = {"progress_merge_course", DB_LETTERS(COURSE_COLUMNS), NULL,
			  DB_UPSERT("progress_course", COURSE_COLUMNS,
				    " lessons_completed = lessons_completed + VALUES(lessons_completed),"
				    " learning_seconds = learning_seconds + VALUES(learning_seconds),"
				    " interactions = interactions + VALUES(interactions),"
				    " questions = questions + VALUES(questions),"
				    " last_time = GREATEST(last_time, VALUES(last_time))")},
	[LESSON_LIST] = {"progress_lesson_list", "iii", &listed_row,
			 DB_SELECT(LISTED_COLUMNS, " FROM progress_lesson WHERE user_id = ? AND course_id = ?"
						   " AND epoch = ? ORDER BY lesson_id")},
	[ENROLLMENTS_OF_USER] = {"progress_enrollments_of_user", "iii", &enrollment_row,
				 ENROLLMENT_SELECT
				 " WHERE e.user_id = ? AND e.course_id > ? ORDER BY e.course_id LIMIT ?"},
	[ENROLLMENTS_OF_COURSE] = {"progress_enrollments_of_course", "iii", &enrollment_row,
				   ENROLLMENT_SELECT
				   " WHERE e.course_id = ? AND e.user_id > ? ORDER BY e.user_id LIMIT ?"},
	[ENROLLMENT] = {"progress_enrollment", "ii", &enrollment_row,
			ENROLLMENT_SELECT " WHERE e.user_id = ? AND e.course_id = ?"},
	[PICK_OLD] = {"progress_pick_old", "ii", &old_row,
		      DB_SELECT(SESSION_KEY,
				" FROM (SELECT " DB_NOW_US " - ? AS over_time) o"
				" STRAIGHT_JOIN progress_session FORCE INDEX (progress_session_start)"
				"  ON start_time <= over_time AND last_time <= over_time"
				" ORDER BY start_time LIMIT ? FOR UPDATE SKIP LOCKED")},
	[REMOVE] = {"progress_remove", DB_LETTERS(SESSION_KEY), NULL,
		    "DELETE FROM progress_session WHERE user_id = ? AND course_id = ? AND epoch = ?"
		    " AND lesson_id = ? AND session_id = ?"},
	[AGE] = {"progress_age", "", &db_row_i64,
		 "SELECT " DB_NOW_US
		 " - start_time FROM progress_session FORCE INDEX (progress_session_start)"
		 " WHERE last_time <= start_time + 86400000000 ORDER BY start_time LIMIT 1"},
};

const struct db_stmt_list progress_stmts = {"progress", stmts, ARRAY_SIZE(stmts)};

/*
 * No report that is taken, and none that is repeated, belongs to a session that began and was last heard of
 * earlier. It began earlier than a day before the last: chained reports go on with one for as long as they
 * like.
 */
static_assert(PROGRESS_KEEP_SESSIONS_DAYS_MIN * 86400 > REPORT_AGE_SECONDS + REPORT_SESSION_SECONDS,
	      "a session that is over");
const struct retention progress_session_retention = {
	.pick = &stmts[PICK_OLD],
	.remove = &stmts[REMOVE],
	.age = &stmts[AGE],
};

/* --- merges --- */

int progress_store_sessions(struct db_conn *conn, struct arena *arena, const struct report *const *reports,
			    unsigned n, struct progress_delta *ret, unsigned *ret_bad, struct error *err)
{
	struct report *rows = arena_array(arena, n, sizeof(*rows));
	*ret_bad = n;
	if (!rows)
		return arena_full(err);
	for (unsigned i = 0; i < n; i++)
		rows[i] = *reports[i];
	return db_write_all(conn, &stmts[MERGE_SESSION], &session_row, rows, n, ret, ret_bad, err);
}

int progress_store_lessons(struct db_conn *conn, struct arena *arena, const struct report *const *reports,
			   const struct progress_delta *deltas, unsigned n, int64_t now_us,
			   struct progress_lesson *ret, unsigned *ret_bad, struct error *err)
{
	struct lesson_merge *rows = arena_array(arena, n, sizeof(*rows));
	*ret_bad = n;
	if (!rows)
		return arena_full(err);
	for (unsigned i = 0; i < n; i++) {
		const struct report *r = reports[i];
		bool completed = r->completed || coverage_count(r->coverage) >= COVERAGE_COMPLETE;
		rows[i] = (struct lesson_merge){*r, deltas[i], completed, completed ? now_us : 0, now_us};
	}
	int r = db_write_all(conn, &stmts[MERGE_LESSON], &merge_row, rows, n, ret, ret_bad, err);
	for (unsigned i = 0; r == 0 && i < n; i++) {
		ret[i].lesson_id = reports[i]->lesson_id;
		ret[i].epoch = reports[i]->epoch;
	}
	return r;
}

int progress_store_courses(struct db_conn *conn, const struct progress_course_delta *deltas, unsigned n,
			   struct error *err)
{
	return db_write_all(conn, &stmts[MERGE_COURSE], &course_row, deltas, n, NULL, NULL, err);
}

/* --- reads --- */

int progress_store_lesson_list(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
			       int64_t epoch, struct progress_lesson **ret, unsigned *ret_n,
			       struct error *err)
{
	return db_read_all(conn, &stmts[LESSON_LIST],
			   DB_ARGS(db_i64(user_id), db_i64(course_id), db_i64(epoch)), arena, ret, ret_n,
			   err);
}

int progress_store_enrollments_of_user(struct db_conn *conn, struct arena *arena, int64_t user_id,
				       int64_t after_course, unsigned limit, struct progress_enrollment **ret,
				       unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[ENROLLMENTS_OF_USER],
			   DB_ARGS(db_i64(user_id), db_i64(after_course), db_i64(limit)), arena, ret, ret_n,
			   err);
}

int progress_store_enrollments_of_course(struct db_conn *conn, struct arena *arena, int64_t course_id,
					 int64_t after_user, unsigned limit, struct progress_enrollment **ret,
					 unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[ENROLLMENTS_OF_COURSE],
			   DB_ARGS(db_i64(course_id), db_i64(after_user), db_i64(limit)), arena, ret, ret_n,
			   err);
}

int progress_store_enrollment(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
			      struct progress_enrollment **ret, unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[ENROLLMENT], DB_ARGS(db_i64(user_id), db_i64(course_id)), arena, ret,
			   ret_n, err);
}
