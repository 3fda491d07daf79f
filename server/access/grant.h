/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ACCESS_GRANT_H
#define ACCESS_GRANT_H

#include "server/db/event.h"

/*
 * Giving access and taking it away: by rows of access_grant, in the transaction of what gives or takes it,
 * each with an event, by which every replica hears of it within a second.
 */

/*
 * For compound statements: a grant of a course, and the enrollment of who had none, whose start never moves.
 * An expression for each value, as string literals; `source` is a number of edu.v1.AccessSource.
 */
#define GRANT_COURSE_SQL_OF(grant_id, user_id, course_id, source, source_id, start_time)                     \
	"INSERT INTO access_grant"                                                                           \
	" (user_id, scope_kind, scope_id, grant_id, source_kind, source_id, start_time)"                     \
	" VALUES (" user_id ", 1, " course_id ", " grant_id ", " source ", " source_id ", " start_time "); " \
	"INSERT INTO enrollment (user_id, course_id, start_time)"                                            \
	" VALUES (" user_id ", " course_id ", " start_time ")"                                               \
	" ON DUPLICATE KEY UPDATE start_time = enrollment.start_time;"

/* Ids are made before the transaction, for as many as it may come to. */
struct grant_ids {
	int64_t grant_id, event_id;
};

/*
 * Who is put on a course's list of instructors has access to it until he is taken off: the grants of `n`
 * users begin, or end, at now_us. In the transaction that changes the list, with the course locked; so a
 * user has one such grant at most that was not taken away. Taking it from who has none does nothing; ids are
 * used as far as they are needed.
 */
int grant_to_instructors(struct db_conn *conn, struct arena *arena, int64_t course_id,
			 const int64_t *user_ids, unsigned n, int64_t now_us, const struct grant_ids *ids,
			 struct error *err) __attribute__((warn_unused_result));
int grant_end_of_instructors(struct db_conn *conn, int64_t course_id, const int64_t *user_ids, unsigned n,
			     int64_t now_us, const struct grant_ids *ids, struct error *err)
	__attribute__((warn_unused_result));

/*
 * Whether something gives, or gave, the user the course: 1 or 0. Teaching it does not, nor does a purchase
 * that was taken back. The grants that say so are locked, in a transaction, until it ends.
 */
int grant_stands(struct db_conn *conn, int64_t user_id, int64_t course_id, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list grant_stmts;

#endif
