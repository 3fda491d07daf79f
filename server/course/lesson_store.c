/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/lesson_store.h"

#include <string.h>

#include "edu/v1/edu_service.tables.h"
#include "server/course/course_store.h"
#include "server/db/table.h"

/* What is wanted of a lesson most; `in` is the way to it in the struct. */
#define INFO_COLUMNS_IN(F, C, R, in)                                                                         \
	F(R, "lesson_id", I64, in lesson_id)                                                                 \
	C(R, "course_id", I64, in course_id)                                                                 \
	C(R, "kind", INT, in kind)                                                                           \
	C(R, "duration_seconds", I64, in duration_seconds)                                                   \
	C(R, "weight", INT, in weight)                                                                       \
	C(R, "position", INT, in position)                                                                   \
	C(R, "free_preview", BOOL, in free_preview)
#define INFO_COLUMNS(F, C, R) INFO_COLUMNS_IN(F, C, R, )
DB_ROW(info_row, struct lesson_info, INFO_COLUMNS);

#define COLUMNS(F, C, R)                                                                                     \
	INFO_COLUMNS_IN(F, C, R, info.)                                                                      \
	C(R, "external_id", TEXT_OR_NULL, external_id)                                                       \
	C(R, "title", TEXT, title)                                                                           \
	C(R, "create_time", I64, create_us)                                                                  \
	C(R, "update_time", I64, update_us)
DB_ROW(lesson_row, struct lesson, COLUMNS);

enum stmt { INSERT, LIST, INFO, INFO_LIST, BY_EXTERNAL_ID, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
	[INSERT] = {"lesson_insert", DB_LETTERS(COLUMNS), NULL, DB_INSERT("lesson", COLUMNS)},
	[LIST] = {"lesson_list", "iissi", &lesson_row,
		  DB_SELECT(COLUMNS, " FROM lesson WHERE course_id = ? AND position > ?"
				     " AND (? IS NULL OR external_id = ?) ORDER BY position LIMIT ?")},
	[INFO] = {"lesson_info", "i", &info_row, DB_SELECT(INFO_COLUMNS, " FROM lesson WHERE lesson_id = ?")},
	[INFO_LIST] = {"lesson_info_list", "i", &info_row,
		       DB_SELECT(INFO_COLUMNS, " FROM lesson WHERE course_id = ? ORDER BY position")},
	[BY_EXTERNAL_ID] = {"lesson_by_external_id", "is", &db_row_i64,
			    "SELECT lesson_id FROM lesson WHERE course_id = ? AND external_id = ?"},
};

const struct db_stmt_list lesson_stmts = {"lesson", stmts, N_STMTS};

int lesson_store_insert(struct db_conn *conn, const struct lesson *l, struct error *err)
{
	int r = db_write(conn, &stmts[INSERT], &lesson_row, l, DB_NO_ARGS, err);
	if (r == -STATUS_ALREADY_EXISTS && strcmp(db_duplicate_key(conn), "lesson_external_key") == 0)
		return course_external_id_in_use(conn, &stmts[BY_EXTERNAL_ID], l->info.course_id,
						 l->external_id, &lesson_resource, err);
	return r;
}

int lesson_store_list(struct db_conn *conn, struct arena *arena, int64_t course_id, const char *external_id,
		      int after_position, unsigned limit, struct lesson **ret, unsigned *ret_n,
		      struct error *err)
{
	return db_read_all(conn, &stmts[LIST],
			   DB_ARGS(db_i64(course_id), db_i64(after_position), db_str(external_id),
				   db_str(external_id), db_i64(limit)),
			   arena, ret, ret_n, err);
}

int lesson_info_list(struct db_conn *conn, struct arena *arena, int64_t course_id, struct lesson_info **ret,
		     unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[INFO_LIST], DB_ARGS(db_i64(course_id)), arena, ret, ret_n, err);
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
	if (lesson_info_cached(lessons, lesson_id, ret))
		return 0;
	uint64_t generation = cache_generation(lessons, key_of(&lesson_id));
	int r = db_read(conn, &stmts[INFO], DB_ARGS(db_i64(lesson_id)), NULL, ret, err);
	if (r < 0)
		return r;
	if (r == 0)
		return lesson_not_found(err, lesson_id);
	(void)cache_put(lessons, key_of(&lesson_id), span_of(ret, sizeof(*ret)), 0, generation);
	return 0;
}
