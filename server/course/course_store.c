/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_store.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/ids.h"
#include "server/app/app.h"
#include "server/course/course_names.h"
#include "server/course/course_row.h"

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
	[READ] = {"course_read", "i", COURSE_WHOLE_TYPES,
		  "SELECT " COURSE_WHOLE_COLUMNS " FROM course c WHERE c.course_id = ?"},
	[LOCK] = {"course_lock", "i", "i", "SELECT course_id FROM course WHERE course_id = ? FOR UPDATE"},
	[INSERT] = {"course_insert", "iissssssssssiiiiiiiiii", "",
		    "INSERT INTO course (course_id, creator_id, external_id, title, summary, description, "
		    "objectives,"
		    " audience, prerequisites, subject, language, license, level, pricing, "
		    "planned_learning_hours, state,"
		    " lesson_count, version, revision, create_time, update_time, publish_time)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
	[UPDATE] =
		{"course_update", "sssssssssiiiiiiiiii", "",
		 "UPDATE course SET title = ?, summary = ?, description = ?, objectives = ?, audience = ?,"
		 " prerequisites = ?, subject = ?, language = ?, license = ?, level = ?, pricing = ?,"
		 " planned_learning_hours = ?, state = ?, lesson_count = ?, version = ?, revision = ?, update_time = ?, "
		 "publish_time = ?"
		 " WHERE course_id = ?"},
	[BY_EXTERNAL_ID] = {"course_by_external_id", "is", "i",
			    "SELECT course_id FROM course WHERE creator_id = ? AND external_id = ?"},
	[INSTRUCTORS_DELETE] = {"course_instructors_delete", "i", "",
				"DELETE FROM course_instructor WHERE course_id = ?"},
	[INSTRUCTORS_INSERT] =
		{"course_instructors_insert", "iiii", "",
		 "INSERT INTO course_instructor (course_id, user_id, position, share_basis_points)"
		 " VALUES (?, ?, ?, ?)"},
	[PRICES_DELETE] = {"course_prices_delete", "i", "", "DELETE FROM course_price WHERE course_id = ?"},
	[PRICES_INSERT] = {"course_prices_insert", "isii", "",
			   "INSERT INTO course_price (course_id, currency_code, minor_units, position)"
			   " VALUES (?, ?, ?, ?)"},
	[TERMS] = {"course_terms", "si", "iiiisiiiiii",
		   "SELECT c.course_id, c.version, c.revision, c.state, c.title, c.lesson_count, "
		   "c.planned_learning_hours, c.pricing,"
		   " p.minor_units, i.user_id, i.share_basis_points FROM course c"
		   " LEFT JOIN course_price p ON p.course_id = c.course_id AND p.currency_code = ?"
		   " LEFT JOIN course_instructor i ON i.course_id = c.course_id"
		   " WHERE c.course_id = ? ORDER BY i.position"},
};

const struct db_stmt_list course_stmts = {"course", stmts, N_STMTS};

/* --- reading --- */

int course_store_read(struct db_conn *conn, struct arena *arena, int64_t course_id, struct course *ret,
		      struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_query_row(conn, &stmts[READ], DB_ARGS(db_i64(course_id)), &rows, err);
	if (r < 0)
		return r;
	return r == 0 ? course_not_found(err, course_id) : course_row_read_whole(&rows, arena, ret, err);
}

/* The lock comes first and the course is read after it: what the lists held while it was waited for is past.
 */
int course_store_lock(struct db_conn *conn, struct arena *arena, int64_t course_id, struct course *ret,
		      struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_query_row(conn, &stmts[LOCK], DB_ARGS(db_i64(course_id)), &rows, err);
	if (r < 0)
		return r;
	db_rows_done(&rows);
	return r == 0 ? course_not_found(err, course_id)
		      : course_store_read(conn, arena, course_id, ret, err);
}

int course_terms_read(struct db_conn *conn, struct arena *arena, int64_t course_id, const char *currency,
		      struct course_terms *ret, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_query(conn, &stmts[TERMS], DB_ARGS(db_str(currency), db_i64(course_id)), &rows, err);
	if (r < 0)
		return r;
	*ret = (struct course_terms){0};
	while ((r = db_next(&rows, err)) > 0) {
		if (!ret->course_id) {
			ret->course_id = db_col_i64(&rows, 0);
			ret->version = db_col_i64(&rows, 1);
			ret->revision = db_col_i64(&rows, 2);
			ret->state = (enum course_state)db_col_i64(&rows, 3);
			ret->title = db_col_str(&rows, 4, arena);
			ret->lesson_count = (int)db_col_i64(&rows, 5);
			ret->planned_learning_hours = (int)db_col_i64(&rows, 6);
			ret->pricing = (enum course_pricing)db_col_i64(&rows, 7);
			ret->price_minor_units = db_col_i64(&rows, 8);
			ret->offered = ret->pricing == COURSE_PRICED && !db_is_null(&rows, 8);
		}
		if (!db_is_null(&rows, 9) && ret->n_instructors < COURSE_INSTRUCTORS_MAX_ITEMS)
			ret->instructors[ret->n_instructors++] =
				(struct course_share){db_col_i64(&rows, 9), (int)db_col_i64(&rows, 10)};
	}
	if (r < 0)
		return r;
	return ret->course_id ? app_built(arena, err) : course_not_found(err, course_id);
}

