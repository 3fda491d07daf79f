/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/access/access_windows.h"

enum { NOW = 20 };

static void assert_windows(const struct access_window *got, unsigned n, const struct access_window *wanted,
			   unsigned n_wanted)
{
	assert_int_equal(n, n_wanted);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(got[i].scope_id, wanted[i].scope_id);
		assert_int_equal(got[i].start_us, wanted[i].start_us);
		assert_int_equal(got[i].end_us, wanted[i].end_us);
	}
}

static void test_the_first_of_its_ends_ends_a_window(void **state)
{
	static const struct {
		struct access_bounds bounds;
		int64_t end_us;
	} cases[] = {
		{{7, 5, 0, 0}, INT64_MAX}, {{7, 5, 10, 0}, 10},  {{7, 5, 10, 7}, 7}, {{7, 5, 10, 12}, 10},
		{{7, 5, 0, 5}, 5},         {{7, 5, 0, 25}, NOW}, /* a clock ahead of ours */
		{{7, 5, 40, 35}, NOW},
	};
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct access_window w = access_window_of(&cases[i].bounds, NOW);
		const struct access_window wanted = {7, 5, cases[i].end_us};
		assert_windows(&w, 1, &wanted, 1);
	}
}

static void test_windows_of_a_scope_that_overlap_or_touch_are_one(void **state)
{
	struct access_window windows[] = {
		{2, 5, 9}, {1, 10, 20}, {1, 1, 5}, {1, 5, 8}, {1, 2, 3},
		{1, 7, 9}, {2, 9, 9},   {1, 6, 4}, {2, 4, 6},
	};
	static const struct access_window wanted[] = {{1, 1, 9}, {1, 10, 20}, {2, 4, 9}};
	assert_windows(windows, access_windows_join(windows, ARRAY_SIZE(windows)), wanted,
		       ARRAY_SIZE(wanted));
	assert_int_equal(access_windows_join(windows, 0), 0);
}

static struct span bytes_of(const struct access_window *windows, unsigned n)
{
	return span_of(windows, n * sizeof(*windows));
}

static void test_what_two_have_together_by_scope(void **state)
{
	static const struct access_window of_user[] = {{2, 5, 10}, {2, 20, INT64_MAX}, {4, 1, 2}, {9, 1, 50}},
					  of_course[] = {{1, 0, 99},
							 {2, 0, 7},
							 {2, 9, 30},
							 {4, 2, 9},
							 {9, 3, INT64_MAX}},
					  wanted[] = {{2, 5, 7}, {2, 9, 10}, {2, 20, 30}, {9, 3, 50}};
	struct span user = bytes_of(of_user, ARRAY_SIZE(of_user)),
		    course = bytes_of(of_course, ARRAY_SIZE(of_course)), none = {0};
	struct access_window got[ARRAY_SIZE(wanted)];
	assert_int_equal(access_windows_meet(user, course, NULL), ARRAY_SIZE(wanted));
	assert_windows(got, access_windows_meet(user, course, got), wanted, ARRAY_SIZE(wanted));
	assert_int_equal(access_windows_meet(user, none, NULL), 0);
	assert_int_equal(access_windows_meet(none, course, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_of_its_ends_ends_a_window),
		cmocka_unit_test(test_windows_of_a_scope_that_overlap_or_touch_are_one),
		cmocka_unit_test(test_what_two_have_together_by_scope),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
