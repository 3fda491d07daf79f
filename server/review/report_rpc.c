/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "server/app/page.h"
#include "server/course/course.h"
#include "server/course/course_names.h"
#include "server/course/lesson.h"
#include "server/db/idem.h"
#include "server/review/report_life.h"
#include "server/review/review_life.h"
#include "server/review/review_names.h"
#include "server/user/user_names.h"

/* --- ReportContent --- */

struct filing {
	struct rpc_call *call;
	struct content_report report;
	int64_t event_id;
	ReportContentResponse *ret;
};

/* What is reported, by its kind and its id. */
static void take_subject(const ReportContentRequest *req, struct content_report *r)
{
	switch (req->subject_case) {
	case EDU__V1__REPORT_CONTENT_REQUEST__SUBJECT_LESSON_ID:
		r->subject_kind = REPORT_OF_LESSON;
		r->subject_id = id_of(ID_LESSON, req->lesson_id);
		break;
	case EDU__V1__REPORT_CONTENT_REQUEST__SUBJECT_REVIEW_ID:
		r->subject_kind = REPORT_OF_REVIEW;
		r->subject_id = id_of(ID_REVIEW, req->review_id);
		break;
	default: /* the rules ask for one of them */
		r->subject_kind = REPORT_OF_COURSE;
		r->subject_id = course_id_of(req->course_id);
	}
}

static int find_lesson(struct rpc_call *call, struct content_report *r, struct error *err)
{
	struct lesson_info lesson;
	struct course_terms course;
	int done = lesson_info_read(app_of(call)->lessons, db_of(call), r->subject_id, &lesson, err);
	if (done < 0)
		return done;
	r->course_id = lesson.course_id;
	done = course_terms_seen(call, r->course_id, NULL, &course, err);
	return done == -STATUS_NOT_FOUND ? lesson_not_found(err, r->subject_id) : done;
}

static int find_review(struct rpc_call *call, struct content_report *r, struct error *err)
{
	struct review review;
	int done = review_store_read(db_of(call), rpc_arena(call), r->subject_id, &review, err);
	if (done < 0)
		return done;
	r->course_id = review.course_id;
	done = review_seen(call, &review, err);
	return done == 0 ? app_not_found(err, &review_resource, r->subject_id) : done;
}

/* The course that the subject is of; not found when the caller does not see it. */
static int find_subject(struct rpc_call *call, struct content_report *r, struct error *err)
{
	struct course_terms course;
	switch (r->subject_kind) {
	case REPORT_OF_LESSON:
		return find_lesson(call, r, err);
	case REPORT_OF_REVIEW:
		return find_review(call, r, err);
	case REPORT_OF_COURSE:
		break;
	}
	r->course_id = r->subject_id;
	return course_terms_seen(call, r->course_id, NULL, &course, err);
}

static int file_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct filing *m = arg;
	int r = find_subject(m->call, &m->report, err);
	const struct event e = {
		.event_id = m->event_id,
		.kind = EVENT_REPORT_FILED,
		.subject_id = m->report.report_id,
		.version = m->report.version,
		.course_id = m->report.course_id,
		.create_us = m->report.create_us,
	};
	if (r >= 0)
		r = report_store_insert(conn, &m->report, err);
	if (r >= 0)
		r = event_append(conn, &e, err);
	if (r < 0)
		return r;
	m->ret->report = report_to_proto(rpc_arena(m->call), &m->report, true);
	return arena_check(rpc_arena(m->call), err);
}

static int report_content(struct rpc_call *call, const ReportContentRequest *req, ReportContentResponse *ret,
			  struct error *err)
{
	const int64_t now_us = app_now_us(call);
	struct filing m = {
		.call = call,
		.report = {.reporter_id = rpc_principal(call)->user_id,
			   .kind = (int)req->kind,
			   .text = req->text,
			   .state = REPORT_OPEN,
			   .comment = (char *)protobuf_c_empty_string,
			   .live = 1,
			   .version = 1,
			   .create_us = now_us,
			   .update_us = now_us},
		.ret = ret,
	};
	take_subject(req, &m.report);
	int r = app_new_ids(call, APP_IDS(&m.report.report_id, &m.event_id), err);
	return r < 0 ? r : app_transaction(call, IDEM_CREATE_US, file_body, &m, &ret->base, err);
}

/* --- GetReport, ListReports, ResolveReport --- */

static int get_report(struct rpc_call *call, const GetReportRequest *req, GetReportResponse *ret,
		      struct error *err)
{
	const int64_t report_id = id_of(ID_REPORT, req->report_id);
	struct content_report report;
	int r = report_store_read(db_of(call), rpc_arena(call), report_id, &report, err);
	if (r < 0)
		return r;
	if (rpc_subject(call, report.reporter_id, false, err) < 0)
		return app_not_found(err, &report_resource, report_id);
	ret->report = report_to_proto(rpc_arena(call), &report, true);
	return arena_check(rpc_arena(call), err);
}

static int list_reports(struct rpc_call *call, const ListReportsRequest *req, ListReportsResponse *ret,
			struct error *err)
{
	struct arena *arena = rpc_arena(call);
	const enum report_state state = req->state ? (enum report_state)req->state : REPORT_OPEN;
	struct content_report *reports;
	int64_t after = 0; /* the last report shown */
	struct page page;
	unsigned n;

	int r = page_open(&page, call, PAGE_OF(req), &after, sizeof(after), err);
	if (r >= 0)
		r = report_store_list(db_of(call), arena, state, course_id_of(req->course_id), after,
				      page.limit, &reports, &n, err);
	if (r < 0)
		return r;
	if (page_goes_on(&page, &n))
		ret->next_page_token = page_next(&page, &reports[n - 1].report_id);
	ret->reports = arena_array(arena, n + 1, sizeof(Report *));
	for (unsigned i = 0; ret->reports && i < n; i++)
		ret->reports[ret->n_reports++] = report_to_proto(arena, &reports[i], false);
	return arena_check(arena, err);
}

static int resolve_report(struct rpc_call *call, const ResolveReportRequest *req, ResolveReportResponse *ret,
			  struct error *err)
{
	struct change change = report_resolution(call, req);
	change.ret = &ret->report;
	return change_run(&change, &ret->base, err);
}

EDU_SERVICE_REPORT_CONTENT(report_content, RPC_ON_DB);
EDU_SERVICE_GET_REPORT(get_report, RPC_ON_DB);
EDU_SERVICE_LIST_REPORTS(list_reports, RPC_ON_DB);
EDU_SERVICE_RESOLVE_REPORT(resolve_report, RPC_ON_DB);
