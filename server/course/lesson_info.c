/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "server/course/lesson.h"
#include "server/course/lesson_row.h"

#define INFO_COLUMNS(F, C, R)                                                                                \
	LESSON_KEY_COLUMNS(F, C, R, ) LESSON_EDITED_COLUMNS(C, C, R, ) C(R, "lesson.kind", INT, kind)
DB_ROW(info_row, struct lesson_info, INFO_COLUMNS);

/* Lessons of courses, as they are shown. */
#define SHOWN                                                                                                \
	" STRAIGHT_JOIN lesson_revision ON lesson_revision.course_id = course.course_id"                     \
	" AND lesson_revision.revision = course.revision"

enum stmt { COURSE, IN_REVISION, INFO, INFO_LIST, DRAFT, SET_QUIZ, LOCK_QUIZ, DROP_QUIZ, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
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
};

const struct db_stmt_list lesson_info_stmts = {"lesson_info", stmts, N_STMTS};

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

/* The quiz before may be held by copies of the course too, whose drafts are under other locks: it is locked
 * before this one ceases to hold it, so that the last one sees that it is. */
int lesson_draft_set_quiz(struct db_conn *conn, const struct lesson_info *lesson, int64_t quiz_id,
			  int64_t now_us, struct error *err)
{
	const struct db_value before = db_i64(lesson->quiz_id);
	int r = lesson->quiz_id ? db_found(conn, &stmts[LOCK_QUIZ], DB_ARGS(before), err) : 0;
	if (r >= 0)
		r = db_exec(conn, &stmts[SET_QUIZ],
			    DB_ARGS(db_i64(quiz_id), db_i64(now_us), db_i64(lesson->course_id),
				    db_i64(lesson->lesson_id)),
			    NULL, err);
	return r < 0 || lesson->quiz_id == 0
		       ? r
		       : db_exec(conn, &stmts[DROP_QUIZ], DB_ARGS(before, before), NULL, err);
}
