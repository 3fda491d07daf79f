/* SPDX-License-Identifier: Apache-2.0 */
#include "server/progress/progress_report.h"

#include <inttypes.h>

#include "proto/runtime/ids.h"
#include "proto/runtime/uuid.h"
#include "server/app/app.h"
#include "server/course/course_names.h"
#include "server/progress/coverage.h"

enum { US = 1000000 };

static int check_times(const struct report *r, struct error *err)
{
	if (r->start_us > r->client_us)
		return error_field(err, "session_start_time", "must not be after client_time");
	return 0;
}

/* Adds to what an earlier check raised, so that the caller sees both. */
static int check_interval(const struct report *r, int so_far, struct error *err)
{
	if (!r->has_interval || r->interval_start_ms <= r->interval_end_ms)
		return so_far;
	if (so_far == 0)
		return error_field(err, "interval.end_ms", "must not be below start_ms");
	return error_add_violation(err, "interval.end_ms", "must not be below start_ms");
}

int report_read(const RecordProgressRequest *req, int64_t caller_id, struct report *ret, struct error *err)
{
	*ret = (struct report){
		.user_id = caller_id,
		.lesson_id = id_of(ID_LESSON, req->lesson_id),
		.epoch = req->epoch,
		.client_us = app_timestamp_us(req->client_time),
		.start_us = app_timestamp_us(req->session_start_time),
		.learning_seconds = req->learning_seconds,
		.interactions = req->interactions,
		.questions = req->questions,
		.has_coverage = req->coverage != 0,
		.coverage = req->coverage,
		.has_interval = req->interval != NULL,
		.position_seconds = req->position_seconds,
		.completed = req->completed,
	};
	if (req->interval) {
		ret->interval_start_ms = req->interval->start_ms;
		ret->interval_end_ms = req->interval->end_ms;
	}
	uuid_of(req->session_id, ret->session_id);
	return check_interval(ret, check_times(ret, err), err);
}

static int raise_clock_skew(int64_t now_us, struct error *err)
{
	error_raise(err, &REASON_CLOCK_SKEW,
		    "The client_time is ahead of the server's clock; correct it by the difference.");
	return app_add_time(err, "server_time", now_us);
}

static int check_clock(const struct report *r, int64_t now_us, struct error *err)
{
	if (r->client_us > now_us + (int64_t)REPORT_AHEAD_SECONDS * US)
		return raise_clock_skew(now_us, err);
	if (r->client_us < now_us - (int64_t)REPORT_AGE_SECONDS * US)
		return error_raise(err, &REASON_PROGRESS_TOO_OLD,
				   "The client_time is more than 30 days ago; drop the report.");
	return 0;
}

/* Access is asked about the time of learning, so that what was learnt offline before a refund still counts. A
 * clock that runs behind by as much as it may run ahead does not lose the first minutes after a purchase. */
static bool covered(const struct report *r, const struct access *access)
{
	int64_t late_us = r->client_us + (int64_t)REPORT_AHEAD_SECONDS * US;

	return access->enrolled && (access_covers(access, r->client_us) || access_covers(access, late_us));
}

bool report_has_access(const struct access *access, const void *report)
{
	const struct report *r = report;

	return r->epoch == access->epoch && covered(r, access);
}

/* Whether it is the clock or the access that is missing, the client tells by both times. Who has access and
 * has not enrolled need only do that. */
static int raise_not_enrolled(const struct access *access, int64_t now_us, struct error *err)
{
	if (!access->enrolled && access_lasts(access, now_us))
		error_raise(err, &REASON_NOT_ENROLLED,
			    "The learner has access to the lesson's course and is not enrolled in it; call "
			    "EnrollInCourse first.");
	else
		error_raise(err, &REASON_NOT_ENROLLED,
			    "The learner had no access to the lesson's course at client_time.");
	if (access->enrolled)
		app_add_time(err, "access_start_time", access->start_us);
	else if (access->n_windows)
		app_add_time(err, "access_start_time", access_first_us(access));
	return app_add_time(err, "server_time", now_us);
}

static int check_access(const struct report *r, const struct access *access, int64_t now_us,
			struct error *err)
{
	if (!covered(r, access))
		return raise_not_enrolled(access, now_us, err);
	if (r->epoch < access->epoch) {
		error_raise(err, &REASON_STALE_EPOCH,
			    "The progress was reset: the report's epoch is over; drop it.");
		return error_add_metadata(err, "epoch", "%" PRId64, access->epoch);
	}
	if (r->epoch > access->epoch)
		return error_field(err, "epoch", "must be at most the current epoch, is %" PRId64, r->epoch);
	return 0;
}

/* Bounded by the report's own times, never by when it came: a report is admitted later as well as now. */
static int check_session(struct report *r, const struct access *access, struct error *err)
{
	if (r->client_us - r->start_us > (int64_t)REPORT_SESSION_SECONDS * US)
		return error_raise(err, &REASON_SESSION_TOO_LONG,
				   "The session started more than 24 hours before client_time; begin a new "
				   "one.");
	if (r->start_us < access->epoch_us)
		r->start_us = access->epoch_us;
	return 0;
}

static int mismatch(const struct lesson_info *lesson, int so_far, bool wrong, const char *field,
		    struct error *err)
{
	if (!wrong)
		return so_far;
	return error_precondition(err, so_far, &REASON_LESSON_KIND_MISMATCH,
				  "The lesson is of another kind; leave out what does not fit it.", field,
				  "does not fit a lesson of kind %s; leave it out",
				  LessonKind_name(lesson->kind));
}

enum completion { BY_COVERAGE, BY_PASSING, BY_CLIENT };

/* What completes a lesson. */
static enum completion completion_of(enum lesson_kind kind)
{
	switch (kind) {
	case LESSON_VIDEO:
		return BY_COVERAGE;
	case LESSON_TEXT:
	case LESSON_EXERCISE:
	case LESSON_LIVE:
		return BY_CLIENT;
	case LESSON_QUIZ:
		break;
	}
	return BY_PASSING;
}

static int check_kind(const struct report *r, const struct lesson_info *lesson, struct error *err)
{
	const enum completion by = completion_of(lesson->kind);

	int ret = mismatch(lesson, 0, r->has_coverage && by != BY_COVERAGE, "coverage", err);
	ret = mismatch(lesson, ret, r->has_interval && by != BY_COVERAGE, "interval", err);
	return mismatch(lesson, ret, r->completed && by != BY_CLIENT, "completed", err);
}

int report_admit(struct report *r, const struct lesson_info *lesson, const struct access *access,
		 int64_t now_us, struct error *err)
{
	r->course_id = lesson->course_id;
	int ret = check_clock(r, now_us, err);
	if (ret == 0)
		ret = check_access(r, access, now_us, err);
	if (ret == 0)
		ret = check_session(r, access, err);
	if (ret == 0)
		ret = check_kind(r, lesson, err);
	if (ret == 0 && r->has_interval)
		r->coverage |= coverage_of_interval(r->interval_start_ms, r->interval_end_ms,
						    lesson->duration_seconds * 1000);
	return ret;
}
