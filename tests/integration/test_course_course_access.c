/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/course/lesson.h"
#include "server/db/lease.h"
#include "tests/lib/testserver.h"
#include "tests/lib/threads.h"

/* What access has to do with courses: who teaches one has a grant of it, and who has or had access to one
 * keeps it when it is archived. */

static const int one_text[] = {LESSON_TEXT, 0};

#define sql(t, ...) testdb_do((t)->db, __VA_ARGS__)
#define number(t, ...) testdb_numberf((t)->db, __VA_ARGS__)

/* --- instructors --- */

enum { TEACHERS_MAX = 8 };

static CourseInstructor *list_of(CourseInstructor *list, const struct testuser *const *teachers, unsigned n,
				 CourseInstructor **ret)
{
	for (unsigned i = 0; i < n; i++) {
		list[i] = (CourseInstructor)COURSE_INSTRUCTOR_INIT;
		list[i].user_id = (char *)teachers[i]->id;
		ret[i] = &list[i];
	}
	return list;
}

static int teach(const struct testserver *t, struct arena *arena, const struct testuser *who,
		 const char *course_id, const struct testuser *const *teachers, unsigned n, struct error *err)
{
	UpdateCourseRequest req = UPDATE_COURSE_REQUEST_INIT;
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	Course course = COURSE_INIT;
	char *path = (char *)"instructors";
	CourseInstructor list[TEACHERS_MAX], *pointers[TEACHERS_MAX];
	struct client_call_options options = as(who);
	UpdateCourseResponse *reply;

	list_of(list, teachers, n, pointers);
	course.course_id = (char *)course_id;
	course.instructors = pointers;
	course.n_instructors = n;
	mask.paths = &path;
	mask.n_paths = 1;
	req.course = &course;
	req.update_mask = &mask;
	return edu_service_update_course_call(t->channel, &req, &options, arena, &reply, err);
}

/* Grants as an instructor: all of the user's, and those that were not taken away. */
static int64_t grants(const struct testserver *t, const struct testuser *u, int64_t course_id)
{
	return number(t,
		      "SELECT COUNT(*) FROM access_grant WHERE user_id = %" PRId64
		      " AND scope_kind = 1 AND scope_id = %" PRId64
		      " AND source_kind = 4 AND source_id = scope_id"
		      " AND expire_time IS NULL",
		      u->user_id, course_id);
}

static int64_t live_grants(const struct testserver *t, const struct testuser *u, int64_t course_id)
{
	return number(t,
		      "SELECT COUNT(*) FROM access_grant WHERE user_id = %" PRId64
		      " AND scope_kind = 1 AND scope_id = %" PRId64
		      " AND source_kind = 4 AND revoke_time IS NULL",
		      u->user_id, course_id);
}

/* Every grant has its event, and one more when it was taken away: of the grant's user and course, in this
 * order of its versions. */
static void assert_told(const struct testserver *t, int64_t course_id)
{
	assert_int_equal(
		number(t,
		       "SELECT COUNT(*) FROM access_grant g WHERE g.scope_id = %" PRId64
		       " AND NOT (1 + (g.revoke_time IS NOT NULL), g.revoke_time IS NOT NULL) <=>"
		       " (SELECT COUNT(*), MAX(e.version = 2) FROM event e WHERE e.subject_id = g.grant_id"
		       "   AND e.user_id = g.user_id AND e.course_id = g.scope_id"
		       "   AND (e.kind, e.version, e.create_time) IN (('access.granted', 1, g.start_time),"
		       "     ('access.revoked', 2, g.revoke_time)))",
		       course_id),
		0);
}

static int64_t access_events(const struct testserver *t, int64_t course_id)
{
	return number(t, "SELECT COUNT(*) FROM event WHERE course_id = %" PRId64 " AND kind LIKE 'access.%%'",
		      course_id);
}

