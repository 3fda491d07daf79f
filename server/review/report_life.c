/* SPDX-License-Identifier: Apache-2.0 */
#include "server/review/report_life.h"

#include "proto/runtime/codec.h"
#include "server/course/course.h"
#include "server/course/course_names.h"
#include "server/review/review_life.h"
#include "server/review/review_names.h"
#include "server/user/user_names.h"

static void put_subject(struct arena *arena, const struct content_report *r, Report *ret)
{
	switch (r->subject_kind) {
	case REPORT_OF_COURSE:
		ret->subject_case = EDU__V1__REPORT__SUBJECT_COURSE_ID;
		ret->course_id = app_id(arena, ID_COURSE, r->subject_id);
		break;
	case REPORT_OF_LESSON:
		ret->subject_case = EDU__V1__REPORT__SUBJECT_LESSON_ID;
		ret->lesson_id = app_id(arena, ID_LESSON, r->subject_id);
		break;
	case REPORT_OF_REVIEW:
		ret->subject_case = EDU__V1__REPORT__SUBJECT_REVIEW_ID;
		ret->review_id = app_id(arena, ID_REVIEW, r->subject_id);
		break;
	}
}

Report *report_to_proto(struct arena *arena, const struct content_report *r, bool reporter)
{
	Report *ret = codec_new(REPORT_DESC, arena);
	if (!ret)
		return NULL;
	ret->report_id = app_id(arena, ID_REPORT, r->report_id);
	put_subject(arena, r, ret);
	ret->of_course_id = app_id(arena, ID_COURSE, r->course_id);
	ret->kind = (Edu__V1__ReportKind)r->kind;
	ret->text = r->text;
	ret->state = (Edu__V1__ReportState)r->state;
	ret->outcome = (Edu__V1__ReportOutcome)r->outcome;
	ret->comment = r->comment;
	ret->create_time = app_timestamp(arena, r->create_us);
	if (r->state == REPORT_RESOLVED)
		ret->resolve_time = app_timestamp(arena, r->update_us);
	if (reporter)
		ret->reporter_id = app_id(arena, ID_USER, r->reporter_id);
	return ret;
}

/* An administrator who teaches the course, or made it, leaves it to others. */
static int may_resolve(const struct change *change, const void *report, struct error *err)
{
	const struct content_report *r = report;
	struct course_terms course;
	int done = course_terms_read(change->conn, change->arena, r->course_id, NULL, &course, err);
	return done < 0 ? done : review_check_stranger(&course, change->who, err);
}

static int apply_resolution(struct change *change, void *report, struct error *err)
{
	const ResolveReportRequest *req = change->arg;
	struct content_report *r = report;
	r->outcome = (int)req->outcome;
	r->comment = req->comment;
	r->live = 0;
	return 0;
}

static const struct transition resolution = {
	.to = (const uint8_t[REPORT_RESOLVED + 1]){[REPORT_OPEN] = REPORT_RESOLVED},
	.event = EVENT_REPORT_RESOLVED,
	.audit = AUDIT_RESOLVE_REPORT,
	.may = may_resolve,
	.apply = apply_resolution,
};

/* --- what a report is to app/change.h --- */

static int lock_report(struct db_conn *conn, struct arena *arena, int64_t id, void *ret, struct error *err)
{
	return report_store_lock(conn, arena, id, ret, err);
}

static int write_report(struct db_conn *conn, struct arena *arena, const void *report, struct error *err)
{
	return report_store_update(conn, report, err);
}

static void *show_report(struct arena *arena, const void *report)
{
	return report_to_proto(arena, report, false);
}

/* It names no user: what names one is told to his organizations, too. */
static void concerns_report(const struct change *change, const void *report, struct event *e)
{
	e->course_id = ((const struct content_report *)report)->course_id;
}

static const struct change_kind report_kind = {
	.size = sizeof(struct content_report),
	.version = offsetof(struct content_report, version),
	.update_us = offsetof(struct content_report, update_us),
	.state = offsetof(struct content_report, state),
	.lock = lock_report,
	.write = write_report,
	.to_proto = show_report,
	.concerns = concerns_report,
	.state_reason = &REASON_REPORT_STATE_INVALID,
	.state_name = ReportState_name,
};

struct change report_resolution(struct rpc_call *call, const ResolveReportRequest *req)
{
	return (struct change){.call = call,
			       .kind = &report_kind,
			       .step = &resolution,
			       .id = id_of(ID_REPORT, req->report_id),
			       .etag = "",
			       .reason = req->comment,
			       .arg = (void *)req};
}
