/* SPDX-License-Identifier: Apache-2.0 */
#include "server/progress/progress_store.h"

#include "proto/runtime/array.h"
#include "server/progress/coverage.h"

enum {
	MERGE_SESSION,
	MERGE_LESSON,
	MERGE_COURSE,
	EPOCH,
	LESSON_LIST,
	ENROLLMENTS_OF_USER,
	ENROLLMENTS_OF_COURSE,
	ENROLLMENT,
};

/*
 * Credited seconds of a session: what it claims, but never more than lies between its ends, nor than a day,
 * so that a session which chained reports have made longer gains nothing. Its last time may lie before access
 * began, where its start was moved to, by as much as a client's clock may be slow.
 */
#define CREDITED "GREATEST(LEAST(learning_seconds, (last_time - start_time) DIV 1000000, 86400), 0)"

/*
 * Assignments run left to right: the *_before columns are taken before what they come from, position before
 * the time it is decided by, coverage before completion.
 */
#define ENROLLMENT_SELECT                                                                                    \
	"SELECT e.user_id, e.course_id, e.epoch, e.start_time,"                                              \
	" (SELECT MAX(g.purchase_id) FROM access_grant g WHERE g.user_id = e.user_id AND g.course_id = "     \
	"e.course_id),"                                                                                      \
	" EXISTS (SELECT 1 FROM access_grant g WHERE g.user_id = e.user_id AND g.course_id = e.course_id"    \
	"  AND g.start_time <= ? AND (g.expire_time IS NULL OR g.expire_time > ?)"                           \
	"  AND (g.revoke_time IS NULL OR g.revoke_time > ?)),"                                               \
	" COALESCE(p.lessons_completed, 0), c.lesson_count, COALESCE(p.last_time, 0)"                        \
	" FROM enrollment e JOIN course c ON c.course_id = e.course_id"                                      \
	" LEFT JOIN progress_course p ON p.user_id = e.user_id AND p.course_id = e.course_id AND p.epoch = " \
	"e.epoch"

static const struct db_stmt stmts[] = {
	[MERGE_SESSION] =
		{"progress_merge_session", "iiiibiiiii", "iiii",
		 "INSERT INTO progress_session (user_id, course_id, epoch, lesson_id, session_id, start_time,"
		 " last_time, learning_seconds, interactions, questions)"
		 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		 " ON DUPLICATE KEY UPDATE"
		 " credited_before = " CREDITED ","
		 " interactions_before = interactions,"
		 " questions_before = questions,"
		 " fresh = 0,"
		 " start_time = LEAST(start_time, VALUES(start_time)),"
		 " last_time = GREATEST(last_time, VALUES(last_time)),"
		 " learning_seconds = GREATEST(learning_seconds, VALUES(learning_seconds)),"
		 " interactions = GREATEST(interactions, VALUES(interactions)),"
		 " questions = GREATEST(questions, VALUES(questions))"
		 " RETURNING " CREDITED " - credited_before, interactions - interactions_before,"
		 " questions - questions_before, fresh"},
	[MERGE_LESSON] =
		{"progress_merge_lesson", "iiiiuiibiiiiiiiii", "uiiiiiiiii",
		 "INSERT INTO progress_lesson (user_id, course_id, epoch, lesson_id, coverage, "
		 "position_seconds,"
		 " position_time, position_session, completed, completed_now, complete_time, "
		 "learning_seconds,"
		 " interactions, questions, sessions, last_time)"
		 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		 " ON DUPLICATE KEY UPDATE"
		 " position_seconds = IF((VALUES(position_time), VALUES(position_session), "
		 "VALUES(position_seconds))"
		 "  > (position_time, position_session, position_seconds), VALUES(position_seconds), "
		 "position_seconds),"
		 " position_session = IF(VALUES(position_time) > position_time, VALUES(position_session),"
		 "  IF(VALUES(position_time) = position_time, GREATEST(position_session, "
		 "VALUES(position_session)),"
		 "  position_session)),"
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
		 " RETURNING coverage, position_seconds, completed, completed_now, complete_time,"
		 " learning_seconds, interactions, questions, sessions, last_time"},
	[MERGE_COURSE] = {"progress_merge_course", "iiiiiiii", "",
			  "INSERT INTO progress_course (user_id, course_id, epoch, lessons_completed, "
			  "learning_seconds,"
			  " interactions, questions, last_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
			  " ON DUPLICATE KEY UPDATE"
			  " lessons_completed = lessons_completed + VALUES(lessons_completed),"
			  " learning_seconds = learning_seconds + VALUES(learning_seconds),"
			  " interactions = interactions + VALUES(interactions),"
			  " questions = questions + VALUES(questions),"
			  " last_time = GREATEST(last_time, VALUES(last_time))"},
	[EPOCH] = {"progress_epoch", "ii", "ii",
		   "SELECT epoch, start_time FROM enrollment WHERE user_id = ? AND course_id = ?"},
	[LESSON_LIST] =
		{"progress_lesson_list", "iii", "iuiiiiiiii",
		 "SELECT lesson_id, coverage, position_seconds, completed, complete_time, learning_seconds,"
		 " interactions, questions, sessions, last_time FROM progress_lesson"
		 " WHERE user_id = ? AND course_id = ? AND epoch = ? ORDER BY lesson_id"},
	[ENROLLMENTS_OF_USER] = {"progress_enrollments_of_user", "iiiiii", "iiiiiiiii",
				 ENROLLMENT_SELECT " WHERE e.user_id = ? AND e.course_id > ?"
						   " ORDER BY e.course_id LIMIT ?"},
	[ENROLLMENTS_OF_COURSE] = {"progress_enrollments_of_course", "iiiiii", "iiiiiiiii",
				   ENROLLMENT_SELECT " WHERE e.course_id = ? AND e.user_id > ?"
						     " ORDER BY e.user_id LIMIT ?"},
	[ENROLLMENT] = {"progress_enrollment", "iiiii", "iiiiiiiii",
			ENROLLMENT_SELECT " WHERE e.user_id = ? AND e.course_id = ?"},
};

