/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/course/course_cache.h"
#include "server/course/lesson.h"
#include "tests/lib/testserver.h"
#include "tests/lib/threads.h"

/* What learners say of a course, and what it adds up to. */

/* Of eleven lessons one is less than a tenth, and two are more. */
static const int eleven[] = {LESSON_TEXT, LESSON_TEXT, LESSON_TEXT, LESSON_TEXT, LESSON_TEXT, LESSON_TEXT,
			     LESSON_TEXT, LESSON_TEXT, LESSON_TEXT, LESSON_TEXT, LESSON_TEXT, 0};

struct world {
	struct testserver *t;
	struct testuser ines, admin, support;
	struct testcourse course;
};

static int setup(void **state)
{
	static struct world w;
	testserver_setup(state);
	w.t = *state;
	testserver_user(w.t, NULL, ROLE_MASK_INSTRUCTOR, &w.ines);
	testserver_user(w.t, NULL, ROLE_MASK_ADMIN, &w.admin);
	testserver_user(w.t, NULL, ROLE_MASK_SUPPORT, &w.support);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	testserver_free(((struct world *)*state)->t);
	return 0;
}

/* A course of its own for each test. */
static int new_course(void **state)
{
	struct world *w = *state;
	testserver_reset(w->t);
	testserver_course(w->t, &w->ines, 0, eleven, &w->course);
	return 0;
}

/* --- learners --- */

static void buy(const struct world *w, const struct testuser *u)
{
	PurchaseCourseRequest req = PURCHASE_COURSE_REQUEST_INIT;
	struct client_call_options options = as(u);
	Money total = MONEY_INIT;
	PurchaseCourseResponse *reply;
	char request_id[37];
	struct error err;

	total.currency_code = (char *)"EUR";
	req.course_id = (char *)w->course.id;
	req.currency_code = (char *)"EUR";
	req.expected_total = &total;
	req.payment_source = PAYMENT_SOURCE_WALLET;
	req.request_id = new_request_id(request_id);
	assert_ok(edu_service_purchase_course_call(w->t->channel, &req, &options, &w->t->arena, &reply, &err),
		  &err);
}

static void complete(const struct world *w, const struct testuser *u, unsigned lesson)
{
	RecordProgressRequest req = RECORD_PROGRESS_REQUEST_INIT;
	struct client_call_options options = as(u);
	Google__Protobuf__Timestamp now = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	int64_t now_us = clock_now_us(service_app(w->t->service)->clock);
	RecordProgressResponse *reply;
	char session_id[37];
	struct error err;

	now.seconds = now_us / 1000000;
	now.nanos = (int32_t)(now_us % 1000000 * 1000);
	req.lesson_id = (char *)w->course.lessons[lesson];
	req.session_id = new_request_id(session_id);
	req.client_time = req.session_start_time = &now;
	req.completed = true;
	assert_ok(edu_service_record_progress_call(w->t->channel, &req, &options, &w->t->arena, &reply, &err),
		  &err);
}

/* Who may review. */
static void new_learner(const struct world *w, struct testuser *ret)
{
	testserver_user(w->t, NULL, 0, ret);
	buy(w, ret);
	complete(w, ret, 0);
	complete(w, ret, 1);
}

/* --- calls --- */

struct writing {
	const char *course_id, *text, *request_id;
	int stars;
};

