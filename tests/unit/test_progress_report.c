/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <google/protobuf/timestamp.pb-c.h>

#include "proto/runtime/array.h"
#include "proto/runtime/ids.h"
#include "server/course/course_names.h"
#include "server/progress/progress_report.h"

#define US INT64_C(1000000)

static const int64_t now_us = INT64_C(1790000000) * US;

/* --- reading --- */

struct sample {
	RecordProgressRequest req;
	Google__Protobuf__Timestamp client, start;
	MediaInterval interval;
	char lesson_id[ID_TEXT_MAX];
};

static void sample_init(struct sample *s)
{
	*s = (struct sample){.req = RECORD_PROGRESS_REQUEST_INIT, .interval = MEDIA_INTERVAL_INIT};
	google__protobuf__timestamp__init(&s->client);
	google__protobuf__timestamp__init(&s->start);
	s->client.seconds = 2000;
	s->client.nanos = 123456789;
	s->start.seconds = 1000;
	s->req.lesson_id = id_format(ID_LESSON, 77, s->lesson_id);
	s->req.session_id = (char *)"00112233-4455-6677-8899-aabbccddeeff";
	s->req.client_time = &s->client;
	s->req.session_start_time = &s->start;
}

static void test_read(void **state)
{
	static const uint8_t session[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					    0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	struct sample s;
	struct report r;
	struct error err;

	sample_init(&s);
	s.req.epoch = 4;
	s.req.coverage = UINT64_C(1) << 63;
	s.req.learning_seconds = 10;
	s.req.interactions = 20;
	s.req.questions = 30;
	s.req.position_seconds = 40;
	s.req.completed = true;
	s.interval.start_ms = 5;
	s.interval.end_ms = 6;
	s.req.interval = &s.interval;
	assert_int_equal(report_read(&s.req, 5, &r, &err), 0);
	assert_int_equal(r.user_id, 5);
	assert_int_equal(r.lesson_id, 77);
	assert_int_equal(r.epoch, 4);
	assert_int_equal(r.client_us, 2000 * US + 123456); /* finer digits are dropped */
	assert_int_equal(r.start_us, 1000 * US);
	assert_memory_equal(r.session_id, session, sizeof(session));
	assert_int_equal(r.coverage, UINT64_C(1) << 63);
	assert_true(r.has_coverage && r.has_interval && r.completed);
	assert_int_equal(r.interval_start_ms, 5);
	assert_int_equal(r.interval_end_ms, 6);
	assert_int_equal(r.learning_seconds, 10);
	assert_int_equal(r.interactions, 20);
	assert_int_equal(r.questions, 30);
	assert_int_equal(r.position_seconds, 40);
}

static void test_read_leaves_out_what_was_not_said(void **state)
{
	struct sample s;
	struct report r;
	struct error err;

	sample_init(&s);
	assert_int_equal(report_read(&s.req, 5, &r, &err), 0);
	assert_false(r.has_coverage || r.has_interval || r.completed);
}

static void test_read_tells_every_violation(void **state)
{
	struct sample s;
	struct report r;
	struct error err;

	sample_init(&s);
	s.start.seconds = 2001;
	s.interval.start_ms = 2;
	s.interval.end_ms = 1;
	s.req.interval = &s.interval;
	assert_int_equal(report_read(&s.req, 5, &r, &err), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(err.n_violations, 2);
	assert_string_equal(err.violations[0].field, "session_start_time");
	assert_string_equal(err.violations[1].field, "interval.end_ms");

	s.start.seconds = 2000;
	s.start.nanos = 123456000; /* the same microsecond as client_time */
	assert_int_equal(report_read(&s.req, 5, &r, &err), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(err.n_violations, 1);
	assert_string_equal(err.violations[0].field, "interval.end_ms");
	s.interval.end_ms = 2;
	assert_int_equal(report_read(&s.req, 5, &r, &err), 0);
}

/* --- admitting --- */

struct admission {
	struct report report;
	struct lesson_info lesson;
	struct access access;
	struct access_window window;
	struct error err;
};

static void has_window(struct admission *a, int64_t start_us, int64_t end_us)
{
	a->window = (struct access_window){88, start_us, end_us};
	a->access.windows = &a->window;
	a->access.n_windows = 1;
}

/* A report made now, on a VIDEO of 640 s, by somebody enrolled for ever. */
static void admission_init(struct admission *a)
{
	memset(a, 0, sizeof(*a));
	a->report.client_us = a->report.start_us = now_us;
	a->lesson = (struct lesson_info){
		.lesson_id = 77, .course_id = 88, .kind = LESSON_VIDEO, .duration_seconds = 640};
	a->access.enrolled = true;
	has_window(a, 0, INT64_MAX);
}

static const char *admit(struct admission *a)
{
	int r = report_admit(&a->report, &a->lesson, &a->access, now_us, &a->err);

	if (r == 0)
		return "";
	assert_int_equal(r, -a->err.reason->code);
	return a->err.reason->name;
}

static void test_admit_fills_in_the_course(void **state)
{
	struct admission a;

	admission_init(&a);
	assert_string_equal(admit(&a), "");
	assert_int_equal(a.report.course_id, 88);
}

static void test_admit_looks_at_the_clock(void **state)
{
	static const struct {
		int64_t client_us;
		const char *reason;
	} cases[] = {
		{now_us + 5 * MINUTE_US, ""},
		{now_us + 5 * MINUTE_US + 1, "CLOCK_SKEW"},
		{now_us - 30 * DAY_US, ""},
		{now_us - 30 * DAY_US - 1, "PROGRESS_TOO_OLD"},
		{INT64_C(253402300799) * US, "CLOCK_SKEW"},
		{INT64_C(-62135596800) * US, "PROGRESS_TOO_OLD"},
	};
	struct admission a;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		admission_init(&a);
		a.report.client_us = a.report.start_us = cases[i].client_us;
		assert_string_equal(admit(&a), cases[i].reason);
	}
}

static void test_clock_skew_names_the_servers_time(void **state)
{
	struct admission a;

	admission_init(&a);
	a.report.client_us = now_us + DAY_US;
	assert_string_equal(admit(&a), "CLOCK_SKEW");
	assert_string_equal(a.err.metadata[0].key, "server_time");
	assert_string_equal(a.err.metadata[0].value, "2026-09-21T14:13:20Z");
}

/* So that a phone can tell a clock that is behind from access that is missing. */
static void test_not_enrolled_names_both_times(void **state)
{
	struct admission a;

	admission_init(&a);
	has_window(&a, now_us - DAY_US, INT64_MAX);
	a.access.start_us = now_us - DAY_US;
	a.report.client_us = a.report.start_us = now_us - 2 * DAY_US;
	assert_string_equal(admit(&a), "NOT_ENROLLED");
	assert_int_equal(a.err.n_metadata, 2);
	assert_string_equal(a.err.metadata[0].key, "access_start_time");
	assert_string_equal(a.err.metadata[0].value, "2026-09-20T14:13:20Z");
	assert_string_equal(a.err.metadata[1].key, "server_time");
	assert_string_equal(a.err.metadata[1].value, "2026-09-21T14:13:20Z");

	/* Not enrolled, it is when the access began; without any, nothing. */
	a.access.enrolled = false;
	a.access.start_us = 0;
	assert_string_equal(admit(&a), "NOT_ENROLLED");
	assert_int_equal(a.err.n_metadata, 2);
	assert_string_equal(a.err.metadata[0].value, "2026-09-20T14:13:20Z");
	a.access.n_windows = 0;
	assert_string_equal(admit(&a), "NOT_ENROLLED");
	assert_int_equal(a.err.n_metadata, 1);
	assert_string_equal(a.err.metadata[0].key, "server_time");
}

/* Enrolling helps whom access has not left; others have to get it first. */
static void test_not_enrolled_says_what_helps(void **state)
{
	static const struct {
		bool enrolled;
		int64_t start_us, end_us;
		bool enroll;
	} cases[] = {
		{false, now_us - DAY_US, INT64_MAX, true},
		{false, now_us + DAY_US, INT64_MAX, true},
		{false, now_us - DAY_US, now_us, false},
		{true, now_us - DAY_US, now_us - MINUTE_US * 10, false},
		{true, now_us + DAY_US, INT64_MAX, false},
	};
	struct admission a;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		admission_init(&a);
		has_window(&a, cases[i].start_us, cases[i].end_us);
		a.access.enrolled = cases[i].enrolled;
		assert_string_equal(admit(&a), "NOT_ENROLLED");
		assert_int_equal(strstr(a.err.message, "call EnrollInCourse") != NULL, cases[i].enroll);
	}
}

static void test_a_session_is_at_most_a_day_long(void **state)
{
	static const struct {
		int64_t start_us;
		const char *reason;
	} cases[] = {
		{now_us, ""},
		{now_us - DAY_US, ""},
		{now_us - DAY_US - 1, "SESSION_TOO_LONG"},
		{now_us - 30 * DAY_US, "SESSION_TOO_LONG"},
		{INT64_C(-62135596800) * US, "SESSION_TOO_LONG"}, /* year 1 */
	};
	struct admission a;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		admission_init(&a);
		a.report.start_us = cases[i].start_us;
		assert_string_equal(admit(&a), cases[i].reason);
	}
}