const struct db_stmt_list progress_stmts = {"progress", stmts, ARRAY_SIZE(stmts)};

static int arena_full(struct error *err)
{
	return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
			   "The answer needs more memory than a call may use.");
}

/* --- merges --- */

enum { SESSION_ARGS = 10, LESSON_ARGS = 17, COURSE_ARGS = 8 };

static void bind_session(struct db_value *v, const struct report *r)
{
	const struct db_value row[SESSION_ARGS] = {
		db_i64(r->user_id),
		db_i64(r->course_id),
		db_i64(r->epoch),
		db_i64(r->lesson_id),
		db_bytes(span_of(r->session_id, sizeof(r->session_id))),
		db_i64(r->start_us),
		db_i64(r->client_us),
		db_i64(r->learning_seconds),
		db_i64(r->interactions),
		db_i64(r->questions),
	};
	memcpy(v, row, sizeof(row));
}

int progress_store_sessions(struct db_conn *conn, struct arena *arena, const struct report *const *reports,
			    unsigned n, struct progress_delta *ret, unsigned *ret_bad, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	struct db_value *args = arena_array(arena, (size_t)n * SESSION_ARGS, sizeof(*args));
	int r;

	*ret_bad = n;
	if (!args)
		return arena_full(err);
	for (unsigned i = 0; i < n; i++)
		bind_session(args + (size_t)i * SESSION_ARGS, reports[i]);
	r = db_query_array(conn, &stmts[MERGE_SESSION], args, SESSION_ARGS, n, &rows, err);
	for (unsigned i = 0; r == 0 && (r = db_next(&rows, err)) == 1; i++, r = 0)
		ret[i] = (struct progress_delta){
			.learning_seconds = db_col_i64(&rows, 0),
			.interactions = db_col_i64(&rows, 1),
			.questions = db_col_i64(&rows, 2),
			.sessions = db_col_i64(&rows, 3),
		};
	if (r < 0 && rows.handle) /* else no row is at fault, or nobody knows which */
		*ret_bad = rows.count;
	return r;
}

