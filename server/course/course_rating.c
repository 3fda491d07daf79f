/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_rating.h"

#include "proto/runtime/array.h"
#include "server/db/table.h"

/* What a course's row is, or what is added to it. */
struct rating_row {
	int64_t course_id;
	struct course_rating rating;
};
#define RATING_COLUMNS(F, C, R)                                                                              \
	F(R, "course_id", I64, course_id)                                                                    \
	C(R, "stars_1", I64, rating.stars[0])                                                                \
	C(R, "stars_2", I64, rating.stars[1])                                                                \
	C(R, "stars_3", I64, rating.stars[2])                                                                \
	C(R, "stars_4", I64, rating.stars[3])                                                                \
	C(R, "stars_5", I64, rating.stars[4])
DB_ROW(rating_row, struct rating_row, RATING_COLUMNS);

enum { ADD, MOVE };

static const struct db_stmt stmts[] = {
	[ADD] = {"course_rating_add", DB_LETTERS(RATING_COLUMNS), NULL,
		 DB_UPSERT("course_rating", RATING_COLUMNS,
			   " stars_1 = stars_1 + VALUES(stars_1), stars_2 = stars_2 + VALUES(stars_2),"
			   " stars_3 = stars_3 + VALUES(stars_3), stars_4 = stars_4 + VALUES(stars_4),"
			   " stars_5 = stars_5 + VALUES(stars_5)")},
	[MOVE] = {"course_rating_move", DB_LETTERS(RATING_COLUMNS) "i", NULL,
		  "UPDATE course_rating SET course_id = ?, stars_1 = stars_1 + ?, stars_2 = stars_2 + ?,"
		  " stars_3 = stars_3 + ?, stars_4 = stars_4 + ?, stars_5 = stars_5 + ? WHERE course_id = ?"},
};

const struct db_stmt_list course_rating_stmts = {"course_rating", stmts, ARRAY_SIZE(stmts)};

int64_t course_rating_count(const struct course_rating *r)
{
	int64_t n = 0;
	for (unsigned i = 0; i < COURSE_STARS_MAX; i++)
		n += r->stars[i];
	return n;
}

int course_rating_average(const struct course_rating *r)
{
	const int64_t n = course_rating_count(r);
	int64_t stars = 0;
	for (unsigned i = 0; i < COURSE_STARS_MAX; i++)
		stars += r->stars[i] * (i + 1);
	return n ? (int)((200 * stars + n) / (2 * n)) : 0;
}

/* Who takes stars away finds the row; who only adds may be the first. */
int course_rating_move(struct db_conn *conn, int64_t course_id, int from, int to, struct error *err)
{
	struct rating_row change = {.course_id = course_id};
	if (from == to)
		return 0;
	if (from)
		change.rating.stars[from - 1]--;
	if (to)
		change.rating.stars[to - 1]++;
	return from ? db_write(conn, &stmts[MOVE], &rating_row, &change, DB_ARGS(db_i64(course_id)), err)
		    : db_write(conn, &stmts[ADD], &rating_row, &change, DB_NO_ARGS, err);
}