static void test_a_start_from_before_the_epoch_is_moved_to_it(void **state)
{
	struct admission a;

	admission_init(&a);
	a.access.epoch_us = now_us - MINUTE_US;
	a.report.start_us = now_us - 60 * MINUTE_US;
	assert_string_equal(admit(&a), "");
	assert_int_equal(a.report.start_us, now_us - MINUTE_US);
	a.report.start_us = now_us - MINUTE_US + 1;
	assert_string_equal(admit(&a), "");
	assert_int_equal(a.report.start_us, now_us - MINUTE_US + 1);
}

static void test_admit_looks_at_access_then(void **state)
{
	static const struct {
		int64_t client_us;
		const char *reason;
	} cases[] = {
		/* A clock that is 5 minutes slow was at the purchase already. */
		{now_us - 10 * DAY_US - 5 * MINUTE_US - 1, "NOT_ENROLLED"},
		{now_us - 10 * DAY_US - 5 * MINUTE_US, ""},
		{now_us - 10 * DAY_US, ""},
		{now_us - 9 * DAY_US - 1, ""},
		{now_us - 9 * DAY_US, "NOT_ENROLLED"},
		{now_us, "NOT_ENROLLED"},
	};
	struct admission a;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		admission_init(&a);
		has_window(&a, now_us - 10 * DAY_US, now_us - 9 * DAY_US);
		a.report.client_us = a.report.start_us = cases[i].client_us;
		assert_int_equal(report_has_access(&a.access, &a.report), !*cases[i].reason);
		assert_string_equal(admit(&a), cases[i].reason);
	}
}

