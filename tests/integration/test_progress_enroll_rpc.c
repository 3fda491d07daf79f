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
#include "proto/runtime/uuid.h"
#include "server/course/lesson.h"
#include "server/db/lease.h"
#include "tests/lib/ledger_check.h"
#include "tests/lib/testserver.h"
#include "tests/lib/threads.h"

/* EnrollInCourse: by access that is there, by a course that is free, and by neither. */

enum { CROWD = 24, SEAT = 5, SUBSCRIPTION = 6, COURSE = 1, CATALOGUE = 2 };

static struct testuser teacher, admin;
static const int one_text[] = {LESSON_TEXT, 0};

#define sql(t, ...) testdb_do((t)->db, __VA_ARGS__)
#define number(t, ...) testdb_numberf((t)->db, __VA_ARGS__)

/* --- asking --- */

/* One caller and what he is told; an arena of his own, so that a crowd may ask at once. */
struct asking {
	const struct testserver *t;
	const struct testuser *who;
	const char *course_id;
	char request_id[37];
	bool buys; /* by PurchaseCourse */

	struct arena arena;
	bool replayed;
	Enrollment *enrollment;
	int r;
	struct error err;
};

static void *ask(void *arg)
{
	struct asking *a = arg;
	struct client_call_options options = as(a->who);
	EnrollInCourseRequest enroll = ENROLL_IN_COURSE_REQUEST_INIT;
	PurchaseCourseRequest buy = PURCHASE_COURSE_REQUEST_INIT;
	EnrollInCourseResponse *enrolled = NULL;
	PurchaseCourseResponse *bought = NULL;
	Money nothing = MONEY_INIT;

	if (!a->arena.cap)
		arena_init(&a->arena, 1 << 20);
	options.replayed = &a->replayed;
	enroll.course_id = buy.course_id = (char *)a->course_id;
	enroll.request_id = buy.request_id = a->request_id;
	buy.currency_code = nothing.currency_code = (char *)"EUR";
	buy.expected_total = &nothing;
	buy.payment_source = EDU__V1__PAYMENT_SOURCE__PAYMENT_SOURCE_WALLET;
	a->r = a->buys ? edu_service_purchase_course_call(a->t->channel, &buy, &options, &a->arena, &bought,
							  &a->err)
		       : edu_service_enroll_in_course_call(a->t->channel, &enroll, &options, &a->arena,
							   &enrolled, &a->err);
	a->enrollment = a->r >= 0 && !a->buys ? enrolled->enrollment : NULL;
	return NULL;
}

static struct asking asking_of(const struct testserver *t, const struct testuser *who, const char *course_id)
{
	struct asking a = {.t = t, .who = who, .course_id = course_id};

	new_request_id(a.request_id);
	return a;
}

static void assert_enrolled(struct asking *a)
{
	ask(a);
	assert_ok(a->r, &a->err);
	assert_string_equal(a->enrollment->user_id, a->who->id);
	assert_string_equal(a->enrollment->course_id, a->course_id);
}

static void assert_refused(const struct testserver *t, const struct testuser *who, const char *course_id,
			   const char *reason)
{
	struct asking a = asking_of(t, who, course_id);
	const int64_t before = number(t, "SELECT COUNT(*) FROM enrollment");

	ask(&a);
	assert_reason(a.r, &a.err, reason);
	assert_int_equal(number(t, "SELECT COUNT(*) FROM enrollment"), before);
	arena_done(&a.arena);
}

/* "" when the report is taken, else the text of the refusal. */
static const char *learn(struct testserver *t, const struct testuser *who, const char *lesson_id)
{
	static struct error err;
	static char session_id[37];
	const int64_t now_us = clock_now_us(&t->clock.clock);
	RecordProgressRequest req = RECORD_PROGRESS_REQUEST_INIT;
	RecordProgressResponse *reply;
	struct client_call_options options = as(who);
	Google__Protobuf__Timestamp now = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

	now.seconds = now_us / 1000000;
	req.lesson_id = (char *)lesson_id;
	req.session_id = new_request_id(session_id);
	req.client_time = req.session_start_time = &now;
	err = (struct error){0};
	int r = edu_service_record_progress_call(t->channel, &req, &options, &t->arena, &reply, &err);
	return r < 0 ? err.message : "";
}

