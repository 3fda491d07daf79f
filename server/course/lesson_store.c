/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/lesson_store.h"

#include <string.h>

#include "edu/v1/edu_service.tables.h"
#include "server/course/course_store.h"
#include "server/course/lesson_row.h"

#define TEXT_COLUMNS(F, C, R)                                                                                \
	F(R, "lesson_revision.external_id", TEXT_OR_NULL, external_id)                                       \
	C(R, "lesson_revision.title", TEXT, title)                                                           \
	C(R, "lesson_revision.update_time", I64, update_us)

#define REVISION_COLUMNS(F, C, R)                                                                            \
	LESSON_KEY_COLUMNS(F, C, R, info.)                                                                   \
	C(R, "lesson_revision.revision", I64, revision)                                                      \
	LESSON_EDITED_COLUMNS(C, C, R, info.) TEXT_COLUMNS(C, C, R)
DB_ROW(revision_row, struct lesson, REVISION_COLUMNS);

/* What never changes of it. */
#define MADE_COLUMNS(F, C, R) F(R, "lesson.kind", INT, info.kind) C(R, "lesson.create_time", I64, create_us)
#define LESSON_COLUMNS(F, C, R)                                                                              \
	F(R, "lesson.lesson_id", I64, info.lesson_id)                                                        \
	C(R, "lesson.course_id", I64, info.course_id) MADE_COLUMNS(C, C, R)
DB_ROW(lesson_row, struct lesson, LESSON_COLUMNS);

#define WHOLE_COLUMNS(F, C, R) REVISION_COLUMNS(F, C, R) MADE_COLUMNS(C, C, R)
DB_ROW(whole_row, struct lesson, WHOLE_COLUMNS);

/* Lessons of revisions, each with what never changes of it. */
#define WITH_LESSON                                                                                          \
	" FROM lesson_revision STRAIGHT_JOIN lesson ON lesson.lesson_id = lesson_revision.lesson_id"

#define UPDATE_COLUMNS(F, C, R) LESSON_EDITED_COLUMNS(F, C, R, info.) TEXT_COLUMNS(C, C, R)
#define UPDATE_PARAMETERS(F, C, R) UPDATE_COLUMNS(F, C, R) LESSON_KEY_COLUMNS(C, C, R, info.)
DB_ROW(update_row, struct lesson, UPDATE_PARAMETERS);

/* What is set, then of which. */
#define PLACE_COLUMNS(F, C, R)                                                                               \
	F(R, "section_id", I64, section_id)                                                                  \
	C(R, "position", INT, position)                                                                      \
	C(R, "lesson_id", I64, lesson_id)                                                                    \
	C(R, "course_id", I64, course_id)
DB_ROW(place_row, struct lesson_place, PLACE_COLUMNS);

#define OF_DRAFT " WHERE lesson_id = ? AND course_id = ? AND revision = 0"

/* Keys are checked row by row: what moves, moves in an order in which it meets nobody. */
enum stmt {
	INSERT,
	INSERT_DRAFT,
	READ,
	IN_SECTION,
	PLACE,
	MAKE_ROOM,
	CLOSE_UP,
	UPDATE,
	DELETE,
	GONE,
	PLACES,
	AWAY,
	PLACE_SET,
	LIST,
	BY_EXTERNAL_ID,
	N_STMTS
};

static const struct db_stmt stmts[N_STMTS] = {
	[INSERT] = {"lesson_insert", DB_LETTERS(LESSON_COLUMNS), NULL, DB_INSERT("lesson", LESSON_COLUMNS)},
	[INSERT_DRAFT] = {"lesson_insert_draft", DB_LETTERS(REVISION_COLUMNS), NULL,
			  DB_INSERT("lesson_revision", REVISION_COLUMNS)},
	[READ] = {"lesson_read", "ii", &whole_row,
		  DB_SELECT(WHOLE_COLUMNS,
			    WITH_LESSON " WHERE lesson_revision.lesson_id = ?"
					" AND lesson_revision.course_id = ? AND revision = 0")},
	[IN_SECTION] =
		{"lesson_in_section", "ii", &db_row_i64,
		 "SELECT 1 FROM lesson_revision WHERE course_id = ? AND revision = 0 AND section_id = ?"
		 " LIMIT 1"},
	/* From the end: as many are looked at as lie behind. */
	[PLACE] =
		{"lesson_place", "ii", &db_row_i64,
		 "SELECT position + 1 FROM lesson_revision l FORCE INDEX (lesson_position_key)"
		 " WHERE course_id = ? AND revision = 0 AND (section_id = 0 OR (SELECT s.position FROM section s"
		 "  WHERE s.course_id = l.course_id AND s.revision = 0 AND s.section_id = l.section_id) <= ?)"
		 " ORDER BY position DESC LIMIT 1"},
	[MAKE_ROOM] = {"lesson_make_room", "ii", NULL,
		       "UPDATE lesson_revision SET position = position + 1"
		       " WHERE course_id = ? AND revision = 0 AND position >= ? ORDER BY position DESC"},
	[CLOSE_UP] = {"lesson_close_up", "ii", NULL,
		      "UPDATE lesson_revision SET position = position - 1"
		      " WHERE course_id = ? AND revision = 0 AND position > ? ORDER BY position"},
	[UPDATE] = {"lesson_update", DB_LETTERS(UPDATE_PARAMETERS), NULL,
		    DB_UPDATE("lesson_revision", UPDATE_COLUMNS, OF_DRAFT)},
	[DELETE] = {"lesson_delete", "ii", NULL, "DELETE FROM lesson_revision" OF_DRAFT},
	[GONE] = {"lesson_gone", "i", NULL, "UPDATE lesson SET gone = 1 WHERE lesson_id = ?"},
	[PLACES] = {"lesson_places", "i", &place_row,
		    DB_SELECT(PLACE_COLUMNS, " FROM lesson_revision WHERE course_id = ? AND revision = 0"
					     " ORDER BY position")},
	[AWAY] = {"lesson_away", "i", NULL,
		  "UPDATE lesson_revision SET position = position + 1000000"
		  " WHERE course_id = ? AND revision = 0"},
	[PLACE_SET] = {"lesson_place_set", DB_LETTERS(PLACE_COLUMNS), NULL,
		       "UPDATE lesson_revision SET section_id = ?, position = ?" OF_DRAFT},
	[LIST] = {"lesson_list", "iiissi", &whole_row,
		  DB_SELECT(WHOLE_COLUMNS, WITH_LESSON
			    " WHERE lesson_revision.course_id = ? AND revision = ? AND position > ?"
			    " AND (? IS NULL OR external_id = ?) ORDER BY position LIMIT ?")},
	[BY_EXTERNAL_ID] = {"lesson_by_external_id", "is", &db_row_i64,
			    "SELECT lesson_id FROM lesson_revision"
			    " WHERE course_id = ? AND revision = 0 AND external_id = ?"},
};

