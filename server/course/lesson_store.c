/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/lesson_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/array.h"
#include "server/course/course_store.h"
#include "server/db/table.h"

/* Which lesson it is; what revisions have of it, and of that what is wanted most. `in` is the way to it in
 * the struct. */
#define KEY_COLUMNS_IN(F, C, R, in)                                                                          \
	F(R, "lesson_revision.lesson_id", I64, in lesson_id)                                                 \
	C(R, "lesson_revision.course_id", I64, in course_id)
#define EDITED_COLUMNS_IN(F, C, R, in)                                                                       \
	F(R, "lesson_revision.section_id", I64, in section_id)                                               \
	C(R, "lesson_revision.duration_seconds", I64, in duration_seconds)                                   \
	C(R, "lesson_revision.weight", INT, in weight)                                                       \
	C(R, "lesson_revision.position", INT, in position)                                                   \
	C(R, "lesson_revision.free_preview", BOOL, in free_preview)                                          \
	C(R, "lesson_revision.release_time", I64_OR_NULL, in release_us)                                     \
	C(R, "lesson_revision.release_after_days", I64, in release_after_days)                               \
	C(R, "lesson_revision.quiz_id", I64, in quiz_id)
#define TEXT_COLUMNS(F, C, R)                                                                                \
	F(R, "lesson_revision.external_id", TEXT_OR_NULL, external_id)                                       \
	C(R, "lesson_revision.title", TEXT, title)                                                           \
	C(R, "lesson_revision.update_time", I64, update_us)

#define INFO_COLUMNS(F, C, R)                                                                                \
	KEY_COLUMNS_IN(F, C, R, ) EDITED_COLUMNS_IN(C, C, R, ) C(R, "lesson.kind", INT, kind)
DB_ROW(info_row, struct lesson_info, INFO_COLUMNS);

#define REVISION_COLUMNS(F, C, R)                                                                            \
	KEY_COLUMNS_IN(F, C, R, info.)                                                                       \
	C(R, "lesson_revision.revision", I64, revision)                                                      \
	EDITED_COLUMNS_IN(C, C, R, info.) TEXT_COLUMNS(C, C, R)
DB_ROW(revision_row, struct lesson, REVISION_COLUMNS);

/* What never changes of it. */
#define MADE_COLUMNS(F, C, R) F(R, "lesson.kind", INT, info.kind) C(R, "lesson.create_time", I64, create_us)
#define LESSON_COLUMNS(F, C, R)                                                                              \
	F(R, "lesson.lesson_id", I64, info.lesson_id)                                                        \
	C(R, "lesson.course_id", I64, info.course_id) MADE_COLUMNS(C, C, R)
DB_ROW(lesson_row, struct lesson, LESSON_COLUMNS);

#define WHOLE_COLUMNS(F, C, R) REVISION_COLUMNS(F, C, R) MADE_COLUMNS(C, C, R)
DB_ROW(whole_row, struct lesson, WHOLE_COLUMNS);

/* Lessons of revisions, each with what never changes of it; and of courses, as they are shown. */
#define WITH_LESSON                                                                                          \
	" FROM lesson_revision STRAIGHT_JOIN lesson ON lesson.lesson_id = lesson_revision.lesson_id"
#define SHOWN                                                                                                \
	" STRAIGHT_JOIN lesson_revision ON lesson_revision.course_id = course.course_id"                     \
	" AND lesson_revision.revision = course.revision"

#define UPDATE_COLUMNS(F, C, R) EDITED_COLUMNS_IN(F, C, R, info.) TEXT_COLUMNS(C, C, R)
#define UPDATE_PARAMETERS(F, C, R) UPDATE_COLUMNS(F, C, R) KEY_COLUMNS_IN(C, C, R, info.)
DB_ROW(update_row, struct lesson, UPDATE_PARAMETERS);

/* What is set, then of which. */
#define PLACE_COLUMNS(F, C, R)                                                                               \
	F(R, "section_id", I64, section_id)                                                                  \
	C(R, "position", INT, position)                                                                      \
	C(R, "lesson_id", I64, lesson_id)                                                                    \
	C(R, "course_id", I64, course_id)
DB_ROW(place_row, struct lesson_place, PLACE_COLUMNS);

/* Of a course's draft each lesson, as f, and what a copy's ids are: a JSON array, by position, of [lesson,
 * section]. */
