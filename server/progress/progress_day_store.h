/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRESS_DAY_STORE_H
#define PROGRESS_DAY_STORE_H

#include "server/progress/progress_store.h"

/* The SQL of the day facts and of their marks. */

/* What a learner did in a course on a day, or what reports change of it: then it may be below 0. */
struct progress_day {
	int64_t user_id, day, course_id;
	struct progress_amounts amounts;
};

/* One more of the merges of progress_store.h. The days are marked too, where they were not. */
int progress_day_store_merge(struct db_conn *conn, struct arena *arena, const struct progress_day *changes,
			     unsigned n, int64_t now_us, struct error *err)
	__attribute__((warn_unused_result));

/* The facts of a day have changed since the last event about them; for whoever takes marks, see
 * progress_marks.h. */
struct progress_mark {
	int64_t mark_us, user_id, day, course_id;
};

/* Whether there are any made until then: 1, 0 or negative. */
int progress_day_store_marks_due(struct db_conn *conn, int64_t until_us, struct error *err)
	__attribute__((warn_unused_result));

/* The oldest of them, at most `limit`, oldest first, locked with their days, in a transaction; without those
 * that somebody else has locked or whose day he has. An array in the arena. */
int progress_day_store_lock_marks(struct db_conn *conn, struct arena *arena, int64_t until_us, unsigned limit,
				  struct progress_mark **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

/* The days of locked marks have none from now on; afterwards, those of the marks whose learner has a live
 * membership as it is read now, which waits for nobody who changes one; and then the marks go. */
int progress_day_store_unmark(struct db_conn *conn, const struct progress_mark *marks, unsigned n,
			      struct error *err) __attribute__((warn_unused_result));
int progress_day_store_marks_to_tell(struct db_conn *conn, struct arena *arena,
				     const struct progress_mark *marks, unsigned n,
				     struct progress_mark **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));
int progress_day_store_clear_marks(struct db_conn *conn, const struct progress_mark *marks, unsigned n,
				   struct error *err) __attribute__((warn_unused_result));

extern const struct db_stmt_list progress_day_stmts;

#endif