static void who_teaches_has_a_grant(void **state)
{
	struct testserver *t = *state;
	struct testuser ines, ivan, iris, admin;
	CreateCourseRequest req = CREATE_COURSE_REQUEST_INIT;
	CourseInstructor list[2], *pointers[2];
	CreateCourseResponse *reply;
	struct client_call_options options;
	char request_id[37];
	struct error err;

	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &ines);
	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &ivan);
	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &iris);
	testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
	list_of(list, (const struct testuser *[]){&ines, &ivan}, 2, pointers);
	req.title = (char *)"Taught by two";
	req.instructors = pointers;
	req.n_instructors = 2;
	req.request_id = new_request_id(request_id);
	for (int i = 0; i < 2; i++) { /* a repeat changes nothing */
		options = as(&admin);
		int r = edu_service_create_course_call(t->channel, &req, &options, &t->arena, &reply, &err);
		assert_ok(r, &err);
	}
	const char *id = reply->course->course_id;
	const int64_t course_id = id_of("crs", id);
	assert_int_equal(grants(t, &ines, course_id), 1);
	assert_int_equal(grants(t, &ivan, course_id), 1);
	assert_int_equal(grants(t, &admin, course_id), 0);
	assert_int_equal(access_events(t, course_id), 2);

	/* Ivan goes, Iris comes; Ines, who stays, keeps what she has. */
	int r = teach(t, &t->arena, &ines, id, (const struct testuser *[]){&iris, &ines}, 2, &err);
	assert_ok(r, &err);
	assert_int_equal(grants(t, &ines, course_id), 1);
	assert_int_equal(live_grants(t, &ines, course_id), 1);
	assert_int_equal(grants(t, &ivan, course_id), 1);
	assert_int_equal(live_grants(t, &ivan, course_id), 0);
	assert_int_equal(live_grants(t, &iris, course_id), 1);
	assert_int_equal(access_events(t, course_id), 4);

	/* Who comes again has another one. */
	r = teach(t, &t->arena, &admin, id, (const struct testuser *[]){&ivan}, 1, &err);
	assert_ok(r, &err);
	assert_int_equal(grants(t, &ivan, course_id), 2);
	assert_int_equal(live_grants(t, &ivan, course_id), 1);
	assert_int_equal(live_grants(t, &ines, course_id) + live_grants(t, &iris, course_id), 0);
	assert_int_equal(access_events(t, course_id), 7);
	assert_told(t, course_id);

	/* What is refused changes nothing. */
	r = teach(t, &t->arena, &admin, id, (const struct testuser *[]){&ines, &admin}, 2, &err);
	assert_reason(r, &err, "INSTRUCTOR_NOT_QUALIFIED");
	assert_int_equal(access_events(t, course_id), 7);
	assert_int_equal(number(t, "SELECT COUNT(*) FROM enrollment WHERE course_id = %" PRId64, course_id),
			 0);
}

struct racer {
	const struct testserver *t;
	const struct testuser *admin, *const *teachers;
	const char *course_id;
	unsigned n;
	int r;
	struct error err;
	struct arena arena;
};

static void *race(void *arg)
{
	struct racer *racer = arg;

	arena_init(&racer->arena, 1 << 20);
	racer->r = teach(racer->t, &racer->arena, racer->admin, racer->course_id, racer->teachers, racer->n,
			 &racer->err);
	return NULL;
}