/* --- what gives access --- */

static void grant(const struct testserver *t, const struct testuser *u, int scope, int64_t scope_id,
		  int source, int64_t start_us, const char *expire)
{
	sql(t,
	    "INSERT INTO access_grant (user_id, scope_kind, scope_id, grant_id, source_kind, source_id, start_time,"
	    " expire_time) VALUES (%" PRId64 ", %d, %" PRId64 ", %" PRId64 ", %d, 1, %" PRId64 ", %s)",
	    u->user_id, scope, scope_id, testserver_new_id(t), source, start_us, expire);
}

static int64_t events(const struct testserver *t, const struct testuser *u, const char *kind)
{
	return number(t, "SELECT COUNT(*) FROM event WHERE kind = '%s' AND user_id = %" PRId64, kind,
		      u->user_id);
}

static int64_t purchases(const struct testserver *t, const struct testuser *u)
{
	return number(t, "SELECT COUNT(*) FROM purchase WHERE user_id = %" PRId64, u->user_id);
}

static int64_t start_us_of(const Enrollment *e)
{
	return e->start_time->seconds * 1000000 + e->start_time->nanos / 1000;
}

/* --- a course that is free --- */

static void a_free_course_is_purchased(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;
	struct testuser u;

	testserver_course(t, &teacher, 0, one_text, &c);
	testserver_user(t, NULL, 0, &u);
	struct asking a = asking_of(t, &u, c.id);
	assert_enrolled(&a);
	assert_int_equal(a.enrollment->state, ENROLLMENT_STATE_ACTIVE);
	assert_int_equal(a.enrollment->lessons_total, 1);
	assert_int_equal(a.enrollment->n_accesses, 1);
	assert_int_equal(a.enrollment->accesses[0]->source, ACCESS_SOURCE_PURCHASE);
	assert_memory_equal(a.enrollment->accesses[0]->purchase_id, "pur_", 4);
	assert_string_equal(learn(t, &u, c.lessons[0]), "");
	assert_int_equal(events(t, &u, "purchase.completed"), 1);
	assert_int_equal(events(t, &u, "enrollment.started"), 0);
	assert_int_equal(
		number(t,
		       "SELECT COUNT(*) FROM purchase JOIN charge ON charge_id = purchase_id WHERE user_id = %" PRId64
		       " AND state = 2 AND live = 1 AND course_revision = 1 AND currency_code = 'XXX' AND total = 0"
		       " AND transaction_id IS NULL",
		       u.user_id),
		1);
	arena_done(&a.arena);

	/* Another request finds him enrolled, and PurchaseCourse finds that purchase. */
	struct asking again = asking_of(t, &u, c.id), buys = asking_of(t, &u, c.id);
	assert_enrolled(&again);
	assert_false(again.replayed);
	buys.buys = true;
	ask(&buys);
	assert_reason(buys.r, &buys.err, "ALREADY_PURCHASED");
	assert_int_equal(purchases(t, &u), 1);
	assert_int_equal(ledger_faults(t->db), 0);
	arena_done(&again.arena);
	arena_done(&buys.arena);
}

static void after_access_ended_a_free_course_is_taken_again(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;
	struct testuser u;

	testserver_course(t, &teacher, 0, one_text, &c);
	testserver_user(t, NULL, 0, &u);
	struct asking first = asking_of(t, &u, c.id), second = asking_of(t, &u, c.id);
	assert_enrolled(&first);
	sql(t, "UPDATE access_grant SET revoke_time = start_time + 1 WHERE user_id = %" PRId64, u.user_id);
	sql(t, "UPDATE purchase SET live = NULL WHERE user_id = %" PRId64, u.user_id);
	assert_enrolled(&second);
	assert_int_equal(second.enrollment->state, ENROLLMENT_STATE_ACTIVE);
	assert_int_equal(second.enrollment->n_accesses, 2);
	assert_int_equal(start_us_of(second.enrollment), start_us_of(first.enrollment));
	assert_int_equal(purchases(t, &u), 2);
	arena_done(&first.arena);
	arena_done(&second.arena);
}

