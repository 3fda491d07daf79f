/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/lesson_store.h"

#include <string.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/ids.h"
#include "server/app/app.h"
#include "server/course/course.h"
#include "server/course/course_names.h"

#define INFO_COLUMNS "lesson_id, course_id, kind, duration_seconds, weight, position, free_preview"
#define INFO_TYPES "iiiiiii"

enum stmt { INSERT, LIST, INFO, INFO_LIST, BY_EXTERNAL_ID, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
	[INSERT] = {"lesson_insert", "iissiiiiiii", "",
		    "INSERT INTO lesson (lesson_id, course_id, external_id, title, kind, duration_seconds, "
		    "weight, position,"
		    " free_preview, create_time, update_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
	[LIST] = {"lesson_list", "iissi", INFO_TYPES "ssii",
		  "SELECT " INFO_COLUMNS ", external_id, title, create_time, update_time FROM lesson"
		  " WHERE course_id = ? AND position > ? AND (? IS NULL OR external_id = ?) ORDER BY "
		  "position LIMIT ?"},
	[INFO] = {"lesson_info", "i", INFO_TYPES, "SELECT " INFO_COLUMNS " FROM lesson WHERE lesson_id = ?"},
	[INFO_LIST] = {"lesson_info_list", "i", INFO_TYPES,
		       "SELECT " INFO_COLUMNS " FROM lesson WHERE course_id = ? ORDER BY position"},
	[BY_EXTERNAL_ID] = {"lesson_by_external_id", "is", "i",
			    "SELECT lesson_id FROM lesson WHERE course_id = ? AND external_id = ?"},
};

const struct db_stmt_list lesson_stmts = {"lesson", stmts, N_STMTS};

static struct lesson_info read_info(const struct db_rows *rows)
{
	return (struct lesson_info){
		.lesson_id = db_col_i64(rows, 0),
		.course_id = db_col_i64(rows, 1),
		.kind = (enum lesson_kind)db_col_i64(rows, 2),
		.duration_seconds = db_col_i64(rows, 3),
		.weight = (int)db_col_i64(rows, 4),
		.position = (int)db_col_i64(rows, 5),
		.free_preview = db_col_i64(rows, 6) != 0,
	};
}

static int external_id_in_use(struct db_conn *conn, const struct lesson *l, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	char text[ID_TEXT_MAX];
	int r = db_query_row(conn, &stmts[BY_EXTERNAL_ID],
			     DB_ARGS(db_i64(l->info.course_id), db_str(l->external_id)), &rows, err);
	if (r < 0)
		return r;
	if (r == 0) /* the other was undone meanwhile */
		return error_raise(err, &RPC_REASON_CONFLICT,
				   "Another lesson was being made with this external_id.");
	id_format(ID_LESSON, db_col_i64(&rows, 0), text);
	error_raise(err, &REASON_EXTERNAL_ID_IN_USE, "Lesson %s has this external_id already; use that one.",
		    text);
	return error_set_resource(err, "edu.v1.Lesson", text);
}

int lesson_store_insert(struct db_conn *conn, const struct lesson *l, struct error *err)
{
	const struct lesson_info *i = &l->info;
	int r = db_exec(conn, &stmts[INSERT],
			DB_ARGS(db_i64(i->lesson_id), db_i64(i->course_id), db_str(l->external_id),
				db_str(l->title), db_i64(i->kind), db_i64(i->duration_seconds),
				db_i64(i->weight), db_i64(i->position), db_i64(i->free_preview),
				db_i64(l->create_us), db_i64(l->update_us)),
			NULL, err);
	if (r == -STATUS_ALREADY_EXISTS && strcmp(db_duplicate_key(conn), "lesson_external_key") == 0)
		return external_id_in_use(conn, l, err);
	return r;
}

int lesson_store_list(struct db_conn *conn, struct arena *arena, int64_t course_id, const char *external_id,
		      int after_position, unsigned limit, struct lesson **ret, unsigned *ret_n,
		      struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	unsigned n = 0;
	struct lesson *lessons = arena_array(arena, limit, sizeof(*lessons));
	if (!lessons)
		return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
				   "The page does not fit the call's memory.");
	int r = db_query(conn, &stmts[LIST],
			 DB_ARGS(db_i64(course_id), db_i64(after_position), db_str(external_id),
				 db_str(external_id), db_i64(limit)),
			 &rows, err);
	if (r < 0)
		return r;
	while ((r = db_next(&rows, err)) > 0 && n < limit)
		lessons[n++] = (struct lesson){
			.info = read_info(&rows),
			.external_id = db_is_null(&rows, 7) ? NULL : db_col_str(&rows, 7, arena),
			.title = db_col_str(&rows, 8, arena),
			.create_us = db_col_i64(&rows, 9),
			.update_us = db_col_i64(&rows, 10),
		};
	if (r < 0)
		return r;
	*ret = lessons;
	*ret_n = n;
	return app_built(arena, err);
}

int lesson_info_list(struct db_conn *conn, struct arena *arena, int64_t course_id, struct lesson_info **ret,
		     unsigned *ret_n, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	unsigned n = 0;
	struct lesson_info *infos = arena_array(arena, COURSE_LESSONS_MAX, sizeof(*infos));
	if (!infos)
		return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
				   "The lessons do not fit the call's memory.");
	int r = db_query(conn, &stmts[INFO_LIST], DB_ARGS(db_i64(course_id)), &rows, err);
	if (r < 0)
		return r;
	while ((r = db_next(&rows, err)) > 0 && n < COURSE_LESSONS_MAX)
		infos[n++] = read_info(&rows);
	if (r < 0)
		return r;
	*ret = infos;
	*ret_n = n;
	return 0;
}

static struct span key_of(const int64_t *lesson_id)
{
	return span_of(lesson_id, sizeof(*lesson_id));
}

bool lesson_info_cached(struct cache *lessons, int64_t lesson_id, struct lesson_info *ret)
{
	struct cache_value *value = cache_get(lessons, key_of(&lesson_id), 0);
	if (!value)
		return false;
	memcpy(ret, cache_value_span(value).data, sizeof(*ret));
	cache_value_release(value);
	return true;
}

int lesson_info_read(struct cache *lessons, struct db_conn *conn, int64_t lesson_id, struct lesson_info *ret,
		     struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	if (lesson_info_cached(lessons, lesson_id, ret))
		return 0;
	uint64_t generation = cache_generation(lessons, key_of(&lesson_id));
	int r = db_query_row(conn, &stmts[INFO], DB_ARGS(db_i64(lesson_id)), &rows, err);
	if (r < 0)
		return r;
	if (r == 0)
		return lesson_not_found(err, lesson_id);
	*ret = read_info(&rows);
	(void)cache_put(lessons, key_of(&lesson_id), span_of(ret, sizeof(*ret)), 0, generation);
	return 0;
}
