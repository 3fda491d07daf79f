/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/course/course_rating.h"
#include "server/course/lesson.h"
#include "tests/lib/testserver.h"
#include "tests/lib/threads.h"

/* What the reviews of a course add up to. */

static const struct db_stmt_list *const lists[] = {&course_rating_stmts, NULL};
static const int one_text[] = {LESSON_TEXT, 0};

static void test_the_mean_is_the_nearest(void **state)
{
	const struct {
		struct course_rating rating;
		int average;
	} cases[] = {
		{{{0, 0, 0, 0, 0}}, 0},     {{{1, 0, 0, 0, 0}}, 100}, {{{0, 0, 0, 0, 9}}, 500},
		{{{1, 0, 0, 0, 1}}, 300},   {{{1, 0, 1, 0, 1}}, 300}, {{{1, 1, 0, 0, 0}}, 150},
		{{{2, 1, 0, 0, 0}}, 133},   {{{1, 2, 0, 0, 0}}, 167}, {{{0, 0, 0, 1, 199}}, 500},
		{{{0, 0, 0, 2, 199}}, 499}, {{{7, 1, 0, 0, 0}}, 113}, {{{0, 0, 0, 0, 2000000000}}, 500},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(course_rating_average(&cases[i].rating), cases[i].average);
}

static const Course *read_course(struct testserver *t, const char *course_id)
{
	GetCourseRequest req = GET_COURSE_REQUEST_INIT;
	struct client_call_options nobody = as(NULL);
	GetCourseResponse *reply;
	struct error err;

	req.course_id = (char *)course_id;
	assert_ok(edu_service_get_course_call(t->channel, &req, &nobody, &t->arena, &reply, &err), &err);
	return reply->course;
}

static void assert_rating(const CourseRating *r, int average, const int64_t stars[COURSE_STARS_MAX])
{
	assert_non_null(r);
	assert_int_equal(r->average_hundredths, average);
	assert_int_equal(r->review_count, stars[0] + stars[1] + stars[2] + stars[3] + stars[4]);
	assert_int_equal(r->one_star, stars[0]);
	assert_int_equal(r->two_stars, stars[1]);
	assert_int_equal(r->three_stars, stars[2]);
	assert_int_equal(r->four_stars, stars[3]);
	assert_int_equal(r->five_stars, stars[4]);
}

/* Each is read once it is as it shall be: what is remembered of a course, events of reviews make stale. */
static void test_a_course_shows_its_rating(void **state)
{
	struct testserver *t = *state;
	struct testuser ines;
	struct testcourse c, bare;
	struct error err;

	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &ines);
	testserver_course(t, &ines, 0, one_text, &c);
	testserver_course(t, &ines, 0, one_text, &bare);
	struct db_conn *conn = testdb_connect(t->db, lists);
	for (int stars = 0; stars <= COURSE_STARS_MAX; stars++)
		assert_ok(course_rating_move(conn, c.course_id, 0, stars, &err), &err);
	assert_ok(course_rating_move(conn, c.course_id, 1, 5, &err), &err);
	assert_ok(course_rating_move(conn, c.course_id, 2, 0, &err), &err);
	assert_ok(course_rating_move(conn, c.course_id, 3, 3, &err), &err);
	assert_rating(read_course(t, c.id)->rating, 425, (const int64_t[]){0, 0, 1, 1, 2});

	assert_ok(course_rating_move(conn, bare.course_id, 0, 3, &err), &err);
	assert_ok(course_rating_move(conn, bare.course_id, 3, 0, &err), &err);
	assert_null(read_course(t, bare.id)->rating);
	db_close(conn);
}

enum { REVIEWERS = 16, MOVES = 40 };

struct reviewer {
	struct db_conn *conn;
	int64_t course_id;
	unsigned seed;
	int stars; /* what the review counts with */
};

static int move(struct db_conn *conn, void *arg, struct error *err)
{
	struct reviewer *r = arg;
	return course_rating_move(conn, r->course_id, r->stars, (int)(r->seed >> 16) % 6, err);
}

static void *review_often(void *arg)
{
	struct reviewer *r = arg;
	struct error err;
	for (unsigned i = 0; i < MOVES; i++) {
		r->seed = (r->seed * 1103515245u + 12345u) & 0x7fffffff;
		assert_ok(db_transaction(r->conn, false, move, r, &err), &err);
		r->stars = (int)(r->seed >> 16) % 6;
	}
	return NULL;
}

/* The first of them all come at once, and there is no row yet. */
static void test_nobody_is_lost_or_counted_twice(void **state)
{
	struct testserver *t = *state;
	struct reviewer reviewers[REVIEWERS];
	int64_t stars[COURSE_STARS_MAX + 1] = {0}, n, sum;

	for (unsigned i = 0; i < REVIEWERS; i++)
		reviewers[i] = (struct reviewer){testdb_connect(t->db, lists), 4711, i * 7919 + 1, 0};
	threads_run(REVIEWERS, review_often, reviewers, sizeof(reviewers[0]));
	for (unsigned i = 0; i < REVIEWERS; i++) {
		stars[reviewers[i].stars]++;
		db_close(reviewers[i].conn);
	}
	n = stars[1] + stars[2] + stars[3] + stars[4] + stars[5];
	sum = stars[1] + 2 * stars[2] + 3 * stars[3] + 4 * stars[4] + 5 * stars[5];
	char sql[512];
	snprintf(sql, sizeof(sql),
		 "SELECT COUNT(*) FROM course_rating WHERE course_id = 4711 AND stars_1 = %" PRId64
		 " AND stars_2 = %" PRId64 " AND stars_3 = %" PRId64 " AND stars_4 = %" PRId64
		 " AND stars_5 = %" PRId64 " AND review_count = %" PRId64 " AND star_count = %" PRId64,
		 stars[1], stars[2], stars[3], stars[4], stars[5], n, sum);
	assert_int_equal(testdb_number(t->db, sql), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_mean_is_the_nearest),
		cmocka_unit_test(test_a_course_shows_its_rating),
		cmocka_unit_test(test_nobody_is_lost_or_counted_twice),
	};
	return cmocka_run_group_tests(tests, testserver_setup, testserver_teardown);
}
