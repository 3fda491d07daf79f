/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/access/access_names.h"
#include "server/course/course_names.h"
#include "server/course/lesson.h"
#include "server/db/lease.h"
#include "server/purchase/purchase_names.h"
#include "server/user/user_names.h"
#include "tests/lib/testserver.h"
#include "tests/lib/threads.h"

/* RecordProgress, GetCourseProgress and ListEnrollments, from the channel to the tables. */

#define US INT64_C(1000000)

enum { VIDEO, TEXT, QUIZ, EXERCISE, LIVE }; /* the lessons of the course, in their order */

struct world {
	struct testserver *t;
	struct testuser teacher, rival, admin, support;
	struct testuser former;   /* the teacher, once INSTRUCTOR no more */
	struct testcourse course; /* free */
};

static const int all_kinds[] = {LESSON_VIDEO, LESSON_TEXT, LESSON_QUIZ, LESSON_EXERCISE, LESSON_LIVE, 0};
static const int one_text[] = {LESSON_TEXT, 0};

static int64_t now_us(const struct world *w)
{
	return clock_now_us(w->t->config.clock);
}

/* --- the database, directly --- */

#define run_sql(w, ...) testdb_do((w)->t->db, __VA_ARGS__)
#define number(w, ...) testdb_numberf((w)->t->db, __VA_ARGS__)

static void make_enrollment(const struct world *w, const struct testuser *u, const struct testcourse *c)
{
	run_sql(w,
		"INSERT IGNORE INTO enrollment (user_id, course_id, start_time) VALUES (%" PRId64 ", %" PRId64
		", %" PRId64 ")",
		u->user_id, c->course_id, now_us(w));
}

/* A grant without an event: nobody is told. Times of 0 are NULL. */
static int64_t make_grant(const struct world *w, const struct testuser *u, const struct testcourse *c,
			  int64_t start_us, int64_t expire_us, int64_t revoke_us)
{
	int64_t grant_id = testserver_new_id(w->t);

	make_enrollment(w, u, c);
	run_sql(w,
		"INSERT INTO access_grant (grant_id, user_id, scope_kind, scope_id, source_kind, source_id, "
		"start_time, expire_time, revoke_time) VALUES (%" PRId64 ", %" PRId64 ", 1, %" PRId64
		", 2, 1, %" PRId64 ", NULLIF(%" PRId64 ", 0), NULLIF(%" PRId64 ", 0))",
		grant_id, u->user_id, c->course_id, start_us, expire_us, revoke_us);
	return grant_id;
}

static void make_event(const struct world *w, const char *kind, const struct testuser *u,
		       const struct testcourse *c)
{
	run_sql(w,
		"INSERT INTO event (event_id, kind, subject_id, user_id, course_id, organization_id, "
		"create_time, payload) VALUES (%" PRId64 ", '%s', 1, %" PRId64 ", %" PRId64 ", 0, %" PRId64
		", '')",
		testserver_new_id(w->t), kind, u->user_id, c->course_id, now_us(w));
}

/* --- calls --- */

static void buy_free(const struct world *w, const struct testuser *u, const struct testcourse *c)
{
	PurchaseCourseRequest req = PURCHASE_COURSE_REQUEST_INIT;
	Money nothing = MONEY_INIT;
	struct client_call_options options = as(u);
	PurchaseCourseResponse *reply;
	char key[37];
	struct error err;
	int r;

	nothing.currency_code = req.currency_code = (char *)"EUR";
	req.course_id = (char *)c->id;
	req.expected_total = &nothing;
	req.payment_source = EDU__V1__PAYMENT_SOURCE__PAYMENT_SOURCE_WALLET;
	req.request_id = new_request_id(key);
	r = edu_service_purchase_course_call(w->t->channel, &req, &options, &w->t->arena, &reply, &err);
	assert_ok(r, &err);
}

/* As if the learner had bought before: what was learnt before access began is not credited. */
static void bought_ago(const struct world *w, const struct testuser *u, int64_t us)
{
	static const char *const tables[] = {"enrollment", "access_grant"};

	for (unsigned i = 0; i < 2; i++)
		run_sql(w, "UPDATE %s SET start_time = start_time - %" PRId64 " WHERE user_id = %" PRId64,
			tables[i], us, u->user_id);
}

static void new_learner(const struct world *w, struct testuser *ret)
{
	testserver_user(w->t, NULL, 0, ret);
	buy_free(w, ret, &w->course);
	bought_ago(w, ret, 60 * MINUTE_US);
}

/* A report one can change before it is sent. */
struct saying {
	RecordProgressRequest req;
	Google__Protobuf__Timestamp client, start;
	MediaInterval interval;
	char session[37];
};

static void set_time(Google__Protobuf__Timestamp *t, int64_t us)
{
	t->seconds = us / US;
	t->nanos = (int32_t)(us % US * 1000);
}

/* Of one minute of learning until `at_us`, in a session of its own. */
static void saying_init(struct saying *s, const char *lesson_id, int64_t at_us)
{
	*s = (struct saying){.req = RECORD_PROGRESS_REQUEST_INIT, .interval = MEDIA_INTERVAL_INIT};
	google__protobuf__timestamp__init(&s->client);
	google__protobuf__timestamp__init(&s->start);
	set_time(&s->client, at_us);
	set_time(&s->start, at_us - MINUTE_US);
	s->req.lesson_id = (char *)lesson_id;
	s->req.session_id = new_request_id(s->session);
	s->req.client_time = &s->client;
	s->req.session_start_time = &s->start;
}

static void say_interval(struct saying *s, int64_t start_ms, int64_t end_ms)
{
	s->interval.start_ms = start_ms;
	s->interval.end_ms = end_ms;
	s->req.interval = &s->interval;
}

static int record_at(struct client_channel *channel, struct arena *arena, const struct testuser *u,
		     const struct saying *s, LessonProgress **ret, struct error *err)
{
	struct client_call_options options = as(u);
	RecordProgressResponse *reply;
	int r = edu_service_record_progress_call(channel, &s->req, &options, arena, &reply, err);

	if (r >= 0 && ret)
		*ret = reply->progress;
	return r;
}

static int record(const struct world *w, const struct testuser *u, const struct saying *s,
		  LessonProgress **ret, struct error *err)
{
	return record_at(w->t->channel, &w->t->arena, u, s, ret, err);
}

static LessonProgress *record_ok(const struct world *w, const struct testuser *u, const struct saying *s)
{
	LessonProgress *progress = NULL;
	struct error err;
	int r = record(w, u, s, &progress, &err);

	assert_ok(r, &err);
	return progress;
}

static void record_refused(const struct world *w, const struct testuser *u, const struct saying *s,
			   const char *reason)
{
	struct error err;
	int r = record(w, u, s, NULL, &err);

	assert_reason(r, &err, reason);
}

