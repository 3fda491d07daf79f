/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/lesson_copy.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/runtime/array.h"

/* Of a course's draft each lesson, as f, and what a copy's ids are: a JSON array, by position, of [lesson,
 * section]. */
#define COPIED                                                                                               \
	" FROM JSON_TABLE(?, '$[*]' COLUMNS (position FOR ORDINALITY, lesson_id BIGINT PATH '$[0]',"         \
	" section_id BIGINT PATH '$[1]')) copy STRAIGHT_JOIN lesson_revision f"                              \
	" ON f.course_id = ? AND f.revision = 0 AND f.position = copy.position"

enum stmt { FREEZE_SECTIONS, FREEZE_LESSONS, FREEZE_GONE, COPY, COPY_DRAFT, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
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
};

const struct db_stmt_list lesson_copy_stmts = {"lesson_copy", stmts, N_STMTS};

int lesson_store_freeze(struct db_conn *conn, int64_t course_id, int64_t revision, struct error *err)
{
	int r = db_exec(conn, &stmts[FREEZE_SECTIONS], DB_ARGS(db_i64(revision), db_i64(course_id)), NULL,
			err);
	if (r >= 0)
		r = db_exec(conn, &stmts[FREEZE_LESSONS], DB_ARGS(db_i64(revision), db_i64(course_id)), NULL,
			    err);
	return r < 0 ? r : db_exec(conn, &stmts[FREEZE_GONE], DB_ARGS(db_i64(course_id)), NULL, err);
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
