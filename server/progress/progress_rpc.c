/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "edu/v1/edu_service.server.h"
#include "proto/runtime/codec.h"
#include "server/app/page.h"
#include "server/course/course.h"
#include "server/course/course_names.h"
#include "server/course/lesson.h"
#include "server/progress/coverage.h"
#include "server/progress/enrollment.h"
#include "server/progress/progress_access.h"
#include "server/progress/progress_report.h"
#include "server/progress/progress_store.h"
#include "server/progress/progress_write.h"
#include "server/purchase/purchase_names.h"
#include "server/user/user.h"
#include "server/user/user_names.h"

static LessonProgress *lesson_to_proto(struct arena *arena, const struct progress_lesson *p)
{
	LessonProgress *ret = codec_new(LESSON_PROGRESS_DESC, arena);

	if (!ret)
		return NULL;
	ret->lesson_id = app_id(arena, ID_LESSON, p->lesson_id);
	ret->epoch = p->epoch;
	ret->coverage = p->coverage;
	ret->covered_slices = coverage_count(p->coverage);
	ret->position_seconds = p->position_seconds;
	ret->completed = p->completed;
	ret->complete_time = app_timestamp(arena, p->complete_us);
	ret->learning_seconds = p->learning_seconds;
	ret->interactions = p->interactions;
	ret->questions = p->questions;
	ret->session_count = p->sessions;
	ret->last_activity_time = app_timestamp(arena, p->last_us);
	return ret;
}

/* --- RecordProgress --- */

struct recording {
	struct progress_write write;
	struct rpc_call *call;
	RecordProgressResponse *ret;
};

static void recorded(struct progress_write *w, int r, const struct error *err)
{
	struct recording *rec = w->owner;
	struct error *own = rpc_call_error(rec->call);

	if (r < 0) {
		rpc_call_finish(rec->call, r, err);
		return;
	}
	rec->ret->progress = lesson_to_proto(rpc_arena(rec->call), &w->merged);
	rpc_call_finish(rec->call, arena_check(rpc_arena(rec->call), own), own);
}

static int submit(struct recording *rec, const struct lesson_info *lesson,
		  const struct progress_access *access, struct error *err)
{
	struct app *app = app_of(rec->call);
	int r = report_admit(&rec->write.report, lesson, access, app_now_us(rec->call), err);

	if (r == 0)
		r = app_new_ids(rec->call, APP_IDS(&rec->write.event_id), err);
	if (r < 0)
		return r;
	r = rpc_defer(rec->call);
	if (!combiner_submit(app->progress, &rec->write)) {
		struct error *full = rpc_call_error(rec->call);
		error_raise(full, &RPC_REASON_OVERLOADED,
			    "Too many progress reports wait; nothing was recorded.");
		rpc_call_finish(rec->call, error_set_retry(full, 100), full);
	}
	return r;
}

/* Whoever never was enrolled learns of a lesson only what ListLessons would show him. */
static int check_lesson_visible(struct rpc_call *call, const struct lesson_info *lesson, struct error *err)
{
	struct course_terms course;
	int r = course_terms_read(db_of(call), rpc_arena(call), lesson->course_id, NULL, &course, err);

	if (r < 0)
		return r;
	return course_visible_to(&course, rpc_principal(call)) ? 0 : lesson_not_found(err, lesson->lesson_id);
}

/* What memory did not have, or what would refuse the report, is read; the learner's next report stays on the
 * poller. */
static int load_and_submit(struct rpc_call *call, void *state, struct error *err)
{
	struct recording *rec = state;
	struct app *app = app_of(call);
	struct db_conn *conn = db_of(call);
	struct progress_access access;
	struct lesson_info lesson;
	int r = lesson_info_read(app->lessons, conn, rec->write.report.lesson_id, &lesson, err);

	if (r == 0)
		r = progress_access_read(app->access, conn, rpc_arena(call), rec->write.report.user_id,
					 lesson.course_id, &access, err);
	if (r == 0 && !access.enrolled)
		r = check_lesson_visible(call, &lesson, err);
	return r < 0 ? r : submit(rec, &lesson, &access, err);
}

static int record_progress(struct rpc_call *call, const RecordProgressRequest *req,
			   RecordProgressResponse *ret, struct error *err)
{
	const struct app *app = app_of(call);
	struct recording *rec = arena_zalloc(rpc_arena(call), sizeof(*rec));
	struct progress_access access;
	struct lesson_info lesson;

	if (!rec)
		return arena_full(err);
	rec->call = call;
	rec->ret = ret;
	rec->write.owner = rec;
	rec->write.done = recorded;
	rec->write.deadline_us = rpc_deadline_us(call);
	int r = report_read(req, rpc_principal(call)->user_id, &rec->write.report, err);
	if (r < 0)
		return r;
	if (lesson_info_cached(app->lessons, rec->write.report.lesson_id, &lesson) &&
	    progress_access_cached(app->access, rec->write.report.user_id, lesson.course_id, &access) &&
	    report_has_access(&rec->write.report, &access))
		return submit(rec, &lesson, &access, err);
	return rpc_run_on(call, RPC_ON_DB, load_and_submit, rec);
}