const struct db_stmt_list lesson_stmts = {"lesson", stmts, N_STMTS};

int lesson_store_read(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t lesson_id,
		      struct lesson *ret, struct error *err)
{
	int r = db_read(conn, &stmts[READ], DB_ARGS(db_i64(lesson_id), db_i64(course_id)), arena, ret, err);
	return r == 0 ? lesson_not_found(err, lesson_id) : r < 0 ? r : 0;
}

int lesson_store_in_section(struct db_conn *conn, int64_t course_id, int64_t section_id, struct error *err)
{
	return db_found(conn, &stmts[IN_SECTION], DB_ARGS(db_i64(course_id), db_i64(section_id)), err);
}

int lesson_store_place(struct db_conn *conn, int64_t course_id, int sections, int *ret, struct error *err)
{
	int64_t position = 1; /* before all others */
	int r = db_read(conn, &stmts[PLACE], DB_ARGS(db_i64(course_id), db_i64(sections)), NULL, &position,
			err);
	*ret = (int)position;
	return r < 0 ? r : 0;
}

int lesson_store_insert(struct db_conn *conn, const struct lesson *l, struct error *err)
{
	int r = db_exec(conn, &stmts[MAKE_ROOM], DB_ARGS(db_i64(l->info.course_id), db_i64(l->info.position)),
			NULL, err);
	if (r >= 0)
		r = db_write(conn, &stmts[INSERT_DRAFT], &revision_row, l, DB_NO_ARGS, err);
	if (r == -STATUS_ALREADY_EXISTS && strcmp(db_duplicate_key(conn), "lesson_external_key") == 0)
		return course_external_id_in_use(conn, &stmts[BY_EXTERNAL_ID], l->info.course_id,
						 l->external_id, &lesson_resource, err);
	return r < 0 ? r : db_write(conn, &stmts[INSERT], &lesson_row, l, DB_NO_ARGS, err);
}

int lesson_store_update(struct db_conn *conn, const struct lesson *l, struct error *err)
{
	return db_write(conn, &stmts[UPDATE], &update_row, l, DB_NO_ARGS, err);
}

int lesson_store_remove(struct db_conn *conn, const struct lesson *l, int64_t now_us, struct error *err)
{
	int r = l->info.quiz_id ? lesson_draft_set_quiz(conn, &l->info, 0, now_us, err) : 0;
	if (r >= 0)
		r = db_exec(conn, &stmts[DELETE],
			    DB_ARGS(db_i64(l->info.lesson_id), db_i64(l->info.course_id)), NULL, err);
	return r < 0 ? r
		     : db_exec(conn, &stmts[CLOSE_UP],
			       DB_ARGS(db_i64(l->info.course_id), db_i64(l->info.position)), NULL, err);
}

int lesson_store_gone(struct db_conn *conn, int64_t lesson_id, struct error *err)
{
	return db_exec(conn, &stmts[GONE], DB_ARGS(db_i64(lesson_id)), NULL, err);
}

int lesson_store_places(struct db_conn *conn, struct arena *arena, int64_t course_id,
			struct lesson_place **ret, unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[PLACES], DB_ARGS(db_i64(course_id)), arena, ret, ret_n, err);
}

int lesson_store_reorder(struct db_conn *conn, int64_t course_id, const struct lesson_place *places,
			 unsigned n, struct error *err)
{
	int r = n ? db_exec(conn, &stmts[AWAY], DB_ARGS(db_i64(course_id)), NULL, err) : 0;
	return r < 0 || n == 0
		       ? r
		       : db_write_all(conn, &stmts[PLACE_SET], &place_row, places, n, NULL, NULL, err);
}

int lesson_store_list(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t revision,
		      const char *external_id, int after_position, unsigned limit, struct lesson **ret,
		      unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[LIST],
			   DB_ARGS(db_i64(course_id), db_i64(revision), db_i64(after_position),
				   db_str(external_id), db_str(external_id), db_i64(limit)),
			   arena, ret, ret_n, err);
}
