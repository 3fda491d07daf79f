/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_LESSON_STORE_H
#define COURSE_LESSON_STORE_H

#include "server/course/lesson.h"

/* Lessons as they are stored. Text lies in the arena given to whoever filled them. */
struct lesson {
	struct lesson_info info;
	int64_t revision;  /* of its course; 0: the draft */
	char *external_id; /* NULL: none */
	char *title;
	int64_t create_us, update_us;
};

/* The course of a lesson is locked in all that follows, whose draft is read and changed. */

/* LESSON_NOT_FOUND when the draft has none such. */
int lesson_store_read(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t lesson_id,
		      struct lesson *ret, struct error *err) __attribute__((warn_unused_result));

/* Whether a section holds lessons: 1, 0 or negative. */
int lesson_store_in_section(struct db_conn *conn, int64_t course_id, int64_t section_id, struct error *err)
	__attribute__((warn_unused_result));

/* The position behind the last lesson of the course's first sections, so many; of 0, of those in none. */
int lesson_store_place(struct db_conn *conn, int64_t course_id, int sections, int *ret, struct error *err)
	__attribute__((warn_unused_result));

/* Writes a new lesson; those from its position on move back. EXTERNAL_ID_IN_USE names the other. */
int lesson_store_insert(struct db_conn *conn, const struct lesson *l, struct error *err)
	__attribute__((warn_unused_result));

int lesson_store_update(struct db_conn *conn, const struct lesson *l, struct error *err)
	__attribute__((warn_unused_result));

/* Those behind it move up; its quiz goes unless a revision refers to it. */
int lesson_store_remove(struct db_conn *conn, const struct lesson *l, int64_t now_us, struct error *err)
	__attribute__((warn_unused_result));

/* What is shown of the course is without the lesson: see the column. */
int lesson_store_gone(struct db_conn *conn, int64_t lesson_id, struct error *err)
	__attribute__((warn_unused_result));

/* Where the lessons lie, by position; and puts all of them where they are to lie. */
struct lesson_place {
	int64_t course_id, lesson_id, section_id;
	int position;
};
int lesson_store_places(struct db_conn *conn, struct arena *arena, int64_t course_id,
			struct lesson_place **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));
int lesson_store_reorder(struct db_conn *conn, int64_t course_id, const struct lesson_place *places,
			 unsigned n, struct error *err) __attribute__((warn_unused_result));

/* At most `limit` lessons of a course's revision after this position, an array in the arena; external_id
 * NULL: any. */
int lesson_store_list(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t revision,
		      const char *external_id, int after_position, unsigned limit, struct lesson **ret,
		      unsigned *ret_n, struct error *err) __attribute__((warn_unused_result));

extern const struct db_stmt_list lesson_stmts;

#endif