static void bind_lesson(struct db_value *v, const struct report *r, const struct progress_delta *d,
			int64_t now_us)
{
	bool completed = r->completed || coverage_count(r->coverage) >= COVERAGE_COMPLETE;
	const struct db_value row[LESSON_ARGS] = {
		db_i64(r->user_id),
		db_i64(r->course_id),
		db_i64(r->epoch),
		db_i64(r->lesson_id),
		db_u64(r->coverage),
		db_i64(r->position_seconds),
		db_i64(r->client_us),
		db_bytes(span_of(r->session_id, sizeof(r->session_id))),
		db_i64(completed),
		db_i64(completed),
		db_i64(completed ? now_us : 0),
		db_i64(d->learning_seconds),
		db_i64(d->interactions),
		db_i64(d->questions),
		db_i64(d->sessions),
		db_i64(r->client_us),
		db_i64(now_us),
	};
	memcpy(v, row, sizeof(row));
}

int progress_store_lessons(struct db_conn *conn, struct arena *arena, const struct report *const *reports,
			   const struct progress_delta *deltas, unsigned n, int64_t now_us,
			   struct progress_lesson *ret, unsigned *ret_bad, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	struct db_value *args = arena_array(arena, (size_t)n * LESSON_ARGS, sizeof(*args));
	int r;

	*ret_bad = n;
	if (!args)
		return arena_full(err);
	for (unsigned i = 0; i < n; i++)
		bind_lesson(args + (size_t)i * LESSON_ARGS, reports[i], &deltas[i], now_us);
	r = db_query_array(conn, &stmts[MERGE_LESSON], args, LESSON_ARGS, n, &rows, err);
	for (unsigned i = 0; r == 0 && (r = db_next(&rows, err)) == 1; i++, r = 0)
		ret[i] = (struct progress_lesson){
			.lesson_id = reports[i]->lesson_id,
			.epoch = reports[i]->epoch,
			.coverage = db_col_u64(&rows, 0),
			.position_seconds = db_col_i64(&rows, 1),
			.completed = db_col_i64(&rows, 2),
			.completed_now = db_col_i64(&rows, 3),
			.complete_us = db_col_i64(&rows, 4),
			.learning_seconds = db_col_i64(&rows, 5),
			.interactions = db_col_i64(&rows, 6),
			.questions = db_col_i64(&rows, 7),
			.sessions = db_col_i64(&rows, 8),
			.last_us = db_col_i64(&rows, 9),
		};
	if (r < 0 && rows.handle) /* else no row is at fault, or nobody knows which */
		*ret_bad = rows.count;
	return r;
}

int progress_store_courses(struct db_conn *conn, struct arena *arena,
			   const struct progress_course_delta *deltas, unsigned n, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	struct db_value *args = arena_array(arena, (size_t)n * COURSE_ARGS, sizeof(*args));
	int r;

	if (!args)
		return arena_full(err);
	for (unsigned i = 0; i < n; i++) {
		const struct progress_course_delta *d = &deltas[i];
		const struct db_value row[COURSE_ARGS] = {
			db_i64(d->user_id),           db_i64(d->course_id),        db_i64(d->epoch),
			db_i64(d->lessons_completed), db_i64(d->learning_seconds), db_i64(d->interactions),
			db_i64(d->questions),         db_i64(d->last_us),
		};
		memcpy(args + (size_t)i * COURSE_ARGS, row, sizeof(row));
	}
	r = db_query_array(conn, &stmts[MERGE_COURSE], args, COURSE_ARGS, n, &rows, err);
	return r < 0 ? r : db_next(&rows, err);
}

/* --- reads --- */

int progress_store_epoch(struct db_conn *conn, int64_t user_id, int64_t course_id, int64_t *ret_epoch,
			 int64_t *ret_start_us, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_query_row(conn, &stmts[EPOCH], DB_ARGS(db_i64(user_id), db_i64(course_id)), &rows, err);

	if (r == 1) {
		*ret_epoch = db_col_i64(&rows, 0);
		*ret_start_us = db_col_i64(&rows, 1);
	}
	return r;
}

/* Reads every row into an array in the arena that doubles as it fills. */
static int read_all(struct db_rows *rows, struct arena *arena, size_t size,
		    void (*read)(const struct db_rows *rows, void *item), void **ret, unsigned *ret_n,
		    struct error *err)
{
	unsigned n = 0, room = 0;
	char *items = NULL;
	int r;