EDU_SERVICE_RECORD_PROGRESS(record_progress, RPC_ON_POLLER, .hot = true);

/* --- who may read whose --- */

/* Who may read any learner does so; others, as the course's instructors. */
static int check_learner_reader(struct rpc_call *call, int64_t course_id, int64_t user_id, struct error *err)
{
	const struct principal *who = rpc_principal(call);
	struct course_terms course;

	if (user_id == who->user_id)
		return rpc_subject(call, user_id, false, err);
	int r = course_terms_read(db_of(call), rpc_arena(call), course_id, NULL, &course, err);
	if (r < 0 || rpc_subject(call, user_id, course_taught_by(&course, who), err) == 0)
		return r;
	return course_refused(course_visible_to(&course, who), course_id, err);
}

/* --- GetCourseProgress --- */

static int by_lesson(const void *key, const void *item)
{
	int64_t wanted = *(const int64_t *)key, id = ((const struct progress_lesson *)item)->lesson_id;

	return (wanted > id) - (wanted < id);
}

static void add_lesson(CourseProgress *ret, const struct progress_lesson *p)
{
	ret->lessons_completed += p->completed;
	ret->learning_seconds += p->learning_seconds;
	ret->interactions += p->interactions;
	ret->questions += p->questions;
}

/* The course's lessons in their order, each with what was recorded of it, and the sums. */
static int add_lessons(struct arena *arena, CourseProgress *ret, const struct lesson_info *lessons,
		       unsigned n_lessons, const struct progress_lesson *done, unsigned n_done,
		       struct error *err)
{
	int64_t weight = 0, weight_completed = 0, last_us = 0;

	ret->lessons_total = (int32_t)n_lessons;
	ret->lessons = arena_array(arena, n_done, sizeof(*ret->lessons));
	for (unsigned i = 0; ret->lessons && i < n_lessons; i++) {
		const struct progress_lesson *p =
			n_done ? bsearch(&lessons[i].lesson_id, done, n_done, sizeof(*done), by_lesson)
			       : NULL;
		weight += lessons[i].weight;
		if (!p)
			continue;
		weight_completed += p->completed ? lessons[i].weight : 0;
		last_us = p->last_us > last_us ? p->last_us : last_us;
		add_lesson(ret, p);
		ret->lessons[ret->n_lessons++] = lesson_to_proto(arena, p);
	}
	ret->completed_basis_points = weight ? (int32_t)(weight_completed * 10000 / weight) : 0;
	ret->last_activity_time = app_timestamp(arena, last_us);
	return arena_check(arena, err);
}

static int read_course_progress(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
				int64_t epoch, CourseProgress *ret, struct error *err)
{
	struct progress_lesson *done = NULL;
	struct lesson_info *lessons = NULL;
	unsigned n_done = 0, n_lessons = 0;
	int r = lesson_info_list(conn, arena, course_id, &lessons, &n_lessons, err);

	if (r == 0)
		r = progress_store_lesson_list(conn, arena, user_id, course_id, epoch, &done, &n_done, err);
	return r < 0 ? r : add_lessons(arena, ret, lessons, n_lessons, done, n_done, err);
}

static int get_course_progress(struct rpc_call *call, const GetCourseProgressRequest *req,
			       GetCourseProgressResponse *ret, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct db_conn *conn = db_of(call);
	int64_t user_id = user_or_caller(rpc_principal(call), req->user_id), start_us;
	int64_t course_id = course_id_of(req->course_id);
	CourseProgress *progress = codec_new(COURSE_PROGRESS_DESC, arena);

	if (!progress)
		return arena_full(err);
	int r = check_learner_reader(call, course_id, user_id, err);
	if (r < 0)
		return r;
	r = progress_store_epoch(conn, user_id, course_id, &progress->epoch, &start_us, err);
	if (r == 0)
		return error_raise(err, &REASON_ENROLLMENT_NOT_FOUND,
				   "The user was never enrolled in the course.");
	if (r > 0)
		r = read_course_progress(conn, arena, user_id, course_id, progress->epoch, progress, err);
	progress->course_id = req->course_id;
	progress->user_id = app_id(arena, ID_USER, user_id);
	ret->progress = progress;
	return r;
}

EDU_SERVICE_GET_COURSE_PROGRESS(get_course_progress, RPC_ON_DB);

/* --- ListEnrollments --- */

