/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRESS_COURSE_PROGRESS_H
#define PROGRESS_COURSE_PROGRESS_H

#include "edu/v1/progress.tables.h"
#include "server/db/db.h"

/* What a learner did in a course in one epoch of his enrollment, into the message: its lessons and their
 * sums. Two round trips. */
int course_progress_read(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
			 int64_t epoch, CourseProgress *ret, struct error *err)
	__attribute__((warn_unused_result));

#endif
