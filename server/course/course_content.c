/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_content.h"

#include "edu/v1/edu_service.tables.h"
#include "server/course/course_names.h"
#include "server/course/course_rules.h"
#include "server/course/lesson.h"
#include "server/db/table.h"

struct gap {
	int64_t lesson_id;
	int kind, position;
};
#define GAP_COLUMNS(F, C, R)                                                                                 \
	F(R, "l.lesson_id", I64, lesson_id) C(R, "l.kind", INT, kind) C(R, "d.position", INT, position)
DB_ROW(gap_row, struct gap, GAP_COLUMNS);

enum stmt { FREEZE, COPY, COPY_OWN, LOCK, UNUSED, DROP, GAPS, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
	[FREEZE] = {"course_content_freeze", "ii", NULL,
		    "INSERT INTO lesson_content (course_id, revision, lesson_id, role, content_id)"
		    " SELECT course_id, ?, lesson_id, role, content_id FROM lesson_content"
		    " WHERE course_id = ? AND revision = 0"},
	[COPY] =
		{"course_content_copy", "ii", NULL,
		 "INSERT INTO lesson_content (course_id, revision, lesson_id, role, content_id)"
		 " SELECT t.course_id, 0, t.lesson_id, h.role, h.content_id FROM lesson_revision f"
		 " STRAIGHT_JOIN lesson_revision t ON t.revision = 0 AND t.position = f.position"
		 " STRAIGHT_JOIN lesson_content h ON h.course_id = f.course_id AND h.revision = 0"
		 " AND h.lesson_id = f.lesson_id WHERE t.course_id = ? AND f.course_id = ? AND f.revision = 0"},
	[COPY_OWN] = {"course_content_copy_own", "ii", NULL,
		      "INSERT INTO lesson_content (course_id, revision, lesson_id, role, content_id)"
		      " SELECT ?, 0, 0, role, content_id FROM lesson_content"
		      " WHERE course_id = ? AND revision = 0 AND lesson_id = 0"},
	[LOCK] = {"course_content_lock", "ii", &db_row_i64,
		  "SELECT content.content_id FROM lesson_content h STRAIGHT_JOIN content"
		  " ON content.content_id = h.content_id"
		  " WHERE h.course_id = ? AND h.revision = 0 AND h.lesson_id = ? FOR UPDATE"},
	[UNUSED] = {"course_content_unused", "ii", NULL,
		    "UPDATE lesson_content h STRAIGHT_JOIN content ON content.content_id = h.content_id"
		    " SET content.unused_time = " DB_NOW_US
		    " WHERE h.course_id = ? AND h.revision = 0 AND h.lesson_id = ?"
		    " AND NOT EXISTS (SELECT 1 FROM lesson_content o WHERE o.content_id = h.content_id"
		    "  AND (o.course_id <> h.course_id OR o.revision <> 0))"},
	[DROP] = {"course_content_drop", "ii", NULL,
		  "DELETE FROM lesson_content WHERE course_id = ? AND revision = 0 AND lesson_id = ?"},
	[GAPS] = {"course_content_gaps", "ii", &gap_row,
		  DB_SELECT(GAP_COLUMNS,
			    " FROM lesson_revision d STRAIGHT_JOIN lesson l ON l.lesson_id = d.lesson_id"
			    " WHERE d.course_id = ? AND d.revision = 0 AND ((l.kind = 3 AND d.quiz_id = 0)"
			    " OR ((l.kind = 2 OR (l.kind = 1 AND ?))"
			    " AND NOT EXISTS (SELECT 1 FROM lesson_content h WHERE h.course_id = d.course_id"
			    "  AND h.revision = 0 AND h.lesson_id = d.lesson_id"
			    "  AND h.role = IF(l.kind = 2, 7, 1)))) ORDER BY d.position")},
};
static_assert(LESSON_VIDEO == 1 && LESSON_TEXT == 2 && LESSON_QUIZ == 3 && CONTENT_ROLE_MEDIA == 1 &&
		      CONTENT_ROLE_TEXT == 7,
	      "as the statement has them");

const struct db_stmt_list course_content_stmts = {"course_content", stmts, N_STMTS};

int course_content_freeze(struct db_conn *conn, int64_t course_id, int64_t revision, struct error *err)
{
	return db_exec(conn, &stmts[FREEZE], DB_ARGS(db_i64(revision), db_i64(course_id)), NULL, err);
}

int course_content_copy(struct db_conn *conn, int64_t from_course_id, int64_t course_id, struct error *err)
{
	int r = db_exec(conn, &stmts[COPY], DB_ARGS(db_i64(course_id), db_i64(from_course_id)), NULL, err);
	return r < 0 ? r
		     : db_exec(conn, &stmts[COPY_OWN], DB_ARGS(db_i64(course_id), db_i64(from_course_id)),
			       NULL, err);
}

/* Locked first, as copies of the course may hold it too: the last that ceases to sees that it is. */
int course_content_drop(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t lesson_id,
			struct error *err)
{
	int64_t *held;
	unsigned n;
	int r = db_read_all(conn, &stmts[LOCK], DB_ARGS(db_i64(course_id), db_i64(lesson_id)), arena, &held,
			    &n, err);
	if (r < 0 || n == 0)
		return r;
	r = db_exec(conn, &stmts[UNUSED], DB_ARGS(db_i64(course_id), db_i64(lesson_id)), NULL, err);
	return r < 0 ? r
		     : db_exec(conn, &stmts[DROP], DB_ARGS(db_i64(course_id), db_i64(lesson_id)), NULL, err);
}

/* What the kind of a lesson needs, of those that GAPS finds. */
static const char *needs(enum lesson_kind kind)
{
	switch (kind) {
	case LESSON_VIDEO:
		return "must have media";
	case LESSON_TEXT:
		return "must have a text";
	case LESSON_QUIZ:
		return "must have a quiz";
	case LESSON_EXERCISE:
	case LESSON_LIVE:
		break;
	}
	return "";
}

int course_content_check(struct db_conn *conn, struct arena *arena, int64_t course_id, bool files, int so_far,
			 struct error *err)
{
	struct gap *gaps;
	unsigned n;
	struct error trouble;
	int r = db_read_all(conn, &stmts[GAPS], DB_ARGS(db_i64(course_id), db_i64(files)), arena, &gaps, &n,
			    &trouble);

	if (r < 0) {
		*err = trouble;
		return r;
	}
	for (unsigned i = 0; i < n; i++)
		so_far = course_add_lesson_gap(err, so_far, gaps[i].lesson_id, gaps[i].position,
					       needs((enum lesson_kind)gaps[i].kind));
	return so_far;
}
