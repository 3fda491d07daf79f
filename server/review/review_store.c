/* SPDX-License-Identifier: Apache-2.0 */
#include "server/review/review_store.h"

#include <string.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/array.h"
#include "server/course/course_rating.h"
#include "server/db/table.h"
#include "server/review/review_names.h"

#define MADE_COLUMNS(F, C, R)                                                                                \
	F(R, "review.review_id", I64, review_id)                                                             \
	C(R, "review.course_id", I64, course_id)                                                             \
	C(R, "review.user_id", I64, user_id)                                                                 \
	C(R, "review.create_time", I64, create_us)
#define CHANGED_COLUMNS(F, C, R)                                                                             \
	F(R, "review.stars", INT, stars)                                                                     \
	C(R, "review.text", TEXT, text)                                                                      \
	C(R, "review.state", INT, state)                                                                     \
	C(R, "review.hide_reason", TEXT, hide_reason)                                                        \
	C(R, "review.counted", INT, counted)                                                                 \
	C(R, "review.version", I64, version)                                                                 \
	C(R, "review.update_time", I64, update_us)
#define STORED_COLUMNS(F, C, R) MADE_COLUMNS(F, C, R) CHANGED_COLUMNS(C, C, R)
#define READ_COLUMNS(F, C, R)                                                                                \
	STORED_COLUMNS(F, C, R)                                                                              \
	C(R, "review.counted", INT, was_counted)                                                             \
	C(R, "(SELECT u.display_name FROM user u WHERE u.user_id = review.user_id)", TEXT, display_name)
DB_ROW(stored_row, struct review, STORED_COLUMNS);
DB_ROW(changed_row, struct review, CHANGED_COLUMNS);
DB_ROW(read_row, struct review, READ_COLUMNS);

/* The index is forced: the optimizer would rather sort what one course has. */
#define PAGE(index)                                                                                          \
	DB_SELECT(READ_COLUMNS, " FROM review FORCE INDEX (" index ") WHERE course_id = ? AND state = ?")

enum stmt { READ, LOCK, INSERT, UPDATE, OF_USER, NEWEST, HIGHEST, LOWEST, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
	[READ] = {"review_read", "i", &read_row, DB_SELECT(READ_COLUMNS, " FROM review WHERE review_id = ?")},
	[LOCK] = {"review_lock", "i", &db_row_i64,
		  "SELECT review_id FROM review WHERE review_id = ? FOR UPDATE"},
	[INSERT] = {"review_insert", DB_LETTERS(STORED_COLUMNS), NULL, DB_INSERT("review", STORED_COLUMNS)},
	[UPDATE] = {"review_update", DB_LETTERS(CHANGED_COLUMNS) "i", NULL,
		    DB_UPDATE("review", CHANGED_COLUMNS, " WHERE review_id = ?")},
	[OF_USER] = {"review_of_user", "ii", &read_row,
		     DB_SELECT(READ_COLUMNS, " FROM review WHERE user_id = ? AND course_id = ?")},
	[NEWEST] = {"review_list_newest", "iiii", &read_row,
		    PAGE("review_newest") " AND review_id < ? ORDER BY review_id DESC LIMIT ?"},
	[HIGHEST] = {"review_list_highest", "iiiiii", &read_row,
		     PAGE("review_stars") " AND stars <= ? AND (stars < ? OR review_id < ?)"
					  " ORDER BY stars DESC, review_id DESC LIMIT ?"},
	[LOWEST] = {"review_list_lowest", "iiiiii", &read_row,
		    PAGE("review_stars") " AND stars >= ? AND (stars > ? OR review_id > ?)"
					 " ORDER BY stars, review_id LIMIT ?"},
};

const struct db_stmt_list review_stmts = {"review", stmts, N_STMTS};

const struct app_resource review_resource = {"edu.v1.Review", ID_REVIEW, &REASON_REVIEW_NOT_FOUND,
					     "There is no such review, or you may not see it."};

int review_store_read(struct db_conn *conn, struct arena *arena, int64_t review_id, struct review *ret,
		      struct error *err)
{
	int r = db_read(conn, &stmts[READ], DB_ARGS(db_i64(review_id)), arena, ret, err);
	return r == 0 ? app_not_found(err, &review_resource, review_id) : r < 0 ? r : 0;
}

int review_store_lock(struct db_conn *conn, struct arena *arena, int64_t review_id, struct review *ret,
		      struct error *err)
{
	int r = db_found(conn, &stmts[LOCK], DB_ARGS(db_i64(review_id)), err);
	if (r < 0)
		return r;
	return r == 0 ? app_not_found(err, &review_resource, review_id)
		      : review_store_read(conn, arena, review_id, ret, err);
}

static int already_reviewed(struct db_conn *conn, struct arena *arena, const struct review *r,
			    struct error *err)
{
	struct review other = {0};
	int found = review_store_of_user(conn, arena, r->user_id, r->course_id, &other, err);
	if (found < 0)
		return found;
	error_raise(err, &REASON_ALREADY_REVIEWED, "You have reviewed this course; change that review.");
	return app_name_resource(err, &review_resource, other.review_id);
}

int review_store_insert(struct db_conn *conn, struct arena *arena, const struct review *r, struct error *err)
{
	int done = db_write(conn, &stmts[INSERT], &stored_row, r, DB_NO_ARGS, err);
	if (done == -STATUS_ALREADY_EXISTS && strcmp(db_duplicate_key(conn), "review_user_key") == 0)
		return already_reviewed(conn, arena, r, err);
	return done < 0 ? done : course_rating_move(conn, r->course_id, 0, r->counted, err);
}

int review_store_update(struct db_conn *conn, const struct review *r, struct error *err)
{
	int done = db_write(conn, &stmts[UPDATE], &changed_row, r, DB_ARGS(db_i64(r->review_id)), err);
	return done < 0 ? done : course_rating_move(conn, r->course_id, r->was_counted, r->counted, err);
}

int review_store_of_user(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
			 struct review *ret, struct error *err)
{
	return db_read(conn, &stmts[OF_USER], DB_ARGS(db_i64(user_id), db_i64(course_id)), arena, ret, err);
}

int review_store_list(struct db_conn *conn, struct arena *arena, const struct review_filter *f,
		      unsigned limit, struct review **ret, unsigned *ret_n, struct error *err)
{
	static_assert(REVIEW_ORDER_LOWEST == ReviewOrder_MAX, "a new order");
	const struct db_value course = db_i64(f->course_id), state = db_i64(f->state), n = db_i64(limit);
	const struct db_value stars = db_i64(f->after_stars), id = db_i64(f->after_id);

	switch (f->order) {
	case REVIEW_ORDER_HIGHEST:
		return db_read_all(conn, &stmts[HIGHEST], DB_ARGS(course, state, stars, stars, id, n), arena,
				   ret, ret_n, err);
	case REVIEW_ORDER_LOWEST:
		return db_read_all(conn, &stmts[LOWEST], DB_ARGS(course, state, stars, stars, id, n), arena,
				   ret, ret_n, err);
	default:
		return db_read_all(conn, &stmts[NEWEST], DB_ARGS(course, state, id, n), arena, ret, ret_n,
				   err);
	}
}
