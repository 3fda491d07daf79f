/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/progress/progress_day.h"

#define US INT64_C(1000000)

enum { DAY = 20717, OTHER_USER = 3, USER = 4, COURSE = 7, REPORTS_MAX = 8 };

static const int64_t midnight_us = DAY * DAY_US;

/* A run of reports and what each did to its session. */
struct run {
	struct report reports[REPORTS_MAX];
	struct progress_delta deltas[REPORTS_MAX];
	unsigned n;
	struct progress_day days[2 * REPORTS_MAX];
	unsigned n_days;
};

static void report(struct run *r, int64_t user_id, int64_t course_id, struct progress_delta delta)
{
	r->reports[r->n] = (struct report){.user_id = user_id, .course_id = course_id};
	r->deltas[r->n++] = delta;
}

static void sum(struct run *r)
{
	const struct report *reports[REPORTS_MAX];

	for (unsigned i = 0; i < r->n; i++)
		reports[i] = &r->reports[i];
	r->n_days = progress_day_changes(reports, r->deltas, r->n, r->days);
}

static void check(const struct run *r, unsigned i, int64_t user_id, int64_t day, int64_t course_id,
		  struct progress_amounts wanted)
{
	assert_in_range(i + 1, 1, r->n_days);
	assert_int_equal(r->days[i].user_id, user_id);
	assert_int_equal(r->days[i].day, day);
	assert_int_equal(r->days[i].course_id, course_id);
	assert_memory_equal(&r->days[i].amounts, &wanted, sizeof(wanted));
}

static void test_days_are_utc(void **state)
{
	assert_int_equal(progress_day_of(0), 0);
	assert_int_equal(progress_day_of(midnight_us - 1), DAY - 1);
	assert_int_equal(progress_day_of(midnight_us), DAY);
	assert_int_equal(progress_day_of(midnight_us + DAY_US - 1), DAY);
}

static void test_a_new_session_counts_on_the_day_of_its_start(void **state)
{
	struct run r = {0};

	report(&r, USER, COURSE, (struct progress_delta){.added = {60, 2, 1}, .start_us = midnight_us - 1});
	sum(&r);
	assert_int_equal(r.n_days, 1);
	check(&r, 0, USER, DAY - 1, COURSE, (struct progress_amounts){60, 2, 1});
}

/* Also what is added after midnight, up to the whole day that a session may last. */
static void test_what_a_session_gains_counts_where_it_began(void **state)
{
	struct run r = {0};

	report(&r, USER, COURSE,
	       (struct progress_delta){.added = {86400 - 30, 0, 0},
				       .before = {30, 0, 0},
				       .start_us = midnight_us - 1,
				       .start_before_us = midnight_us - 1});
	sum(&r);
	assert_int_equal(r.n_days, 1);
	check(&r, 0, USER, DAY - 1, COURSE, (struct progress_amounts){86400 - 30, 0, 0});
}

static void test_an_earlier_start_of_the_same_day_moves_nothing(void **state)
{
	struct run r = {0};

	report(&r, USER, COURSE,
	       (struct progress_delta){.added = {600, 0, 0},
				       .before = {30, 5, 2},
				       .start_us = midnight_us,
				       .start_before_us = midnight_us + DAY_US - 1});
	sum(&r);
	assert_int_equal(r.n_days, 1);
	check(&r, 0, USER, DAY, COURSE, (struct progress_amounts){600, 0, 0});
}

static void test_an_earlier_day_takes_the_whole_session(void **state)
{
	struct run r = {0};

	report(&r, USER, COURSE,
	       (struct progress_delta){.added = {7, 0, 1},
				       .before = {30, 5, 2},
				       .start_us = midnight_us - 2 * DAY_US,
				       .start_before_us = midnight_us});
	sum(&r);
	assert_int_equal(r.n_days, 2);
	check(&r, 0, USER, DAY - 2, COURSE, (struct progress_amounts){37, 5, 3});
	check(&r, 1, USER, DAY, COURSE, (struct progress_amounts){-30, -5, -2});
}

/* The day between was never written: the session leaves it in the batch it came in. */
static void test_moves_within_a_batch_are_one(void **state)
{
	struct run r = {0};

	report(&r, USER, COURSE,
	       (struct progress_delta){.added = {1, 0, 0},
				       .before = {30, 5, 2},
				       .start_us = midnight_us - DAY_US,
				       .start_before_us = midnight_us});
	report(&r, USER, COURSE,
	       (struct progress_delta){.added = {1, 0, 0},
				       .before = {31, 5, 2},
				       .start_us = midnight_us - 2 * DAY_US,
				       .start_before_us = midnight_us - DAY_US});
	sum(&r);
	assert_int_equal(r.n_days, 2);
	check(&r, 0, USER, DAY - 2, COURSE, (struct progress_amounts){32, 5, 2});
	check(&r, 1, USER, DAY, COURSE, (struct progress_amounts){-30, -5, -2});
}

/* Reports come by user, course, epoch, lesson and session; the table's key has the day before the course. */
static void test_changes_are_in_the_order_of_the_key_each_once(void **state)
{
	static const struct {
		int64_t user_id, course_id, day;
	} given[] = {
		{OTHER_USER, COURSE + 1, DAY}, {USER, COURSE, DAY + 1},     {USER, COURSE, DAY - 1},
		{USER, COURSE, DAY + 1},       {USER, COURSE + 1, DAY - 1}, {USER, COURSE + 1, DAY},
	};
	struct run r = {0};

	for (unsigned i = 0; i < ARRAY_SIZE(given); i++)
		report(&r, given[i].user_id, given[i].course_id,
		       (struct progress_delta){.added = {10, 1, 0}, .start_us = given[i].day * DAY_US});
	sum(&r);
	assert_int_equal(r.n_days, 5);
	check(&r, 0, OTHER_USER, DAY, COURSE + 1, (struct progress_amounts){10, 1, 0});
	check(&r, 1, USER, DAY - 1, COURSE, (struct progress_amounts){10, 1, 0});
	check(&r, 2, USER, DAY - 1, COURSE + 1, (struct progress_amounts){10, 1, 0});
	check(&r, 3, USER, DAY, COURSE + 1, (struct progress_amounts){10, 1, 0});
	check(&r, 4, USER, DAY + 1, COURSE, (struct progress_amounts){20, 2, 0});
}

/* A heartbeat that was sent twice, a session without an amount: no row, no mark. */
static void test_what_adds_nothing_changes_nothing(void **state)
{
	struct run r = {0};

	report(&r, USER, COURSE, (struct progress_delta){.start_us = midnight_us});
	report(&r, USER, COURSE,
	       (struct progress_delta){
		       .before = {30, 5, 2}, .start_us = midnight_us, .start_before_us = midnight_us});
	sum(&r);
	assert_int_equal(r.n_days, 0);
	r.n = 0;
	sum(&r);
	assert_int_equal(r.n_days, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days_are_utc),
		cmocka_unit_test(test_a_new_session_counts_on_the_day_of_its_start),
		cmocka_unit_test(test_what_a_session_gains_counts_where_it_began),
		cmocka_unit_test(test_an_earlier_start_of_the_same_day_moves_nothing),
		cmocka_unit_test(test_an_earlier_day_takes_the_whole_session),
		cmocka_unit_test(test_moves_within_a_batch_are_one),
		cmocka_unit_test(test_changes_are_in_the_order_of_the_key_each_once),
		cmocka_unit_test(test_what_adds_nothing_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
