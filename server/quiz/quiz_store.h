/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QUIZ_QUIZ_STORE_H
#define QUIZ_QUIZ_STORE_H

#include "server/db/db.h"
#include "server/quiz/quiz_proto.h"

/* Quizzes as they are stored: rows that never change, to which lessons refer, each revision of a course by
 * itself. */

struct quiz {
	int64_t quiz_id, course_id, lesson_id, creator_id, create_us;
	struct quiz_packed packed;
};

int quiz_store_insert(struct db_conn *conn, const struct quiz *q, struct error *err)
	__attribute__((warn_unused_result));

/* What a lesson has in a revision of its course (0: the draft). */
struct quiz_found {
	int64_t create_us;
	struct span packed; /* in the arena: whole, or as it is shown */
};

/* 1 and *ret, or 0 when there is none. What is right is not read unless it is asked for. */
int quiz_store_read(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t revision,
		    int64_t lesson_id, bool solved, struct quiz_found *ret, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list quiz_stmts;

#endif