	while ((r = db_next(rows, err)) == 1) {
		if (n == room) {
			room = room ? 2 * room : 32;
			char *grown = arena_array(arena, room, size);
			if (!grown)
				return arena_full(err);
			if (n)
				memcpy(grown, items, n * size);
			items = grown;
		}
		read(rows, items + n++ * size);
	}
	*ret = items;
	*ret_n = n;
	return r;
}

static void read_lesson(const struct db_rows *rows, void *item)
{
	*(struct progress_lesson *)item = (struct progress_lesson){
		.lesson_id = db_col_i64(rows, 0),
		.coverage = db_col_u64(rows, 1),
		.position_seconds = db_col_i64(rows, 2),
		.completed = db_col_i64(rows, 3),
		.complete_us = db_col_i64(rows, 4),
		.learning_seconds = db_col_i64(rows, 5),
		.interactions = db_col_i64(rows, 6),
		.questions = db_col_i64(rows, 7),
		.sessions = db_col_i64(rows, 8),
		.last_us = db_col_i64(rows, 9),
	};
}

int progress_store_lesson_list(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
			       int64_t epoch, struct progress_lesson **ret, unsigned *ret_n,
			       struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_query(conn, &stmts[LESSON_LIST],
			 DB_ARGS(db_i64(user_id), db_i64(course_id), db_i64(epoch)), &rows, err);
	if (r == 0)
		r = read_all(&rows, arena, sizeof(**ret), read_lesson, (void **)ret, ret_n, err);
	for (unsigned i = 0; r == 0 && i < *ret_n; i++)
		(*ret)[i].epoch = epoch;
	return r;
}

static void read_enrollment(const struct db_rows *rows, void *item)
{
	*(struct progress_enrollment *)item = (struct progress_enrollment){
		.user_id = db_col_i64(rows, 0),
		.course_id = db_col_i64(rows, 1),
		.epoch = db_col_i64(rows, 2),
		.start_us = db_col_i64(rows, 3),
		.purchase_id = db_col_i64(rows, 4),
		.active = db_col_i64(rows, 5),
		.lessons_completed = db_col_i64(rows, 6),
		.lessons_total = db_col_i64(rows, 7),
		.last_us = db_col_i64(rows, 8),
	};
}

static int read_enrollments(struct db_conn *conn, struct arena *arena, const struct db_stmt *stmt,
			    const struct db_value *args, unsigned n_args, struct progress_enrollment **ret,
			    unsigned *ret_n, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_query(conn, stmt, args, n_args, &rows, err);

	return r < 0 ? r : read_all(&rows, arena, sizeof(**ret), read_enrollment, (void **)ret, ret_n, err);
}

#define ACTIVE_AT(now_us) db_i64(now_us), db_i64(now_us), db_i64(now_us)

int progress_store_enrollments_of_user(struct db_conn *conn, struct arena *arena, int64_t user_id,
				       int64_t after_course, int64_t now_us, unsigned limit,
				       struct progress_enrollment **ret, unsigned *ret_n, struct error *err)
{
	return read_enrollments(
		conn, arena, &stmts[ENROLLMENTS_OF_USER],
		DB_ARGS(ACTIVE_AT(now_us), db_i64(user_id), db_i64(after_course), db_i64(limit)), ret, ret_n,
		err);
}

int progress_store_enrollments_of_course(struct db_conn *conn, struct arena *arena, int64_t course_id,
					 int64_t after_user, int64_t now_us, unsigned limit,
					 struct progress_enrollment **ret, unsigned *ret_n, struct error *err)
{
	return read_enrollments(
		conn, arena, &stmts[ENROLLMENTS_OF_COURSE],
		DB_ARGS(ACTIVE_AT(now_us), db_i64(course_id), db_i64(after_user), db_i64(limit)), ret, ret_n,
		err);
}

int progress_store_enrollment(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
			      int64_t now_us, struct progress_enrollment **ret, unsigned *ret_n,
			      struct error *err)
{
	return read_enrollments(conn, arena, &stmts[ENROLLMENT],
				DB_ARGS(ACTIVE_AT(now_us), db_i64(user_id), db_i64(course_id)), ret, ret_n,
				err);
}
