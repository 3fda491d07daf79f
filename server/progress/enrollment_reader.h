/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRESS_ENROLLMENT_READER_H
#define PROGRESS_ENROLLMENT_READER_H

#include "server/app/app.h"

/* Who may read an enrollment and what was recorded in it: the learner, who may read any learner, and the
 * course's instructors; others as course_refused() tells. */
int enrollment_check_reader(struct rpc_call *call, struct db_conn *conn, int64_t user_id, int64_t course_id,
			    struct error *err) __attribute__((warn_unused_result));

#endif