/* --- who has access --- */

static void who_has_access_is_enrolled_from_when_it_began(void **state)
{
	struct testserver *t = *state;
	const int64_t now_us = clock_now_us(&t->clock.clock), catalogue = testserver_new_id(t);
	struct testcourse c;
	struct testuser u;

	testserver_course(t, &teacher, 100, one_text, &c);
	testserver_user(t, NULL, 0, &u);
	sql(t, "INSERT INTO catalogue_course VALUES (%" PRId64 ", %" PRId64 ", %" PRId64 ", NULL)",
	    c.course_id, catalogue, now_us - 5 * HOUR_US);
	grant(t, &u, CATALOGUE, catalogue, SUBSCRIPTION, now_us - 9 * HOUR_US, "NULL");
	grant(t, &u, COURSE, c.course_id, SEAT, now_us - 2 * HOUR_US, "NULL");
	assert_non_null(strstr(learn(t, &u, c.lessons[0]), "call EnrollInCourse"));

	struct asking a = asking_of(t, &u, c.id), again = asking_of(t, &u, c.id);
	assert_enrolled(&a);
	assert_int_equal(a.enrollment->state, ENROLLMENT_STATE_ACTIVE);
	assert_int_equal(start_us_of(a.enrollment), now_us - 5 * HOUR_US);
	assert_int_equal(a.enrollment->n_accesses, 2);
	assert_string_equal(learn(t, &u, c.lessons[0]), "");
	assert_enrolled(&again);
	assert_int_equal(start_us_of(again.enrollment), now_us - 5 * HOUR_US);
	assert_int_equal(events(t, &u, "enrollment.started"), 1);
	assert_int_equal(
		number(t,
		       "SELECT COUNT(*) FROM event WHERE kind = 'enrollment.started' AND subject_id = %" PRId64
		       " AND course_id = subject_id",
		       c.course_id),
		1);
	assert_int_equal(purchases(t, &u), 0);

	/* It ends, is given again, and neither moves the start. */
	sql(t, "UPDATE access_grant SET revoke_time = %" PRId64 " WHERE user_id = %" PRId64, now_us,
	    u.user_id);
	assert_refused(t, &u, c.id, "ACCESS_MISSING");
	grant(t, &u, COURSE, c.course_id, SEAT, now_us - 7 * HOUR_US, "NULL");
	struct asking later = asking_of(t, &u, c.id);
	assert_enrolled(&later);
	assert_int_equal(start_us_of(later.enrollment), now_us - 5 * HOUR_US);
	assert_int_equal(events(t, &u, "enrollment.started"), 1);
	arena_done(&a.arena);
	arena_done(&again.arena);
	arena_done(&later.arena);
}

static void access_that_is_to_come_is_enrolled_for(void **state)
{
	struct testserver *t = *state;
	const int64_t now_us = clock_now_us(&t->clock.clock);
	struct testcourse c;
	struct testuser u;

	testserver_course(t, &teacher, 100, one_text, &c);
	testserver_user(t, NULL, 0, &u);
	grant(t, &u, COURSE, c.course_id, SEAT, now_us + HOUR_US, "NULL");
	struct asking a = asking_of(t, &u, c.id);
	assert_enrolled(&a);
	assert_int_equal(a.enrollment->state, ENROLLMENT_STATE_SCHEDULED);
	assert_int_equal(start_us_of(a.enrollment), now_us + HOUR_US);
	arena_done(&a.arena);
}