/* --- writing --- */

/* The objectives as a JSON array in the arena; NULL when memory is out. */
static char *objectives_json(struct arena *arena, const struct course *c)
{
	json_t *array = json_array();
	for (size_t i = 0; i < c->n_objectives; i++)
		json_array_append_new(array, json_string(c->objectives[i]));
	char *text = json_dumps(array, JSON_COMPACT);
	char *copy = text ? arena_strdup(arena, text) : NULL;
	free(text);
	json_decref(array);
	return copy;
}

static int external_id_in_use(struct db_conn *conn, const struct course *c, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	char text[ID_TEXT_MAX];
	int r = db_query_row(conn, &stmts[BY_EXTERNAL_ID],
			     DB_ARGS(db_i64(c->creator_id), db_str(c->external_id)), &rows, err);
	if (r < 0)
		return r;
	if (r == 0) /* the other was undone meanwhile */
		return error_raise(err, &RPC_REASON_CONFLICT,
				   "Another course was being made with this external_id.");
	id_format(ID_COURSE, db_col_i64(&rows, 0), text);
	error_raise(err, &REASON_EXTERNAL_ID_IN_USE, "Course %s has this external_id already; use that one.",
		    text);
	return error_set_resource(err, "edu.v1.Course", text);
}

int course_store_insert(struct db_conn *conn, struct arena *arena, const struct course *c, struct error *err)
{
	const char *objectives = objectives_json(arena, c);
	if (!objectives)
		return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
				   "The course does not fit the call's memory.");
	int r = db_exec(conn, &stmts[INSERT],
			DB_ARGS(db_i64(c->course_id), db_i64(c->creator_id), db_str(c->external_id),
				db_str(c->title), db_str(c->summary), db_str(c->description),
				db_str(objectives), db_str(c->audience), db_str(c->prerequisites),
				db_str(c->subject), db_str(c->language), db_str(c->license), db_i64(c->level),
				db_i64(c->pricing), db_i64(c->planned_learning_hours), db_i64(c->state),
				db_i64(c->lesson_count), db_i64(c->version), db_i64(c->revision),
				db_i64(c->create_us), db_i64(c->update_us),
				c->publish_us ? db_i64(c->publish_us) : db_null()),
			NULL, err);
	if (r == -STATUS_ALREADY_EXISTS && strcmp(db_duplicate_key(conn), "course_external_key") == 0)
		return external_id_in_use(conn, c, err);
	if (r >= 0)
		r = course_store_set_instructors(conn, c, err);
	return r < 0 ? r : course_store_set_prices(conn, c, err);
}

int course_store_update(struct db_conn *conn, struct arena *arena, const struct course *c, struct error *err)
{
	const char *objectives = objectives_json(arena, c);
	if (!objectives)
		return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
				   "The course does not fit the call's memory.");
	return db_exec(conn, &stmts[UPDATE],
		       DB_ARGS(db_str(c->title), db_str(c->summary), db_str(c->description),
			       db_str(objectives), db_str(c->audience), db_str(c->prerequisites),
			       db_str(c->subject), db_str(c->language), db_str(c->license), db_i64(c->level),
			       db_i64(c->pricing), db_i64(c->planned_learning_hours), db_i64(c->state),
			       db_i64(c->lesson_count), db_i64(c->version), db_i64(c->revision),
			       db_i64(c->update_us), c->publish_us ? db_i64(c->publish_us) : db_null(),
			       db_i64(c->course_id)),
		       NULL, err);
}

/* Replaces the rows of a list: all of them in two round trips. */
static int replace_rows(struct db_conn *conn, const struct course *c, enum stmt delete, enum stmt insert,
			const struct db_value *args, unsigned n_args, unsigned n_rows, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_exec(conn, &stmts[delete], DB_ARGS(db_i64(c->course_id)), NULL, err);
	if (r < 0 || n_rows == 0)
		return r;
	r = db_query_array(conn, &stmts[insert], args, n_args, n_rows, &rows, err);
	return r < 0 ? r : db_next(&rows, err);
}

int course_store_set_instructors(struct db_conn *conn, const struct course *c, struct error *err)
{
	struct db_value args[COURSE_INSTRUCTORS_MAX_ITEMS][4];
	for (unsigned i = 0; i < c->n_instructors; i++) {
		args[i][0] = db_i64(c->course_id);
		args[i][1] = db_i64(c->instructors[i].user_id);
		args[i][2] = db_i64(i + 1);
		args[i][3] = db_i64(c->instructors[i].share_basis_points);
	}
	return replace_rows(conn, c, INSTRUCTORS_DELETE, INSTRUCTORS_INSERT, args[0], 4, c->n_instructors,
			    err);
}

int course_store_set_prices(struct db_conn *conn, const struct course *c, struct error *err)
{
	struct db_value args[PRICE_LIST_PRICES_MAX_ITEMS][4];
	for (unsigned i = 0; i < c->n_prices; i++) {
		args[i][0] = db_i64(c->course_id);
		args[i][1] = db_str(c->prices[i].currency_code);
		args[i][2] = db_i64(c->prices[i].minor_units);
		args[i][3] = db_i64(i + 1);
	}
	return replace_rows(conn, c, PRICES_DELETE, PRICES_INSERT, args[0], 4, c->n_prices, err);
}
