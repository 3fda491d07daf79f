/* SPDX-License-Identifier: Apache-2.0 */
#include "server/search/rank.h"

#include <assert.h>

#include "server/app/due_kinds.h"
#include "server/course/course.h"
#include "server/db/table.h"

enum { BATCH = 200 };
#define EVERY_US (15 * MINUTE_US)

static_assert(COURSE_PUBLISHED == 3 && BATCH == 200, "in the statements");
#define SOME                                                                                                 \
	" FROM course FORCE INDEX (course_newest) WHERE course.state = 3 AND course.course_id > ?"           \
	" ORDER BY course.course_id LIMIT 200"

enum stmt { WRITE, LAST, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
	/* A rating is in thousandths of a star, drawn towards three stars as by five reviews more; 0 when
	 * there is none. Assignments run left to right: the time is decided by what was there before. */
	[WRITE] =
		{"rank_write", "i", NULL,
		 "INSERT INTO course_rank (course_id, rating, popularity, rank_time)"
		 " SELECT course.course_id,"
		 " IFNULL((SELECT (1000 * r.star_count + 15000) DIV (r.review_count + 5)"
		 " FROM course_rating r WHERE r.course_id = course.course_id AND r.review_count > 0), 0),"
		 " (SELECT COUNT(*) FROM enrollment e WHERE e.course_id = course.course_id)," DB_NOW_US SOME
		 " ON DUPLICATE KEY UPDATE rank_time = IF(course_rank.rating <> VALUES(rating)"
		 " OR course_rank.popularity <> VALUES(popularity), VALUES(rank_time), course_rank.rank_time),"
		 " rating = VALUES(rating), popularity = VALUES(popularity)"},
	[LAST] = {"rank_last", "i", &db_row_i64,
		  "SELECT IF(COUNT(*) = 200, MAX(course_id), 0) FROM (SELECT course.course_id" SOME ") some"},
};
const struct db_stmt_list rank_stmts = {"rank", stmts, N_STMTS};

/* The last course is read first, so that none that is published in between is left out. */
static int write_some(struct db_conn *conn, int64_t after_id, struct error *err)
{
	int64_t last_id;
	int r = db_read_one(conn, &stmts[LAST], DB_ARGS(db_i64(after_id)), NULL, &last_id, err);
	if (r >= 0)
		r = db_exec(conn, &stmts[WRITE], DB_ARGS(db_i64(after_id)), NULL, err);
	return r < 0 || last_id == 0 ? r : due_in(conn, DUE_COURSE_RANK_SOME, last_id, DUE_PAUSE_US, err);
}

static int begin(struct db_conn *conn, const struct due *due, void *arg, struct error *err)
{
	return write_some(conn, 0, err);
}

static int go_on(struct db_conn *conn, const struct due *due, void *arg, struct error *err)
{
	return write_some(conn, due->subject_id, err);
}

const struct due_kind rank_due = {
	.number = DUE_COURSE_RANK,
	DUE_NAME("course_rank"),
	.run = begin,
	.every_us = EVERY_US,
};

const struct due_kind rank_some_due = {
	.number = DUE_COURSE_RANK_SOME,
	DUE_NAME("course_rank_some"),
	.run = go_on,
};