#define COPIED                                                                                               \
	" FROM JSON_TABLE(?, '$[*]' COLUMNS (position FOR ORDINALITY, lesson_id BIGINT PATH '$[0]',"         \
	" section_id BIGINT PATH '$[1]')) copy STRAIGHT_JOIN lesson_revision f"                              \
	" ON f.course_id = ? AND f.revision = 0 AND f.position = copy.position"

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
	COPY,
	COPY_DRAFT,
	LIST,
	COURSE,
	IN_REVISION,
	INFO,
	INFO_LIST,
	DRAFT,
	SET_QUIZ,
	LOCK_QUIZ,
	DROP_QUIZ,
	BY_EXTERNAL_ID,
	FREEZE_SECTIONS,
	FREEZE_LESSONS,
	FREEZE_GONE,
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
	[COURSE] = {"lesson_course", "i", &db_row_i64, "SELECT course_id FROM lesson WHERE lesson_id = ?"},
	[IN_REVISION] = {"lesson_in_revision", "iii", &db_row_i64,
			 "SELECT lesson_id FROM lesson_revision"
			 " WHERE course_id = ? AND revision = ? AND lesson_id = ?"},
	[INFO] = {"lesson_info", "i", &info_row,
		  DB_SELECT(INFO_COLUMNS,
			    " FROM lesson STRAIGHT_JOIN course ON course.course_id = lesson.course_id" SHOWN
			    " AND lesson_revision.lesson_id = lesson.lesson_id WHERE lesson.lesson_id = ?")},
	[INFO_LIST] = {"lesson_info_list", "i", &info_row,
		       DB_SELECT(INFO_COLUMNS,
				 " FROM course" SHOWN
				 " STRAIGHT_JOIN lesson ON lesson.lesson_id = lesson_revision.lesson_id"
				 " WHERE course.course_id = ? ORDER BY position")},
	[DRAFT] = {"lesson_draft", "i", &info_row,
		   DB_SELECT(INFO_COLUMNS,
			     " FROM lesson STRAIGHT_JOIN lesson_revision"
			     " ON lesson_revision.course_id = lesson.course_id AND revision = 0"
			     " AND lesson_revision.lesson_id = lesson.lesson_id WHERE lesson.lesson_id = ?")},
	[SET_QUIZ] = {"lesson_set_quiz", "iiii", NULL,
		      "UPDATE lesson_revision SET quiz_id = ?, update_time = ?"
		      " WHERE course_id = ? AND revision = 0 AND lesson_id = ?"},
	[LOCK_QUIZ] = {"lesson_lock_quiz", "i", &db_row_i64,
		       "SELECT quiz_id FROM quiz WHERE quiz_id = ? FOR UPDATE"},
	[DROP_QUIZ] = {"lesson_drop_quiz", "ii", NULL,
		       "DELETE FROM quiz WHERE quiz_id = ? AND NOT EXISTS"
		       " (SELECT 1 FROM lesson_revision WHERE quiz_id = ?)"},
	[COPY] = {"lesson_copy", "iisi", NULL,
		  "INSERT INTO lesson (lesson_id, course_id, kind, create_time)"
		  " SELECT copy.lesson_id, ?, l.kind, ?" COPIED
		  " STRAIGHT_JOIN lesson l ON l.lesson_id = f.lesson_id"},
	[COPY_DRAFT] =
		{"lesson_copy_draft", "iisi", NULL,
		 "INSERT INTO lesson_revision (revision, course_id, lesson_id, section_id, update_time,"
		 " external_id, title, duration_seconds, weight, position, free_preview, release_time,"
		 " release_after_days, quiz_id) SELECT 0, ?, copy.lesson_id, copy.section_id, ?, f.external_id,"
		 " f.title, f.duration_seconds, f.weight, f.position, f.free_preview, f.release_time,"
		 " f.release_after_days, f.quiz_id" COPIED},
	[BY_EXTERNAL_ID] = {"lesson_by_external_id", "is", &db_row_i64,
			    "SELECT lesson_id FROM lesson_revision"
			    " WHERE course_id = ? AND revision = 0 AND external_id = ?"},
	[FREEZE_SECTIONS] = {"lesson_freeze_sections", "ii", NULL,
			     "INSERT INTO section (course_id, revision, section_id, title, position)"
			     " SELECT course_id, ?, section_id, title, position FROM section"
			     " WHERE course_id = ? AND revision = 0"},
	[FREEZE_LESSONS] = {"lesson_freeze_lessons", "ii", NULL,
			    "INSERT INTO lesson_revision (revision, course_id, lesson_id, section_id,"
			    " external_id, title, duration_seconds, weight, position, free_preview,"
			    " release_time, release_after_days, quiz_id, update_time)"
			    " SELECT ?, course_id, lesson_id, section_id, external_id, title,"
			    " duration_seconds, weight, position, free_preview, release_time,"
			    " release_after_days, quiz_id, update_time"
			    " FROM lesson_revision WHERE course_id = ? AND revision = 0"},
	[FREEZE_GONE] = {"lesson_freeze_gone", "i", NULL,
			 "UPDATE lesson SET gone = 1 WHERE course_id = ? AND gone = 0 AND NOT EXISTS"
			 " (SELECT 1 FROM lesson_revision d WHERE d.course_id = lesson.course_id"
			 "  AND d.revision = 0 AND d.lesson_id = lesson.lesson_id)"},
};

