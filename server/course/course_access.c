/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_access.h"

#include "server/app/app.h"
#include "server/course/course_rules.h"

int course_new_grant_ids(struct rpc_call *call, struct course_grant_ids *ret, struct error *err)
{
	int r = 0;
	for (unsigned i = 0; r >= 0 && i < COURSE_INSTRUCTORS_MAX_ITEMS; i++)
		r = app_new_ids(
			call,
			APP_IDS(&ret->given[i].grant_id, &ret->given[i].event_id, &ret->taken[i].event_id),
			err);
	return r;
}

/* Who stands in the list of `a` and not in that of `b`. */
static unsigned only_in(const struct course *a, const struct course *b,
			int64_t ret[COURSE_INSTRUCTORS_MAX_ITEMS])
{
	unsigned n = 0;
	for (unsigned i = 0; i < a->n_instructors; i++)
		if (!course_has_instructor(b, a->instructors[i].user_id))
			ret[n++] = a->instructors[i].user_id;
	return n;
}

int course_follow_instructors(struct db_conn *conn, struct arena *arena, const struct course *before,
			      const struct course *after, int64_t now_us, const struct course_grant_ids *ids,
			      struct error *err)
{
	int64_t come[COURSE_INSTRUCTORS_MAX_ITEMS], gone[COURSE_INSTRUCTORS_MAX_ITEMS];
	unsigned n_come = only_in(after, before, come), n_gone = only_in(before, after, gone);
	int r = grant_to_instructors(conn, arena, after->course_id, come, n_come, now_us, ids->given, err);
	return r < 0 ? r
		     : grant_end_of_instructors(conn, after->course_id, gone, n_gone, now_us, ids->taken,
						err);
}
