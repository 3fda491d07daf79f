/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/progress/coverage.h"

static void test_whole_medium(void **state)
{
	assert_int_equal(coverage_of_interval(0, 64000, 64000), UINT64_MAX);
	assert_int_equal(coverage_of_interval(0, 99999, 64000), UINT64_MAX); /* past the end is cut */
	assert_int_equal(coverage_count(UINT64_MAX), 64);
}

static void test_only_whole_slices(void **state)
{
	assert_int_equal(coverage_of_interval(0, 999, 64000), 0);
	assert_int_equal(coverage_of_interval(0, 1000, 64000), 1);
	assert_int_equal(coverage_of_interval(1, 2000, 64000), 2);
	assert_int_equal(coverage_of_interval(500, 1499, 64000), 0);
	assert_int_equal(coverage_of_interval(63000, 64000, 64000), UINT64_C(1) << 63);
	assert_int_equal(coverage_of_interval(63001, 64000, 64000), 0);
}

static void test_nothing_to_cover(void **state)
{
	assert_int_equal(coverage_of_interval(0, 10, 0), 0);
	assert_int_equal(coverage_of_interval(5, 5, 64000), 0);
	assert_int_equal(coverage_of_interval(6, 5, 64000), 0);
	assert_int_equal(coverage_of_interval(64000, 70000, 64000), 0);
	assert_int_equal(coverage_of_interval(-1, 70000, 64000), 0);
}

/* By the definition: slice i counts when [i d / 64, (i + 1) d / 64] lies inside. */
static uint64_t by_definition(int64_t start, int64_t end, int64_t d)
{
	uint64_t ret = 0;

	if (end > d)
		end = d;
	for (int i = 0; i < 64; i++)
		if (start < end && start * 64 <= i * d && end * 64 >= (i + 1) * d)
			ret |= UINT64_C(1) << i;
	return ret;
}

static void test_agrees_with_the_definition(void **state)
{
	static const int64_t durations[] = {1, 7, 63, 64, 65, 1000, 1799999, 3600000};

	for (unsigned k = 0; k < ARRAY_SIZE(durations); k++) {
		int64_t d = durations[k], step = d / 97 + 1;
		for (int64_t start = 0; start <= d; start += step)
			for (int64_t end = start; end <= d + step; end += step)
				assert_int_equal(coverage_of_interval(start, end, d),
						 by_definition(start, end, d));
	}
}

/* Half-minute heartbeats that each send the whole contiguous span complete a lesson; each alone would not. */
static void test_growing_interval_completes(void **state)
{
	const int64_t hour = 3600000, beat = 30000;
	uint64_t grown = 0, pieces = 0;

	for (int64_t t = beat; t <= hour; t += beat) {
		grown |= coverage_of_interval(0, t, hour);
		pieces |= coverage_of_interval(t - beat, t, hour);
	}
	assert_int_equal(coverage_count(grown), 64);
	assert_int_equal(coverage_count(pieces), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_medium),
		cmocka_unit_test(test_only_whole_slices),
		cmocka_unit_test(test_nothing_to_cover),
		cmocka_unit_test(test_agrees_with_the_definition),
		cmocka_unit_test(test_growing_interval_completes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
