/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRESS_ENROLLMENT_H
#define PROGRESS_ENROLLMENT_H

#include "edu/v1/access.tables.h"
#include "server/app/app.h"

/* Who may read an enrollment, the grants behind it, and what they add up to at a time. */

/* The learner, who may read any learner, and the course's instructors; others as course_refused() tells. */
int enrollment_check_reader(struct rpc_call *call, struct db_conn *conn, int64_t user_id, int64_t course_id,
			    struct error *err) __attribute__((warn_unused_result));

struct enrollment_grant {
	int64_t grant_id;
	int source;                             /* edu.v1.AccessSource */
	int64_t purchase_id;                    /* 0: something else gave it */
	int64_t start_us, expire_us, revoke_us; /* the last two 0: not */
};

/*
 * The grants ride on the enrollment's row as a text, so that a page of enrollments is one statement:
 * "grant_id:source:purchase_id:start:expire:revoke,...". Reads the next one and moves *text behind it; false
 * at the end.
 */
bool enrollment_grant_next(const char **text, struct enrollment_grant *ret);

/* ACTIVE when a grant covers the time, else SCHEDULED when one begins later, else ENDED. */
EnrollmentState enrollment_state_at(const char *grants, int64_t at_us);

#endif
