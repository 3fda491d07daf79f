/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_ACCESS_H
#define COURSE_COURSE_ACCESS_H

#include "server/access/grant.h"
#include "server/course/course_store.h"
#include "server/rpc/call.h"

/* Who teaches a course has access to it: a grant, from when he is put on its list until he is taken off. */

/* For everybody a change of the list may put on it and take off it. */
struct course_grant_ids {
	struct grant_ids given[COURSE_INSTRUCTORS_MAX_ITEMS], taken[COURSE_INSTRUCTORS_MAX_ITEMS];
};

int course_new_grant_ids(struct rpc_call *call, struct course_grant_ids *ret, struct error *err)
	__attribute__((warn_unused_result));

/* In the transaction that changes the list, with the course locked: what it was before, and is now. */
int course_follow_instructors(struct db_conn *conn, struct arena *arena, const struct course *before,
			      const struct course *after, int64_t now_us, const struct course_grant_ids *ids,
			      struct error *err) __attribute__((warn_unused_result));

#endif
