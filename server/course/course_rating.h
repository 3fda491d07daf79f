/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_RATING_H
#define COURSE_COURSE_RATING_H

#include "server/db/db.h"

/*
 * What the reviews of a course add up to. It is changed in the transaction that changes a review, and so is
 * exact whoever reviews at the same time.
 */
enum { COURSE_STARS_MAX = 5 };

struct course_rating {
	int64_t stars[COURSE_STARS_MAX]; /* how many reviews gave one star, two, ...; those that count */
};

/* How many reviews these are, and their mean in hundredths of a star, to the nearest; 0 of none. */
int64_t course_rating_count(const struct course_rating *r);
int course_rating_average(const struct course_rating *r);

/*
 * A review that counted with `from` stars counts with `to`; 0: it did not count, or does no longer. The last
 * that a transaction locks: all reviewers of a course wait for its row, and who has it waits for nobody.
 */
int course_rating_move(struct db_conn *conn, int64_t course_id, int from, int to, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list course_rating_stmts;

#endif
