/* SPDX-License-Identifier: Apache-2.0 */
#include "server/progress/enrollment_reader.h"

#include "edu/v1/edu_service.server.h"
#include "server/app/page.h"
#include "server/course/course.h"
#include "server/progress/enrollment_proto.h"
#include "server/user/user.h"

/* ListEnrollments, and who may read an enrollment. */

int enrollment_check_reader(struct rpc_call *call, struct db_conn *conn, int64_t user_id, int64_t course_id,
			    struct error *err)
{
	const struct principal *who = rpc_principal(call);
	struct course_terms course;

	if (user_id == who->user_id)
		return rpc_subject(call, user_id, false, err);
	int r = course_terms_read(conn, rpc_arena(call), course_id, NULL, &course, err);
	if (r < 0 || rpc_subject(call, user_id, course_taught_by(&course, who), err) == 0)
		return r;
	return course_refuse_caller(call, &course, err);
}

struct enrollment_query {
	int64_t user_id, course_id; /* 0: not asked for */
	int64_t after;              /* the last user or course of the page before */
	struct page page;
};

/* All of a course's learners are shown to who acts for the course alone. */
static int check_learners_reader(struct rpc_call *call, struct db_conn *conn, int64_t course_id,
				 struct error *err)
{
	const struct principal *who = rpc_principal(call);
	struct course_terms course;
	int r = course_terms_read(conn, rpc_arena(call), course_id, NULL, &course, err);

	if (r < 0)
		return r;
	if (!course_taught_by(&course, who) && !principal_has_role(who, ROLE_MASK_ADMIN))
		return course_refuse_caller(call, &course, err);
	return rpc_subject(call, course_id, true, err);
}

static int check_reader(struct rpc_call *call, struct db_conn *conn, const struct enrollment_query *q,
			struct error *err)
{
	if (!q->user_id)
		return check_learners_reader(call, conn, q->course_id, err);
	int r = rpc_subject(call, q->user_id, false, err);
	return r < 0 && q->course_id ? enrollment_check_reader(call, conn, q->user_id, q->course_id, err) : r;
}

static int read_enrollments(struct db_conn *conn, struct arena *arena, const struct enrollment_query *q,
			    struct progress_enrollment **ret, unsigned *ret_n, struct error *err)
{
	if (q->user_id && q->course_id)
		return progress_store_enrollment(conn, arena, q->user_id, q->course_id, ret, ret_n, err);
	if (q->course_id)
		return progress_store_enrollments_of_course(conn, arena, q->course_id, q->after,
							    q->page.limit, ret, ret_n, err);
	return progress_store_enrollments_of_user(conn, arena, q->user_id, q->after, q->page.limit, ret,
						  ret_n, err);
}

static int enrollments_to_proto(struct arena *arena, const struct progress_enrollment *rows, unsigned n,
				int64_t now_us, ListEnrollmentsResponse *ret, struct error *err)
{
	ret->enrollments = arena_array(arena, n, sizeof(*ret->enrollments));
	for (unsigned i = 0; ret->enrollments && i < n; i++)
		ret->enrollments[ret->n_enrollments++] = enrollment_to_proto(arena, &rows[i], now_us);
	return arena_check(arena, err);
}

static int list_enrollments(struct rpc_call *call, const ListEnrollmentsRequest *req,
			    ListEnrollmentsResponse *ret, struct error *err)
{
	struct db_conn *conn = db_of(call);
	struct arena *arena = rpc_arena(call);
	struct enrollment_query q = {.course_id = course_id_of(req->course_id)};
	struct progress_enrollment *rows = NULL;
	unsigned n = 0;

	if (*req->user_id || !q.course_id)
		q.user_id = user_or_caller(rpc_principal(call), req->user_id);
	int r = check_reader(call, conn, &q, err);
	if (r == 0)
		r = page_open(&q.page, call, PAGE_OF(req), &q.after, sizeof(q.after), err);
	if (r == 0)
		r = read_enrollments(conn, arena, &q, &rows, &n, err);
	if (r == 0 && page_goes_on(&q.page, &n)) {
		const int64_t *last = q.course_id ? &rows[n - 1].user_id : &rows[n - 1].course_id;
		ret->next_page_token = page_next(&q.page, last);
	}
	return r < 0 ? r : enrollments_to_proto(arena, rows, n, app_now_us(call), ret, err);
}

EDU_SERVICE_LIST_ENROLLMENTS(list_enrollments, RPC_ON_DB);
