/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRESS_REPORT_H
#define PROGRESS_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "edu/v1/edu_service.tables.h"
#include "server/access/access.h"
#include "server/course/lesson.h"

/*
 * One report of a learner: what RecordProgress says, in numbers, and whether it may be merged. The merge
 * itself never asks the server's clock; only whether to accept a report does.
 */
enum {
	REPORT_AHEAD_SECONDS = 5 * 60,          /* a client's clock may run ahead so far */
	REPORT_AGE_SECONDS = 30 * 24 * 60 * 60, /* a report may be so old */
	REPORT_SESSION_SECONDS = 24 * 60 * 60,  /* a session may have started so long before it */
};

struct report {
	int64_t user_id, course_id, epoch, lesson_id;
	uint8_t session_id[16];
	int64_t client_us, start_us;
	int64_t learning_seconds, interactions, questions; /* cumulative in the session */
	bool has_coverage, has_interval, completed;
	uint64_t coverage;
	int64_t interval_start_ms, interval_end_ms;
	int64_t position_seconds;
};

/* Reads the request; everything that can be told without knowing the lesson: all violations at once. */
int report_read(const RecordProgressRequest *req, int64_t caller_id, struct report *ret, struct error *err)
	__attribute__((warn_unused_result));

/* An access_question, of a struct report: the access covers its time, in its epoch. */
bool report_has_access(const struct access *access, const void *report);

/*
 * Decides whether the report may be merged, given its lesson and the learner's access: NOT_ENROLLED,
 * STALE_EPOCH, CLOCK_SKEW, PROGRESS_TOO_OLD, SESSION_TOO_LONG, LESSON_KIND_MISMATCH. Fills in course_id and
 * the coverage that an interval gives, and moves a start from before the epoch began, which is when access
 * first began or when progress was reset, to that time: a fixed one, so that the least of the moved starts is
 * the least start moved.
 */
int report_admit(struct report *r, const struct lesson_info *lesson, const struct access *access,
		 int64_t now_us, struct error *err) __attribute__((warn_unused_result));

#endif
