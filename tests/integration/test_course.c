/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/course/course.h"
#include "server/course/course_names.h"
#include "server/course/lesson_store.h"
#include "tests/lib/testserver.h"
#include "tests/lib/threads.h"

/* Courses, their lessons and the catalogue, from the channel to the tables. */

struct people {
	struct testuser ines, ivan, learner, admin; /* two instructors */
};

static void meet(struct testserver *t, struct people *p)
{
	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &p->ines);
	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &p->ivan);
	testserver_user(t, NULL, 0, &p->learner);
	testserver_user(t, NULL, ROLE_MASK_ADMIN, &p->admin);
}

static int create(struct testserver *t, struct arena *arena, const struct testuser *who,
		  const CreateCourseRequest *req, Course **ret, struct error *err)
{
	struct client_call_options options = as(who);
	CreateCourseResponse *reply;
	int r = edu_service_create_course_call(t->channel, req, &options, arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->course;
	return r;
}

static Course *create_titled(struct testserver *t, const struct testuser *who, const char *title)
{
	CreateCourseRequest req = CREATE_COURSE_REQUEST_INIT;
	Course *course = NULL;
	struct error err;
	req.title = (char *)title;
	int r = create(t, &t->arena, who, &req, &course, &err);
	assert_ok(r, &err);
	return course;
}

static int get(struct testserver *t, const struct testuser *who, const char *id, Course **ret,
	       struct error *err)
{
	GetCourseRequest req = GET_COURSE_REQUEST_INIT;
	struct client_call_options options = as(who);
	GetCourseResponse *reply;
	req.course_id = (char *)id;
	int r = edu_service_get_course_call(t->channel, &req, &options, &t->arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->course;
	return r;
}

static int update(struct testserver *t, const struct testuser *who, Course *change, const char *path,
		  Course **ret, struct error *err)
{
	UpdateCourseRequest req = UPDATE_COURSE_REQUEST_INIT;
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	char *paths[] = {(char *)path};
	struct client_call_options options = as(who);
	UpdateCourseResponse *reply;
	req.course = change;
	req.update_mask = &mask;
	mask.paths = paths;
	mask.n_paths = 1;
	int r = edu_service_update_course_call(t->channel, &req, &options, &t->arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->course;
	return r;
}

static int submit(struct testserver *t, const struct testuser *who, const char *id, const char *etag,
		  Course **ret, struct error *err)
{
	SubmitCourseForReviewRequest req = SUBMIT_COURSE_FOR_REVIEW_REQUEST_INIT;
	struct client_call_options options = as(who);
	SubmitCourseForReviewResponse *reply;
	req.course_id = (char *)id;
	req.etag = (char *)etag;
	int r = edu_service_submit_course_for_review_call(t->channel, &req, &options, &t->arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->course;
	return r;
}

static int approve(struct testserver *t, struct arena *arena, const struct testuser *who, const char *id,
		   Course **ret, struct error *err)
{
	ApproveCourseRequest req = APPROVE_COURSE_REQUEST_INIT;
	struct client_call_options options = as(who);
	ApproveCourseResponse *reply;
	req.course_id = (char *)id;
	req.comment = (char *)"looks good";
	int r = edu_service_approve_course_call(t->channel, &req, &options, arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->course;
	return r;
}

static CreateLessonRequest text_lesson(const char *course_id, const char *external_id)
{
	CreateLessonRequest req = CREATE_LESSON_REQUEST_INIT;
	req.course_id = (char *)course_id;
	req.title = (char *)"A text";
	req.kind = EDU__V1__LESSON_KIND__LESSON_KIND_TEXT;
	req.external_id = (char *)external_id;
	return req;
}

static int add_lesson(struct testserver *t, struct arena *arena, const struct testuser *who,
		      const CreateLessonRequest *req, Lesson **ret, struct error *err)
{
	struct client_call_options options = as(who);
	CreateLessonResponse *reply;
	int r = edu_service_create_lesson_call(t->channel, req, &options, arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->lesson;
	return r;
}

static int list(struct testserver *t, const struct testuser *who, const ListCoursesRequest *req,
		ListCoursesResponse **ret, struct error *err)
{
	struct client_call_options options = as(who);
	return edu_service_list_courses_call(t->channel, req, &options, &t->arena, ret, err);
}

/* --- CreateCourse --- */

static void test_create_keeps_everything(void **state)
{
	struct testserver *t = *state;
	struct people p;
	CreateCourseRequest req = CREATE_COURSE_REQUEST_INIT;
	CourseInstructor first = COURSE_INSTRUCTOR_INIT, second = COURSE_INSTRUCTOR_INIT;
	CourseInstructor *instructors[] = {&first, &second};
	char *objectives[] = {(char *)"Say \"hello\"", (char *)"数数"};
	Money eur = MONEY_INIT, jpy = MONEY_INIT, *prices[] = {&jpy, &eur};
	PriceList prices_list = PRICE_LIST_INIT;
	Course *course, *read;
	struct error err;

	meet(t, &p);
	req.title = (char *)"Numbers";
	req.external_id = (char *)"n-1";
	req.summary = (char *)"s";
	req.description = (char *)"d";
	req.objectives = objectives;
	req.n_objectives = 2;
	req.audience = (char *)"a";
	req.prerequisites = (char *)"p";
	req.subject_id = t->subject;
	req.level = EDU__V1__COURSE_LEVEL__COURSE_LEVEL_ADVANCED;
	char language[] = "ZH-hans"; /* answered in its recommended case */
	req.language = language;
	req.license = (char *)"CC-BY-4.0";
	first.user_id = p.ivan.id;
	first.share_basis_points = 2500;
	second.user_id = p.ines.id;
	second.share_basis_points = 5000;
	req.instructors = instructors;
	req.n_instructors = 2;
	jpy.currency_code = (char *)"JPY";
	jpy.minor_units = 3000;
	eur.currency_code = (char *)"EUR";
	eur.minor_units = 1999;
	prices_list.prices = prices;
	prices_list.n_prices = 2;
	req.pricing_case = EDU__V1__CREATE_COURSE_REQUEST__PRICING_PRICE_LIST;
	req.price_list = &prices_list;
	req.planned_learning_hours = 30;
	int r = create(t, &t->arena, &p.ines, &req, &course, &err);
	assert_ok(r, &err);
	assert_int_equal(course->state, EDU__V1__COURSE_STATE__COURSE_STATE_DRAFT);
	assert_int_equal(course->version, 1);
	assert_int_equal(course->revision, 0);
	assert_string_equal(course->creator_id, p.ines.id);

	r = get(t, &p.ivan, course->course_id, &read, &err);
	assert_ok(r, &err);
	assert_string_equal(read->title, "Numbers");
	assert_string_equal(read->external_id, "n-1");
	assert_string_equal(read->description, "d");
	assert_int_equal(read->n_objectives, 2);
	assert_string_equal(read->objectives[0], "Say \"hello\"");
	assert_string_equal(read->objectives[1], "数数");
	assert_int_equal(read->n_instructors, 2);
	assert_string_equal(read->instructors[0]->user_id, p.ivan.id);
	assert_int_equal(read->instructors[0]->share_basis_points, 2500);
	assert_int_equal(read->pricing_case, EDU__V1__COURSE__PRICING_PRICE_LIST);
	assert_int_equal(read->price_list->n_prices, 2);
	assert_string_equal(read->price_list->prices[0]->currency_code, "JPY");
	assert_int_equal(read->price_list->prices[1]->minor_units, 1999);
	assert_int_equal(read->planned_learning_hours, 30);
	assert_string_equal(read->language, "zh-Hans");
	assert_string_equal(read->etag, course->etag);
	assert_int_equal(read->create_time->seconds, course->create_time->seconds);
	assert_null(read->publish_time);

	r = create(t, &t->arena, &p.ines, &req, &read, &err);
	assert_reason(r, &err, "EXTERNAL_ID_IN_USE");
	assert_string_equal(err.resource_name, course->course_id);
	/* Unique per creator, not over the platform. */
	r = create(t, &t->arena, &p.ivan, &req, &read, &err);
	assert_ok(r, &err);
}

static void test_create_refuses(void **state)
{
	struct testserver *t = *state;
	struct people p;
	CreateCourseRequest req = CREATE_COURSE_REQUEST_INIT;
	CourseInstructor one = COURSE_INSTRUCTOR_INIT, two = COURSE_INSTRUCTOR_INIT;
	CourseInstructor *instructors[] = {&one, &two};
	Money price = MONEY_INIT, *prices[] = {&price, &price};
	PriceList prices_list = PRICE_LIST_INIT;
	struct error err;

	meet(t, &p);
	int r = create(t, &t->arena, NULL, &req, NULL, &err);
	assert_reason(r, &err, "TOKEN_MISSING");
	r = create(t, &t->arena, &p.learner, &req, NULL, &err);
	assert_reason(r, &err, "ROLE_MISSING");
	r = create(t, &t->arena, &p.ines, &req, NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "title");
	req.title = (char *)"T";

	/* Alone, an administrator who is no instructor cannot teach it. */
	r = create(t, &t->arena, &p.admin, &req, NULL, &err);
	assert_reason(r, &err, "INSTRUCTOR_NOT_QUALIFIED");
	req.instructors = instructors;
	req.n_instructors = 1;
	one.user_id = p.learner.id;
	r = create(t, &t->arena, &p.admin, &req, NULL, &err);
	assert_reason(r, &err, "INSTRUCTOR_NOT_QUALIFIED");
	assert_violation(&err, "instructors[0]");
	one.user_id = p.ivan.id;
	r = create(t, &t->arena, &p.ines, &req, NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "instructors");
	one.user_id = two.user_id = p.ines.id;
	req.n_instructors = 2;
	r = create(t, &t->arena, &p.ines, &req, NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "instructors[1].user_id");
	two.user_id = p.ivan.id;
	one.share_basis_points = 6000;
	two.share_basis_points = 4001;
	r = create(t, &t->arena, &p.ines, &req, NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "instructors");
	two.share_basis_points = 4000;

	req.pricing_case = EDU__V1__CREATE_COURSE_REQUEST__PRICING_PRICE_LIST;
	req.price_list = &prices_list;
	prices_list.prices = prices;
	prices_list.n_prices = 1;
	price.currency_code = (char *)"EUR";
	r = create(t, &t->arena, &p.ines, &req, NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "price_list.prices[0]");
	price.minor_units = 100;
	prices_list.n_prices = 2;
	r = create(t, &t->arena, &p.ines, &req, NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "price_list.prices[1]");
	prices_list.n_prices = 1;
	price.currency_code = (char *)"XXX";
	r = create(t, &t->arena, &p.ines, &req, NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	price.currency_code = (char *)"EUR";
	r = create(t, &t->arena, &p.ines, &req, NULL, &err);
	assert_ok(r, &err);
}

static void test_create_repeats(void **state)
{
	struct testserver *t = *state;
	struct people p;
	char request_id[37];
	CreateCourseRequest req = CREATE_COURSE_REQUEST_INIT;
	CreateCourseResponse *first, *second;
	bool replayed = false;
	struct error err;

	meet(t, &p);
	struct client_call_options options = as(&p.ines);
	options.replayed = &replayed;
	req.title = (char *)"Once";
	req.request_id = new_request_id(request_id);
	int r = edu_service_create_course_call(t->channel, &req, &options, &t->arena, &first, &err);
	assert_ok(r, &err);
	assert_false(replayed);
	r = edu_service_create_course_call(t->channel, &req, &options, &t->arena, &second, &err);
	assert_ok(r, &err);
	assert_true(replayed);
	assert_string_equal(first->course->course_id, second->course->course_id);
	assert_string_equal(first->course->etag, second->course->etag);
	req.title = (char *)"Another body";
	r = edu_service_create_course_call(t->channel, &req, &options, &t->arena, &second, &err);
	assert_reason(r, &err, "REQUEST_ID_REUSED");
}

struct racer {
	struct testserver *t;
	const struct testuser *who;
	const void *req;
	int r;
	struct error err; /* its reason lies in the arena */
	struct arena arena;
	Course *course;
	Lesson *lesson;
};

static void *race_create(void *arg)
{
	struct racer *racer = arg;
	arena_init(&racer->arena, 1 << 20);
	racer->r = create(racer->t, &racer->arena, racer->who, racer->req, &racer->course, &racer->err);
	return NULL;
}

static void test_create_race_makes_one(void **state)
{
	struct testserver *t = *state;
	struct people p;
	struct racer racers[12];
	char request_id[37];
	CreateCourseRequest req = CREATE_COURSE_REQUEST_INIT;

	meet(t, &p);
	req.title = (char *)"Raced";
	req.request_id = new_request_id(request_id);
	for (unsigned i = 0; i < 12; i++)
		racers[i] = (struct racer){.t = t, .who = &p.ines, .req = &req};
	threads_run(12, race_create, racers, sizeof(racers[0]));
	for (unsigned i = 0; i < 12; i++) {
		assert_ok(racers[i].r, &racers[i].err);
		assert_string_equal(racers[i].course->course_id, racers[0].course->course_id);
	}
	for (unsigned i = 0; i < 12; i++)
		arena_done(&racers[i].arena);
	assert_int_equal(testdb_number(t->db, "SELECT COUNT(*) FROM course WHERE title = 'Raced'"), 1);
}

/* --- who sees what --- */

static void test_drafts_are_hidden(void **state)
{
	struct testserver *t = *state;
	struct people p;
	Course *course, *read;
	struct error err;

	meet(t, &p);
	course = create_titled(t, &p.ines, "Hidden");
	/* Twice: from the database, and from memory. */
	for (int i = 0; i < 2; i++) {
		int r = get(t, &p.ines, course->course_id, &read, &err);
		assert_ok(r, &err);
		r = get(t, &p.admin, course->course_id, &read, &err);
		assert_ok(r, &err);
		r = get(t, &p.ivan, course->course_id, &read, &err);
		assert_reason(r, &err, "COURSE_NOT_FOUND");
		r = get(t, &p.learner, course->course_id, &read, &err);
		assert_reason(r, &err, "COURSE_NOT_FOUND");
		r = get(t, NULL, course->course_id, &read, &err);
		assert_reason(r, &err, "COURSE_NOT_FOUND");
	}
	int r = get(t, NULL, "crs_0000000000001", &read, &err);
	assert_reason(r, &err, "COURSE_NOT_FOUND");
	assert_string_equal(err.resource_name, "crs_0000000000001");
	r = get(t, NULL, "", &read, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	r = get(t, NULL, p.ines.id, &read, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "course_id");
}

static void test_a_bad_token_is_refused_even_where_none_is_needed(void **state)
{
	struct testserver *t = *state;
	struct people p;
	struct testcourse c;
	GetCourseRequest req = GET_COURSE_REQUEST_INIT;
	struct client_call_options options = {.token = "not.a.token"};
	GetCourseResponse *reply;
	struct error err;

	meet(t, &p);
	testserver_course(t, &p.ines, 0, (const int[]){LESSON_TEXT, 0}, &c);
	req.course_id = c.id;
	int r = edu_service_get_course_call(t->channel, &req, &options, &t->arena, &reply, &err);
	assert_reason(r, &err, "TOKEN_INVALID");
}

/* --- UpdateCourse and the cached answer --- */

static void test_update_reaches_every_replica(void **state)
{
	struct testserver *t = *state;
	struct testserver *other = testserver_replica(t);
	struct people p;
	struct testcourse c;
	Course change = COURSE_INIT, *course;
	Free gratis = FREE_INIT;
	struct error err;

	meet(t, &p);
	testserver_course(t, &p.ines, 500, (const int[]){LESSON_VIDEO, 0}, &c);
	int r = get(t, NULL, c.id, &course, &err);
	assert_ok(r, &err);
	r = get(other, NULL, c.id, &course, &err);
	assert_ok(r, &err);
	change.course_id = c.id;
	change.pricing_case = EDU__V1__COURSE__PRICING_FREE;
	change.free = &gratis;
	change.summary = (char *)"not named";
	r = update(t, &p.ines, &change, "free", &course, &err);
	assert_ok(r, &err);
	assert_int_equal(course->pricing_case, EDU__V1__COURSE__PRICING_FREE);
	assert_string_equal(course->summary, "What it is about");
	assert_int_equal(course->n_instructors, 1);
	r = get(t, NULL, c.id, &course, &err);
	assert_ok(r, &err);
	assert_int_equal(course->pricing_case, EDU__V1__COURSE__PRICING_FREE);
	for (int i = 0; i < 200; i++) {
		r = get(other, NULL, c.id, &course, &err);
		assert_ok(r, &err);
		if (course->pricing_case == EDU__V1__COURSE__PRICING_FREE)
			break;
		usleep(5000);
	}
	assert_int_equal(course->pricing_case, EDU__V1__COURSE__PRICING_FREE);
	testserver_replica_free(other);
}

static void test_update_asks_who_and_when(void **state)
{
	static const char *const paths[] = {"*",          "state",   "course_id", "etag",
					    "creator_id", "nothing", "pricing"};
	struct testserver *t = *state;
	struct people p;
	struct testcourse c;
	Course change = COURSE_INIT, *course, *draft;
	CourseInstructor ivan = COURSE_INSTRUCTOR_INIT, *instructors[] = {&ivan};
	struct error err;

	meet(t, &p);
	testserver_course(t, &p.ines, 500, (const int[]){LESSON_VIDEO, 0}, &c);
	draft = create_titled(t, &p.ines, "Draft");
	change.title = (char *)"Mine";
	change.course_id = draft->course_id;
	int r = update(t, &p.ivan, &change, "title", NULL, &err);
	assert_reason(r, &err, "COURSE_NOT_FOUND");
	r = update(t, &p.learner, &change, "title", NULL, &err);
	assert_reason(r, &err, "ROLE_MISSING");
	r = update(t, NULL, &change, "title", NULL, &err);
	assert_reason(r, &err, "TOKEN_MISSING");
	r = update(t, &p.admin, &change, "title", &course, &err);
	assert_ok(r, &err);
	change.etag = draft->etag;
	r = update(t, &p.ines, &change, "title", &course, &err);
	assert_reason(r, &err, "ETAG_MISMATCH");
	change.etag = (char *)"";
	for (unsigned i = 0; i < ARRAY_SIZE(paths); i++) {
		r = update(t, &p.ines, &change, paths[i], NULL, &err);
		assert_reason(r, &err, "FIELD_INVALID");
	}
	r = update(t, &p.ines, &change, "free", &course, &err);
	assert_ok(r, &err);
	assert_int_equal(course->pricing_case, EDU__V1__COURSE__PRICING__NOT_SET);

	/* An instructor may not leave, nor be left out of the list. */
	change.instructors = instructors;
	change.n_instructors = 1;
	ivan.user_id = p.ivan.id;
	ivan.share_basis_points = 7000;
	r = update(t, &p.ines, &change, "instructors", NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	r = update(t, &p.admin, &change, "instructors", &course, &err);
	assert_ok(r, &err);
	assert_string_equal(course->instructors[0]->user_id, p.ivan.id);
	r = get(t, &p.ines, draft->course_id, NULL, &err);
	assert_reason(r, &err, "COURSE_NOT_FOUND");

	change.course_id = c.id;
	r = update(t, &p.ivan, &change, "title", NULL, &err);
	assert_reason(r, &err, "NOT_COURSE_INSTRUCTOR");
	r = update(t, &p.ines, &change, "price_list", NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	change.course_id = draft->course_id;
	change.title = (char *)"";
	r = update(t, &p.ivan, &change, "title", NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "course.title");
	change.course_id = (char *)"";
	r = update(t, &p.ines, &change, "title", NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "course.course_id");
}

/* What was reviewed stays: everything but the price is refused to everybody, and nothing of it is written. */
/* A token with the role that was taken away is refused elsewhere; here the session has come to know of it. */
static void test_a_former_instructor_acts_no_more(void **state)
{
	struct testserver *t = *state;
	struct people p;
	struct testcourse c;
	ListCoursesRequest mine = LIST_COURSES_REQUEST_INIT;
	ListCoursesResponse *page;
	Course *draft;
	struct error err;

	meet(t, &p);
	testserver_course(t, &p.ines, 500, (const int[]){LESSON_VIDEO, 0}, &c);
	draft = create_titled(t, &p.ines, "Left behind");
	testserver_token(t, &p.ines, 0);
	int r = get(t, &p.ines, draft->course_id, NULL, &err);
	assert_reason(r, &err, "COURSE_NOT_FOUND");
	mine.instructor_id = p.ines.id;
	r = list(t, &p.ines, &mine, &page, &err);
	assert_ok(r, &err);
	assert_int_equal(page->n_courses, 1); /* what everybody sees */
	assert_string_equal(page->courses[0]->course_id, c.id);
	mine.state = EDU__V1__COURSE_STATE__COURSE_STATE_DRAFT;
	r = list(t, &p.ines, &mine, &page, &err);
	assert_reason(r, &err, "NOT_COURSE_INSTRUCTOR");
}

/* An administrator made it for somebody else, and finds it under the own key. */
static void test_a_creator_finds_what_he_does_not_teach(void **state)
{
	struct testserver *t = *state;
	struct people p;
	CreateCourseRequest req = CREATE_COURSE_REQUEST_INIT;
	CourseInstructor ines = COURSE_INSTRUCTOR_INIT, *instructors[] = {&ines};
	ListCoursesRequest find = LIST_COURSES_REQUEST_INIT;
	ListCoursesResponse *page;
	Course *course;
	struct error err;

	meet(t, &p);
	req.title = (char *)"Made for Ines";
	req.external_id = (char *)"erp-7";
	ines.user_id = p.ines.id;
	req.instructors = instructors;
	req.n_instructors = 1;
	int r = create(t, &t->arena, &p.admin, &req, &course, &err);
	assert_ok(r, &err);
	find.instructor_id = p.admin.id;
	find.external_id = (char *)"erp-7";
	for (int order = 0; order <= 2; order++) {
		find.order = (CourseOrder)order;
		r = list(t, &p.admin, &find, &page, &err);
		assert_ok(r, &err);
		assert_int_equal(page->n_courses, 1);
		assert_string_equal(page->courses[0]->course_id, course->course_id);
		r = list(t, NULL, &find, &page, &err);
		assert_ok(r, &err);
		assert_int_equal(page->n_courses, 0); /* a draft */
	}
	/* Once INSTRUCTOR alone, he sees it no more than others do. */
	testserver_token(t, &p.admin, ROLE_MASK_INSTRUCTOR);
	r = list(t, &p.admin, &find, &page, &err);
	assert_ok(r, &err);
	assert_int_equal(page->n_courses, 0);
}

/* --- review --- */

static void test_review(void **state)
{
	struct testserver *t = *state;
	struct people p;
	Course change = COURSE_INIT, *course, *read;
	Free free_of_charge = FREE_INIT;
	struct error err;

	meet(t, &p);
	course = create_titled(t, &p.ines, "Reviewed");
	int r = submit(t, &p.ines, course->course_id, "", NULL, &err);
	assert_reason(r, &err, "COURSE_INCOMPLETE");
	assert_int_equal(err.violation_kind, ERROR_VIOLATION_PRECONDITION);
	assert_violation(&err, "summary");
	assert_violation(&err, "subject_id");
	assert_violation(&err, "level");
	assert_violation(&err, "language");
	assert_violation(&err, "pricing");
	assert_violation(&err, "lessons");

	change.course_id = course->course_id;
	change.summary = (char *)"s";
	change.subject_id = t->subject;
	change.level = EDU__V1__COURSE_LEVEL__COURSE_LEVEL_ALL;
	change.language = (char *)"en";
	change.pricing_case = EDU__V1__COURSE__PRICING_FREE;
	change.free = &free_of_charge;
	const char *const paths[] = {"summary", "subject_id", "level", "language", "free"};
	for (unsigned i = 0; i < 5; i++) {
		r = update(t, &p.ines, &change, paths[i], NULL, &err);
		assert_ok(r, &err);
	}
	CreateLessonRequest lesson = text_lesson(course->course_id, "");
	Lesson *made;
	r = add_lesson(t, &t->arena, &p.ines, &lesson, &made, &err);
	assert_ok(r, &err);
	r = submit(t, &p.ines, course->course_id, "", NULL, &err);
	assert_reason(r, &err, "COURSE_INCOMPLETE");
	assert_violation(&err, "lessons[0]");
	assert_non_null(strstr(err.violations[0].description, made->lesson_id));
	testserver_text(t, id_of(ID_COURSE, course->course_id), id_of(ID_LESSON, made->lesson_id));

	r = approve(t, &t->arena, &p.admin, course->course_id, NULL, &err);
	assert_reason(r, &err, "COURSE_STATE_INVALID");
	assert_string_equal(err.metadata[0].key, "state");
	assert_string_equal(err.metadata[0].value, "DRAFT");
	r = submit(t, &p.ivan, course->course_id, "", NULL, &err);
	assert_reason(r, &err, "COURSE_NOT_FOUND");
	r = submit(t, &p.ines, course->course_id, course->etag, NULL, &err);
	assert_reason(r, &err, "ETAG_MISMATCH");
	r = submit(t, &p.ines, course->course_id, "", &read, &err);
	assert_ok(r, &err);
	assert_int_equal(read->state, EDU__V1__COURSE_STATE__COURSE_STATE_IN_REVIEW);
	assert_int_equal(read->lesson_count, 1);
	r = submit(t, &p.ines, course->course_id, "", NULL, &err);
	assert_reason(r, &err, "COURSE_STATE_INVALID");
	r = update(t, &p.ines, &change, "summary", NULL, &err);
	assert_reason(r, &err, "COURSE_STATE_INVALID");
	r = add_lesson(t, &t->arena, &p.ines, &lesson, NULL, &err);
	assert_reason(r, &err, "COURSE_STATE_INVALID");
	r = get(t, NULL, course->course_id, NULL, &err);
	assert_reason(r, &err, "COURSE_NOT_FOUND");

	r = approve(t, &t->arena, &p.ines, course->course_id, NULL, &err);
	assert_reason(r, &err, "ROLE_MISSING");
	r = approve(t, &t->arena, &p.admin, course->course_id, &read, &err);
	assert_ok(r, &err);
	assert_int_equal(read->state, EDU__V1__COURSE_STATE__COURSE_STATE_PUBLISHED);
	assert_int_equal(read->revision, 1);
	assert_non_null(read->publish_time);
	r = get(t, NULL, course->course_id, &read, &err);
	assert_ok(r, &err);
	assert_int_equal(
		testdb_number(t->db,
			      "SELECT COUNT(*) FROM audit a JOIN course c ON c.course_id = a.subject_id"
			      " WHERE c.title = 'Reviewed' AND a.action = 'ApproveCourse'"
			      " AND a.reason = 'looks good'"),
		1);
	assert_int_equal(testdb_number(t->db, "SELECT COUNT(*) FROM event e JOIN course c USING (course_id)"
					      " WHERE c.title = 'Reviewed' AND e.kind = 'course.published'"),
			 1);
}

static void test_nobody_approves_the_own_course(void **state)
{
	struct testserver *t = *state;
	struct people p;
	struct testuser both;
	struct error err;
	Course *course;
	char sql[256];

	meet(t, &p);
	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR | ROLE_MASK_ADMIN, &both);
	course = create_titled(t, &both, "Made and taught");
	struct db_conn *conn = testdb_connect(t->db, NULL);
	testdb_run(conn, "UPDATE course SET stage = 2 WHERE title = 'Made and taught'");
	int r = approve(t, &t->arena, &both, course->course_id, NULL, &err);
	assert_reason(r, &err, "SELF_APPROVAL");
	assert_int_equal(err.code, STATUS_PERMISSION_DENIED);
	/* Made, no longer taught; then taught, made by somebody else. */
	snprintf(sql, sizeof(sql), "UPDATE course_instructor SET user_id = %lld WHERE user_id = %lld",
		 (long long)p.ines.user_id, (long long)both.user_id);
	testdb_run(conn, sql);
	r = approve(t, &t->arena, &both, course->course_id, NULL, &err);
	assert_reason(r, &err, "SELF_APPROVAL");
	snprintf(sql, sizeof(sql), "UPDATE course_instructor SET user_id = %lld WHERE user_id = %lld",
		 (long long)both.user_id, (long long)p.ines.user_id);
	testdb_run(conn, sql);
	testdb_run(conn, "UPDATE course SET creator_id = 1 WHERE title = 'Made and taught'");
	db_close(conn);
	r = approve(t, &t->arena, &both, course->course_id, NULL, &err);
	assert_reason(r, &err, "SELF_APPROVAL");
	r = approve(t, &t->arena, &p.admin, course->course_id, NULL, &err);
	assert_ok(r, &err);
}

static void *race_approve(void *arg)
{
	struct racer *racer = arg;
	arena_init(&racer->arena, 1 << 20);
	racer->r = approve(racer->t, &racer->arena, racer->who, racer->req, NULL, &racer->err);
	return NULL;
}

static void test_approve_race_publishes_once(void **state)
{
	struct testserver *t = *state;
	struct people p;
	struct racer racers[8];
	unsigned winners = 0;
	Course *course;

	meet(t, &p);
	course = create_titled(t, &p.ines, "Approved once");
	struct db_conn *conn = testdb_connect(t->db, NULL);
	testdb_run(conn, "UPDATE course SET stage = 2 WHERE title = 'Approved once'");
	db_close(conn);
	for (unsigned i = 0; i < 8; i++)
		racers[i] = (struct racer){.t = t, .who = &p.admin, .req = course->course_id};
	threads_run(8, race_approve, racers, sizeof(racers[0]));
	for (unsigned i = 0; i < 8; i++) {
		winners += racers[i].r >= 0;
		if (racers[i].r < 0)
			assert_reason(racers[i].r, &racers[i].err, "COURSE_STATE_INVALID");
		arena_done(&racers[i].arena);
	}
	assert_int_equal(winners, 1);
	assert_int_equal(testdb_number(t->db, "SELECT revision FROM course WHERE title = 'Approved once'"),
			 1);
}

/* --- lessons --- */

static int list_lessons(struct testserver *t, const struct testuser *who, const ListLessonsRequest *req,
			ListLessonsResponse **ret, struct error *err)
{
	struct client_call_options options = as(who);
	return edu_service_list_lessons_call(t->channel, req, &options, &t->arena, ret, err);
}

static void test_lessons(void **state)
{
	struct testserver *t = *state;
	struct people p;
	Course *course, *read;
	Lesson *lesson, *other;
	ListLessonsRequest req = LIST_LESSONS_REQUEST_INIT;
	ListLessonsResponse *page;
	struct error err;

	meet(t, &p);
	course = create_titled(t, &p.ines, "With lessons");
	CreateLessonRequest make = text_lesson(course->course_id, "l-1");
	int r = add_lesson(t, &t->arena, &p.ines, &make, &lesson, &err);
	assert_ok(r, &err);
	assert_int_equal(lesson->position, 1);
	assert_int_equal(lesson->weight, 1);
	r = add_lesson(t, &t->arena, &p.ines, &make, NULL, &err);
	assert_reason(r, &err, "EXTERNAL_ID_IN_USE");
	assert_string_equal(err.resource_name, lesson->lesson_id);
	make.external_id = (char *)"";
	make.kind = EDU__V1__LESSON_KIND__LESSON_KIND_VIDEO;
	r = add_lesson(t, &t->arena, &p.ines, &make, NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "duration_seconds");
	make.duration_seconds = 640;
	make.weight = 5;
	make.free_preview = true;
	r = add_lesson(t, &t->arena, &p.ines, &make, &other, &err);
	assert_ok(r, &err);
	assert_int_equal(other->position, 2);
	make.kind = EDU__V1__LESSON_KIND__LESSON_KIND_UNSPECIFIED;
	r = add_lesson(t, &t->arena, &p.ines, &make, NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "kind");
	make.kind = EDU__V1__LESSON_KIND__LESSON_KIND_QUIZ;
	r = add_lesson(t, &t->arena, &p.ivan, &make, NULL, &err);
	assert_reason(r, &err, "COURSE_NOT_FOUND");
	r = add_lesson(t, &t->arena, &p.learner, &make, NULL, &err);
	assert_reason(r, &err, "ROLE_MISSING");
	r = add_lesson(t, &t->arena, &p.admin, &make, NULL, &err);
	assert_ok(r, &err);
	r = get(t, &p.ines, course->course_id, &read, &err);
	assert_ok(r, &err);
	assert_int_equal(read->lesson_count, 3);
	assert_int_equal(read->version, 4);
	assert_int_equal(read->revision, 0);

	req.course_id = course->course_id;
	req.page_size = 2;
	r = list_lessons(t, &p.ines, &req, &page, &err);
	assert_ok(r, &err);
	assert_int_equal(page->n_lessons, 2);
	assert_string_equal(page->lessons[0]->external_id, "l-1");
	assert_int_equal(page->lessons[1]->duration_seconds, 640);
	assert_int_equal(page->lessons[1]->weight, 5);
	assert_true(page->lessons[1]->free_preview);
	assert_string_not_equal(page->next_page_token, "");
	req.page_token = page->next_page_token;
	r = list_lessons(t, &p.ines, &req, &page, &err);
	assert_ok(r, &err);
	assert_int_equal(page->n_lessons, 1);
	assert_int_equal(page->lessons[0]->position, 3);
	assert_string_equal(page->next_page_token, "");
	req.external_id = (char *)"l-1";
	r = list_lessons(t, &p.ines, &req, &page, &err);
	assert_reason(r, &err, "PAGE_TOKEN_INVALID");
	req.page_token = (char *)"";
	r = list_lessons(t, &p.ines, &req, &page, &err);
	assert_ok(r, &err);
	assert_int_equal(page->n_lessons, 1);
	assert_string_equal(page->lessons[0]->lesson_id, lesson->lesson_id);
	r = list_lessons(t, NULL, &req, &page, &err);
	assert_reason(r, &err, "COURSE_NOT_FOUND");
}

static void *race_lesson(void *arg)
{
	struct racer *racer = arg;
	arena_init(&racer->arena, 1 << 20);
	racer->r = add_lesson(racer->t, &racer->arena, racer->who, racer->req, &racer->lesson, &racer->err);
	return NULL;
}

static void test_lessons_made_at_once_take_their_places(void **state)
{
	struct testserver *t = *state;
	struct people p;
	struct racer racers[12];
	unsigned seen = 0;
	Course *course;

	meet(t, &p);
	course = create_titled(t, &p.ines, "Crowded");
	CreateLessonRequest req = text_lesson(course->course_id, "");
	for (unsigned i = 0; i < 12; i++)
		racers[i] = (struct racer){.t = t, .who = &p.ines, .req = &req};
	threads_run(12, race_lesson, racers, sizeof(racers[0]));
	for (unsigned i = 0; i < 12; i++) {
		assert_ok(racers[i].r, &racers[i].err);
		seen |= 1u << racers[i].lesson->position;
	}
	assert_int_equal(seen, 0x1ffe); /* 1 to 12, each once */
	for (unsigned i = 0; i < 12; i++)
		arena_done(&racers[i].arena);
}

static void test_create_lesson_repeats(void **state)
{
	struct testserver *t = *state;
	struct people p;
	char request_id[37];
	Lesson *first, *second;
	Course *course;
	struct error err;

	meet(t, &p);
	course = create_titled(t, &p.ines, "Repeated lesson");
	CreateLessonRequest req = text_lesson(course->course_id, "");
	req.request_id = new_request_id(request_id);
	int r = add_lesson(t, &t->arena, &p.ines, &req, &first, &err);
	assert_ok(r, &err);
	r = add_lesson(t, &t->arena, &p.ines, &req, &second, &err);
	assert_ok(r, &err);
	assert_string_equal(first->lesson_id, second->lesson_id);
	r = get(t, &p.ines, course->course_id, &course, &err);
	assert_ok(r, &err);
	assert_int_equal(course->lesson_count, 1);
}

static void test_a_full_course_takes_no_lesson(void **state)
{
	struct testserver *t = *state;
	struct people p;
	Course *course;
	struct error err;

	meet(t, &p);
	course = create_titled(t, &p.ines, "Full");
	struct db_conn *conn = testdb_connect(t->db, NULL);
	testdb_run(
		conn,
		"INSERT INTO lesson_revision SELECT course_id, 0, seq, 0, NULL, 'Lesson', 0, 1, seq, 0, NULL, 0, 0,"
		" 1 FROM seq_1_to_2000 JOIN course WHERE title = 'Full'");
	db_close(conn);
	CreateLessonRequest req = text_lesson(course->course_id, "");
	int r = add_lesson(t, &t->arena, &p.ines, &req, NULL, &err);
	assert_reason(r, &err, "COURSE_FULL");
}

static void test_lesson_info_is_remembered(void **state)
{
	static const struct db_stmt_list *const lists[] = {&course_stmts, &lesson_stmts, &lesson_info_stmts,
							   NULL};
	struct testserver *t = *state;
	struct cache *lessons = service_app(t->service)->lessons;
	struct people p;
	struct testcourse c;
	struct lesson_info info, *all;
	unsigned n;
	struct error err;

	meet(t, &p);
	testserver_course(t, &p.ines, 500, (const int[]){LESSON_VIDEO, LESSON_QUIZ, 0}, &c);
	struct db_conn *conn = testdb_connect(t->db, lists);
	assert_false(lesson_info_cached(lessons, c.lesson_ids[0], &info));
	int r = lesson_info_read(lessons, conn, c.lesson_ids[0], &info, &err);
	assert_ok(r, &err);
	assert_int_equal(info.course_id, c.course_id);
	assert_int_equal(info.kind, LESSON_VIDEO);
	assert_int_equal(info.duration_seconds, 640);
	memset(&info, 0, sizeof(info));
	assert_true(lesson_info_cached(lessons, c.lesson_ids[0], &info));
	assert_int_equal(info.course_id, c.course_id);
	r = lesson_info_read(lessons, conn, 1, &info, &err);
	assert_reason(r, &err, "LESSON_NOT_FOUND");
	r = lesson_info_list(conn, &t->arena, c.course_id, &all, &n, &err);
	assert_ok(r, &err);
	assert_int_equal(n, 2);
	assert_int_equal(all[1].kind, LESSON_QUIZ);
	db_close(conn);
}

static void test_terms(void **state)
{
	static const struct db_stmt_list *const lists[] = {&course_stmts, NULL};
	struct testserver *t = *state;
	struct people p;
	struct testcourse c;
	struct course_terms terms;
	struct error err;

	meet(t, &p);
	testserver_course(t, &p.ines, 500, (const int[]){LESSON_VIDEO, 0}, &c);
	struct db_conn *conn = testdb_connect(t->db, lists);
	int r = course_terms_read(conn, &t->arena, c.course_id, "EUR", &terms, &err);
	assert_ok(r, &err);
	assert_int_equal(terms.state, COURSE_PUBLISHED);
	assert_true(terms.offered);
	assert_int_equal(terms.price_minor_units, 500);
	assert_int_equal(terms.n_instructors, 1);
	assert_int_equal(terms.instructors[0].user_id, p.ines.user_id);
	assert_int_equal(terms.instructors[0].share_basis_points, 10000);
	r = course_terms_read(conn, &t->arena, c.course_id, "USD", &terms, &err);
	assert_ok(r, &err);
	assert_false(terms.offered);
	r = course_terms_read(conn, &t->arena, c.course_id, NULL, &terms, &err);
	assert_ok(r, &err);
	assert_false(terms.offered);
	r = course_terms_read(conn, &t->arena, 1, "EUR", &terms, &err);
	assert_reason(r, &err, "COURSE_NOT_FOUND");
	db_close(conn);
}

/* --- ListCourses --- */

enum { PHYSICS = 11, ART = 12 };

/* 45 published courses of one instructor, titles and filters spread; and what a filter must find. */
static void fill_catalogue(struct testserver *t, const struct testuser *instructor)
{
	char sql[1024];
	struct db_conn *conn = testdb_connect(t->db, NULL);
	testdb_run(conn, "UPDATE course SET stage = 4, revision = 1, publish_time = 1");
	snprintf(
		sql, sizeof(sql),
		"INSERT INTO course (course_id, creator_id, external_id, title, summary, description, "
		"objectives, audience,"
		" prerequisites, subject_id, level, language, license, pricing, planned_learning_hours, stage, "
		"lesson_count,"
		" version, revision, create_time, update_time, publish_time)"
		" SELECT seq, %lld, CONCAT('x', seq), CONCAT(IF(seq %% 2, 'b', 'B'), LPAD(46 - seq, 4, "
		"'0')), '', 'long', '[]',"
		" '', '', IF(seq %% 3, %lld, %lld), 1 + seq %% 4, IF(seq %% 5, 'en', 'zh-Hans'), '', "
		"1 + seq %% 2, 0,"
		" IF(seq = 45, 1, 3), 0, 1, 1, 1, 1, 1 FROM seq_1_to_45",
		(long long)instructor->user_id, (long long)PHYSICS, (long long)ART);
	testdb_run(conn, sql);
	snprintf(sql, sizeof(sql),
		 "INSERT INTO course_instructor SELECT seq, %lld, 1, 10000 FROM seq_1_to_45",
		 (long long)instructor->user_id);
	testdb_run(conn, sql);
	testdb_run(conn,
		   "INSERT INTO course_price SELECT seq, 'EUR', seq * 100, 1 FROM seq_1_to_45 WHERE seq % 2");
	db_close(conn);
	testserver_restart(t); /* the catalogue is read at the start; of these courses no event tells */
}

/* Walks every page; returns how many there were, having checked the order by course_id when `newest`. */
static unsigned walk(struct testserver *t, const struct testuser *who, ListCoursesRequest req,
		     unsigned page_size)
{
	ListCoursesResponse *page;
	char last[128] = "";
	unsigned n = 0;
	struct error err;

	req.page_size = (int)page_size;
	do {
		int r = list(t, who, &req, &page, &err);
		assert_ok(r, &err);
		assert_true(page->n_courses <= page_size);
		for (size_t i = 0; i < page->n_courses; i++) {
			const Course *c = page->courses[i];
			bool by_title = req.order == EDU__V1__COURSE_ORDER__COURSE_ORDER_TITLE;
			if (by_title && *last)
				assert_true(strcasecmp(last, c->title) < 0);
			else if (*last)
				assert_true(strcmp(last, c->course_id) > 0);
			snprintf(last, sizeof(last), "%s", by_title ? c->title : c->course_id);
			assert_string_equal(c->description, "");
			n++;
		}
		req.page_token = page->next_page_token;
	} while (*page->next_page_token);
	return n;
}

static void test_catalogue(void **state)
{
	struct testserver *t = *state;
	struct people p;
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;
	PriceRange range = PRICE_RANGE_INIT;
	char subject[ID_TEXT_MAX];

	meet(t, &p);
	fill_catalogue(t, &p.ines);
	for (int order = 0; order <= 2; order++) {
		req = (ListCoursesRequest)LIST_COURSES_REQUEST_INIT;
		req.order = (CourseOrder)order;
		assert_int_equal(walk(t, NULL, req, 7), 44);
		assert_int_equal(walk(t, NULL, req, 100), 44);
		req.subject_id = id_format(ID_SUBJECT, PHYSICS, subject);
		assert_int_equal(walk(t, NULL, req, 4), 30);
		req.subject_id = (char *)"";
		req.language = (char *)"zh-Hans";
		assert_int_equal(walk(t, NULL, req, 3), 8);
		req.language = (char *)"ZH"; /* a range */
		assert_int_equal(walk(t, NULL, req, 3), 8);
		req.language = (char *)"zho";
		assert_int_equal(walk(t, NULL, req, 3), 0);
		req.language = (char *)"zh-Hans-CN";
		assert_int_equal(walk(t, NULL, req, 3), 0);
		req.language = (char *)"zh";
		req.subject_id = id_format(ID_SUBJECT, ART, subject);
		assert_int_equal(walk(t, NULL, req, 3), 2);
		req.subject_id = req.language = (char *)"";
		req.level = EDU__V1__COURSE_LEVEL__COURSE_LEVEL_BEGINNER;
		assert_int_equal(walk(t, NULL, req, 5), 11);
		req.level = 0;
		req.free_only = true;
		assert_int_equal(walk(t, NULL, req, 5), 22);
		req.free_only = false;
		range.currency_code = (char *)"EUR";
		range.min_minor_units = 1000;
		range.max_minor_units = 2000;
		req.price_range = &range;
		assert_int_equal(walk(t, NULL, req, 2), 5); /* 1100, 1300 ... 1900 */
		range.max_minor_units = 0;
		assert_int_equal(walk(t, NULL, req, 2), 17); /* 1100 ... 4300 */
		range.currency_code = (char *)"JPY";
		assert_int_equal(walk(t, NULL, req, 2), 0);
		req.price_range = NULL;
		req.instructor_id = p.ines.id;
		assert_int_equal(walk(t, NULL, req, 6), 44);
		assert_int_equal(walk(t, &p.ines, req, 6), 45); /* her draft too */
		assert_int_equal(walk(t, &p.admin, req, 6), 44);
		req.state = EDU__V1__COURSE_STATE__COURSE_STATE_DRAFT;
		assert_int_equal(walk(t, &p.admin, req, 6), 1);
		req.state = 0;
		req.external_id = (char *)"x7";
		assert_int_equal(walk(t, NULL, req, 6), 1);
		req.external_id = (char *)"X7";
		assert_int_equal(walk(t, NULL, req, 6), 0);
		req.external_id = (char *)"";
		req.instructor_id = p.ivan.id;
		assert_int_equal(walk(t, NULL, req, 6), 0);
	}
}

static void test_catalogue_refuses(void **state)
{
	struct testserver *t = *state;
	struct people p;
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;
	PriceRange range = PRICE_RANGE_INIT;
	ListCoursesResponse *page;
	char subject[ID_TEXT_MAX];
	struct error err;

	meet(t, &p);
	req.state = EDU__V1__COURSE_STATE__COURSE_STATE_DRAFT;
	int r = list(t, NULL, &req, &page, &err);
	assert_reason(r, &err, "NOT_COURSE_INSTRUCTOR");
	req.instructor_id = p.ines.id;
	r = list(t, &p.ivan, &req, &page, &err);
	assert_reason(r, &err, "NOT_COURSE_INSTRUCTOR");
	r = list(t, &p.ines, &req, &page, &err);
	assert_ok(r, &err);
	req.state = 0;
	req.instructor_id = (char *)"";
	req.external_id = (char *)"x1";
	r = list(t, NULL, &req, &page, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "external_id");
	req.external_id = (char *)"";
	req.free_only = true;
	req.price_range = &range;
	range.currency_code = (char *)"EUR";
	r = list(t, NULL, &req, &page, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "price_range");
	req.free_only = false;
	req.price_range = NULL;
	req.page_size = -1;
	r = list(t, NULL, &req, &page, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	req.page_size = 1;
	req.page_token = (char *)"AAAA";
	r = list(t, NULL, &req, &page, &err);
	assert_reason(r, &err, "PAGE_TOKEN_INVALID");
	req.page_token = (char *)"";
	r = list(t, NULL, &req, &page, &err);
	assert_ok(r, &err);
	assert_string_not_equal(page->next_page_token, "");
	req.page_token = page->next_page_token;
	req.subject_id = id_format(ID_SUBJECT, ART, subject);
	r = list(t, NULL, &req, &page, &err);
	assert_reason(r, &err, "PAGE_TOKEN_INVALID");
	req.subject_id = (char *)"";
	t->clock.ahead_us = INT64_C(4) * 24 * 3600 * 1000000;
	r = list(t, NULL, &req, &page, &err);
	t->clock.ahead_us = 0;
	assert_reason(r, &err, "PAGE_TOKEN_INVALID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_keeps_everything),
		cmocka_unit_test(test_create_refuses),
		cmocka_unit_test(test_create_repeats),
		cmocka_unit_test(test_create_race_makes_one),
		cmocka_unit_test(test_drafts_are_hidden),
		cmocka_unit_test(test_a_bad_token_is_refused_even_where_none_is_needed),
		cmocka_unit_test(test_update_reaches_every_replica),
		cmocka_unit_test(test_update_asks_who_and_when),
		cmocka_unit_test(test_review),
		cmocka_unit_test(test_a_former_instructor_acts_no_more),
		cmocka_unit_test(test_a_creator_finds_what_he_does_not_teach),
		cmocka_unit_test(test_nobody_approves_the_own_course),
		cmocka_unit_test(test_approve_race_publishes_once),
		cmocka_unit_test(test_lessons),
		cmocka_unit_test(test_lessons_made_at_once_take_their_places),
		cmocka_unit_test(test_create_lesson_repeats),
		cmocka_unit_test(test_a_full_course_takes_no_lesson),
		cmocka_unit_test(test_lesson_info_is_remembered),
		cmocka_unit_test(test_terms),
		cmocka_unit_test(test_catalogue),
		cmocka_unit_test(test_catalogue_refuses),
	};
	return cmocka_run_group_tests(tests, testserver_setup, testserver_teardown);
}
