/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of what is not published, when they are long: what a filter that fits nearly nothing may cost, and
 * what its caller gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/ids.h"
#include "server/course/course_names.h"
#include "tests/lib/testserver.h"

/* More than a page may look at, from id 1; those that are cheap or of the rare level are near the newest, but
 * for the first. */
#define COURSES "30000"
#define RARE "1, 29970, 29980, 29990"

/* Two who teach ten drafts each, and newer courses in review: fewer and more than a page may look at. */
enum { FEW = 2, MANY = 3 };

static struct testuser admin;

/* Subjects of which there are no rows: the list asks for none. */
static char *subject(int64_t subject_id)
{
	static char text[ID_TEXT_MAX];
	return id_format(ID_SUBJECT, subject_id, text);
}

static void insert_taught(struct db_conn *conn, int user_id, unsigned in_review)
{
	char sql[1024];
	snprintf(
		sql, sizeof(sql),
		"INSERT INTO course (course_id, creator_id, title, summary, description, objectives, audience,"
		" prerequisites, subject_id, level, language, license, pricing, planned_learning_hours, stage,"
		" lesson_count, version, revision, create_time, update_time, publish_time)"
		" SELECT %d00000 + seq, %d, 'Course', 's', '', '[]', '', '', 2, 1, 'en', '', 1, 0,"
		" IF(seq < 10, 1, 2), 1, 1, 0, 1, 1, NULL FROM seq_0_to_%u",
		user_id, user_id, in_review + 9);
	testdb_run(conn, sql);
}

static int fill(void **state)
{
	testserver_setup(state);
	struct testserver *t = *state;
	struct db_conn *conn = testdb_connect(t->db, NULL);
	testdb_run(
		conn,
		"INSERT INTO course (course_id, creator_id, title, summary, description, objectives, "
		"audience,"
		" prerequisites, subject_id, level, language, license, pricing, planned_learning_hours, stage,"
		" lesson_count, version, revision, create_time, update_time, publish_time)"
		" SELECT seq, 1, CONCAT('Course ', LPAD(" COURSES
		" - seq, 6, '0')), 's', '', '[]', '', '', 1,"
		" IF(seq IN (" RARE "), 3, 1), "
		"ELT(1 + LEAST(seq % 1000, 4), 'zh', 'zh-Hans', 'zh-Hans-CN', 'zho', 'en'), '', 2, 0, 1, 1, 1, 0, 1, 1, NULL FROM seq_1_to_" COURSES);
	insert_taught(conn, FEW, 200);
	insert_taught(conn, MANY, 25000);
	testdb_run(conn, "INSERT INTO course_instructor (course_id, user_id, position, share_basis_points)"
			 " SELECT course_id, creator_id, 1, 10000 FROM course");
	testdb_run(conn,
		   "INSERT INTO course_price SELECT course_id, 'EUR', IF(level = 3, 500, 1000), 1 FROM course"
		   " WHERE pricing = 2");
	db_close(conn);
	testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
	return 0;
}

/* By an administrator; drafts, unless it says otherwise. */
static int list(struct testserver *t, ListCoursesRequest *req, ListCoursesResponse **ret, struct error *err)
{
	struct client_call_options options = as(&admin);
	if (!req->state)
		req->state = EDU__V1__COURSE_STATE__COURSE_STATE_DRAFT;
	int r = edu_service_list_courses_call(t->channel, req, &options, &t->arena, ret, err);

	if (r >= 0)
		req->page_token = (*ret)->next_page_token;
	return r;
}

/* What few courses are is found as far as a page looks, on a short page; the next one says that it is too
 * much. */
static void expect_the_near_ones(struct testserver *t, ListCoursesRequest *req)
{
	ListCoursesResponse *page;
	struct error err;

	int r = list(t, req, &page, &err);
	assert_ok(r, &err);
	assert_int_equal(page->n_courses, 3);
	for (size_t i = 0; i < page->n_courses; i++) {
		assert_int_equal(page->courses[i]->n_instructors, 1);
		assert_int_equal(page->courses[i]->price_list->n_prices, 1);
		assert_int_equal(page->courses[i]->price_list->prices[0]->minor_units, 500);
	}
	assert_true(*page->next_page_token);
	r = list(t, req, &page, &err);
	assert_reason(r, &err, "FILTER_TOO_COSTLY");
}

static void test_few_that_fit(void **state)
{
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;

	req.subject_id = subject(1);
	req.level = EDU__V1__COURSE_LEVEL__COURSE_LEVEL_ADVANCED;
	expect_the_near_ones(*state, &req);
	req.page_token = (char *)"";
	req.order = EDU__V1__COURSE_ORDER__COURSE_ORDER_TITLE;
	expect_the_near_ones(*state, &req);
}

static void test_few_in_a_price_range(void **state)
{
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;
	PriceRange range = PRICE_RANGE_INIT;

	range.currency_code = (char *)"EUR";
	range.max_minor_units = 600;
	req.price_range = &range;
	req.order = EDU__V1__COURSE_ORDER__COURSE_ORDER_TITLE;
	expect_the_near_ones(*state, &req);
}

static void test_none_that_fits(void **state)
{
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;
	ListCoursesResponse *page;
	struct error err;

	req.subject_id = subject(1);
	req.level = EDU__V1__COURSE_LEVEL__COURSE_LEVEL_INTERMEDIATE;
	int r = list(*state, &req, &page, &err);
	assert_reason(r, &err, "FILTER_TOO_COSTLY");
	assert_int_equal(err.code, STATUS_RESOURCE_EXHAUSTED);
}

/* What many fit is not concerned. */
static void test_whole_pages(void **state)
{
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;
	ListCoursesResponse *page;
	struct error err;

	req.page_size = 100;
	for (int i = 0; i < 3; i++) {
		int r = list(*state, &req, &page, &err);
		assert_ok(r, &err);
		assert_int_equal(page->n_courses, 100);
	}
}

/* How many there are, on one page and not too costly. */
static size_t count(struct testserver *t, ListCoursesRequest req)
{
	ListCoursesResponse *page;
	struct error err;

	req.page_size = 100;
	int r = list(t, &req, &page, &err);
	assert_ok(r, &err);
	assert_string_equal(page->next_page_token, "");
	return page->n_courses;
}

/* What somebody has in review lies before his drafts, and nobody reads all of it for them. */
static void test_a_list_of_what_somebody_teaches_is_bounded(void **state)
{
	ListCoursesRequest req = LIST_COURSES_REQUEST_INIT;
	ListCoursesResponse *page;
	struct error err;
	char id[ID_TEXT_MAX];

	req.instructor_id = id;
	id_format("usr", FEW, id);
	for (req.order = 0; req.order <= EDU__V1__COURSE_ORDER__COURSE_ORDER_TITLE; req.order++)
		assert_int_equal(count(*state, req), 10);
	id_format("usr", MANY, id);
	for (req.order = 0; req.order <= EDU__V1__COURSE_ORDER__COURSE_ORDER_TITLE; req.order++) {
		req.page_token = (char *)"";
		int r = list(*state, &req, &page, &err);
		assert_reason(r, &err, "FILTER_TOO_COSTLY");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few_that_fit),
		cmocka_unit_test(test_few_in_a_price_range),
		cmocka_unit_test(test_none_that_fits),
		cmocka_unit_test(test_whole_pages),
		cmocka_unit_test(test_a_list_of_what_somebody_teaches_is_bounded),
	};
	return cmocka_run_group_tests(tests, fill, testserver_teardown);
}