/* Whatever the order they came in: who stands in the list has one grant, nobody else has one. */
static void racing_lists_and_their_grants_agree(void **state)
{
	struct testserver *t = *state;
	struct testuser teachers[TEACHERS_MAX], admin;
	const struct testuser *orders[TEACHERS_MAX][TEACHERS_MAX];
	struct racer racers[TEACHERS_MAX];
	struct testcourse c;

	testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
	for (int i = 0; i < TEACHERS_MAX; i++)
		testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &teachers[i]);
	testserver_course(t, &teachers[0], 0, one_text, &c);
	sql(t, "UPDATE course SET stage = 1, revision = 0, publish_time = NULL WHERE course_id = %" PRId64,
	    c.course_id);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < TEACHERS_MAX; i++) {
			for (int j = 0; j < TEACHERS_MAX; j++)
				orders[i][j] = &teachers[(i + j) % TEACHERS_MAX];
			racers[i] = (struct racer){.t = t,
						   .admin = &admin,
						   .teachers = orders[i],
						   .course_id = c.id,
						   .n = 1 + (unsigned)(i + round) % 4};
		}
		threads_run(TEACHERS_MAX, race, racers, sizeof(racers[0]));
		for (int i = 0; i < TEACHERS_MAX; i++) {
			assert_ok(racers[i].r, &racers[i].err);
			arena_done(&racers[i].arena);
		}
		for (int i = 0; i < TEACHERS_MAX; i++)
			assert_int_equal(
				live_grants(t, &teachers[i], c.course_id),
				number(t,
				       "SELECT COUNT(*) FROM course_instructor WHERE user_id = %" PRId64
				       " AND course_id = %" PRId64,
				       teachers[i].user_id, c.course_id));
	}
	assert_told(t, c.course_id);
}

/* --- archived courses --- */

/* As the command that archives will: the row and its event in one transaction. */
static void archive(const struct testserver *t, int64_t course_id)
{
	sql(t,
	    "BEGIN NOT ATOMIC START TRANSACTION;"
	    " UPDATE course SET stage = 4, version = version + 1 WHERE course_id = %" PRId64 ";"
	    " INSERT INTO event (event_id, kind, subject_id, user_id, course_id, organization_id, create_time,"
	    "  payload) VALUES (%" PRId64 ", 'course.archived', %" PRId64 ", 0, %" PRId64 ", 0, 1, '');"
	    " COMMIT; END",
	    course_id, testserver_new_id(t), course_id, course_id);
}

/* Times are hours from now; 0: none. Nobody is told. */
static void give(const struct testserver *t, const struct testuser *u, int scope_kind, int64_t scope_id,
		 int start, int expire, int revoke)
{
	const int64_t now_us = clock_now_us(t->config.clock);

	sql(t,
	    "INSERT INTO access_grant (user_id, scope_kind, scope_id, grant_id, source_kind, source_id, start_time,"
	    " expire_time, revoke_time) VALUES (%" PRId64 ", %d, %" PRId64 ", %" PRId64 ", 3, 1, %" PRId64
	    ", IF(%d, %" PRId64 ", NULL), IF(%d, %" PRId64 ", NULL))",
	    u->user_id, scope_kind, scope_id, testserver_new_id(t), now_us + start * HOUR_US, expire,
	    now_us + expire * HOUR_US, revoke, now_us + revoke * HOUR_US);
}

static int get(const struct testserver *t, const struct testuser *who, const char *id, struct error *err)
{
	GetCourseRequest req = GET_COURSE_REQUEST_INIT;
	struct client_call_options options = as(who);
	GetCourseResponse *reply;
	req.course_id = (char *)id;
	return edu_service_get_course_call(t->channel, &req, &options, (struct arena *)&t->arena, &reply,
					   err);
}

static int lessons(const struct testserver *t, const struct testuser *who, const char *id, struct error *err)
{
	ListLessonsRequest req = LIST_LESSONS_REQUEST_INIT;
	struct client_call_options options = as(who);
	ListLessonsResponse *reply;
	req.course_id = (char *)id;
	return edu_service_list_lessons_call(t->channel, &req, &options, (struct arena *)&t->arena, &reply,
					     err);
}

static int buy(const struct testserver *t, const struct testuser *who, const char *id, struct error *err)
{
	PurchaseCourseRequest req = PURCHASE_COURSE_REQUEST_INIT;
	Money nothing = MONEY_INIT;
	struct client_call_options options = as(who);
	PurchaseCourseResponse *reply;
	char key[37];

	nothing.currency_code = req.currency_code = (char *)"EUR";
	req.course_id = (char *)id;
	req.expected_total = &nothing;
	req.payment_source = EDU__V1__PAYMENT_SOURCE__PAYMENT_SOURCE_WALLET;
	req.request_id = new_request_id(key);
	return edu_service_purchase_course_call(t->channel, &req, &options, (struct arena *)&t->arena, &reply,
						err);
}

