/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/course/lesson.h"
#include "tests/lib/testserver.h"
#include "tests/lib/threads.h"

/* Reports of content: how many one may make, and who decides. */

enum { SUBJECTS = 12, A_DAY = 20 };

static const int eleven[] = {LESSON_TEXT, LESSON_TEXT, LESSON_TEXT, LESSON_TEXT, LESSON_TEXT, LESSON_TEXT,
			     LESSON_TEXT, LESSON_TEXT, LESSON_TEXT, LESSON_TEXT, LESSON_TEXT, 0};

struct world {
	struct testserver *t;
	struct testuser ines, admin;
	struct testcourse courses[2];
};

static int setup(void **state)
{
	static struct world w;
	testserver_setup(state);
	w.t = *state;
	testserver_user(w.t, NULL, ROLE_MASK_INSTRUCTOR, &w.ines);
	testserver_user(w.t, NULL, ROLE_MASK_ADMIN, &w.admin);
	for (unsigned i = 0; i < ARRAY_SIZE(w.courses); i++)
		testserver_course(w.t, &w.ines, 0, eleven, &w.courses[i]);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	testserver_free(((struct world *)*state)->t);
	return 0;
}

static int64_t __attribute__((format(printf, 2, 3))) number(const struct world *w, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return testdb_number(w->t->db, text);
}

