/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "edu/v1/edu_service.server.h"
#include "proto/runtime/array.h"
#include "proto/runtime/codec.h"
#include "proto/runtime/money.h"
#include "server/access/access.h"
#include "server/access/enrollment.h"
#include "server/app/app.h"
#include "server/course/course.h"
#include "server/course/course_names.h"
#include "server/course/lesson.h"
#include "server/progress/course_progress.h"
#include "server/progress/coverage.h"
#include "server/progress/enrollment_reader.h"
#include "server/progress/progress_report.h"
#include "server/progress/progress_store.h"
#include "server/progress/progress_write.h"
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

static int submit(struct recording *rec, const struct lesson_info *lesson, const struct access *access,
		  struct error *err)
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
static int check_lesson_seen(struct rpc_call *call, const struct lesson_info *lesson, struct error *err)
{
	struct course_terms course;
	int r = course_terms_seen(call, lesson->course_id, NULL, &course, err);

	return r == -STATUS_NOT_FOUND ? lesson_not_found(err, lesson->lesson_id) : r;
}

static struct access_query query_of(const struct report *r, const struct lesson_info *lesson)
{
	return (struct access_query){r->user_id, lesson->course_id, report_has_access, r};
}

/* What memory did not have, or what would refuse the report, is read; the learner's next report stays on the
 * poller. */
static int load_and_submit(struct rpc_call *call, void *state, struct error *err)
{
	struct recording *rec = state;
	struct app *app = app_of(call);
	struct db_conn *conn = db_of(call);
	struct access access;
	struct lesson_info lesson;
	int r = lesson_info_read(app->lessons, conn, rec->write.report.lesson_id, &lesson, err);
	if (r < 0)
		return r;
	const struct access_query q = query_of(&rec->write.report, &lesson);
	r = access_read(app->access, conn, rpc_arena(call), &q, app_now_us(call), &access, err);
	if (r == 0 && !access.enrolled)
		r = check_lesson_seen(call, &lesson, err);
	return r < 0 ? r : submit(rec, &lesson, &access, err);
}

static int record_progress(struct rpc_call *call, const RecordProgressRequest *req,
			   RecordProgressResponse *ret, struct error *err)
{
	const struct app *app = app_of(call);
	struct recording *rec = arena_zalloc(rpc_arena(call), sizeof(*rec));
	struct access access;
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
	if (!lesson_info_cached(app->lessons, rec->write.report.lesson_id, &lesson))
		return rpc_run_on(call, RPC_ON_DB, load_and_submit, rec);
	const struct access_query q = query_of(&rec->write.report, &lesson);
	if (access_cached(app->access, rpc_arena(call), &q, &access))
		return submit(rec, &lesson, &access, err);
	return rpc_run_on(call, RPC_ON_DB, load_and_submit, rec);
}

EDU_SERVICE_RECORD_PROGRESS(record_progress, RPC_ON_POLLER, .hot = true);

/* --- GetCourseProgress --- */

static int by_lesson(const void *key, const void *item)
{
	int64_t wanted = *(const int64_t *)key, id = ((const struct progress_lesson *)item)->lesson_id;

	return ORDER(wanted, id);
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
	ret->completed_basis_points = weight ? (int32_t)(weight_completed * BASIS_POINTS / weight) : 0;
	ret->last_activity_time = app_timestamp(arena, last_us);
	return arena_check(arena, err);
}

int course_progress_read(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
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
	int r = enrollment_check_reader(call, conn, user_id, course_id, err);
	if (r < 0)
		return r;
	r = enrollment_read(conn, user_id, course_id, &progress->epoch, &start_us, err);
	if (r == 0)
		return error_raise(err, &REASON_ENROLLMENT_NOT_FOUND,
				   "The user was never enrolled in the course.");
	if (r > 0)
		r = course_progress_read(conn, arena, user_id, course_id, progress->epoch, progress, err);
	progress->course_id = req->course_id;
	progress->user_id = app_id(arena, ID_USER, user_id);
	ret->progress = progress;
	return r;
}

EDU_SERVICE_GET_COURSE_PROGRESS(get_course_progress, RPC_ON_DB);