struct enrollment_query {
	int64_t user_id, course_id; /* 0: not asked for */
	int64_t after;              /* the last user or course of the page before */
	struct page page;
};

/* All of a course's learners are shown to who acts for the course alone. */
static int check_learners_reader(struct rpc_call *call, int64_t course_id, struct error *err)
{
	const struct principal *who = rpc_principal(call);
	struct course_terms course;
	int r = course_terms_read(db_of(call), rpc_arena(call), course_id, NULL, &course, err);

	if (r < 0)
		return r;
	if (!course_taught_by(&course, who) && !principal_has_role(who, ROLE_MASK_ADMIN))
		return course_refused(course_visible_to(&course, who), course_id, err);
	return rpc_subject(call, course_id, true, err);
}

static int check_enrollment_reader(struct rpc_call *call, const struct enrollment_query *q, struct error *err)
{
	if (!q->user_id)
		return check_learners_reader(call, q->course_id, err);
	int r = rpc_subject(call, q->user_id, false, err);
	return r < 0 && q->course_id ? check_learner_reader(call, q->course_id, q->user_id, err) : r;
}

static int read_enrollments(struct rpc_call *call, const struct enrollment_query *q,
			    struct progress_enrollment **ret, unsigned *ret_n, struct error *err)
{
	struct db_conn *conn = db_of(call);
	struct arena *arena = rpc_arena(call);

	if (q->user_id && q->course_id)
		return progress_store_enrollment(conn, arena, q->user_id, q->course_id, ret, ret_n, err);
	if (q->course_id)
		return progress_store_enrollments_of_course(conn, arena, q->course_id, q->after,
							    q->page.limit, ret, ret_n, err);
	return progress_store_enrollments_of_user(conn, arena, q->user_id, q->after, q->page.limit, ret,
						  ret_n, err);
}

static Access *access_to_proto(struct arena *arena, const struct enrollment_grant *g)
{
	Access *ret = codec_new(ACCESS_DESC, arena);

	if (!ret)
		return NULL;
	ret->grant_id = app_id(arena, ID_GRANT, g->grant_id);
	ret->source = (AccessSource)g->source;
	ret->purchase_id = app_id(arena, ID_PURCHASE, g->purchase_id);
	ret->scope = ACCESS_SCOPE_COURSE;
	ret->start_time = app_timestamp(arena, g->start_us);
	ret->expire_time = app_timestamp(arena, g->expire_us);
	ret->revoke_time = app_timestamp(arena, g->revoke_us);
	return ret;
}

static void put_accesses(struct arena *arena, const char *grants, Enrollment *ret)
{
	ret->accesses = arena_array(arena, ENROLLMENT_ACCESSES_MAX_ITEMS, sizeof(*ret->accesses));
	for (struct enrollment_grant g; ret->accesses && ret->n_accesses < ENROLLMENT_ACCESSES_MAX_ITEMS &&
					enrollment_grant_next(&grants, &g);)
		ret->accesses[ret->n_accesses++] = access_to_proto(arena, &g);
}

static Enrollment *enrollment_to_proto(struct arena *arena, const struct progress_enrollment *e,
				       int64_t now_us)
{
	Enrollment *ret = codec_new(ENROLLMENT_DESC, arena);

	if (!ret)
		return NULL;
	ret->user_id = app_id(arena, ID_USER, e->user_id);
	ret->course_id = app_id(arena, ID_COURSE, e->course_id);
	ret->state = enrollment_state_at(e->grants, now_us);
	put_accesses(arena, e->grants, ret);
	ret->start_time = app_timestamp(arena, e->start_us);
	ret->epoch = e->epoch;
	ret->lessons_completed = (int32_t)e->lessons_completed;
	ret->lessons_total = (int32_t)e->lessons_total;
	ret->last_activity_time = app_timestamp(arena, e->last_us);
	return ret;
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
	struct enrollment_query q = {.course_id = course_id_of(req->course_id)};
	struct progress_enrollment *rows = NULL;
	unsigned n = 0;

	if (*req->user_id || !q.course_id)
		q.user_id = user_or_caller(rpc_principal(call), req->user_id);
	int r = check_enrollment_reader(call, &q, err);
	if (r == 0)
		r = page_open(&q.page, call, PAGE_OF(req), &q.after, sizeof(q.after), err);
	if (r == 0)
		r = read_enrollments(call, &q, &rows, &n, err);
	if (r == 0 && page_goes_on(&q.page, &n)) {
		const int64_t *last = q.course_id ? &rows[n - 1].user_id : &rows[n - 1].course_id;
		ret->next_page_token = page_next(&q.page, last);
	}
	return r < 0 ? r : enrollments_to_proto(rpc_arena(call), rows, n, app_now_us(call), ret, err);
}

EDU_SERVICE_LIST_ENROLLMENTS(list_enrollments, RPC_ON_DB);
