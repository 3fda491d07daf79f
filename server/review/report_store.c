/* SPDX-License-Identifier: Apache-2.0 */
#include "server/review/report_store.h"

#include <string.h>

#include "proto/runtime/array.h"
#include "server/db/table.h"
#include "server/review/review_names.h"

#define MADE_COLUMNS(F, C, R)                                                                                \
	F(R, "report_id", I64, report_id)                                                                    \
	C(R, "reporter_id", I64, reporter_id)                                                                \
	C(R, "subject_kind", INT, subject_kind)                                                              \
	C(R, "subject_id", I64, subject_id)                                                                  \
	C(R, "course_id", I64, course_id)                                                                    \
	C(R, "kind", INT, kind)                                                                              \
	C(R, "text", TEXT, text)                                                                             \
	C(R, "create_time", I64, create_us)
#define CHANGED_COLUMNS(F, C, R)                                                                             \
	F(R, "state", INT, state)                                                                            \
	C(R, "outcome", INT, outcome)                                                                        \
	C(R, "comment", TEXT, comment)                                                                       \
	C(R, "live", I64_OR_NULL, live)                                                                      \
	C(R, "version", I64, version)                                                                        \
	C(R, "update_time", I64, update_us)
#define STORED_COLUMNS(F, C, R) MADE_COLUMNS(F, C, R) CHANGED_COLUMNS(C, C, R)
DB_ROW(stored_row, struct content_report, STORED_COLUMNS);
DB_ROW(changed_row, struct content_report, CHANGED_COLUMNS);

#define PAGE(index) DB_SELECT(STORED_COLUMNS, " FROM report FORCE INDEX (" index ") WHERE state = ?")
#define NEXT " AND report_id > ? ORDER BY report_id LIMIT ?"

enum stmt { READ, LOCK, INSERT, UPDATE, LIVE, COUNT, LIST, LIST_OF_COURSE, N_STMTS };

static_assert(REPORTS_A_DAY == 20, "how many, in the statement");
static const struct db_stmt stmts[N_STMTS] = {
	[READ] = {"report_read", "i", &stored_row,
		  DB_SELECT(STORED_COLUMNS, " FROM report WHERE report_id = ?")},
	[LOCK] = {"report_lock", "i", &stored_row,
		  DB_SELECT(STORED_COLUMNS, " FROM report WHERE report_id = ? FOR UPDATE")},
	[INSERT] = {"report_insert", DB_LETTERS(STORED_COLUMNS), NULL, DB_INSERT("report", STORED_COLUMNS)},
	[UPDATE] = {"report_update", DB_LETTERS(CHANGED_COLUMNS) "i", NULL,
		    DB_UPDATE("report", CHANGED_COLUMNS, " WHERE report_id = ?")},
	[LIVE] = {"report_live", "ii", &db_row_i64,
		  "SELECT report_id FROM report WHERE reporter_id = ? AND subject_id = ? AND live = 1"},
	/* Changes nothing, and so counts no row, once there are as many as may be. */
	[COUNT] = {"report_count", "ii", NULL,
		   "INSERT INTO report_guard (reporter_id, day, reports) VALUES (?, ?, 1)"
		   " ON DUPLICATE KEY UPDATE reports = IF(day < VALUES(day), 1, reports + (reports < 20)),"
		   " day = GREATEST(day, VALUES(day))"},
	[LIST] = {"report_list", "iii", &stored_row, PAGE("report_line") NEXT},
	[LIST_OF_COURSE] = {"report_list_of_course", "iiii", &stored_row,
			    PAGE("report_course") " AND course_id = ?" NEXT},
};

const struct db_stmt_list report_stmts = {"report", stmts, N_STMTS};

const struct app_resource report_resource = {"edu.v1.Report", ID_REPORT, &REASON_REPORT_NOT_FOUND,
					     "There is no such report, or you may not see it."};

static int read_by(enum stmt stmt, struct db_conn *conn, struct arena *arena, int64_t report_id,
		   struct content_report *ret, struct error *err)
{
	int r = db_read(conn, &stmts[stmt], DB_ARGS(db_i64(report_id)), arena, ret, err);
	return r == 0 ? app_not_found(err, &report_resource, report_id) : r < 0 ? r : 0;
}

int report_store_read(struct db_conn *conn, struct arena *arena, int64_t report_id,
		      struct content_report *ret, struct error *err)
{
	return read_by(READ, conn, arena, report_id, ret, err);
}

int report_store_lock(struct db_conn *conn, struct arena *arena, int64_t report_id,
		      struct content_report *ret, struct error *err)
{
	return read_by(LOCK, conn, arena, report_id, ret, err);
}

static int already_reported(struct db_conn *conn, const struct content_report *r, struct error *err)
{
	int64_t other = 0; /* none, when it was resolved meanwhile */
	int found = db_read(conn, &stmts[LIVE], DB_ARGS(db_i64(r->reporter_id), db_i64(r->subject_id)), NULL,
			    &other, err);
	if (found < 0)
		return found;
	error_raise(err, &REASON_ALREADY_REPORTED, "You have reported this, and nobody has decided yet.");
	return app_name_resource(err, &report_resource, other);
}

/* Among the reporter's of its day. */
static int count(struct db_conn *conn, const struct content_report *r, struct error *err)
{
	const int64_t day = r->create_us / DAY_US;
	uint64_t counted;
	int done = db_exec(conn, &stmts[COUNT], DB_ARGS(db_i64(r->reporter_id), db_i64(day)), &counted, err);
	if (done < 0 || counted > 0)
		return done;
	error_raise(err, &REASON_REPORTS_EXHAUSTED,
		    "You have made as many reports today as one may. Go on tomorrow.");
	error_add_violation(err, "reports", "at most %d a day", REPORTS_A_DAY);
	err->violation_kind = ERROR_VIOLATION_QUOTA;
	return error_set_retry(err, ((day + 1) * DAY_US - r->create_us) / 1000 + 1);
}

int report_store_insert(struct db_conn *conn, const struct content_report *r, struct error *err)
{
	int done = db_write(conn, &stmts[INSERT], &stored_row, r, DB_NO_ARGS, err);
	if (done == -STATUS_ALREADY_EXISTS && strcmp(db_duplicate_key(conn), "report_live_key") == 0)
		return already_reported(conn, r, err);
	return done < 0 ? done : count(conn, r, err);
}

int report_store_update(struct db_conn *conn, const struct content_report *r, struct error *err)
{
	return db_write(conn, &stmts[UPDATE], &changed_row, r, DB_ARGS(db_i64(r->report_id)), err);
}

int report_store_list(struct db_conn *conn, struct arena *arena, enum report_state state, int64_t course_id,
		      int64_t after_id, unsigned limit, struct content_report **ret, unsigned *ret_n,
		      struct error *err)
{
	const struct db_value in = db_i64(state), after = db_i64(after_id), n = db_i64(limit);
	if (!course_id)
		return db_read_all(conn, &stmts[LIST], DB_ARGS(in, after, n), arena, ret, ret_n, err);
	return db_read_all(conn, &stmts[LIST_OF_COURSE], DB_ARGS(in, db_i64(course_id), after, n), arena, ret,
			   ret_n, err);
}