static int record(const struct testserver *t, const struct testuser *who, const char *lesson_id,
		  struct error *err)
{
	RecordProgressRequest req = RECORD_PROGRESS_REQUEST_INIT;
	Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	struct client_call_options options = as(who);
	RecordProgressResponse *reply;
	char session[37];

	at.seconds = clock_now_us(t->config.clock) / 1000000;
	req.lesson_id = (char *)lesson_id;
	req.session_id = new_request_id(session);
	req.client_time = req.session_start_time = &at;
	return edu_service_record_progress_call(t->channel, &req, &options, (struct arena *)&t->arena, &reply,
						err);
}

static int list_of_others(const struct testserver *t, const struct testuser *who, const char *id,
			  struct error *err)
{
	ListEnrollmentsRequest req = LIST_ENROLLMENTS_REQUEST_INIT;
	struct client_call_options options = as(who);
	ListEnrollmentsResponse *reply;

	req.course_id = (char *)id;
	return edu_service_list_enrollments_call(t->channel, &req, &options, (struct arena *)&t->arena,
						 &reply, err);
}

/* What each call answers: to who keeps the course, and to others, to whom it is as a draft. */
static void assert_kept(const struct testserver *t, const struct testuser *who, const struct testcourse *c,
			bool kept, const char *recorded, const char *bought)
{
	const char *const id = c->id;
	struct error err;
	int r;

	for (int i = 0; i < 3; i++) { /* from the database, then from memory */
		r = get(t, who, id, &err);
		if (kept)
			assert_ok(r, &err);
		else
			assert_reason(r, &err, "COURSE_NOT_FOUND");
	}
	r = lessons(t, who, id, &err);
	if (kept)
		assert_ok(r, &err);
	else
		assert_reason(r, &err, "COURSE_NOT_FOUND");
	if (!who)
		return;
	r = list_of_others(t, who, id, &err);
	assert_reason(r, &err, kept ? "NOT_COURSE_INSTRUCTOR" : "COURSE_NOT_FOUND");
	r = record(t, who, c->lessons[0], &err);
	if (*recorded)
		assert_reason(r, &err, recorded);
	else
		assert_ok(r, &err);
	r = buy(t, who, id, &err);
	assert_reason(r, &err, bought);
}

