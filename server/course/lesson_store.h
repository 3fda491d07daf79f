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

/* Writes a new lesson of a locked course into its draft. EXTERNAL_ID_IN_USE names the other. */
int lesson_store_insert(struct db_conn *conn, const struct lesson *l, struct error *err)
	__attribute__((warn_unused_result));

/* At most `limit` lessons of a course's revision after this position, an array in the arena; external_id
 * NULL: any. */
int lesson_store_list(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t revision,
		      const char *external_id, int after_position, unsigned limit, struct lesson **ret,
		      unsigned *ret_n, struct error *err) __attribute__((warn_unused_result));

/* Makes what is the draft of a locked course its revision, which learners see once course.revision says so.
 */
int lesson_store_freeze(struct db_conn *conn, int64_t course_id, int64_t revision, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list lesson_stmts;

#endif
