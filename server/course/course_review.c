/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "server/app/app.h"
#include "server/course/course_change.h"
#include "server/course/course_names.h"
#include "server/course/course_rules.h"
#include "server/db/audit.h"

/* DRAFT -> IN_REVIEW -> PUBLISHED. */

static int submit(struct course_change *change, struct course *c, struct error *err)
{
	int r = course_check_state(c, 1u << COURSE_DRAFT, err);
	if (r >= 0)
		r = course_check_complete(c, err);
	c->state = COURSE_IN_REVIEW;
	return r;
}

static int submit_course_for_review(struct rpc_call *call, const SubmitCourseForReviewRequest *req,
				    SubmitCourseForReviewResponse *ret, struct error *err)
{
	struct course_change change = {
		.call = call,
		.course_id = course_id_of(req->course_id),
		.etag = req->etag,
		.event_kind = EVENT_COURSE_SUBMITTED,
		.apply = submit,
		.ret = &ret->course,
	};
	return course_change_run(&change, err);
}

struct approval {
	const char *comment;
	int64_t audit_id;
};

static int approve(struct course_change *change, struct course *c, struct error *err)
{
	const struct approval *a = change->arg;
	int r = course_check_reviewer(c, rpc_principal(change->call), err);
	if (r >= 0)
		r = course_check_state(c, 1u << COURSE_IN_REVIEW, err);
	if (r < 0)
		return r;
	c->state = COURSE_PUBLISHED;
	c->revision++;
	c->publish_us = app_now_us(change->call);
	const struct audit record = {
		.audit_id = a->audit_id,
		.actor_id = rpc_principal(change->call)->user_id,
		.action = AUDIT_APPROVE_COURSE,
		.subject_id = c->course_id,
		.reason = a->comment,
		.create_us = c->publish_us,
	};
	return audit_append(change->conn, &record, err);
}

static int approve_course(struct rpc_call *call, const ApproveCourseRequest *req, ApproveCourseResponse *ret,
			  struct error *err)
{
	struct approval a = {.comment = req->comment};
	struct course_change change = {
		.call = call,
		.course_id = course_id_of(req->course_id),
		.etag = req->etag,
		.event_kind = EVENT_COURSE_PUBLISHED,
		.apply = approve,
		.arg = &a,
		.ret = &ret->course,
	};
	int r = app_new_ids(call, APP_IDS(&a.audit_id), err);
	return r < 0 ? r : course_change_run(&change, err);
}

EDU_SERVICE_SUBMIT_COURSE_FOR_REVIEW(submit_course_for_review, RPC_ON_DB);
EDU_SERVICE_APPROVE_COURSE(approve_course, RPC_ON_DB);