static void an_archived_course_is_kept_by_who_had_access(void **state)
{
	struct testserver *t = *state, *replica = testserver_replica(t);
	struct testuser teacher, buyer, former, promised, void_one, subscriber, late, stranger;
	struct testcourse c;
	struct error err;

	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &teacher);
	struct testuser *const people[] = {&buyer,      &former, &promised, &void_one,
					   &subscriber, &late,   &stranger};
	for (unsigned i = 0; i < ARRAY_SIZE(people); i++)
		testserver_user(t, NULL, 0, people[i]);
	testserver_course(t, &teacher, 0, one_text, &c);
	const int64_t catalogue = testserver_new_id(t);
	sql(t,
	    "INSERT INTO catalogue_course (course_id, catalogue_id, start_time) VALUES (%" PRId64 ", %" PRId64
	    ", %" PRId64 ")",
	    c.course_id, catalogue, clock_now_us(t->config.clock) - 10 * HOUR_US);
	int r = buy(t, &buyer, c.id, &err);
	assert_ok(r, &err);
	give(t, &former, 1, c.course_id, -5, 0, -3);
	give(t, &promised, 1, c.course_id, 5, 0, 0);
	give(t, &void_one, 1, c.course_id, -5, 0, -6); /* taken away before it began */
	give(t, &subscriber, 2, catalogue, -5, 5, 0);
	give(t, &late, 2, catalogue, -20, -15, 0); /* ended before the catalogue held the course */
	for (unsigned i = 0; i < ARRAY_SIZE(people); i++)
		for (int twice = 0; twice < 2; twice++) { /* published: everybody's, and remembered */
			assert_ok(get(i % 2 ? t : replica, people[i], c.id, &err), &err);
			assert_ok(lessons(i % 2 ? t : replica, people[i], c.id, &err), &err);
		}
	archive(t, c.course_id);
	usleep(1000000);
	for (int i = 0; i < 2; i++) {
		const struct testserver *at = i ? replica : t;

		assert_kept(at, &buyer, &c, true, "", "ALREADY_PURCHASED");
		assert_kept(at, &former, &c, true, "NOT_ENROLLED", "COURSE_NOT_PUBLISHED");
		assert_kept(at, &subscriber, &c, true, "NOT_ENROLLED", "COURSE_NOT_PUBLISHED");
		assert_kept(at, &promised, &c, false, "LESSON_NOT_FOUND", "COURSE_NOT_FOUND");
		assert_kept(at, &void_one, &c, false, "LESSON_NOT_FOUND", "COURSE_NOT_FOUND");
		assert_kept(at, &late, &c, false, "LESSON_NOT_FOUND", "COURSE_NOT_FOUND");
		assert_kept(at, &stranger, &c, false, "LESSON_NOT_FOUND", "COURSE_NOT_FOUND");
		assert_kept(at, NULL, &c, false, "", "");
		assert_ok(get(at, &teacher, c.id, &err), &err);
	}
	/* Who is given access now sees it at once, although memory says otherwise and no event came. */
	give(t, &stranger, 1, c.course_id, -1, 0, 0);
	assert_kept(replica, &stranger, &c, true, "NOT_ENROLLED", "COURSE_NOT_PUBLISHED");
	/* To change it is for its instructors all the same. */
	testserver_token(t, &former, ROLE_MASK_INSTRUCTOR);
	testserver_token(t, &void_one, ROLE_MASK_INSTRUCTOR);
	r = teach(t, &t->arena, &former, c.id, (const struct testuser *[]){&former}, 1, &err);
	assert_reason(r, &err, "NOT_COURSE_INSTRUCTOR");
	r = teach(t, &t->arena, &void_one, c.id, (const struct testuser *[]){&void_one}, 1, &err);
	assert_reason(r, &err, "COURSE_NOT_FOUND");
	/* Who taught it had access. */
	testserver_token(t, &teacher, 0);
	assert_kept(t, &teacher, &c, true, "NOT_ENROLLED", "COURSE_NOT_PUBLISHED");
	testserver_replica_free(replica);
}

/* Until it is archived, access to it is nobody's reason to see a course. */
static void a_draft_is_not_kept(void **state)
{
	struct testserver *t = *state;
	struct testuser teacher, learner;
	struct testcourse c;
	struct error err;

	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &teacher);
	testserver_user(t, NULL, 0, &learner);
	testserver_course(t, &teacher, 0, one_text, &c);
	give(t, &learner, 1, c.course_id, -5, 0, 0);
	sql(t, "UPDATE course SET stage = 1, revision = 0, publish_time = NULL WHERE course_id = %" PRId64,
	    c.course_id);
	int r = get(t, &learner, c.id, &err);
	assert_reason(r, &err, "COURSE_NOT_FOUND");
	r = lessons(t, &learner, c.id, &err);
	assert_reason(r, &err, "COURSE_NOT_FOUND");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_teaches_has_a_grant),
		cmocka_unit_test(racing_lists_and_their_grants_agree),
		cmocka_unit_test(an_archived_course_is_kept_by_who_had_access),
		cmocka_unit_test(a_draft_is_not_kept),
	};
	return cmocka_run_group_tests(tests, testserver_setup, testserver_teardown);
}
