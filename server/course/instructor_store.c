/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/instructor_store.h"

#include <assert.h>

#include "proto/runtime/array.h"
#include "server/course/course.h"
#include "server/db/table.h"

#define SUM_OF(column) "CAST(IFNULL(SUM(r." column "), 0) AS SIGNED)"
#define COURSES_COLUMNS(F, C, R)                                                                             \
	F(R, "CAST(COUNT(*) AS SIGNED)", INT, published)                                                     \
	C(R, SUM_OF("stars_1"), I64, rating.stars[0])                                                        \
	C(R, SUM_OF("stars_2"), I64, rating.stars[1])                                                        \
	C(R, SUM_OF("stars_3"), I64, rating.stars[2])                                                        \
	C(R, SUM_OF("stars_4"), I64, rating.stars[3])                                                        \
	C(R, SUM_OF("stars_5"), I64, rating.stars[4])
DB_ROW(courses_row, struct instructor_courses, COURSES_COLUMNS);

static_assert(COURSE_PUBLISHED == 3 && INSTRUCTOR_COURSES_MAX == 1000, "in the statement");

static const struct db_stmt stmts[] = {
	{"instructor_courses", "i", &courses_row,
	 DB_SELECT(COURSES_COLUMNS,
		   " FROM (SELECT course.course_id, course.state"
		   " FROM course_instructor t FORCE INDEX (course_instructor_user)"
		   " JOIN course ON course.course_id = t.course_id WHERE t.user_id = ?"
		   " ORDER BY t.course_id DESC LIMIT 1000) taught"
		   " LEFT JOIN course_rating r ON r.course_id = taught.course_id WHERE taught.state = 3")},
};

const struct db_stmt_list instructor_stmts = {"instructor", stmts, ARRAY_SIZE(stmts)};

int instructor_store_courses(struct db_conn *conn, int64_t user_id, struct instructor_courses *ret,
			     struct error *err)
{
	int r = db_read(conn, &stmts[0], DB_ARGS(db_i64(user_id)), NULL, ret, err);
	return r < 0 ? r : 0;
}