static int get(const struct world *w, const struct testuser *who, const char *course_id, const char *user_id,
	       CourseProgress **ret, struct error *err)
{
	GetCourseProgressRequest req = GET_COURSE_PROGRESS_REQUEST_INIT;
	struct client_call_options options = as(who);
	GetCourseProgressResponse *reply;
	int r;

	req.course_id = (char *)course_id;
	if (user_id)
		req.user_id = (char *)user_id;
	r = edu_service_get_course_progress_call(w->t->channel, &req, &options, &w->t->arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->progress;
	return r;
}

static CourseProgress *get_ok(const struct world *w, const struct testuser *who, const char *course_id,
			      const char *user_id)
{
	CourseProgress *progress = NULL;
	struct error err;
	int r = get(w, who, course_id, user_id, &progress, &err);

	assert_ok(r, &err);
	return progress;
}

static void get_refused(const struct world *w, const struct testuser *who, const char *course_id,
			const char *user_id, const char *reason)
{
	struct error err;
	int r = get(w, who, course_id, user_id, NULL, &err);

	assert_reason(r, &err, reason);
}

struct listing {
	const char *user_id, *course_id, *page_token;
	int page_size;
};

static int list(const struct world *w, const struct testuser *who, struct listing l,
		ListEnrollmentsResponse **ret, struct error *err)
{
	ListEnrollmentsRequest req = LIST_ENROLLMENTS_REQUEST_INIT;
	struct client_call_options options = as(who);
	ListEnrollmentsResponse *reply;
	int r;

	req.user_id = (char *)(l.user_id ? l.user_id : "");
	req.course_id = (char *)(l.course_id ? l.course_id : "");
	req.page_token = (char *)(l.page_token ? l.page_token : "");
	req.page_size = l.page_size;
	r = edu_service_list_enrollments_call(w->t->channel, &req, &options, &w->t->arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply;
	return r;
}

static ListEnrollmentsResponse *list_ok(const struct world *w, const struct testuser *who, struct listing l)
{
	ListEnrollmentsResponse *reply = NULL;
	struct error err;
	int r = list(w, who, l, &reply, &err);

	assert_ok(r, &err);
	return reply;
}

static void list_refused(const struct world *w, const struct testuser *who, struct listing l,
			 const char *reason)
{
	struct error err;
	int r = list(w, who, l, NULL, &err);

	assert_reason(r, &err, reason);
}

static const struct listing own = {0};

/* --- RecordProgress: what is recorded --- */

static void test_record_answers_the_merged_row(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct saying s;
	int64_t at_us = now_us(w) / US * US;

	new_learner(w, &u);
	saying_init(&s, w->course.lessons[VIDEO], at_us);
	s.req.learning_seconds = 40;
	s.req.interactions = 5;
	s.req.questions = 2;
	s.req.position_seconds = 35;
	s.req.coverage = 1;
	say_interval(&s, 10000, 39999); /* a slice of 640 s is 10 s: the second and the third */
	LessonProgress *p = record_ok(w, &u, &s);
	assert_string_equal(p->lesson_id, w->course.lessons[VIDEO]);
	assert_int_equal(p->epoch, 0);
	assert_int_equal(p->coverage, 7);
	assert_int_equal(p->covered_slices, 3);
	assert_int_equal(p->position_seconds, 35);
	assert_false(p->completed);
	assert_null(p->complete_time);
	assert_int_equal(p->learning_seconds, 40);
	assert_int_equal(p->interactions, 5);
	assert_int_equal(p->questions, 2);
	assert_int_equal(p->session_count, 1);
	assert_int_equal(p->last_activity_time->seconds, at_us / US);
}

static void test_record_again_changes_nothing(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct saying s;

	new_learner(w, &u);
	saying_init(&s, w->course.lessons[TEXT], now_us(w));
	s.req.learning_seconds = 40;
	s.req.interactions = 5;
	s.req.completed = true;
	LessonProgress *first = record_ok(w, &u, &s);
	w->t->clock.ahead_us += MINUTE_US;
	LessonProgress *second = record_ok(w, &u, &s);
	assert_int_equal(second->learning_seconds, 40);
	assert_int_equal(second->interactions, 5);
	assert_int_equal(second->session_count, 1);
	assert_true(first->completed && second->completed);
	assert_int_equal(first->complete_time->seconds, second->complete_time->seconds);
	assert_int_equal(first->complete_time->nanos, second->complete_time->nanos);
	assert_int_equal(number(w,
				"SELECT COUNT(*) FROM event WHERE kind = 'progress.lesson_completed' AND "
				"user_id = %" PRId64,
				u.user_id),
			 1);
}

static void test_credit_is_never_above_the_session(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct saying s;

	new_learner(w, &u);
	saying_init(&s, w->course.lessons[TEXT], now_us(w));
	s.req.learning_seconds = 2592000;
	assert_int_equal(record_ok(w, &u, &s)->learning_seconds, 60);
	s.start.seconds -= 60; /* a late report that the session began earlier */
	s.req.learning_seconds = 0;
	assert_int_equal(record_ok(w, &u, &s)->learning_seconds, 120);
}

/* One report right after the purchase, and reports that chain one session over days. */
static void test_credit_has_bounds(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct saying s;
	struct error err;
	int64_t credited = 0;

	testserver_user(w->t, NULL, 0, &u);
	buy_free(w, &u, &w->course);
	saying_init(&s, w->course.lessons[TEXT], now_us(w) + 4 * MINUTE_US);
	s.req.learning_seconds = 2592000;
	set_time(&s.start, now_us(w) - 30 * DAY_US);
	int r = record(w, &u, &s, NULL, &err);
	assert_reason(r, &err, "SESSION_TOO_LONG");
	assert_int_equal(err.code, STATUS_OUT_OF_RANGE);
	s.start.seconds = INT64_C(-62135596800); /* year 1 */
	record_refused(w, &u, &s, "SESSION_TOO_LONG");
	set_time(&s.start, now_us(w) - DAY_US + 10 * MINUTE_US);
	credited = record_ok(w, &u, &s)->learning_seconds;
	assert_in_range(credited, 200, 300); /* the 4 minutes, and what the test has taken */

	new_learner(w, &u);
	bought_ago(w, &u, 4 * DAY_US);
	saying_init(&s, w->course.lessons[TEXT], 0);
	s.req.learning_seconds = 2592000;
	for (int day = 3; day > 0; day--) {
		set_time(&s.client, now_us(w) - day * DAY_US);
		set_time(&s.start, now_us(w) - (day + 1) * DAY_US);
		credited = record_ok(w, &u, &s)->learning_seconds;
	}
	assert_int_equal(credited, 86400);
}

/* A phone whose clock is behind tells its own fault from a missing purchase. */
static void test_not_enrolled_tells_the_times(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct saying s;
	struct error err;

	new_learner(w, &u);
	saying_init(&s, w->course.lessons[TEXT], now_us(w) - DAY_US);
	int r = record(w, &u, &s, NULL, &err);
	assert_reason(r, &err, "NOT_ENROLLED");
	assert_int_equal(err.n_metadata, 2);
	assert_string_equal(err.metadata[0].key, "access_start_time");
	assert_string_equal(err.metadata[1].key, "server_time");
	assert_true(strcmp(err.metadata[0].value, err.metadata[1].value) < 0);
}

static void test_a_video_completes_at_58_slices(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct saying s;

	new_learner(w, &u);
	saying_init(&s, w->course.lessons[VIDEO], now_us(w));
	s.req.coverage = UINT64_MAX >> 7; /* 57 of them */
	assert_false(record_ok(w, &u, &s)->completed);
	s.req.coverage = UINT64_C(1) << 63;
	LessonProgress *p = record_ok(w, &u, &s);
	assert_int_equal(p->covered_slices, 58);
	assert_true(p->completed);
	assert_non_null(p->complete_time);
}

/* --- RecordProgress: what is refused --- */

static void test_record_tells_every_violation(void **state)
{
	static const char *const fields[] = {
		"user_id",          "lesson_id",         "epoch",       "session_id",
		"learning_seconds", "interactions",      "questions",   "position_seconds",
		"interval.end_ms",  "interval.start_ms", "client_time", "session_start_time",
	};
	struct world *w = *state;
	struct testuser u;
	struct saying s;
	struct error err;

	testserver_user(w->t, NULL, 0, &u);
	saying_init(&s, w->course.id, now_us(w));
	s.req.user_id = (char *)"les_0000000000001";
	s.req.epoch = -1;
	s.req.session_id = (char *)"not-a-uuid";
	s.req.learning_seconds = INT64_MIN;
	s.req.interactions = 1000001;
	s.req.questions = INT64_MAX;
	s.req.position_seconds = -1;
	say_interval(&s, -1, 604800001);
	s.client.seconds = INT64_MAX;
	s.req.session_start_time = NULL;
	int r = record(w, &u, &s, NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
		bool found = false;
		for (unsigned j = 0; j < err.n_violations; j++)
			found |= !strncmp(err.violations[j].field, fields[i], strlen(fields[i]));
		if (!found)
			fail_msg("no violation of %s", fields[i]);
	}
	assert_int_equal(err.n_violations, ARRAY_SIZE(fields));
}

static void test_record_refuses_an_empty_request(void **state)
{
	struct world *w = *state;
	RecordProgressRequest req = RECORD_PROGRESS_REQUEST_INIT;
	struct client_call_options options = as(&w->teacher);
	RecordProgressResponse *reply;
	struct error err;

	int r = edu_service_record_progress_call(w->t->channel, &req, &options, &w->t->arena, &reply, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "lesson_id");
	assert_violation(&err, "session_id");
	assert_violation(&err, "client_time");
	assert_violation(&err, "session_start_time");
	assert_int_equal(err.n_violations, 4);
}

static void test_record_compares_its_times(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct saying s;
	struct error err;

	new_learner(w, &u);
	saying_init(&s, w->course.lessons[VIDEO], now_us(w));
	s.start.seconds += 61;
	say_interval(&s, 2, 1);
	int r = record(w, &u, &s, NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "session_start_time");
	assert_violation(&err, "interval.end_ms");
}

static void test_record_needs_a_valid_token(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct saying s;

	new_learner(w, &u);
	saying_init(&s, w->course.lessons[TEXT], now_us(w));
	record_refused(w, NULL, &s, "TOKEN_MISSING");
	get_refused(w, NULL, w->course.id, NULL, "TOKEN_MISSING");
	list_refused(w, NULL, own, "TOKEN_MISSING");
	w->t->clock.ahead_us += 60 * MINUTE_US;
	record_refused(w, &u, &s, "TOKEN_EXPIRED");
	get_refused(w, &u, w->course.id, NULL, "TOKEN_EXPIRED");
	list_refused(w, &u, own, "TOKEN_EXPIRED");
	w->t->clock.ahead_us -= 60 * MINUTE_US;
	record_ok(w, &u, &s);
	u.token[strlen(u.token) / 2] ^= 1;
	record_refused(w, &u, &s, "TOKEN_INVALID");
}

/* Not even by an administrator. */
static void test_record_is_for_oneself(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct saying s;

	new_learner(w, &u);
	saying_init(&s, w->course.lessons[TEXT], now_us(w));
	s.req.user_id = u.id;
	record_ok(w, &u, &s);
	record_refused(w, &w->admin, &s, "ROLE_MISSING");
	record_refused(w, &w->teacher, &s, "ROLE_MISSING");
}

static void test_record_needs_enrollment(void **state)
{
	struct world *w = *state;
	struct saying s;
	struct testuser u;
	char unknown[ID_TEXT_MAX];

	testserver_user(w->t, NULL, 0, &u);
	saying_init(&s, w->course.lessons[TEXT], now_us(w));
	record_refused(w, &u, &s, "NOT_ENROLLED");
	record_refused(w, &w->teacher, &s, "NOT_ENROLLED");
	s.req.lesson_id = id_format(ID_LESSON, 12345, unknown);
	record_refused(w, &u, &s, "LESSON_NOT_FOUND");
}

static void make_draft(const struct world *w, struct testcourse *ret)
{
	testserver_course(w->t, &w->teacher, 0, one_text, ret);
	run_sql(w, "UPDATE course SET stage = 1 WHERE course_id = %" PRId64, ret->course_id);
}

/* Whether there is such a lesson is not told either. */
static void test_record_hides_drafts(void **state)
{
	struct world *w = *state;
	struct testcourse draft;
	struct saying s;

	make_draft(w, &draft);
	saying_init(&s, draft.lessons[0], now_us(w));
	record_refused(w, &w->rival, &s, "LESSON_NOT_FOUND");
	record_refused(w, &w->teacher, &s, "NOT_ENROLLED");
}

static void test_record_compares_with_the_kind(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct saying s;
	struct error err;

	new_learner(w, &u);
	for (int lesson = VIDEO; lesson <= LIVE; lesson++) {
		bool completable = lesson != VIDEO && lesson != QUIZ;

		saying_init(&s, w->course.lessons[lesson], now_us(w));
		record_ok(w, &u, &s);
		s.req.completed = true;
		int r = record(w, &u, &s, NULL, &err);
		if (completable)
			assert_ok(r, &err);
		else
			assert_reason(r, &err, "LESSON_KIND_MISMATCH");
		if (lesson == VIDEO)
			continue;
		s.req.completed = !completable;
		s.req.coverage = 1;
		say_interval(&s, 0, 1000);
		r = record(w, &u, &s, NULL, &err);
		assert_reason(r, &err, "LESSON_KIND_MISMATCH");
		assert_violation(&err, "coverage");
		assert_violation(&err, "interval");
		assert_int_equal(err.n_violations, completable ? 2 : 3);
	}
}

static void test_record_refuses_clocks_far_off(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct saying s;
	struct error err;

	new_learner(w, &u);
	make_grant(w, &u, &w->course, now_us(w) - 60 * DAY_US, 0, 0);
	saying_init(&s, w->course.lessons[TEXT], now_us(w) + 6 * MINUTE_US);
	int r = record(w, &u, &s, NULL, &err);
	assert_reason(r, &err, "CLOCK_SKEW");
	assert_string_equal(err.metadata[0].key, "server_time");
	saying_init(&s, w->course.lessons[TEXT], now_us(w) + 4 * MINUTE_US);
	record_ok(w, &u, &s);
	saying_init(&s, w->course.lessons[TEXT], now_us(w) - 30 * DAY_US + MINUTE_US);
	record_ok(w, &u, &s);
	saying_init(&s, w->course.lessons[TEXT], now_us(w) - 30 * DAY_US - MINUTE_US);
	record_refused(w, &u, &s, "PROGRESS_TOO_OLD");
	/* What was too early is taken when its time has come. */
	saying_init(&s, w->course.lessons[TEXT], now_us(w) + 6 * MINUTE_US);
	w->t->clock.ahead_us += 2 * MINUTE_US;
	record_ok(w, &u, &s);
}

/* --- access --- */

static void test_record_counts_while_a_grant_covered_it(void **state)
{
	struct world *w = *state;
	int64_t base = now_us(w);
	const struct {
		int64_t at_us;
		bool covered;
	} cases[] = {
		{base - 21 * DAY_US, false}, {base - 19 * DAY_US, true},  /* the one that expired */
		{base - 16 * DAY_US, true},  {base - 14 * DAY_US, false}, /* or the one taken away */
		{base - 11 * DAY_US, false}, {base, false},
	};
	struct testuser u;
	struct saying s;

	testserver_user(w->t, NULL, 0, &u);
	make_grant(w, &u, &w->course, base - 20 * DAY_US, base - 17 * DAY_US, 0);
	make_grant(w, &u, &w->course, base - 18 * DAY_US, base - 1 * DAY_US, base - 15 * DAY_US);
	make_grant(w, &u, &w->course, base - 12 * DAY_US, 0, base - 12 * DAY_US); /* void at once */
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		saying_init(&s, w->course.lessons[TEXT], cases[i].at_us);
		if (cases[i].covered)
			record_ok(w, &u, &s);
		else
			record_refused(w, &u, &s, "NOT_ENROLLED");
	}
}

/* Although what is remembered of the learner says otherwise, and no event came. */
static void test_a_new_grant_is_seen_at_once(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct saying s;
	int64_t at_us = now_us(w);

	testserver_user(w->t, NULL, 0, &u);
	make_grant(w, &u, &w->course, at_us - 3 * DAY_US, at_us - 2 * DAY_US, 0);
	saying_init(&s, w->course.lessons[TEXT], at_us - 2 * DAY_US - MINUTE_US);
	record_ok(w, &u, &s);
	saying_init(&s, w->course.lessons[TEXT], at_us);
	record_refused(w, &u, &s, "NOT_ENROLLED");
	make_grant(w, &u, &w->course, at_us - MINUTE_US, 0, 0);
	record_ok(w, &u, &s);
}

static void test_a_purchase_opens_the_course_at_once(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct saying s;

	testserver_user(w->t, NULL, 0, &u);
	saying_init(&s, w->course.lessons[TEXT], now_us(w));
	record_refused(w, &u, &s, "NOT_ENROLLED");
	buy_free(w, &u, &w->course);
	saying_init(&s, w->course.lessons[TEXT], now_us(w));
	record_ok(w, &u, &s);
}

/* The event feed drops what is remembered; what was learnt before still counts. */
static void test_a_revoked_grant_is_known_within_a_second(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct saying s;
	int64_t at_us = now_us(w);
	struct error err;
	int r = 0;

	testserver_user(w->t, NULL, 0, &u);
	make_grant(w, &u, &w->course, at_us - 3 * DAY_US, 0, 0);
	saying_init(&s, w->course.lessons[TEXT], at_us);
	record_ok(w, &u, &s);
	run_sql(w, "UPDATE access_grant SET revoke_time = %" PRId64 " WHERE user_id = %" PRId64,
		at_us - DAY_US, u.user_id);
	/* Remembered until the event, unless another event made the cache drop the fill: so nothing is asked
	 * here. */
	make_event(w, NOUN_PURCHASE ".refunded", &u, &w->course);
	for (int i = 0; i < 100 && r == 0; i++) {
		usleep(10000);
		r = record(w, &u, &s, NULL, &err);
	}
	assert_reason(r, &err, "NOT_ENROLLED");
	saying_init(&s, w->course.lessons[TEXT], at_us - DAY_US - MINUTE_US);
	record_ok(w, &u, &s);
}

/* Each replica remembers epoch 0; what it remembers keeps nobody out of epoch 1. */
static void test_epochs(void **state)
{
	struct world *w = *state;
	struct testserver *replica = testserver_replica(w->t);
	struct testuser u;
	struct saying s;
	struct error err;
	int r;

	new_learner(w, &u);
	saying_init(&s, w->course.lessons[TEXT], now_us(w));
	s.req.completed = true;
	record_ok(w, &u, &s);
	r = record_at(replica->channel, &w->t->arena, &u, &s, NULL, &err);
	assert_ok(r, &err);
	s.req.epoch = 1;
	r = record(w, &u, &s, NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "epoch");

	run_sql(w, "UPDATE enrollment SET epoch = 1, epoch_time = %" PRId64 " WHERE user_id = %" PRId64,
		now_us(w), u.user_id);
	assert_int_equal(get_ok(w, &u, w->course.id, NULL)->lessons_completed, 0);
	assert_int_equal(get_ok(w, &u, w->course.id, NULL)->epoch, 1);
	s.req.completed = false;
	assert_false(record_ok(w, &u, &s)->completed);
	r = record_at(replica->channel, &w->t->arena, &u, &s, NULL, &err);
	assert_ok(r, &err);
	assert_int_equal(list_ok(w, &u, own)->enrollments[0]->epoch, 1);

	s.req.epoch = 0;
	r = record_at(replica->channel, &w->t->arena, &u, &s, NULL, &err);
	assert_reason(r, &err, "STALE_EPOCH");
	assert_string_equal(err.metadata[0].key, "epoch");
	assert_string_equal(err.metadata[0].value, "1");
	record_refused(w, &u, &s, "STALE_EPOCH");
	testserver_replica_free(replica);
}

/* A session that was under way goes on with the counters it has. What it says of the time before the reset
 * counts in the epoch that is over, and the day keeps both; every replica hears of the reset. */
static void test_a_session_that_a_reset_cuts(void **state)
{
	struct world *w = *state;
	const int64_t reset_us = now_us(w) - 10 * MINUTE_US;
	struct testuser u;
	struct saying s;
	struct error err;
	int r = 0;

	new_learner(w, &u);
	saying_init(&s, w->course.lessons[TEXT], reset_us);
	set_time(&s.start, reset_us - 20 * MINUTE_US);
	s.req.learning_seconds = 1200;
	assert_int_equal(record_ok(w, &u, &s)->learning_seconds, 1200);
	run_sql(w, "UPDATE enrollment SET epoch = 1, epoch_time = %" PRId64 " WHERE user_id = %" PRId64,
		reset_us, u.user_id);
	make_event(w, NOUN_ENROLLMENT ".reset", &u, &w->course);
	for (int i = 0; i < 100 && r == 0; i++) {
		usleep(10000);
		r = record(w, &u, &s, NULL, &err);
	}
	assert_reason(r, &err, "STALE_EPOCH");

	s.req.epoch = 1;
	set_time(&s.client, reset_us + 5 * MINUTE_US);
	s.req.learning_seconds = 1500;
	assert_int_equal(record_ok(w, &u, &s)->learning_seconds, 300);
	assert_int_equal(number(w, "SELECT SUM(credited_seconds) FROM progress_day WHERE user_id = %" PRId64,
				u.user_id),
			 1500);
	assert_int_equal(
		number(w, "SELECT start_time FROM progress_session WHERE epoch = 1 AND user_id = %" PRId64,
		       u.user_id),
		reset_us);
}

/* --- races --- */

enum { RACERS = 32 };

struct racer {
	const struct world *w;
	struct client_channel *channel;
	const struct testuser *u;
	struct saying saying;
	LessonProgress *progress;
	struct arena arena;
	struct error err;
	int r;
};

static void *race(void *arg)
{
	struct racer *racer = arg;

	arena_init(&racer->arena, 1 << 20);
	racer->r = record_at(racer->channel, &racer->arena, racer->u, &racer->saying, &racer->progress,
			     &racer->err);
	return NULL;
}

static void racer_init(struct racer *racer, const struct world *w, const struct testuser *u,
		       const char *lesson)
{
	*racer = (struct racer){.w = w, .channel = w->t->channel, .u = u};
	saying_init(&racer->saying, lesson, now_us(w));
}

static void run_race(struct racer *racers)
{
	threads_run(RACERS, race, racers, sizeof(racers[0]));
	for (unsigned i = 0; i < RACERS; i++)
		assert_ok(racers[i].r, &racers[i].err);
}

static void end_race(struct racer *racers)
{
	for (unsigned i = 0; i < RACERS; i++)
		arena_done(&racers[i].arena);
}

static void test_one_session_from_many_threads(void **state)
{
	static struct racer racers[RACERS];
	struct world *w = *state;
	struct testuser u;

	new_learner(w, &u);
	for (unsigned i = 0; i < RACERS; i++) {
		racer_init(&racers[i], w, &u, w->course.lessons[VIDEO]);
		racers[i].saying.req.session_id = racers[0].saying.session;
		racers[i].saying.req.interactions = RACERS - i;
		racers[i].saying.req.coverage = UINT64_C(1) << i;
	}
	run_race(racers);
	for (unsigned i = 0; i < RACERS; i++) {
		assert_true(racers[i].progress->interactions >= RACERS - i);
		assert_true(racers[i].progress->coverage >> i & 1);
		assert_int_equal(racers[i].progress->session_count, 1);
	}
	end_race(racers);
	CourseProgress *p = get_ok(w, &u, w->course.id, NULL);
	assert_int_equal(p->interactions, RACERS);
	assert_int_equal(p->lessons[0]->coverage, UINT32_MAX);
	assert_int_equal(p->lessons[0]->session_count, 1);
}

/* Over two replicas, each with a combiner: nothing is lost and nothing counted twice. */
static void test_many_sessions_over_two_replicas(void **state)
{
	static struct racer racers[RACERS];
	struct world *w = *state;
	struct testserver *replica = testserver_replica(w->t);
	struct testuser u;

	new_learner(w, &u);
	for (int round = 0; round < 8; round++) {
		for (unsigned i = 0; i < RACERS; i++) {
			racer_init(&racers[i], w, &u, w->course.lessons[i % 2 ? TEXT : LIVE]);
			racers[i].channel = i % 4 < 2 ? w->t->channel : replica->channel;
			racers[i].saying.req.interactions = i + 1;
			racers[i].saying.req.learning_seconds = 1;
			racers[i].saying.req.completed = true;
		}
		run_race(racers);
		end_race(racers);
	}
	CourseProgress *p = get_ok(w, &u, w->course.id, NULL);
	assert_int_equal(p->interactions, 8 * RACERS * (RACERS + 1) / 2);
	assert_int_equal(p->learning_seconds, 8 * RACERS);
	assert_int_equal(p->lessons[0]->session_count + p->lessons[1]->session_count, 8 * RACERS);
	assert_int_equal(p->lessons_completed, 2);
	assert_int_equal(list_ok(w, &u, own)->enrollments[0]->lessons_completed, 2);
	assert_int_equal(number(w,
				"SELECT COUNT(*) FROM event WHERE kind = 'progress.lesson_completed' AND "
				"user_id = %" PRId64,
				u.user_id),
			 2);
	testserver_replica_free(replica);
}

static void test_one_event_however_many_complete_it(void **state)
{
	static struct racer racers[RACERS];
	struct world *w = *state;
	struct testuser u;
	int64_t completed_us = 0;

	new_learner(w, &u);
	for (unsigned i = 0; i < RACERS; i++) {
		racer_init(&racers[i], w, &u, w->course.lessons[VIDEO]);
		racers[i].saying.req.coverage = UINT64_C(3) << (i * 2);
	}
	run_race(racers);
	for (unsigned i = 0; i < RACERS; i++) {
		LessonProgress *p = racers[i].progress;
		int64_t us =
			p->completed ? p->complete_time->seconds * US + p->complete_time->nanos / 1000 : 0;

		assert_int_equal(p->completed, p->covered_slices >= 58);
		if (us && completed_us)
			assert_int_equal(us, completed_us);
		completed_us = us ? us : completed_us;
	}
	end_race(racers);
	assert_true(completed_us > 0);
	assert_int_equal(number(w,
				"SELECT COUNT(*) FROM event WHERE kind = 'progress.lesson_completed' AND "
				"user_id = %" PRId64 " AND course_id = %" PRId64 " AND subject_id = %" PRId64,
				u.user_id, w->course.course_id, w->course.lesson_ids[VIDEO]),
			 1);
}

/* --- the combiner under pressure --- */

/* Holds up whoever writes progress, until it is closed. */
static struct db_conn *block_writes(const struct world *w)
{
	struct db_conn *conn = testdb_connect(w->t->db, NULL);

	testdb_run(conn, "LOCK TABLES progress_session WRITE");
	return conn;
}

/* In the batch, waiting, and one that came while the batch was taken. */
enum { ACCEPTED_MAX = 3 };

static _Atomic unsigned answered;

static void *race_and_count(void *arg)
{
	race(arg);
	answered++;
	return NULL;
}

static void test_a_full_queue_says_when_to_come_back(void **state)
{
	static struct racer racers[RACERS];
	struct world *w = *state;
	unsigned queue = w->t->config.combiner_queue, accepted = 0;
	struct testuser u;
	pthread_t threads[RACERS];
	struct db_conn *blocker;

	w->t->config.combiner_queue = 1;
	testserver_restart(w->t);
	new_learner(w, &u);
	blocker = block_writes(w);
	for (unsigned i = 0; i < RACERS; i++) {
		racer_init(&racers[i], w, &u, w->course.lessons[TEXT]);
		if (pthread_create(&threads[i], NULL, race_and_count, &racers[i]) != 0)
			abort();
	}
	for (int i = 0; answered < RACERS - ACCEPTED_MAX && i < 5000; i++)
		usleep(1000);
	db_close(blocker);
	for (unsigned i = 0; i < RACERS; i++) {
		pthread_join(threads[i], NULL);
		accepted += racers[i].r >= 0;
		if (racers[i].r < 0) {
			assert_reason(racers[i].r, &racers[i].err, "OVERLOADED");
			assert_true(racers[i].err.retry_delay_ms > 0);
		}
	}
	end_race(racers);
	assert_in_range(accepted, 1, RACERS - 1);
	assert_int_equal(
		number(w, "SELECT COUNT(*) FROM progress_session WHERE user_id = %" PRId64, u.user_id),
		accepted);
	w->t->config.combiner_queue = queue;
	testserver_restart(w->t);
}

/* Who gave up may repeat: the outcome is one and the same. */
static void test_a_passed_deadline(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct saying s;
	struct client_call_options options;
	RecordProgressResponse *reply;
	struct db_conn *blocker;
	struct error err;

	new_learner(w, &u);
	options = as(&u);
	options.timeout_ms = 200;
	saying_init(&s, w->course.lessons[TEXT], now_us(w));
	s.req.interactions = 3;
	blocker = block_writes(w);
	int r = edu_service_record_progress_call(w->t->channel, &s.req, &options, &w->t->arena, &reply, &err);
	assert_int_equal(r, -STATUS_DEADLINE_EXCEEDED);
	db_close(blocker);
	LessonProgress *p = record_ok(w, &u, &s);
	assert_int_equal(p->interactions, 3);
	assert_int_equal(p->session_count, 1);
}

/* --- GetCourseProgress --- */

static void test_get_sums_the_lessons(void **state)
{
	struct world *w = *state;
	struct testcourse course;
	struct testuser u;
	struct saying s;
	CourseProgress *p;

	testserver_user(w->t, NULL, 0, &u);
	testserver_course(w->t, &w->teacher, 0, all_kinds, &course);
	run_sql(w, "UPDATE lesson_revision SET weight = position WHERE course_id = %" PRId64,
		course.course_id);
	buy_free(w, &u, &course);
	bought_ago(w, &u, 60 * MINUTE_US);

	p = get_ok(w, &u, course.id, NULL);
	assert_string_equal(p->course_id, course.id);
	assert_string_equal(p->user_id, u.id);
	assert_int_equal(p->lessons_total, 5);
	assert_int_equal(p->n_lessons, 0);
	assert_int_equal(p->completed_basis_points, 0);
	assert_null(p->last_activity_time);

	for (int lesson = LIVE; lesson >= VIDEO; lesson -= 4) { /* the last one first */
		saying_init(&s, course.lessons[lesson], now_us(w));
		s.req.learning_seconds = 10;
		s.req.interactions = 2;
		s.req.questions = 1;
		s.req.completed = lesson == LIVE;
		record_ok(w, &u, &s);
	}
	p = get_ok(w, &u, course.id, NULL);
	assert_int_equal(p->lessons_completed, 1);
	assert_int_equal(p->completed_basis_points, 3333); /* 5 of 15 */
	assert_int_equal(p->learning_seconds, 20);
	assert_int_equal(p->interactions, 4);
	assert_int_equal(p->questions, 2);
	assert_int_equal(p->n_lessons, 2);
	assert_string_equal(p->lessons[0]->lesson_id, course.lessons[VIDEO]);
	assert_string_equal(p->lessons[1]->lesson_id, course.lessons[LIVE]);
	assert_int_equal(p->last_activity_time->seconds, s.client.seconds);

	saying_init(&s, course.lessons[VIDEO], now_us(w));
	s.req.coverage = UINT64_MAX;
	record_ok(w, &u, &s);
	assert_int_equal(get_ok(w, &u, course.id, NULL)->completed_basis_points, 4000);
	run_sql(w, "DELETE FROM lesson_revision WHERE course_id = %" PRId64 " AND position IN (2, 3, 4)",
		course.course_id);
	assert_int_equal(get_ok(w, &u, course.id, NULL)->completed_basis_points, 10000);
}

static void test_get_of_a_course_without_lessons(void **state)
{
	struct world *w = *state;
	struct testcourse course;
	struct testuser u;

	testserver_user(w->t, NULL, 0, &u);
	testserver_course(w->t, &w->teacher, 0, one_text, &course);
	buy_free(w, &u, &course);
	run_sql(w, "DELETE FROM lesson_revision WHERE course_id = %" PRId64, course.course_id);
	CourseProgress *p = get_ok(w, &u, course.id, NULL);
	assert_int_equal(p->lessons_total, 0);
	assert_int_equal(p->completed_basis_points, 0);
}

static void test_get_of_somebody_else(void **state)
{
	struct world *w = *state;
	struct testcourse draft;
	struct testuser u, other;
	char unknown[ID_TEXT_MAX];

	new_learner(w, &u);
	new_learner(w, &other);
	assert_string_equal(get_ok(w, &u, w->course.id, u.id)->user_id, u.id);
	assert_string_equal(get_ok(w, &w->teacher, w->course.id, u.id)->user_id, u.id);
	assert_string_equal(get_ok(w, &w->admin, w->course.id, u.id)->user_id, u.id);
	get_refused(w, &other, w->course.id, u.id, "NOT_COURSE_INSTRUCTOR");
	get_refused(w, &w->rival, w->course.id, u.id, "NOT_COURSE_INSTRUCTOR");
	assert_string_equal(get_ok(w, &w->support, w->course.id, u.id)->user_id, u.id);
	get_refused(w, &w->former, w->course.id, u.id, "NOT_COURSE_INSTRUCTOR");

	make_draft(w, &draft);
	get_refused(w, &w->rival, draft.id, u.id, "COURSE_NOT_FOUND");
	get_refused(w, &w->teacher, draft.id, u.id, "ENROLLMENT_NOT_FOUND");
	get_refused(w, &w->former, draft.id, u.id, "COURSE_NOT_FOUND");
	id_format(ID_COURSE, 12345, unknown);
	get_refused(w, &w->admin, unknown, u.id, "COURSE_NOT_FOUND");
	get_refused(w, &u, unknown, NULL, "ENROLLMENT_NOT_FOUND");
	get_refused(w, &w->teacher, w->course.id, NULL, "ENROLLMENT_NOT_FOUND");
}

static void test_get_refuses_bad_fields(void **state)
{
	struct world *w = *state;
	struct error err;

	int r = get(w, &w->teacher, "", "crs_0000000000001", NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "course_id");
	assert_violation(&err, "user_id");
}

/* --- ListEnrollments --- */

static void test_list_shows_the_enrollment(void **state)
{
	struct world *w = *state;
	struct testcourse course;
	struct testuser u;
	struct saying s;
	Enrollment *e;

	testserver_user(w->t, NULL, 0, &u);
	testserver_course(w->t, &w->teacher, 0, one_text, &course);
	assert_int_equal(list_ok(w, &u, own)->n_enrollments, 0);
	buy_free(w, &u, &course);
	e = list_ok(w, &u, own)->enrollments[0];
	assert_string_equal(e->user_id, u.id);
	assert_string_equal(e->course_id, course.id);
	assert_int_equal(e->state, EDU__V1__ENROLLMENT_STATE__ENROLLMENT_STATE_ACTIVE);
	assert_int_equal(e->n_accesses, 1);
	assert_memory_equal(e->accesses[0]->grant_id, "gra_", 4);
	assert_int_equal(e->accesses[0]->source, EDU__V1__ACCESS_SOURCE__ACCESS_SOURCE_PURCHASE);
	assert_memory_equal(e->accesses[0]->purchase_id, "pur_", 4);
	assert_int_equal(e->accesses[0]->scope, EDU__V1__ACCESS_SCOPE__ACCESS_SCOPE_COURSE);
	assert_int_equal(e->accesses[0]->start_time->seconds, e->start_time->seconds);
	assert_null(e->accesses[0]->expire_time);
	assert_null(e->accesses[0]->revoke_time);
	assert_non_null(e->start_time);
	assert_null(e->last_activity_time);
	assert_int_equal(e->lessons_total, 1);

	saying_init(&s, course.lessons[0], now_us(w));
	s.req.completed = true;
	record_ok(w, &u, &s);
	run_sql(w, "UPDATE access_grant SET expire_time = %" PRId64 " WHERE user_id = %" PRId64, now_us(w),
		u.user_id);
	e = list_ok(w, &u, own)->enrollments[0];
	assert_int_equal(e->state, EDU__V1__ENROLLMENT_STATE__ENROLLMENT_STATE_ENDED);
	assert_non_null(e->accesses[0]->expire_time);
	assert_int_equal(e->lessons_completed, 1);
	assert_int_equal(e->last_activity_time->seconds, s.client.seconds);
}

static void test_list_shows_every_access(void **state)
{
	const int64_t day = INT64_C(86400) * 1000000;
	struct world *w = *state;
	struct testcourse course;
	struct testuser u;
	Enrollment *e;

	testserver_user(w->t, NULL, 0, &u);
	testserver_course(w->t, &w->teacher, 0, one_text, &course);
	int64_t now = now_us(w);
	make_grant(w, &u, &course, now - 3 * day, now - 2 * day, 0);
	e = list_ok(w, &u, own)->enrollments[0];
	assert_int_equal(e->state, EDU__V1__ENROLLMENT_STATE__ENROLLMENT_STATE_ENDED);

	/* Ended before, and yet to come. */
	int64_t next = make_grant(w, &u, &course, now + day, now + 2 * day, 0);
	make_grant(w, &u, &course, now - 2 * day, 0, now - day);
	e = list_ok(w, &u, own)->enrollments[0];
	assert_int_equal(e->state, EDU__V1__ENROLLMENT_STATE__ENROLLMENT_STATE_SCHEDULED);
	assert_int_equal(e->n_accesses, 3);
	assert_int_equal(e->accesses[0]->start_time->seconds, (now + day) / 1000000);
	assert_int_equal(e->accesses[0]->expire_time->seconds, (now + 2 * day) / 1000000);
	assert_string_equal(e->accesses[0]->purchase_id, "");
	assert_int_equal(e->accesses[1]->revoke_time->seconds, (now - day) / 1000000);
	assert_null(e->accesses[1]->expire_time);
	assert_null(e->accesses[2]->revoke_time);
	e = list_ok(w, &w->teacher, (struct listing){.course_id = course.id})->enrollments[0];
	assert_int_equal(e->state, EDU__V1__ENROLLMENT_STATE__ENROLLMENT_STATE_SCHEDULED);

	run_sql(w, "UPDATE access_grant SET start_time = %" PRId64 " WHERE grant_id = %" PRId64, now, next);
	e = list_ok(w, &u, (struct listing){.course_id = course.id, .user_id = u.id})->enrollments[0];
	assert_int_equal(e->state, EDU__V1__ENROLLMENT_STATE__ENROLLMENT_STATE_ACTIVE);

	/* An enrollment without a grant had access once. More than 100 of them: those that begin last. */
	run_sql(w, "DELETE FROM access_grant WHERE user_id = %" PRId64, u.user_id);
	e = list_ok(w, &u, own)->enrollments[0];
	assert_int_equal(e->state, EDU__V1__ENROLLMENT_STATE__ENROLLMENT_STATE_ENDED);
	assert_int_equal(e->n_accesses, 0);
	make_grant(w, &u, &course, now - day, 0, 0);
	for (int i = 1; i <= 100; i++)
		make_grant(w, &u, &course, now + i * day, 0, 0);
	e = list_ok(w, &u, own)->enrollments[0];
	assert_int_equal(e->state, EDU__V1__ENROLLMENT_STATE__ENROLLMENT_STATE_ACTIVE);
	assert_int_equal(e->n_accesses, 100);
	assert_int_equal(e->accesses[99]->start_time->seconds, (now + day) / 1000000);
}

static void test_list_who_may_read_what(void **state)
{
	struct world *w = *state;
	struct testcourse draft;
	struct testuser u, other;

	new_learner(w, &u);
	new_learner(w, &other);
	list_refused(w, &other, (struct listing){.user_id = u.id}, "ROLE_MISSING");
	list_refused(w, &w->teacher, (struct listing){.user_id = u.id}, "ROLE_MISSING");
	assert_int_equal(list_ok(w, &w->support, (struct listing){.user_id = u.id})->n_enrollments, 1);
	assert_int_equal(list_ok(w, &w->admin, (struct listing){.user_id = u.id})->n_enrollments, 1);

	list_refused(w, &u, (struct listing){.course_id = w->course.id}, "NOT_COURSE_INSTRUCTOR");
	list_refused(w, &w->rival, (struct listing){.course_id = w->course.id}, "NOT_COURSE_INSTRUCTOR");
	list_refused(w, &w->former, (struct listing){.course_id = w->course.id}, "NOT_COURSE_INSTRUCTOR");
	list_refused(w, &w->former, (struct listing){.course_id = w->course.id, .user_id = u.id},
		     "NOT_COURSE_INSTRUCTOR");
	list_refused(w, &w->support, (struct listing){.course_id = w->course.id}, "NOT_COURSE_INSTRUCTOR");
	assert_true(list_ok(w, &w->teacher, (struct listing){.course_id = w->course.id})->n_enrollments >= 2);
	assert_true(list_ok(w, &w->admin, (struct listing){.course_id = w->course.id})->n_enrollments >= 2);

	list_refused(w, &other, (struct listing){.course_id = w->course.id, .user_id = u.id},
		     "NOT_COURSE_INSTRUCTOR");
	assert_int_equal(
		list_ok(w, &u, (struct listing){.course_id = w->course.id, .user_id = u.id})->n_enrollments,
		1);
	assert_int_equal(list_ok(w, &w->teacher, (struct listing){.course_id = w->course.id, .user_id = u.id})
				 ->n_enrollments,
			 1);
	assert_int_equal(list_ok(w, &w->support, (struct listing){.course_id = w->course.id, .user_id = u.id})
				 ->n_enrollments,
			 1);

	make_draft(w, &draft);
	list_refused(w, &w->rival, (struct listing){.course_id = draft.id}, "COURSE_NOT_FOUND");
	assert_int_equal(list_ok(w, &w->teacher, (struct listing){.course_id = draft.id})->n_enrollments, 0);
	assert_int_equal(list_ok(w, &w->teacher, (struct listing){.course_id = draft.id, .user_id = u.id})
				 ->n_enrollments,
			 0);
}

/* Walks the pages; every row comes once, in order. Returns how many pages there were. */
static unsigned walk(const struct world *w, const struct testuser *who, struct listing l, int64_t *ret_keys,
		     unsigned *ret_n)
{
	unsigned pages = 0;

	*ret_n = 0;
	do {
		ListEnrollmentsResponse *page = NULL;
		struct error err;
		int r = list(w, who, l, &page, &err);

		assert_ok(r, &err);
		for (unsigned i = 0; i < page->n_enrollments; i++) {
			const Enrollment *e = page->enrollments[i];
			int64_t id = 0;

			assert_true(l.course_id ? id_parse(ID_USER, e->user_id, &id)
						: id_parse(ID_COURSE, e->course_id, &id));
			assert_true(*ret_n == 0 || ret_keys[*ret_n - 1] < id);
			ret_keys[(*ret_n)++] = id;
		}
		l.page_token = page->next_page_token;
		pages++;
	} while (*l.page_token);
	return pages;
}

static void test_list_pages_of_a_user(void **state)
{
	struct world *w = *state;
	struct testcourse course;
	struct testuser u;
	int64_t keys[16];
	unsigned n;

	testserver_user(w->t, NULL, 0, &u);
	for (int i = 0; i < 5; i++) {
		testserver_course(w->t, &w->teacher, 0, one_text, &course);
		buy_free(w, &u, &course);
	}
	assert_int_equal(walk(w, &u, (struct listing){.page_size = 2}, keys, &n), 3);
	assert_int_equal(n, 5);
	assert_int_equal(walk(w, &u, (struct listing){.page_size = 5}, keys, &n), 1);
	assert_int_equal(n, 5);
	assert_int_equal(walk(w, &w->support, (struct listing){.user_id = u.id, .page_size = 1}, keys, &n),
			 5);
	assert_int_equal(n, 5);
}

static void test_list_pages_of_a_course(void **state)
{
	struct world *w = *state;
	struct testcourse course;
	struct testuser u;
	int64_t keys[128];
	unsigned n;

	testserver_course(w->t, &w->teacher, 0, one_text, &course);
	for (int i = 0; i < 5; i++) {
		testserver_user(w->t, NULL, 0, &u);
		buy_free(w, &u, &course);
	}
	for (int i = 0; i < 100; i++)
		run_sql(w,
			"INSERT INTO enrollment (user_id, course_id, start_time) VALUES (%d, %" PRId64 ", 1)",
			i + 1, course.course_id);
	struct listing l = {.course_id = course.id};
	assert_int_equal(walk(w, &w->teacher, l, keys, &n), 6); /* of 20 */
	assert_int_equal(n, 105);
	l.page_size = INT32_MAX; /* 100 */
	assert_int_equal(walk(w, &w->teacher, l, keys, &n), 2);
	assert_int_equal(n, 105);
}

static void test_list_page_tokens(void **state)
{
	struct world *w = *state;
	struct testcourse course;
	struct testuser u;
	char *token, tampered[1025];
	struct error err;

	testserver_user(w->t, NULL, 0, &u);
	for (int i = 0; i < 3; i++) {
		testserver_course(w->t, &w->teacher, 0, one_text, &course);
		buy_free(w, &u, &course);
	}
	token = list_ok(w, &u, (struct listing){.page_size = 1})->next_page_token;
	assert_int_equal(list_ok(w, &u, (struct listing){.page_size = 2, .page_token = token})->n_enrollments,
			 2);
	for (size_t i = 0; i < strlen(token); i += 7) {
		snprintf(tampered, sizeof(tampered), "%s", token);
		tampered[i] = tampered[i] == 'A' ? 'B' : 'A';
		list_refused(w, &u, (struct listing){.page_size = 1, .page_token = tampered},
			     "PAGE_TOKEN_INVALID");
	}
	list_refused(w, &u, (struct listing){.page_token = "x"}, "PAGE_TOKEN_INVALID");
	/* Of other arguments, although they mean the same. */
	list_refused(w, &u, (struct listing){.user_id = u.id, .page_token = token}, "PAGE_TOKEN_INVALID");
	list_refused(w, &w->teacher, (struct listing){.course_id = course.id, .page_token = token},
		     "PAGE_TOKEN_INVALID");

	struct testserver *replica = testserver_replica(w->t);
	struct world there = {.t = replica};
	assert_int_equal(
		list_ok(&there, &u, (struct listing){.page_size = 2, .page_token = token})->n_enrollments, 2);
	testserver_reset(replica);
	testserver_replica_free(replica);

	memset(tampered, 'A', 1024);
	tampered[1024] = '\0';
	list_refused(w, &u, (struct listing){.page_token = tampered}, "PAGE_TOKEN_INVALID");
	int r = list(w, &u, (struct listing){.page_size = -1, .user_id = "x", .course_id = u.id}, NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "page_size");
	assert_violation(&err, "user_id");
	assert_violation(&err, "course_id");
	w->t->clock.ahead_us += 4 * DAY_US;
	testserver_token(w->t, &u, 0);
	list_refused(w, &u, (struct listing){.page_token = token}, "PAGE_TOKEN_INVALID");
	w->t->clock.ahead_us -= 4 * DAY_US;
}

/* --- fixture --- */

static int setup(void **state)
{
	static struct world w;

	w.t = testserver_new();
	*state = &w;
	return 0;
}

/* Tokens last 15 minutes of a clock that the tests move. */
static int renew(void **state)
{
	struct world *w = *state;

	testserver_reset(w->t);
	testserver_user(w->t, NULL, ROLE_MASK_INSTRUCTOR, &w->teacher);
	testserver_user(w->t, NULL, ROLE_MASK_INSTRUCTOR, &w->rival);
	testserver_user(w->t, NULL, ROLE_MASK_ADMIN, &w->admin);
	testserver_user(w->t, NULL, ROLE_MASK_SUPPORT, &w->support);
	w->former = w->teacher;
	testserver_token(w->t, &w->former, 0);
	testserver_course(w->t, &w->teacher, 0, all_kinds, &w->course);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	testserver_free(w->t);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, renew)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_record_answers_the_merged_row),
		TEST(test_record_again_changes_nothing),
		TEST(test_credit_is_never_above_the_session),
		TEST(test_credit_has_bounds),
		TEST(test_not_enrolled_tells_the_times),
		TEST(test_a_video_completes_at_58_slices),
		TEST(test_record_tells_every_violation),
		TEST(test_record_refuses_an_empty_request),
		TEST(test_record_compares_its_times),
		TEST(test_record_needs_a_valid_token),
		TEST(test_record_is_for_oneself),
		TEST(test_record_needs_enrollment),
		TEST(test_record_hides_drafts),
		TEST(test_record_compares_with_the_kind),
		TEST(test_record_refuses_clocks_far_off),
		TEST(test_record_counts_while_a_grant_covered_it),
		TEST(test_a_new_grant_is_seen_at_once),
		TEST(test_a_purchase_opens_the_course_at_once),
		TEST(test_a_revoked_grant_is_known_within_a_second),
		TEST(test_epochs),
		TEST(test_a_session_that_a_reset_cuts),
		TEST(test_one_session_from_many_threads),
		TEST(test_many_sessions_over_two_replicas),
		TEST(test_one_event_however_many_complete_it),
		TEST(test_a_full_queue_says_when_to_come_back),
		TEST(test_a_passed_deadline),
		TEST(test_get_sums_the_lessons),
		TEST(test_get_of_a_course_without_lessons),
		TEST(test_get_of_somebody_else),
		TEST(test_get_refuses_bad_fields),
		TEST(test_list_shows_the_enrollment),
		TEST(test_list_shows_every_access),
		TEST(test_list_who_may_read_what),
		TEST(test_list_pages_of_a_user),
		TEST(test_list_pages_of_a_course),
		TEST(test_list_page_tokens),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
