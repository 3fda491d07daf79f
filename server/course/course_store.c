/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_store.h"

#include <string.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/ids.h"
#include "server/course/course_names.h"
#include "server/course/course_revision.h"
#include "server/course/course_row.h"

DB_ROW(whole_row, struct course, COURSE_WHOLE_COLUMNS);
DB_ROW(stored_row, struct course, COURSE_STORED_COLUMNS);
DB_ROW(changed_row, struct course, COURSE_CHANGED_COLUMNS);

struct instructor_row {
	int64_t course_id, user_id;
	int position, share_basis_points;
};
#define INSTRUCTOR_COLUMNS(F, C, R)                                                                          \
	F(R, "course_id", I64, course_id)                                                                    \
	C(R, "user_id", I64, user_id)                                                                        \
	C(R, "position", INT, position)                                                                      \
	C(R, "share_basis_points", INT, share_basis_points)
DB_ROW(instructor_row, struct instructor_row, INSTRUCTOR_COLUMNS);

struct price_row {
	int64_t course_id;
	const char *currency_code;
	int64_t minor_units;
	int position;
};
#define PRICE_COLUMNS(F, C, R)                                                                               \
	F(R, "course_id", I64, course_id)                                                                    \
	C(R, "currency_code", TEXT, currency_code)                                                           \
	C(R, "minor_units", I64, minor_units)                                                                \
	C(R, "position", INT, position)
DB_ROW(price_row, struct price_row, PRICE_COLUMNS);

/* The terms, once for each instructor. */
struct terms_row {
	struct course_terms terms;
	struct course_share instructor; /* user_id 0: none */
};
#define TERMS_COLUMNS(F, C, R)                                                                               \
	F(R, "c.course_id", I64, terms.course_id)                                                            \
	C(R, "c.creator_id", I64, terms.creator_id)                                                          \
	C(R, "c.version", I64, terms.version)                                                                \
	C(R, "c.revision", I64, terms.revision)                                                              \
	C(R, "c.state", INT, terms.state)                                                                    \
	C(R, "c.title", TEXT, terms.title)                                                                   \
	C(R, "c.lesson_count", INT, terms.lesson_count)                                                      \
	C(R, "c.planned_learning_hours", INT, terms.planned_learning_hours)                                  \
	C(R, "c.pricing", INT, terms.pricing)                                                                \
	C(R, "p.minor_units", I64, terms.price_minor_units)                                                  \
	C(R, "IFNULL(c.platform_basis_points, -1)", INT, terms.platform_basis_points)                        \
	C(R, "i.user_id", I64, instructor.user_id)                                                           \
	C(R, "i.share_basis_points", INT, instructor.share_basis_points)
DB_ROW(terms_row, struct terms_row, TERMS_COLUMNS);

enum stmt {
	READ,
	LOCK,
	INSERT,
	UPDATE,
	BY_EXTERNAL_ID,
	INSTRUCTORS_DELETE,
	INSTRUCTORS_INSERT,
	PRICES_DELETE,
	PRICES_INSERT,
	TERMS,
	N_STMTS,
};

static const struct db_stmt stmts[N_STMTS] = {
	[READ] = {"course_read", "i", &whole_row,
		  DB_SELECT(COURSE_WHOLE_COLUMNS, " FROM course WHERE course_id = ?")},
	[LOCK] = {"course_lock", "i", &db_row_i64,
		  "SELECT course_id FROM course WHERE course_id = ? FOR UPDATE"},
	[INSERT] = {"course_insert", DB_LETTERS(COURSE_STORED_COLUMNS), NULL,
		    DB_INSERT("course", COURSE_STORED_COLUMNS)},
	[UPDATE] = {"course_update", DB_LETTERS(COURSE_CHANGED_COLUMNS) "i", NULL,
		    DB_UPDATE("course", COURSE_CHANGED_COLUMNS, " WHERE course_id = ?")},
	[BY_EXTERNAL_ID] = {"course_by_external_id", "is", &db_row_i64,
			    "SELECT course_id FROM course WHERE creator_id = ? AND external_id = ?"},
	[INSTRUCTORS_DELETE] = {"course_instructors_delete", "i", NULL,
				"DELETE FROM course_instructor WHERE course_id = ?"},
	[INSTRUCTORS_INSERT] = {"course_instructors_insert", DB_LETTERS(INSTRUCTOR_COLUMNS), NULL,
				DB_INSERT("course_instructor", INSTRUCTOR_COLUMNS)},
	[PRICES_DELETE] = {"course_prices_delete", "i", NULL, "DELETE FROM course_price WHERE course_id = ?"},
	[PRICES_INSERT] = {"course_prices_insert", DB_LETTERS(PRICE_COLUMNS), NULL,
			   DB_INSERT("course_price", PRICE_COLUMNS)},
	[TERMS] = {"course_terms", "si", &terms_row,
		   DB_SELECT(TERMS_COLUMNS,
			     " FROM course c"
			     " LEFT JOIN course_price p ON p.course_id = c.course_id AND p.currency_code = ?"
			     " LEFT JOIN course_instructor i ON i.course_id = c.course_id"
			     " WHERE c.course_id = ? ORDER BY i.position")},
};

const struct db_stmt_list course_stmts = {"course", stmts, N_STMTS};

/* --- reading --- */