/* An instructor's previews are tracked, of a draft too; he buys nothing, not even what is free. */
static void who_teaches_a_course_may_learn_it(void **state)
{
	struct testserver *t = *state;
	static const int prices[] = {0, 100};

	for (unsigned i = 0; i < ARRAY_SIZE(prices); i++) {
		struct testcourse c;
		testserver_course(t, &teacher, prices[i], one_text, &c);
		if (prices[i])
			sql(t,
			    "UPDATE course SET stage = 1, revision = 0, publish_time = NULL WHERE course_id = %" PRId64,
			    c.course_id);
		assert_non_null(strstr(learn(t, &teacher, c.lessons[0]), "call EnrollInCourse"));
		struct asking a = asking_of(t, &teacher, c.id);
		assert_enrolled(&a);
		assert_int_equal(a.enrollment->accesses[0]->source, ACCESS_SOURCE_INSTRUCTOR);
		assert_string_equal(learn(t, &teacher, c.lessons[0]), "");
		arena_done(&a.arena);
	}
	assert_int_equal(purchases(t, &teacher), 0);
}

/* --- who may not --- */

static void without_access_what_is_not_free_is_refused(void **state)
{
	struct testserver *t = *state;
	const int64_t now_us = clock_now_us(&t->clock.clock);
	struct testcourse c;
	struct testuser stranger, former;
	char ended[24];

	testserver_course(t, &teacher, 100, one_text, &c);
	testserver_user(t, NULL, 0, &stranger);
	testserver_user(t, NULL, 0, &former);
	snprintf(ended, sizeof(ended), "%" PRId64, now_us - HOUR_US);
	grant(t, &former, COURSE, c.course_id, SEAT, now_us - 2 * HOUR_US, ended);
	assert_refused(t, &stranger, c.id, "ACCESS_MISSING");
	assert_refused(t, &former, c.id, "ACCESS_MISSING");
	assert_null(strstr(learn(t, &stranger, c.lessons[0]), "EnrollInCourse"));
	assert_null(strstr(learn(t, &former, c.lessons[0]), "EnrollInCourse"));
	assert_refused(t, &stranger, "crs_0000000000001", "COURSE_NOT_FOUND");

	sql(t, "UPDATE course SET stage = 4 WHERE course_id = %" PRId64, c.course_id);
	assert_refused(t, &stranger, c.id, "COURSE_NOT_FOUND");
	assert_refused(t, &former, c.id, "COURSE_NOT_PUBLISHED");
	assert_refused(t, &admin, c.id, "COURSE_NOT_PUBLISHED");
	grant(t, &former, COURSE, c.course_id, SEAT, now_us - HOUR_US, "NULL");
	struct asking a = asking_of(t, &former, c.id);
	assert_enrolled(&a);
	arena_done(&a.arena);

	sql(t, "UPDATE course SET stage = 1, revision = 0, publish_time = NULL WHERE course_id = %" PRId64,
	    c.course_id);
	assert_refused(t, &stranger, c.id, "COURSE_NOT_FOUND");
}

static void an_archived_course_is_no_longer_free(void **state)
{
	struct testserver *t = *state;
	struct testcourse c;
	struct testuser u;

	testserver_course(t, &teacher, 0, one_text, &c);
	testserver_user(t, NULL, 0, &u);
	sql(t, "UPDATE course SET stage = 4 WHERE course_id = %" PRId64, c.course_id);
	assert_refused(t, &u, c.id, "COURSE_NOT_FOUND");
	assert_refused(t, &admin, c.id, "COURSE_NOT_PUBLISHED");
}

/* --- repeats and races --- */

