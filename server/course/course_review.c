/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "edu/v1/edu_service.server.h"
#include "server/course/course_content.h"
#include "server/course/course_life.h"
#include "server/course/course_revision.h"
#include "server/course/course_rules.h"
#include "server/course/lesson_copy.h"

int course_apply_submission(struct change *change, void *course, struct error *err)
{
	const bool files = app_of(change->call)->objects != NULL;
	struct course *c = course;
	c->n_rejection_reasons = 0;
	int r = course_check_complete(c->beside ? c->beside : c, err);
	return course_content_check(change->conn, change->arena, c->course_id, files, r, err);
}

static int submit_course_for_review(struct rpc_call *call, const SubmitCourseForReviewRequest *req,
				    SubmitCourseForReviewResponse *ret, struct error *err)
{
	struct change change =
		course_change(call, STEP_COURSE_SUBMIT, course_id_of(req->course_id), req->etag);
	change.ret = &ret->course;
	return change_run(&change, &ret->base, err);
}

static int withdraw_course(struct rpc_call *call, const WithdrawCourseRequest *req,
			   WithdrawCourseResponse *ret, struct error *err)
{
	struct change change =
		course_change(call, STEP_COURSE_WITHDRAW, course_id_of(req->course_id), req->etag);
	change.ret = &ret->course;
	return change_run(&change, &ret->base, err);
}

int course_apply_rejection(struct change *change, void *course, struct error *err)
{
	const RejectCourseRequest *req = change->arg;
	struct course *c = course;
	const char *reasons = course_texts_to_json(change->arena, req->reasons, req->n_reasons);

	c->rejection_reasons = req->reasons;
	c->n_rejection_reasons = req->n_reasons;
	change->detail = reasons ? arena_printf(change->arena, "{\"reasons\":%s}", reasons) : NULL;
	return change->detail ? 0 : arena_full(err);
}

static int reject_course(struct rpc_call *call, const RejectCourseRequest *req, RejectCourseResponse *ret,
			 struct error *err)
{
	struct change change =
		course_change(call, STEP_COURSE_REJECT, course_id_of(req->course_id), req->etag);
	char field[64];

	for (size_t i = 0; i < req->n_reasons; i++) {
		snprintf(field, sizeof(field), "reasons[%zu]", i);
		if (!*req->reasons[i])
			return error_field(err, field, "must not be empty");
	}
	change.arg = (void *)req;
	change.ret = &ret->course;
	return change_run(&change, &ret->base, err);
}

int course_apply_approval(struct change *change, void *course, struct error *err)
{
	struct course *c = course;
	c->revision++;
	c->publish_us = change->now_us;
	c->lesson_count = c->draft_lesson_count;
	int r = lesson_store_freeze(change->conn, c->course_id, c->revision, err);
	if (r >= 0)
		r = course_content_freeze(change->conn, c->course_id, c->revision, err);
	return r < 0 ? r : course_publish(change->conn, change->arena, c, change->arg, err);
}

static int approve_course(struct rpc_call *call, const ApproveCourseRequest *req, ApproveCourseResponse *ret,
			  struct error *err)
{
	struct change change =
		course_change(call, STEP_COURSE_APPROVE, course_id_of(req->course_id), req->etag);
	struct course_grant_ids grants;
	change.arg = &grants;
	change.reason = req->comment;
	change.ret = &ret->course;
	int r = course_new_grant_ids(call, &grants, err);
	return r < 0 ? r : change_run(&change, &ret->base, err);
}

/* --- off sale, and on sale again --- */

static int archive_course(struct rpc_call *call, const ArchiveCourseRequest *req, ArchiveCourseResponse *ret,
			  struct error *err)
{
	struct change change =
		course_change(call, STEP_COURSE_ARCHIVE, course_id_of(req->course_id), req->etag);
	change.reason = req->comment;
	change.ret = &ret->course;
	return change_run(&change, &ret->base, err);
}

static int unarchive_course(struct rpc_call *call, const UnarchiveCourseRequest *req,
			    UnarchiveCourseResponse *ret, struct error *err)
{
	struct change change =
		course_change(call, STEP_COURSE_UNARCHIVE, course_id_of(req->course_id), req->etag);
	change.reason = req->comment;
	change.ret = &ret->course;
	return change_run(&change, &ret->base, err);
}

EDU_SERVICE_SUBMIT_COURSE_FOR_REVIEW(submit_course_for_review, RPC_ON_DB);
EDU_SERVICE_APPROVE_COURSE(approve_course, RPC_ON_DB);
EDU_SERVICE_WITHDRAW_COURSE(withdraw_course, RPC_ON_DB);
EDU_SERVICE_REJECT_COURSE(reject_course, RPC_ON_DB);
EDU_SERVICE_ARCHIVE_COURSE(archive_course, RPC_ON_DB);
EDU_SERVICE_UNARCHIVE_COURSE(unarchive_course, RPC_ON_DB);
