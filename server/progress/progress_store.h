/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRESS_STORE_H
#define PROGRESS_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/db/db.h"
#include "server/db/retention.h"
#include "server/progress/progress_report.h"

/* The SQL of progress. Every write is a merge: see schema/0005_progress.sql. */

struct progress_lesson {
	int64_t lesson_id, epoch;
	uint64_t coverage;
	int64_t position_seconds, complete_us;
	int64_t learning_seconds, interactions, questions, sessions, last_us;
	bool completed, completed_now;
};

struct progress_amounts {
	int64_t learning_seconds, interactions, questions;
};

/* What one report did to its session. */
struct progress_delta {
	struct progress_amounts added, before; /* what it adds to the sums; what the session had */
	int64_t start_us, start_before_us;     /* start_before_us 0: the report began the session */
	int64_t sessions;                      /* 1 when it did */
};

/* What a run of reports adds to a learner's course. */
struct progress_course_delta {
	int64_t user_id, course_id, epoch;
	int64_t lessons_completed, learning_seconds, interactions, questions, last_us;
};

/*
 * The three merges, each one array-bound statement over `n` rows in key order, inside a transaction. On
 * failure *ret_bad is the index of the row at fault.
 */
int progress_store_sessions(struct db_conn *conn, struct arena *arena, const struct report *const *reports,
			    unsigned n, struct progress_delta *ret, unsigned *ret_bad, struct error *err)
	__attribute__((warn_unused_result));
int progress_store_lessons(struct db_conn *conn, struct arena *arena, const struct report *const *reports,
			   const struct progress_delta *deltas, unsigned n, int64_t now_us,
			   struct progress_lesson *ret, unsigned *ret_bad, struct error *err)
	__attribute__((warn_unused_result));
int progress_store_courses(struct db_conn *conn, const struct progress_course_delta *deltas, unsigned n,
			   struct error *err) __attribute__((warn_unused_result));
/* A learner's lessons of a course in one epoch, by lesson_id; an array in the arena. */
int progress_store_lesson_list(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
			       int64_t epoch, struct progress_lesson **ret, unsigned *ret_n,
			       struct error *err) __attribute__((warn_unused_result));

struct progress_enrollment {
	int64_t user_id, course_id, epoch, start_us;
	int64_t lessons_completed, lessons_total, last_us;
	char *accesses; /* in the arena, for enrollment_accesses() */
};

/*
 * Enrollments after a key: of one user by course_id, or of one course by user_id. `after` is 0 for the first
 * page. At most `limit`.
 */
int progress_store_enrollments_of_user(struct db_conn *conn, struct arena *arena, int64_t user_id,
				       int64_t after_course, unsigned limit, struct progress_enrollment **ret,
				       unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));
int progress_store_enrollments_of_course(struct db_conn *conn, struct arena *arena, int64_t course_id,
					 int64_t after_user, unsigned limit, struct progress_enrollment **ret,
					 unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));
int progress_store_enrollment(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
			      struct progress_enrollment **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list progress_stmts;

/*
 * What a session recorded is needed as long as a report of it may come, and counted in the sums of its
 * lesson, course and day for ever: a session goes so long after it was last heard of,
 * PROGRESS_KEEP_SESSIONS_DAYS_MIN at least.
 */
enum { PROGRESS_KEEP_SESSIONS_DAYS_MIN = 32 };
extern const struct retention progress_session_retention;

#endif
