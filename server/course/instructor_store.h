/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_INSTRUCTOR_STORE_H
#define COURSE_INSTRUCTOR_STORE_H

#include "server/course/course_rating.h"

/* What is looked at of one's courses, the newest first, in whatever state: drafts may be any number. */
enum { INSTRUCTOR_COURSES_MAX = 1000 };

/* What somebody teaches that is published. */
struct instructor_courses {
	int published;
	struct course_rating rating; /* of all these */
};

int instructor_store_courses(struct db_conn *conn, int64_t user_id, struct instructor_courses *ret,
			     struct error *err) __attribute__((warn_unused_result));

extern const struct db_stmt_list instructor_stmts;

#endif
