/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_CONTENT_H
#define COURSE_COURSE_CONTENT_H

#include <stdbool.h>

#include "server/db/db.h"

/* What publication and review have to do with content, which is otherwise the room lesson's. */

/* A revision holds from now on what the draft does. In the transaction that publishes it. */
int course_content_freeze(struct db_conn *conn, int64_t course_id, int64_t revision, struct error *err)
	__attribute__((warn_unused_result));

/* The draft of a new course, whose lessons lie where those of another's do, holds what that one's does. */
int course_content_copy(struct db_conn *conn, int64_t from_course_id, int64_t course_id, struct error *err)
	__attribute__((warn_unused_result));

/* The draft of a locked course holds nothing of the lesson any more, which is deleted from it. */
int course_content_drop(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t lesson_id,
			struct error *err) __attribute__((warn_unused_result));

/*
 * COURSE_INCOMPLETE, after what is missing otherwise (`so_far`), with each lesson of the draft that lacks
 * what its kind needs: a TEXT its text, a QUIZ its quiz and, where files are kept, a VIDEO its media.
 */
int course_content_check(struct db_conn *conn, struct arena *arena, int64_t course_id, bool files, int so_far,
			 struct error *err) __attribute__((warn_unused_result));

extern const struct db_stmt_list course_content_stmts;

#endif