static void a_repeat_gets_the_first_answer(void **state)
{
	struct testserver *t = *state;
	struct testcourse c, other;
	struct testuser u;

	testserver_course(t, &teacher, 0, one_text, &c);
	testserver_course(t, &teacher, 0, one_text, &other);
	testserver_user(t, NULL, 0, &u);
	struct asking a = asking_of(t, &u, c.id);
	assert_enrolled(&a);
	assert_false(a.replayed);
	const char *grant_id = a.enrollment->accesses[0]->grant_id;
	sql(t, "UPDATE course SET stage = 4 WHERE course_id = %" PRId64, c.course_id);
	assert_enrolled(&a);
	assert_true(a.replayed);
	assert_string_equal(a.enrollment->accesses[0]->grant_id, grant_id);
	a.course_id = other.id;
	ask(&a);
	assert_reason(a.r, &a.err, "REQUEST_ID_REUSED");
	assert_int_equal(purchases(t, &u), 1);
	arena_done(&a.arena);
}

/* Everybody is one user: all of them end up enrolled, by one purchase or one row. */
static void race(struct testserver *t, const struct testuser *u, const char *course_id, bool buyers,
		 bool one_request)
{
	struct asking *crowd = calloc(CROWD, sizeof(*crowd));

	for (int i = 0; i < CROWD; i++) {
		crowd[i] = asking_of(t, u, course_id);
		crowd[i].buys = buyers && i % 2;
		if (one_request)
			memcpy(crowd[i].request_id, crowd[0].request_id, sizeof(crowd[i].request_id));
	}
	threads_run(CROWD, ask, crowd, sizeof(*crowd));
	for (int i = 0; i < CROWD; i++) {
		if (crowd[i].buys && crowd[i].r < 0)
			assert_reason(crowd[i].r, &crowd[i].err, "ALREADY_PURCHASED");
		else
			assert_ok(crowd[i].r, &crowd[i].err);
		if (crowd[i].enrollment)
			assert_int_equal(crowd[i].enrollment->state, ENROLLMENT_STATE_ACTIVE);
		arena_done(&crowd[i].arena);
	}
	free(crowd);
}

static void races_enroll_once(void **state)
{
	struct testserver *t = *state;

	for (int i = 0; i < 8; i++) {
		const bool free_course = i & 1, buyers = i & 2, one_request = i & 4;
		struct testcourse c;
		struct testuser u;

		testserver_course(t, &teacher, free_course ? 0 : 100, one_text, &c);
		testserver_user(t, NULL, 0, &u);
		if (!free_course)
			grant(t, &u, COURSE, c.course_id, SEAT, clock_now_us(&t->clock.clock) - HOUR_US,
			      "NULL");
		race(t, &u, c.id, buyers && free_course, one_request && !buyers);
		assert_int_equal(purchases(t, &u), free_course);
		assert_int_equal(events(t, &u, "purchase.completed"), free_course);
		assert_int_equal(events(t, &u, "enrollment.started"), !free_course);
		assert_int_equal(
			number(t, "SELECT COUNT(*) FROM access_grant WHERE user_id = %" PRId64, u.user_id),
			1);
	}
	assert_int_equal(ledger_faults(t->db), 0);
}

static int setup(void **state)
{
	testserver_setup(state);
	testserver_user(*state, NULL, ROLE_MASK_INSTRUCTOR, &teacher);
	testserver_user(*state, NULL, ROLE_MASK_ADMIN, &admin);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_free_course_is_purchased, testserver_reset_after),
		cmocka_unit_test_teardown(after_access_ended_a_free_course_is_taken_again,
					  testserver_reset_after),
		cmocka_unit_test_teardown(who_has_access_is_enrolled_from_when_it_began,
					  testserver_reset_after),
		cmocka_unit_test_teardown(access_that_is_to_come_is_enrolled_for, testserver_reset_after),
		cmocka_unit_test_teardown(who_teaches_a_course_may_learn_it, testserver_reset_after),
		cmocka_unit_test_teardown(without_access_what_is_not_free_is_refused, testserver_reset_after),
		cmocka_unit_test_teardown(an_archived_course_is_no_longer_free, testserver_reset_after),
		cmocka_unit_test_teardown(a_repeat_gets_the_first_answer, testserver_reset_after),
		cmocka_unit_test_teardown(races_enroll_once, testserver_reset_after),
	};
	return cmocka_run_group_tests(tests, setup, testserver_teardown);
}