static int create_in(const struct world *w, struct arena *arena, const struct testuser *u, struct writing v,
		     Review **ret, struct error *err)
{
	CreateReviewRequest req = CREATE_REVIEW_REQUEST_INIT;
	struct client_call_options options = as(u);
	CreateReviewResponse *reply;

	req.course_id = (char *)(v.course_id ? v.course_id : w->course.id);
	req.stars = v.stars;
	req.text = (char *)(v.text ? v.text : "");
	req.request_id = (char *)(v.request_id ? v.request_id : "");
	int r = edu_service_create_review_call(w->t->channel, &req, &options, arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->review;
	return r;
}

static Review *create(const struct world *w, const struct testuser *u, int stars, const char *text)
{
	Review *ret = NULL;
	struct error err;
	assert_ok(create_in(w, &w->t->arena, u, (struct writing){.stars = stars, .text = text}, &ret, &err),
		  &err);
	return ret;
}

static void create_refused(const struct world *w, const struct testuser *u, struct writing v,
			   const char *reason)
{
	struct error err;
	int r = create_in(w, &w->t->arena, u, v, NULL, &err);
	assert_reason(r, &err, reason);
}

struct changing {
	const char *review_id, *etag, *text;
	const char *paths[4];
	int stars;
};

static int update_in(const struct world *w, struct arena *arena, const struct testuser *u, struct changing v,
		     Review **ret, struct error *err)
{
	UpdateReviewRequest req = UPDATE_REVIEW_REQUEST_INIT;
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	Review review = REVIEW_INIT;
	struct client_call_options options = as(u);
	UpdateReviewResponse *reply;

	review.review_id = (char *)v.review_id;
	review.etag = (char *)(v.etag ? v.etag : "");
	review.text = (char *)(v.text ? v.text : "");
	review.stars = v.stars;
	mask.paths = (char **)v.paths;
	while (mask.n_paths < ARRAY_SIZE(v.paths) && v.paths[mask.n_paths])
		mask.n_paths++;
	req.review = &review;
	req.update_mask = &mask;
	int r = edu_service_update_review_call(w->t->channel, &req, &options, arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->review;
	return r;
}

static Review *update(const struct world *w, const struct testuser *u, struct changing v)
{
	Review *ret = NULL;
	struct error err;
	assert_ok(update_in(w, &w->t->arena, u, v, &ret, &err), &err);
	return ret;
}

static void update_refused(const struct world *w, const struct testuser *u, struct changing v,
			   const char *reason)
{
	struct error err;
	int r = update_in(w, &w->t->arena, u, v, NULL, &err);
	assert_reason(r, &err, reason);
}

static int hide_in(const struct world *w, struct arena *arena, const struct testuser *u,
		   const char *review_id, const char *etag, Review **ret, struct error *err)
{
	HideReviewRequest req = HIDE_REVIEW_REQUEST_INIT;
	struct client_call_options options = as(u);
	HideReviewResponse *reply;

	req.review_id = (char *)review_id;
	req.reason = (char *)"it names a person";
	req.etag = (char *)etag;
	int r = edu_service_hide_review_call(w->t->channel, &req, &options, arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->review;
	return r;
}

static int unhide_in(const struct world *w, struct arena *arena, const struct testuser *u,
		     const char *review_id, Review **ret, struct error *err)
{
	UnhideReviewRequest req = UNHIDE_REVIEW_REQUEST_INIT;
	struct client_call_options options = as(u);
	UnhideReviewResponse *reply;

	req.review_id = (char *)review_id;
	req.reason = (char *)"it does not";
	int r = edu_service_unhide_review_call(w->t->channel, &req, &options, arena, &reply, err);
	if (r >= 0 && ret)
		*ret = reply->review;
	return r;
}

static Review *hide(const struct world *w, const char *review_id)
{
	Review *ret = NULL;
	struct error err;
	assert_ok(hide_in(w, &w->t->arena, &w->admin, review_id, "", &ret, &err), &err);
	return ret;
}

struct listing {
	const char *user_id, *page_token;
	int state, order, page_size;
};

static int list(const struct world *w, const struct testuser *u, struct listing l, ListReviewsResponse **ret,
		struct error *err)
{
	ListReviewsRequest req = LIST_REVIEWS_REQUEST_INIT;
	struct client_call_options options = as(u);

	req.course_id = (char *)w->course.id;
	req.user_id = (char *)(l.user_id ? l.user_id : "");
	req.state = l.state;
	req.order = l.order;
	req.page_size = l.page_size;
	req.page_token = (char *)(l.page_token ? l.page_token : "");
	return edu_service_list_reviews_call(w->t->channel, &req, &options, &w->t->arena, ret, err);
}

static ListReviewsResponse *list_ok(const struct world *w, const struct testuser *u, struct listing l)
{
	ListReviewsResponse *ret;
	struct error err;
	assert_ok(list(w, u, l, &ret, &err), &err);
	return ret;
}

static const CourseRating *rating(const struct world *w)
{
	GetCourseRequest req = GET_COURSE_REQUEST_INIT;
	struct client_call_options nobody = as(NULL);
	GetCourseResponse *reply;
	struct error err;

	req.course_id = (char *)w->course.id;
	assert_ok(edu_service_get_course_call(w->t->channel, &req, &nobody, &w->t->arena, &reply, &err),
		  &err);
	return reply->course->rating;
}

static void assert_rated(const struct world *w, int64_t count, int average)
{
	const CourseRating *r = rating(w);
	assert_int_equal(r ? r->review_count : 0, count);
	assert_int_equal(r ? r->average_hundredths : 0, average);
	assert_int_equal(testdb_numberf(w->t->db,
					"SELECT COUNT(*) FROM review WHERE course_id = %" PRId64
					" AND counted > 0",
					w->course.course_id),
			 count);
}

/* --- CreateReview --- */

static void test_a_review_is_shown_and_counts(void **state)
{
	struct world *w = *state;
	struct testuser u;

	new_learner(w, &u);
	assert_rated(w, 0, 0);
	Review *made = create(w, &u, 4, "Clear, and\nto the point.");
	assert_string_equal(made->user_id, u.id);
	assert_string_equal(made->course_id, w->course.id);
	assert_string_equal(made->display_name, u.name);
	assert_string_equal(made->text, "Clear, and\nto the point.");
	assert_int_equal(made->stars, 4);
	assert_int_equal(made->state, REVIEW_STATE_SHOWN);
	assert_true(made->counted);
	assert_int_equal(made->version, 1);
	assert_rated(w, 1, 400);
	ListReviewsResponse *page = list_ok(w, NULL, (struct listing){0});
	assert_int_equal(page->n_reviews, 1);
	assert_string_equal(page->reviews[0]->review_id, made->review_id);
	assert_string_equal(page->reviews[0]->etag, made->etag);
	assert_string_equal(page->next_page_token, "");
}

static void test_who_may_review(void **state)
{
	struct world *w = *state;
	const struct writing good = {.stars = 5};
	struct testuser u;
	struct error err;

	testserver_user(w->t, NULL, 0, &u);
	create_refused(w, NULL, good, "TOKEN_MISSING");
	create_refused(w, &u, good, "ENROLLMENT_NOT_FOUND");
	create_refused(w, &w->ines, good, "SELF_REVIEW");
	create_refused(w, &u, (struct writing){.course_id = "crs_0000000000001", .stars = 5},
		       "COURSE_NOT_FOUND");
	buy(w, &u);
	create_refused(w, &u, good, "REVIEW_TOO_EARLY");
	complete(w, &u, 3);
	int r = create_in(w, &w->t->arena, &u, good, NULL, &err);
	assert_reason(r, &err, "REVIEW_TOO_EARLY");
	assert_int_equal(err.n_metadata, 2);
	assert_string_equal(err.metadata[0].value, "909");
	assert_string_equal(err.metadata[1].value, "1000");
	complete(w, &u, 3); /* the same one again */
	create_refused(w, &u, good, "REVIEW_TOO_EARLY");
	complete(w, &u, 4);
	create(w, &u, 5, "");
	assert_rated(w, 1, 500);
}

static void test_fields_of_a_review(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct error err;
	char *text = calloc(4002, 1);

	new_learner(w, &u);
	memset(text, 'x', 4001);
	create_refused(w, &u, (struct writing){.stars = 0}, "FIELD_INVALID");
	create_refused(w, &u, (struct writing){.stars = -1}, "FIELD_INVALID");
	int r = create_in(w, &w->t->arena, &u, (struct writing){.stars = 6}, NULL, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_string_equal(err.message, "stars must be 1 to 5.");
	create_refused(w, &u, (struct writing){.stars = 1, .text = text}, "FIELD_INVALID");
	create_refused(w, &u, (struct writing){.stars = 1, .text = "\xe2\x80\xae"}, "FIELD_INVALID");
	create_refused(w, &u, (struct writing){.stars = 1, .course_id = "rvw_0000000000001"},
		       "FIELD_INVALID");
	create_refused(w, &u, (struct writing){.stars = 1, .request_id = "once"}, "FIELD_INVALID");
	free(text);
	assert_rated(w, 0, 0);
}

static void test_a_second_review_names_the_first(void **state)
{
	struct world *w = *state;
	struct testuser u;
	struct error err;
	Review *again;
	char request_id[37];

	new_learner(w, &u);
	const struct writing once = {.stars = 2, .request_id = new_request_id(request_id)};
	Review *first;
	assert_ok(create_in(w, &w->t->arena, &u, once, &first, &err), &err);
	int r = create_in(w, &w->t->arena, &u, (struct writing){.stars = 5}, NULL, &err);
	assert_reason(r, &err, "ALREADY_REVIEWED");
	assert_string_equal(err.resource_name, first->review_id);
	assert_string_equal(err.resource_type, "edu.v1.Review");
	assert_ok(create_in(w, &w->t->arena, &u, once, &again, &err), &err);
	assert_string_equal(again->review_id, first->review_id);
	create_refused(w, &u, (struct writing){.stars = 3, .request_id = request_id}, "REQUEST_ID_REUSED");
	/* A hidden one is one, too. */
	hide(w, first->review_id);
	create_refused(w, &u, (struct writing){.stars = 5}, "ALREADY_REVIEWED");
	assert_rated(w, 0, 0);
}

struct racer {
	const struct world *w;
	const struct testuser *u;
	struct arena arena;
	int r;
	struct error err;
};

static void *race(void *arg)
{
	struct racer *x = arg;
	arena_init(&x->arena, 1 << 20);
	x->r = create_in(x->w, &x->arena, x->u, (struct writing){.stars = 3}, NULL, &x->err);
	return NULL;
}

static void test_one_of_many_at_once_is_written(void **state)
{
	struct world *w = *state;
	struct racer racers[12];
	struct testuser u;
	unsigned done = 0;

	new_learner(w, &u);
	for (unsigned i = 0; i < ARRAY_SIZE(racers); i++)
		racers[i] = (struct racer){.w = w, .u = &u};
	threads_run(ARRAY_SIZE(racers), race, racers, sizeof(racers[0]));
	for (unsigned i = 0; i < ARRAY_SIZE(racers); i++) {
		if (racers[i].r < 0)
			assert_reason(racers[i].r, &racers[i].err, "ALREADY_REVIEWED");
		done += racers[i].r >= 0;
		arena_done(&racers[i].arena);
	}
	assert_int_equal(done, 1);
	assert_rated(w, 1, 300);
}

/* --- UpdateReview --- */

static void test_changing_a_review_moves_the_rating(void **state)
{
	struct world *w = *state;
	struct testuser u, v;

	new_learner(w, &u);
	new_learner(w, &v);
	Review *made = create(w, &u, 1, "Poor"), *now;
	create(w, &v, 4, "");
	assert_rated(w, 2, 250);
	now = update(w, &u,
		     (struct changing){made->review_id, made->etag, "Better now", {"stars", "text"}, 5});
	assert_int_equal(now->stars, 5);
	assert_string_equal(now->text, "Better now");
	assert_int_equal(now->version, 2);
	assert_rated(w, 2, 450);
	now = update(w, &u, (struct changing){made->review_id, NULL, "", {"text"}, 0});
	assert_int_equal(now->stars, 5);
	assert_string_equal(now->text, "");
	assert_rated(w, 2, 450);
	update_refused(w, &u, (struct changing){made->review_id, made->etag, "x", {"text"}, 0},
		       "ETAG_MISMATCH");
	update_refused(w, &u, (struct changing){made->review_id, NULL, "x", {"stars"}, 0}, "FIELD_INVALID");
	update_refused(w, &u, (struct changing){made->review_id, NULL, "x", {"stars"}, 6}, "FIELD_INVALID");
	update_refused(w, &u, (struct changing){made->review_id, NULL, "x", {"state"}, 1}, "FIELD_INVALID");
	update_refused(w, &u, (struct changing){made->review_id, NULL, "x", {"etag"}, 1}, "FIELD_INVALID");
	update_refused(w, &u, (struct changing){made->review_id, NULL, "x", {NULL}, 1}, "FIELD_INVALID");
	update_refused(w, &u, (struct changing){"", NULL, "x", {"text"}, 1}, "FIELD_INVALID");
	assert_rated(w, 2, 450);
}

static void test_who_may_change_a_review(void **state)
{
	struct world *w = *state;
	struct testuser u, v;

	new_learner(w, &u);
	new_learner(w, &v);
	Review *made = create(w, &u, 1, "Poor");
	const struct changing change = {made->review_id, NULL, "Good", {"text"}, 0};
	update_refused(w, NULL, change, "TOKEN_MISSING");
	update_refused(w, &v, change, "ROLE_MISSING");
	update_refused(w, &w->ines, change, "ROLE_MISSING");
	update_refused(w, &w->admin, change, "ROLE_MISSING");
	update_refused(w, &u, (struct changing){"rvw_0000000000001", NULL, "x", {"text"}, 0},
		       "REVIEW_NOT_FOUND");
	hide(w, made->review_id);
	update_refused(w, &v, change, "REVIEW_NOT_FOUND");
	update_refused(w, &w->ines, change, "REVIEW_NOT_FOUND");
	update_refused(w, &w->support, change, "ROLE_MISSING");
	/* Its author may mend it; that does not show it. */
	Review *now = update(w, &u, change);
	assert_int_equal(now->state, REVIEW_STATE_HIDDEN);
	assert_string_equal(now->text, "Good");
	assert_false(now->counted);
	assert_rated(w, 0, 0);
	/* Who comes to teach the course speaks of his own. */
	struct db_conn *conn = testdb_connect(w->t->db, NULL);
	char sql[200];
	snprintf(sql, sizeof(sql), "INSERT INTO course_instructor VALUES (%" PRId64 ", %" PRId64 ", 2, 0)",
		 w->course.course_id, u.user_id);
	testdb_run(conn, sql);
	db_close(conn);
	update_refused(w, &u, change, "SELF_REVIEW");
}

/* --- HideReview, UnhideReview --- */

static void test_a_hidden_review_does_not_count(void **state)
{
	struct world *w = *state;
	struct testuser u, v;
	struct error err;
	Review *now;

	new_learner(w, &u);
	new_learner(w, &v);
	Review *made = create(w, &u, 1, "X. is a fool");
	create(w, &v, 5, "");
	int r = hide_in(w, &w->t->arena, &w->support, made->review_id, "", NULL, &err);
	assert_reason(r, &err, "ROLE_MISSING");
	r = hide_in(w, &w->t->arena, &u, made->review_id, "", NULL, &err);
	assert_reason(r, &err, "ROLE_MISSING");
	r = hide_in(w, &w->t->arena, &w->admin, "rvw_0000000000001", "", NULL, &err);
	assert_reason(r, &err, "REVIEW_NOT_FOUND");
	r = hide_in(w, &w->t->arena, &w->admin, made->review_id, "v0", NULL, &err);
	assert_reason(r, &err, "ETAG_MISMATCH");
	r = unhide_in(w, &w->t->arena, &w->admin, made->review_id, NULL, &err);
	assert_reason(r, &err, "REVIEW_STATE_INVALID");
	assert_rated(w, 2, 300);

	now = hide(w, made->review_id);
	assert_int_equal(now->state, REVIEW_STATE_HIDDEN);
	assert_string_equal(now->hide_reason, "it names a person");
	assert_false(now->counted);
	assert_rated(w, 1, 500);
	r = hide_in(w, &w->t->arena, &w->admin, made->review_id, "", NULL, &err);
	assert_reason(r, &err, "REVIEW_STATE_INVALID");

	assert_ok(unhide_in(w, &w->t->arena, &w->admin, made->review_id, &now, &err), &err);
	assert_int_equal(now->state, REVIEW_STATE_SHOWN);
	assert_string_equal(now->hide_reason, "");
	assert_true(now->counted);
	assert_rated(w, 2, 300);
	assert_int_equal(
		testdb_numberf(w->t->db,
			       "SELECT COUNT(*) FROM audit WHERE subject_id = (SELECT review_id FROM review"
			       " WHERE user_id = %" PRId64 ") AND (action, reason) IN"
			       " (('HideReview', 'it names a person'), ('UnhideReview', 'it does not'))",
			       u.user_id),
		2);
}

/* An administrator who teaches the course, or made it, leaves its reviews to others. */
static void test_nobody_hides_what_is_said_of_him(void **state)
{
	struct world *w = *state;
	struct testuser u, boss;
	struct error err;

	new_learner(w, &u);
	Review *made = create(w, &u, 1, "Poor");
	testserver_user(w->t, NULL, ROLE_MASK_ADMIN, &boss);
	struct db_conn *conn = testdb_connect(w->t->db, NULL);
	char sql[200];
	snprintf(sql, sizeof(sql), "UPDATE course SET creator_id = %" PRId64 " WHERE course_id = %" PRId64,
		 boss.user_id, w->course.course_id);
	testdb_run(conn, sql);
	db_close(conn);
	int r = hide_in(w, &w->t->arena, &boss, made->review_id, "", NULL, &err);
	assert_reason(r, &err, "SELF_REVIEW");
	hide(w, made->review_id);
	r = unhide_in(w, &w->t->arena, &boss, made->review_id, NULL, &err);
	assert_reason(r, &err, "SELF_REVIEW");
}

static void test_who_sees_a_hidden_review(void **state)
{
	struct world *w = *state;
	const struct listing any = {0}, hidden = {.state = REVIEW_STATE_HIDDEN};
	struct testuser u, v;
	struct error err;
	ListReviewsResponse *page;

	new_learner(w, &u);
	new_learner(w, &v);
	const struct listing of_u = {.user_id = u.id};
	Review *made = create(w, &u, 1, "Poor");
	create(w, &v, 5, "");
	assert_int_equal(list_ok(w, NULL, of_u)->n_reviews, 1);
	hide(w, made->review_id);

	const struct testuser *const everybody[] = {NULL, &u, &v, &w->ines, &w->support, &w->admin};
	for (size_t i = 0; i < ARRAY_SIZE(everybody); i++) {
		const struct testuser *who = everybody[i];
		const bool may_ask = who == &w->support || who == &w->admin;
		page = list_ok(w, who, any);
		assert_int_equal(page->n_reviews, 1);
		assert_string_equal(page->reviews[0]->user_id, v.id);
		assert_int_equal(list_ok(w, who, of_u)->n_reviews, may_ask || who == &u);
		int r = list(w, who, hidden, &page, &err);
		if (!may_ask) {
			assert_reason(r, &err, "ROLE_MISSING");
			continue;
		}
		assert_ok(r, &err);
		assert_int_equal(page->n_reviews, 1);
		assert_string_equal(page->reviews[0]->hide_reason, "it names a person");
	}
	assert_int_equal(
		list_ok(w, &u, (struct listing){.user_id = u.id, .state = REVIEW_STATE_SHOWN})->n_reviews, 0);
	assert_int_equal(
		list_ok(w, &u, (struct listing){.user_id = u.id, .state = REVIEW_STATE_HIDDEN})->n_reviews,
		1);
	assert_int_equal(
		list_ok(w, &u, (struct listing){.user_id = v.id, .state = REVIEW_STATE_HIDDEN})->n_reviews,
		0);
}

/* --- ListReviews --- */

enum { MANY = 23 };

/* All pages of an order hold each review once, in the order. */
static void walk(const struct world *w, int order)
{
	struct listing l = {.order = order, .page_size = 5};
	unsigned n = 0;
	int64_t last_id = 0;
	int last_stars = 0;

	do {
		ListReviewsResponse *page = list_ok(w, NULL, l);
		for (unsigned i = 0; i < page->n_reviews; i++, n++) {
			const int64_t id = id_of("rvw", page->reviews[i]->review_id);
			const int stars = page->reviews[i]->stars;
			const bool equal = stars == last_stars;
			if (n && order == REVIEW_ORDER_HIGHEST)
				assert_true(stars < last_stars || (equal && id < last_id));
			else if (n && order == REVIEW_ORDER_LOWEST)
				assert_true(stars > last_stars || (equal && id > last_id));
			else if (n)
				assert_true(id < last_id);
			last_id = id;
			last_stars = stars;
		}
		l.page_token = page->next_page_token;
	} while (*l.page_token);
	assert_int_equal(n, MANY);
}

static void test_pages_in_every_order(void **state)
{
	struct world *w = *state;
	struct error err;
	ListReviewsResponse *page;
	struct db_conn *conn = testdb_connect(w->t->db, NULL);
	char sql[400];

	snprintf(
		sql, sizeof(sql),
		"INSERT INTO review SELECT %" PRId64 " + seq, %" PRId64
		", 1000 + seq, 1 + seq * 7 %% 5, '', IF(seq > %d, 2, 1), IF(seq > %d, 'x', ''), 0, 1, seq, seq FROM seq_1_to_30",
		w->course.course_id, w->course.course_id, MANY, MANY);
	testdb_run(conn, sql);
	db_close(conn);
	for (int order = 0; order <= ReviewOrder_MAX; order++)
		walk(w, order);
	page = list_ok(w, NULL, (struct listing){.page_size = 5});
	int r = list(w, NULL, (struct listing){.page_token = page->next_page_token, .order = 2}, &page, &err);
	assert_reason(r, &err, "PAGE_TOKEN_INVALID");
	r = list(w, NULL, (struct listing){.page_token = "x"}, &page, &err);
	assert_reason(r, &err, "PAGE_TOKEN_INVALID");
	r = list(w, NULL, (struct listing){.order = 4}, &page, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	r = list(w, NULL, (struct listing){.page_size = -1}, &page, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_int_equal(list_ok(w, &w->admin, (struct listing){.state = REVIEW_STATE_HIDDEN})->n_reviews, 7);
}

/* --- what counts --- */

static void set_grant(const struct world *w, const struct testuser *u, const char *set)
{
	struct db_conn *conn = testdb_connect(w->t->db, NULL);
	char sql[300];
	snprintf(sql, sizeof(sql), "UPDATE access_grant SET %s WHERE user_id = %" PRId64, set, u->user_id);
	testdb_run(conn, sql);
	db_close(conn);
}

static void test_a_course_given_back_does_not_count(void **state)
{
	struct world *w = *state;
	struct testuser u;

	new_learner(w, &u);
	Review *made = create(w, &u, 3, "");
	const struct changing change = {made->review_id, NULL, "Gave it back", {"text"}, 0};
	set_grant(w, &u, "revoke_time = 1");
	Review *now = update(w, &u, change);
	assert_int_equal(now->state, REVIEW_STATE_SHOWN);
	assert_false(now->counted);
	assert_rated(w, 0, 0);
	assert_int_equal(list_ok(w, NULL, (struct listing){0})->n_reviews, 1);
	/* A seat that was taken away was no money given back. */
	set_grant(w, &u, "source_kind = 5");
	assert_true(update(w, &u, change)->counted);
	assert_rated(w, 1, 300);
	/* A catalogue opens the course as well. */
	set_grant(w, &u, "source_kind = 6, scope_kind = 2, scope_id = 5");
	assert_false(update(w, &u, change)->counted);
	struct db_conn *conn = testdb_connect(w->t->db, NULL);
	char sql[200];
	snprintf(sql, sizeof(sql), "INSERT INTO catalogue_course VALUES (%" PRId64 ", 5, 1, 2)",
		 w->course.course_id);
	testdb_run(conn, sql);
	db_close(conn);
	assert_true(update(w, &u, change)->counted);
	/* Teaching it gives no voice. */
	set_grant(w, &u, "source_kind = 4, scope_kind = 1, scope_id = 5, source_id = 5");
	assert_false(update(w, &u, change)->counted);
	assert_rated(w, 0, 0);
}

/* --- many at once --- */

enum { REVIEWERS = 64, MODERATORS = 4, CHANGES = 8 };

struct actor {
	const struct world *w;
	struct testuser u;
	char review_id[ID_TEXT_MAX];
	atomic_bool written; /* review_id is set */
	struct actor *all;   /* of a moderator: the reviewers */
	unsigned seed;
};

static unsigned next(struct actor *a, unsigned below)
{
	a->seed = (a->seed * 1103515245u + 12345u) & 0x7fffffff;
	return (a->seed >> 16) % below;
}

static void review_and_change(struct actor *a, struct arena *arena)
{
	struct error err;
	Review *made;

	assert_ok(create_in(a->w, arena, &a->u, (struct writing){.stars = 1 + (int)next(a, 5)}, &made, &err),
		  &err);
	snprintf(a->review_id, sizeof(a->review_id), "%s", made->review_id);
	a->written = true;
	for (unsigned i = 0; i < CHANGES; i++) {
		const struct changing change = {a->review_id, NULL, "", {"stars"}, 1 + (int)next(a, 5)};
		assert_ok(update_in(a->w, arena, &a->u, change, NULL, &err), &err);
		arena_reset(arena);
	}
}

/* Whatever is there by then, and in whatever state. */
static void hide_and_show(struct actor *a, struct arena *arena)
{
	struct error err;
	for (unsigned done = 0; done < CHANGES;) {
		struct actor *other = &a->all[next(a, REVIEWERS)];
		if (!other->written)
			continue;
		int r = next(a, 3) ? hide_in(a->w, arena, &a->u, other->review_id, "", NULL, &err)
				   : unhide_in(a->w, arena, &a->u, other->review_id, NULL, &err);
		if (r < 0)
			assert_reason(r, &err, "REVIEW_STATE_INVALID");
		done += r >= 0;
		arena_reset(arena);
	}
}

static void *act(void *arg)
{
	struct actor *a = arg;
	struct arena arena;
	arena_init(&arena, 1 << 20);
	if (a->all)
		hide_and_show(a, &arena);
	else
		review_and_change(a, &arena);
	arena_done(&arena);
	return NULL;
}

static void test_the_rating_is_exact_under_64_reviewers(void **state)
{
	struct world *w = *state;
	struct actor *actors = calloc(REVIEWERS + MODERATORS, sizeof(*actors));

	for (unsigned i = 0; i < REVIEWERS + MODERATORS; i++) {
		actors[i].w = w;
		actors[i].seed = 7919 * i + 1;
		if (i < REVIEWERS) {
			new_learner(w, &actors[i].u);
		} else {
			actors[i].u = w->admin;
			actors[i].all = actors;
		}
	}
	threads_run(REVIEWERS + MODERATORS, act, actors, sizeof(actors[0]));
	free(actors);
	assert_int_equal(testdb_numberf(w->t->db, "SELECT COUNT(*) FROM review WHERE course_id = %" PRId64,
					w->course.course_id),
			 REVIEWERS);
	assert_int_equal(
		testdb_numberf(
			w->t->db,
			"SELECT COUNT(*) FROM (SELECT IFNULL(SUM(counted = 1), 0) a, IFNULL(SUM(counted = 2), 0) b,"
			" IFNULL(SUM(counted = 3), 0) c, IFNULL(SUM(counted = 4), 0) d, IFNULL(SUM(counted = 5), 0) e"
			" FROM review WHERE course_id = %" PRId64
			") x JOIN course_rating r ON r.course_id = %" PRId64
			" AND (r.stars_1, r.stars_2, r.stars_3, r.stars_4, r.stars_5) = (a, b, c, d, e)",
			w->course.course_id, w->course.course_id),
		1);
	assert_int_equal(testdb_numberf(w->t->db,
					"SELECT COUNT(*) FROM review WHERE course_id = %" PRId64
					" AND counted <> IF(state = 1, stars, 0)",
					w->course.course_id),
			 0);
	assert_int_equal(testdb_numberf(w->t->db,
					"SELECT COUNT(*) FROM event WHERE course_id = %" PRId64
					" AND kind IN ('review.hidden', 'review.unhidden')",
					w->course.course_id),
			 MODERATORS * CHANGES);
}

static uint64_t generation(const struct world *w)
{
	return course_cache_generation(service_app(w->t->service)->courses, w->course.course_id);
}

/* What one may do as often as one likes costs others nothing that is remembered. */
static void test_a_refused_review_makes_nothing_forgotten(void **state)
{
	struct world *w = *state;
	struct testuser stranger, u;

	testserver_user(w->t, NULL, 0, &stranger);
	new_learner(w, &u);
	const Review *r = create(w, &u, 4, "Good.");
	usleep(1500000); /* what the feed tells of it makes the course forgotten, rightly */
	const uint64_t before = generation(w);
	create_refused(w, &stranger, (struct writing){.stars = 1}, "ENROLLMENT_NOT_FOUND");
	create_refused(w, &u, (struct writing){.stars = 1}, "ALREADY_REVIEWED");
	update_refused(w, &u,
		       (struct changing){.review_id = r->review_id, .paths = {"text"}, .etag = "\"9\""},
		       "ETAG_MISMATCH");
	assert_int_equal(generation(w), before);
	update(w, &u, (struct changing){.review_id = r->review_id, .paths = {"stars"}, .stars = 5});
	assert_true(generation(w) > before);
}

/* Each version of a review is told by one event, which names its author and the course. */
static void test_every_change_is_told(void **state)
{
	struct world *w = *state;
	assert_int_equal(
		testdb_numberf(
			w->t->db,
			"SELECT COUNT(*) FROM review r WHERE course_id > 9 AND user_id > 9999 AND version <>"
			" (SELECT COUNT(DISTINCT e.version) FROM event e WHERE e.subject_id = r.review_id"
			" AND e.user_id = r.user_id AND e.course_id = r.course_id AND e.kind LIKE 'review.%%')"),
		0);
	assert_true(testdb_numberf(w->t->db,
				   "SELECT COUNT(DISTINCT kind) FROM event WHERE kind LIKE 'review.%%'") ==
		    4);
}

#define IN_A_COURSE(test) cmocka_unit_test_setup(test, new_course)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_COURSE(test_a_review_is_shown_and_counts),
		IN_A_COURSE(test_who_may_review),
		IN_A_COURSE(test_fields_of_a_review),
		IN_A_COURSE(test_a_second_review_names_the_first),
		IN_A_COURSE(test_one_of_many_at_once_is_written),
		IN_A_COURSE(test_changing_a_review_moves_the_rating),
		IN_A_COURSE(test_who_may_change_a_review),
		IN_A_COURSE(test_a_hidden_review_does_not_count),
		IN_A_COURSE(test_nobody_hides_what_is_said_of_him),
		IN_A_COURSE(test_who_sees_a_hidden_review),
		IN_A_COURSE(test_pages_in_every_order),
		IN_A_COURSE(test_a_course_given_back_does_not_count),
		IN_A_COURSE(test_a_refused_review_makes_nothing_forgotten),
		IN_A_COURSE(test_the_rating_is_exact_under_64_reviewers),
		cmocka_unit_test(test_every_change_is_told),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
