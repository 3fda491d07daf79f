/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "server/access/access.h"
#include "server/access/enrollment.h"
#include "server/app/app.h"
#include "server/db/idem.h"
#include "server/progress/enrollment_proto.h"
#include "server/purchase/checkout.h"
#include "server/purchase/quote.h"

/* EnrollInCourse. */

/* A course whose terms change between reading and taking it is read again, so often. */
enum { TERMS_ATTEMPTS = 4 };

struct enrolling {
	struct rpc_call *call;
	int64_t user_id, course_id, now_us;
	int64_t event_id;
	struct checkout_ids ids; /* of a purchase, should the course be free */
	EnrollInCourseResponse *ret;
};

/* Who may not enroll, and has not. */
static int refuse(const struct course_terms *terms, int64_t user_id, struct error *err)
{
	int r = quote_check_sold(terms, err);

	if (r == 0 && terms->pricing == COURSE_FREE)
		r = quote_check_buyer(terms, user_id, err);
	return r < 0 ? r : access_missing(err);
}

/* 1 when the caller is enrolled, 0 when the terms have changed meanwhile. */
static int enroll(const struct enrolling *e, struct db_conn *conn, struct error *err)
{
	struct arena *arena = rpc_arena(e->call);
	struct course_terms terms;
	struct access access;
	int r = course_terms_seen(e->call, e->course_id, NULL, &terms, err);

	if (r == 0)
		r = access_read_all(conn, arena, e->user_id, e->course_id, e->now_us, &access, err);
	if (r < 0)
		return r;
	if (access.enrolled && access_covers(&access, e->now_us))
		return 1;
	if (checkout_is_free(&terms, e->user_id))
		return checkout_free(e->call, &terms, &e->ids, e->now_us, err);
	if (!access_lasts(&access, e->now_us))
		return refuse(&terms, e->user_id, err);
	const struct enrollment_start start = {
		.user_id = e->user_id,
		.course_id = e->course_id,
		.start_us = access_first_us(&access),
		.event_id = e->event_id,
		.now_us = e->now_us,
	};
	r = enrollment_begin(conn, &start, err);
	return r < 0 ? r : 1;
}

/* As it is by then: another's purchase, which was waited for, may have begun after this call did. */
static int show(const struct enrolling *e, struct db_conn *conn, struct error *err)
{
	struct arena *arena = rpc_arena(e->call);
	struct progress_enrollment *row;
	unsigned n;
	int r = progress_store_enrollment(conn, arena, e->user_id, e->course_id, &row, &n, err);

	if (r < 0)
		return r;
	if (n != 1)
		return error_internal(err, "%u enrollments of one who is enrolled", n);
	e->ret->enrollment = enrollment_to_proto(arena, row, app_now_us(e->call));
	return arena_check(arena, err);
}

static int enroll_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct enrolling *e = arg;
	int r = 0;

	e->now_us = app_now_us(e->call);
	for (int i = 0; r == 0 && i < TERMS_ATTEMPTS; i++)
		r = enroll(e, conn, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_raise(err, &RPC_REASON_CONFLICT, "The course keeps changing; repeat the call.");
	return show(e, conn, err);
}

static int enroll_in_course(struct rpc_call *call, const EnrollInCourseRequest *req,
			    EnrollInCourseResponse *ret, struct error *err)
{
	struct enrolling e = {
		.call = call,
		.user_id = rpc_principal(call)->user_id,
		.course_id = course_id_of(req->course_id),
		.ret = ret,
	};
	int r = app_new_ids(call, APP_IDS(&e.event_id), err);
	if (r == 0)
		r = checkout_new_ids(call, &e.ids, err);
	return r < 0 ? r : app_transaction(call, IDEM_CREATE_US, enroll_body, &e, &ret->base, err);
}

EDU_SERVICE_ENROLL_IN_COURSE(enroll_in_course, RPC_ON_DB);