/* The nth of what there is: two courses, and the eleven lessons of each. */
static int report(const struct world *w, struct arena *arena, const struct testuser *u, unsigned n,
		  Report **ret, struct error *err)
{
	const struct testcourse *c = &w->courses[n / SUBJECTS];
	ReportContentRequest req = REPORT_CONTENT_REQUEST_INIT;
	struct client_call_options options = as(u);
	ReportContentResponse *reply;

	req.kind = REPORT_KIND_BROKEN;
	if (n % SUBJECTS) {
		req.subject_case = EDU__V1__REPORT_CONTENT_REQUEST__SUBJECT_LESSON_ID;
		req.lesson_id = (char *)c->lessons[n % SUBJECTS - 1];
	} else {
		req.subject_case = EDU__V1__REPORT_CONTENT_REQUEST__SUBJECT_COURSE_ID;
		req.course_id = (char *)c->id;
	}
	int r = edu_service_report_content_call(w->t->channel, &req, &options, arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->report;
	return r;
}

static int resolve(const struct world *w, struct arena *arena, const struct testuser *u,
		   const char *report_id, struct error *err)
{
	ResolveReportRequest req = RESOLVE_REPORT_REQUEST_INIT;
	struct client_call_options options = as(u);
	ResolveReportResponse *reply;

	req.report_id = (char *)report_id;
	req.outcome = REPORT_OUTCOME_UPHELD;
	req.comment = (char *)"mended";
	return edu_service_resolve_report_call(w->t->channel, &req, &options, arena, &reply, err);
}

struct actor {
	const struct world *w;
	const struct testuser *u;
	unsigned subject;
	const char *report_id; /* to be resolved; NULL: the subject is reported */
	struct arena arena;
	int r;
	struct error err;
};

static void *act(void *arg)
{
	struct actor *a = arg;
	arena_init(&a->arena, 1 << 20);
	a->r = a->report_id ? resolve(a->w, &a->arena, a->u, a->report_id, &a->err)
			    : report(a->w, &a->arena, a->u, a->subject, NULL, &a->err);
	return NULL;
}

/* How many succeeded; the others have this reason. */
static unsigned all_at_once(struct actor *actors, unsigned n, const char *reason)
{
	unsigned done = 0;
	threads_run(n, act, actors, sizeof(actors[0]));
	for (unsigned i = 0; i < n; i++) {
		if (actors[i].r < 0)
			assert_reason(actors[i].r, &actors[i].err, reason);
		else
			done++;
		arena_done(&actors[i].arena);
	}
	return done;
}

static void test_so_many_a_day(void **state)
{
	struct world *w = *state;
	struct actor actors[2 * SUBJECTS];
	struct testuser u;
	struct error err;

	testserver_user(w->t, NULL, 0, &u);
	for (unsigned i = 0; i < ARRAY_SIZE(actors); i++)
		actors[i] = (struct actor){.w = w, .u = &u, .subject = i};
	assert_int_equal(all_at_once(actors, ARRAY_SIZE(actors), "REPORTS_EXHAUSTED"), A_DAY);
	assert_int_equal(number(w, "SELECT COUNT(*) FROM report WHERE reporter_id = %" PRId64, u.user_id),
			 A_DAY);
	assert_int_equal(
		number(w, "SELECT reports FROM report_guard WHERE reporter_id = %" PRId64, u.user_id), A_DAY);
	/* Until the day is over, and nobody else is kept out. */
	for (unsigned i = 0; i < ARRAY_SIZE(actors); i++) {
		int r = report(w, &w->t->arena, &u, i, NULL, &err);
		assert_true(r < 0);
		assert_true(strcmp(err.reason->name, "REPORTS_EXHAUSTED") == 0 ||
			    strcmp(err.reason->name, "ALREADY_REPORTED") == 0);
		if (strcmp(err.reason->name, "REPORTS_EXHAUSTED") == 0) {
			assert_int_equal(err.violation_kind, ERROR_VIOLATION_QUOTA);
			assert_in_range(err.retry_delay_ms, 1, DAY_US / 1000);
		}
	}
	assert_ok(report(w, &w->t->arena, &w->admin, 0, NULL, &err), &err);
	w->t->clock.ahead_us += DAY_US;
	testserver_token(w->t, &u, 0);
	testserver_token(w->t, &w->admin, ROLE_MASK_ADMIN);
	assert_int_equal(all_at_once(actors, ARRAY_SIZE(actors), "ALREADY_REPORTED"),
			 ARRAY_SIZE(actors) - A_DAY);
	assert_int_equal(
		number(w, "SELECT reports FROM report_guard WHERE reporter_id = %" PRId64, u.user_id),
		ARRAY_SIZE(actors) - A_DAY);
}

static void test_one_open_report_of_each(void **state)
{
	struct world *w = *state;
	struct actor actors[8];
	struct testuser u;
	struct error err;
	Report *made;

	testserver_user(w->t, NULL, 0, &u);
	for (unsigned i = 0; i < ARRAY_SIZE(actors); i++)
		actors[i] = (struct actor){.w = w, .u = &u, .subject = 3};
	assert_int_equal(all_at_once(actors, ARRAY_SIZE(actors), "ALREADY_REPORTED"), 1);
	assert_int_equal(
		number(w, "SELECT reports FROM report_guard WHERE reporter_id = %" PRId64, u.user_id), 1);
	assert_ok(report(w, &w->t->arena, &u, 4, &made, &err), &err);
	int r = report(w, &w->t->arena, &u, 4, NULL, &err);
	assert_reason(r, &err, "ALREADY_REPORTED");
	assert_string_equal(err.resource_name, made->report_id);
	assert_ok(resolve(w, &w->t->arena, &w->admin, made->report_id, &err), &err);
	assert_ok(report(w, &w->t->arena, &u, 4, &made, &err), &err);
}

static void test_one_of_many_resolvers_decides(void **state)
{
	struct world *w = *state;
	struct actor actors[8];
	struct testuser u;
	struct error err;
	Report *made;

	testserver_user(w->t, NULL, 0, &u);
	assert_ok(report(w, &w->t->arena, &u, 5, &made, &err), &err);
	for (unsigned i = 0; i < ARRAY_SIZE(actors); i++)
		actors[i] = (struct actor){.w = w, .u = &w->admin, .report_id = made->report_id};
	assert_int_equal(all_at_once(actors, ARRAY_SIZE(actors), "REPORT_STATE_INVALID"), 1);
	const int64_t id = id_of("rpt", made->report_id);
	assert_int_equal(number(w,
				"SELECT COUNT(*) FROM audit WHERE subject_id = %" PRId64
				" AND action = 'ResolveReport' AND reason = 'mended'",
				id),
			 1);
	/* Events tell the platform, and no organization of whoever made it. */
	assert_int_equal(
		number(w,
		       "SELECT COUNT(*) FROM event WHERE subject_id = %" PRId64
		       " AND user_id = 0 AND (kind, version) IN (('report.filed', 1), ('report.resolved', 2))",
		       id),
		2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_so_many_a_day),
		cmocka_unit_test(test_one_open_report_of_each),
		cmocka_unit_test(test_one_of_many_resolvers_decides),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
