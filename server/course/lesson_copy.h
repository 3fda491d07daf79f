/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_LESSON_COPY_H
#define COURSE_LESSON_COPY_H

#include "server/course/lesson_store.h"

/* What a draft consists of, as a revision or as another course's draft; not read by the server on the way. */

/* Makes what is the draft of a locked course its revision, which learners see once course.revision says so.
 */
int lesson_store_freeze(struct db_conn *conn, int64_t course_id, int64_t revision, struct error *err)
	__attribute__((warn_unused_result));

/* Writes the lessons of a new course, one like each of another's draft, which is locked; by position. */
int lesson_store_copy(struct db_conn *conn, struct arena *arena, int64_t from_course_id, int64_t course_id,
		      const struct lesson_place *copies, unsigned n, int64_t now_us, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list lesson_copy_stmts;

#endif
