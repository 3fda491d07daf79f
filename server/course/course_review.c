/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "server/course/course_life.h"
#include "server/course/course_rules.h"

int course_apply_submission(struct change *change, void *course, struct error *err)
{
	return course_check_complete(course, err);
}

static int submit_course_for_review(struct rpc_call *call, const SubmitCourseForReviewRequest *req,
				    SubmitCourseForReviewResponse *ret, struct error *err)
{
	struct change change = course_change(call, STEP_COURSE_SUBMIT, req->course_id, req->etag);
	change.ret = &ret->course;
	return change_run(&change, &ret->base, err);
}

int course_apply_approval(struct change *change, void *course, struct error *err)
{
	struct course *c = course;
	c->revision++;
	c->publish_us = change->now_us;
	return 0;
}

static int approve_course(struct rpc_call *call, const ApproveCourseRequest *req, ApproveCourseResponse *ret,
			  struct error *err)
{
	struct change change = course_change(call, STEP_COURSE_APPROVE, req->course_id, req->etag);
	change.reason = req->comment;
	change.ret = &ret->course;
	return change_run(&change, &ret->base, err);
}

EDU_SERVICE_SUBMIT_COURSE_FOR_REVIEW(submit_course_for_review, RPC_ON_DB);
EDU_SERVICE_APPROVE_COURSE(approve_course, RPC_ON_DB);
