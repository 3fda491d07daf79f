/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/lesson/entitlement.h"

/* When a lesson is released, and until when a learner may keep it. */

static void test_a_release_goes_by_the_later_of_two(void **state)
{
	const struct access_window windows[] = {{1, 50 * DAY_US, INT64_MAX}, {1, 20 * DAY_US, 30 * DAY_US}};
	static const struct {
		int64_t release_us, after_days;
		bool enrolled;
		int64_t start_us, released_us;
	} cases[] = {
		{0, 0, false, 0, 0},
		{7, 0, true, 40 * DAY_US, 7},
		{0, 3, true, 40 * DAY_US, 43 * DAY_US},
		{0, 3, false, 0, 23 * DAY_US}, /* from the first window: he has access and never enrolled */
		{43 * DAY_US - 1, 3, true, 40 * DAY_US, 43 * DAY_US},
		{43 * DAY_US + 1, 3, true, 40 * DAY_US, 43 * DAY_US + 1},
		{0, 3650, true, 40 * DAY_US, 3690 * DAY_US},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct lesson_info lesson = {.release_us = cases[i].release_us,
						   .release_after_days = cases[i].after_days};
		const struct access a = {.enrolled = cases[i].enrolled,
					 .start_us = cases[i].start_us,
					 .windows = windows,
					 .n_windows = ARRAY_SIZE(windows)};
		assert_int_equal(entitlement_release_us(&lesson, &a), cases[i].released_us);
		assert_int_equal(entitlement_release_us(&lesson, NULL), cases[i].release_us);
	}
}

static void test_access_ends_with_the_last_window_that_holds_the_time(void **state)
{
	const struct access_window windows[] = {{1, 10, 20}, {2, 15, 40}, {3, 40, 90}, {4, 60, INT64_MAX}};
	const struct access a = {.windows = windows, .n_windows = ARRAY_SIZE(windows)};
	static const int64_t ends[][2] = {{9, INT64_MAX}, {10, 20}, {15, 40}, {19, 40},       {20, 40},
					  {39, 40},       {40, 90}, {59, 90}, {60, INT64_MAX}};

	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++)
		assert_int_equal(access_end_us(&a, ends[i][0]), ends[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_release_goes_by_the_later_of_two),
		cmocka_unit_test(test_access_ends_with_the_last_window_that_holds_the_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