int course_store_read(struct db_conn *conn, struct arena *arena, int64_t course_id, struct course *ret,
		      struct error *err)
{
	int r = db_read(conn, &stmts[READ], DB_ARGS(db_i64(course_id)), arena, ret, err);
	if (r < 0)
		return r;
	return r == 0 ? course_not_found(err, course_id) : course_of_row(ret, arena, err);
}

int course_store_read_draft(struct db_conn *conn, struct arena *arena, int64_t course_id, struct course *ret,
			    struct error *err)
{
	int r = course_store_read(conn, arena, course_id, ret, err);
	return r >= 0 && course_draft_state_of(ret->stage) ? course_revision_read_draft(conn, arena, ret, err)
							   : r;
}

/* The lock comes first and the course is read after it: what its lists held before may be past. */
int course_store_lock(struct db_conn *conn, struct arena *arena, int64_t course_id, struct course *ret,
		      struct error *err)
{
	int r = db_found(conn, &stmts[LOCK], DB_ARGS(db_i64(course_id)), err);
	if (r < 0)
		return r;
	return r == 0 ? course_not_found(err, course_id)
		      : course_store_read_draft(conn, arena, course_id, ret, err);
}

int course_terms_read(struct db_conn *conn, struct arena *arena, int64_t course_id, const char *currency,
		      struct course_terms *ret, struct error *err)
{
	struct terms_row *rows;
	unsigned n;
	int r = db_read_all(conn, &stmts[TERMS], DB_ARGS(db_str(currency), db_i64(course_id)), arena, &rows,
			    &n, err);
	if (r < 0)
		return r;
	if (n == 0)
		return course_not_found(err, course_id);
	*ret = rows[0].terms;
	ret->offered = ret->pricing == COURSE_PRICED && ret->price_minor_units > 0;
	for (unsigned i = 0; i < n && i < COURSE_INSTRUCTORS_MAX_ITEMS; i++)
		if (rows[i].instructor.user_id)
			ret->instructors[ret->n_instructors++] = rows[i].instructor;
	return 0;
}

/* --- writing --- */

int course_external_id_in_use(struct db_conn *conn, const struct db_stmt *holder, int64_t owner_id,
			      const char *external_id, const struct app_resource *resource, struct error *err)
{
	char text[ID_TEXT_MAX];
	int64_t other;
	int r = db_read(conn, holder, DB_ARGS(db_i64(owner_id), db_str(external_id)), NULL, &other, err);
	if (r < 0)
		return r;
	if (r == 0) /* the other was undone meanwhile */
		return error_raise(err, &RPC_REASON_CONFLICT,
				   "Another one was being made with this external_id.");
	id_format(resource->id_kind, other, text);
	error_raise(err, &REASON_EXTERNAL_ID_IN_USE, "%s %s has this external_id already; use that one.",
		    strrchr(resource->type, '.') + 1, text);
	return app_name_resource(err, resource, other);
}

int course_store_insert(struct db_conn *conn, struct arena *arena, const struct course *c, struct error *err)
{
	struct course row;
	int r = course_to_row(c, arena, &row, err);
	if (r >= 0)
		r = db_write(conn, &stmts[INSERT], &stored_row, &row, DB_NO_ARGS, err);
	if (r == -STATUS_ALREADY_EXISTS && strcmp(db_duplicate_key(conn), "course_external_key") == 0)
		return course_external_id_in_use(conn, &stmts[BY_EXTERNAL_ID], c->creator_id, c->external_id,
						 &course_resource, err);
	if (r >= 0)
		r = course_store_set_instructors(conn, c, err);
	return r < 0 ? r : course_store_set_prices(conn, c, err);
}

int course_store_update(struct db_conn *conn, struct arena *arena, const struct course *c, struct error *err)
{
	struct course row;
	int r = course_to_row(c, arena, &row, err);
	return r < 0 ? r
		     : db_write(conn, &stmts[UPDATE], &changed_row, &row, DB_ARGS(db_i64(c->course_id)), err);
}

/* All rows of a list in two round trips. */
int course_store_set_instructors(struct db_conn *conn, const struct course *c, struct error *err)
{
	struct instructor_row rows[COURSE_INSTRUCTORS_MAX_ITEMS];
	for (unsigned i = 0; i < c->n_instructors; i++)
		rows[i] = (struct instructor_row){c->course_id, c->instructors[i].user_id, (int)i + 1,
						  c->instructors[i].share_basis_points};
	int r = db_exec(conn, &stmts[INSTRUCTORS_DELETE], DB_ARGS(db_i64(c->course_id)), NULL, err);
	return r < 0 ? r
		     : db_write_all(conn, &stmts[INSTRUCTORS_INSERT], &instructor_row, rows, c->n_instructors,
				    NULL, NULL, err);
}

int course_store_set_prices(struct db_conn *conn, const struct course *c, struct error *err)
{
	struct price_row rows[PRICE_LIST_PRICES_MAX_ITEMS];
	for (unsigned i = 0; i < c->n_prices; i++)
		rows[i] = (struct price_row){c->course_id, c->prices[i].currency_code,
					     c->prices[i].minor_units, (int)i + 1};
	int r = db_exec(conn, &stmts[PRICES_DELETE], DB_ARGS(db_i64(c->course_id)), NULL, err);
	return r < 0 ? r
		     : db_write_all(conn, &stmts[PRICES_INSERT], &price_row, rows, c->n_prices, NULL, NULL,
				    err);
}