static void test_admit_refuses_who_never_was_enrolled(void **state)
{
	struct admission a;

	admission_init(&a);
	a.access.enrolled = false;
	assert_false(report_has_access(&a.access, &a.report));
	assert_string_equal(admit(&a), "NOT_ENROLLED");
}

static void test_admit_compares_epochs(void **state)
{
	struct admission a;

	admission_init(&a);
	a.access.epoch = 2;
	a.report.epoch = 2;
	assert_true(report_has_access(&a.access, &a.report));
	assert_string_equal(admit(&a), "");
	a.report.epoch = 1;
	assert_false(report_has_access(&a.access, &a.report));
	assert_string_equal(admit(&a), "STALE_EPOCH");
	assert_string_equal(a.err.metadata[0].key, "epoch");
	assert_string_equal(a.err.metadata[0].value, "2");
	a.report.epoch = INT64_MAX;
	assert_false(report_has_access(&a.access, &a.report));
	assert_string_equal(admit(&a), "FIELD_INVALID");
	assert_string_equal(a.err.violations[0].field, "epoch");
}

/* Which of coverage, interval and completed fit which kind. */
static void test_admit_compares_with_the_kind(void **state)
{
	static const struct {
		enum lesson_kind kind;
		bool coverage, interval, completed;
	} fits[] = {
		{LESSON_VIDEO, true, true, false},  {LESSON_TEXT, false, false, true},
		{LESSON_QUIZ, false, false, false}, {LESSON_EXERCISE, false, false, true},
		{LESSON_LIVE, false, false, true},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(fits); i++)
		for (unsigned said = 0; said < 8; said++) {
			struct admission a;
			bool coverage = said & 1, interval = said & 2, completed = said & 4;
			unsigned wrong = (coverage && !fits[i].coverage) + (interval && !fits[i].interval) +
					 (completed && !fits[i].completed);

			admission_init(&a);
			a.lesson.kind = fits[i].kind;
			a.report.has_coverage = coverage;
			a.report.has_interval = interval;
			a.report.completed = completed;
			assert_string_equal(admit(&a), wrong ? "LESSON_KIND_MISMATCH" : "");
			assert_int_equal(wrong ? a.err.n_violations : 0, wrong);
			if (wrong)
				assert_int_equal(a.err.violation_kind, ERROR_VIOLATION_PRECONDITION);
		}
}

static void test_admit_turns_the_interval_into_slices(void **state)
{
	struct admission a;

	admission_init(&a);
	a.report.has_interval = a.report.has_coverage = true;
	a.report.coverage = UINT64_C(1) << 63;
	a.report.interval_start_ms = 10000; /* of 640 s: a slice is 10 s */
	a.report.interval_end_ms = 39999;
	assert_string_equal(admit(&a), "");
	assert_int_equal(a.report.coverage, UINT64_C(1) << 63 | 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_leaves_out_what_was_not_said),
		cmocka_unit_test(test_read_tells_every_violation),
		cmocka_unit_test(test_admit_fills_in_the_course),
		cmocka_unit_test(test_admit_looks_at_the_clock),
		cmocka_unit_test(test_clock_skew_names_the_servers_time),
		cmocka_unit_test(test_not_enrolled_names_both_times),
		cmocka_unit_test(test_not_enrolled_says_what_helps),
		cmocka_unit_test(test_a_session_is_at_most_a_day_long),
		cmocka_unit_test(test_a_start_from_before_the_epoch_is_moved_to_it),
		cmocka_unit_test(test_admit_looks_at_access_then),
		cmocka_unit_test(test_admit_refuses_who_never_was_enrolled),
		cmocka_unit_test(test_admit_compares_epochs),
		cmocka_unit_test(test_admit_compares_with_the_kind),
		cmocka_unit_test(test_admit_turns_the_interval_into_slices),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