const struct db_stmt_list lesson_stmts = {"lesson", stmts, N_STMTS};

int lesson_store_course(struct db_conn *conn, int64_t lesson_id, int64_t *ret, struct error *err)
{
	int r = db_read(conn, &stmts[COURSE], DB_ARGS(db_i64(lesson_id)), NULL, ret, err);
	return r == 0 ? lesson_not_found(err, lesson_id) : r < 0 ? r : 0;
}

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

/* A quiz that the draft holds may be held by copies of the course too, whose drafts are under other locks:
 * before one ceases to hold it, it is locked, so that the last one sees that it is. */
static int lock_quiz(struct db_conn *conn, int64_t quiz_id, struct error *err)
{
	return quiz_id ? db_found(conn, &stmts[LOCK_QUIZ], DB_ARGS(db_i64(quiz_id)), err) : 0;
}

/* Unless a revision or a copy holds it. */
static int drop_quiz(struct db_conn *conn, int64_t quiz_id, struct error *err)
{
	if (quiz_id == 0)
		return 0;
	return db_exec(conn, &stmts[DROP_QUIZ], DB_ARGS(db_i64(quiz_id), db_i64(quiz_id)), NULL, err);
}

int lesson_store_remove(struct db_conn *conn, const struct lesson *l, struct error *err)
{
	int r = lock_quiz(conn, l->info.quiz_id, err);
	if (r >= 0)
		r = db_exec(conn, &stmts[DELETE],
			    DB_ARGS(db_i64(l->info.lesson_id), db_i64(l->info.course_id)), NULL, err);
	if (r >= 0)
		r = drop_quiz(conn, l->info.quiz_id, err);
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

/* The ids of copies, as COPIED wants them; NULL when the arena is full. */
static char *json_pairs(struct arena *arena, const struct lesson_place *copies, unsigned n)
{
	enum { PAIR = 2 * 20 + 4 /* numbers, brackets and commas */ };
	const size_t size = n * PAIR + 3;
	char *text = arena_alloc(arena, size);
	size_t at = 0;
	for (unsigned i = 0; text && i < n; i++)
		at += (size_t)snprintf(text + at, size - at, "%c[%" PRId64 ",%" PRId64 "]", i ? ',' : '[',
				       copies[i].lesson_id, copies[i].section_id);
	if (text)
		snprintf(text + at, size - at, n ? "]" : "[]");
	return text;
}

int lesson_store_copy(struct db_conn *conn, struct arena *arena, int64_t from_course_id, int64_t course_id,
		      const struct lesson_place *copies, unsigned n, int64_t now_us, struct error *err)
{
	const char *ids = json_pairs(arena, copies, n);
	const struct db_value args[] = {db_i64(course_id), db_i64(now_us), db_str(ids),
					db_i64(from_course_id)};
	int r = ids ? db_exec(conn, &stmts[COPY], args, ARRAY_SIZE(args), NULL, err) : arena_full(err);
	return r < 0 ? r : db_exec(conn, &stmts[COPY_DRAFT], args, ARRAY_SIZE(args), NULL, err);
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

int lesson_store_freeze(struct db_conn *conn, int64_t course_id, int64_t revision, struct error *err)
{
	int r = db_exec(conn, &stmts[FREEZE_SECTIONS], DB_ARGS(db_i64(revision), db_i64(course_id)), NULL,
			err);
	if (r >= 0)
		r = db_exec(conn, &stmts[FREEZE_LESSONS], DB_ARGS(db_i64(revision), db_i64(course_id)), NULL,
			    err);
	return r < 0 ? r : db_exec(conn, &stmts[FREEZE_GONE], DB_ARGS(db_i64(course_id)), NULL, err);
}

int lesson_info_list(struct db_conn *conn, struct arena *arena, int64_t course_id, struct lesson_info **ret,
		     unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[INFO_LIST], DB_ARGS(db_i64(course_id)), arena, ret, ret_n, err);
}

/* --- what is remembered ---
 *
 * A lesson's entry is good for as long as its course's generation is what it was when the lesson was read: so
 * one event makes all lessons of a course read anew. Under the course's own key lies nothing. A lesson's
 * course never changes, and is known from an entry that is no longer good, too.
 */
struct entry {
	uint64_t generation; /* of the course's key */
	struct lesson_info info;
};

static struct span key_of(const int64_t *id)
{
	return span_of(id, sizeof(*id));
}

static bool entry_get(struct cache *lessons, int64_t lesson_id, struct entry *ret)
{
	struct cache_value *value = cache_get(lessons, key_of(&lesson_id), 0);
	if (!value)
		return false;
	memcpy(ret, cache_value_span(value).data, sizeof(*ret));
	cache_value_release(value);
	return true;
}

bool lesson_info_cached(struct cache *lessons, int64_t lesson_id, struct lesson_info *ret)
{
	struct entry entry;
	if (!entry_get(lessons, lesson_id, &entry) ||
	    cache_generation(lessons, key_of(&entry.info.course_id)) != entry.generation)
		return false;
	*ret = entry.info;
	return true;
}

void lesson_info_forget(struct cache *lessons, int64_t course_id)
{
	cache_invalidate(lessons, key_of(&course_id));
}

/* The lesson's course: 1, 0 when there is no such lesson. */
static int course_of(struct cache *lessons, struct db_conn *conn, int64_t lesson_id, int64_t *ret,
		     struct error *err)
{
	struct entry old;
	if (!entry_get(lessons, lesson_id, &old))
		return db_read(conn, &stmts[COURSE], DB_ARGS(db_i64(lesson_id)), NULL, ret, err);
	*ret = old.info.course_id;
	return 1;
}

int lesson_course_read(struct cache *lessons, struct db_conn *conn, int64_t lesson_id, int64_t *ret_course_id,
		       struct error *err)
{
	int r = course_of(lessons, conn, lesson_id, ret_course_id, err);
	return r == 0 ? lesson_not_found(err, lesson_id) : r < 0 ? r : 0;
}

int lesson_check_in(struct db_conn *conn, int64_t course_id, int64_t revision, int64_t lesson_id,
		    struct error *err)
{
	int r = db_found(conn, &stmts[IN_REVISION],
			 DB_ARGS(db_i64(course_id), db_i64(revision), db_i64(lesson_id)), err);
	return r == 0 ? lesson_not_found(err, lesson_id) : r < 0 ? r : 0;
}

int lesson_info_read(struct cache *lessons, struct db_conn *conn, int64_t lesson_id, struct lesson_info *ret,
		     struct error *err)
{
	struct entry entry;
	int64_t course_id;
	if (lesson_info_cached(lessons, lesson_id, ret))
		return 0;
	uint64_t generation = cache_generation(lessons, key_of(&lesson_id));
	int r = course_of(lessons, conn, lesson_id, &course_id, err);
	if (r > 0) {
		entry.generation = cache_generation(lessons, key_of(&course_id));
		r = db_read(conn, &stmts[INFO], DB_ARGS(db_i64(lesson_id)), NULL, &entry.info, err);
	}
	if (r < 0)
		return r;
	if (r == 0)
		return lesson_not_found(err, lesson_id);
	*ret = entry.info;
	(void)cache_put(lessons, key_of(&lesson_id), span_of(&entry, sizeof(entry)), 0, generation);
	return 0;
}

int lesson_draft_read(struct db_conn *conn, int64_t lesson_id, struct lesson_info *ret, struct error *err)
{
	int r = db_read(conn, &stmts[DRAFT], DB_ARGS(db_i64(lesson_id)), NULL, ret, err);
	return r == 0 ? lesson_not_found(err, lesson_id) : r < 0 ? r : 0;
}

int lesson_draft_set_quiz(struct db_conn *conn, const struct lesson_info *lesson, int64_t quiz_id,
			  int64_t now_us, struct error *err)
{
	int r = lock_quiz(conn, lesson->quiz_id, err);
	if (r >= 0)
		r = db_exec(conn, &stmts[SET_QUIZ],
			    DB_ARGS(db_i64(quiz_id), db_i64(now_us), db_i64(lesson->course_id),
				    db_i64(lesson->lesson_id)),
			    NULL, err);
	return r < 0 ? r : drop_quiz(conn, lesson->quiz_id, err);
}
