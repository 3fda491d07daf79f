/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "server/base/clock.h"

static void test_fixed_stands(void **state)
{
	struct clock_fixed c;

	clock_fixed_init(&c, 1234567);
	assert_int_equal(clock_now_us(&c.clock), 1234567);
	assert_int_equal(clock_now_ms(&c.clock), 1234);
	c.us += 1000;
	assert_int_equal(clock_now_ms(&c.clock), 1235);
}

static void test_system_is_wall_time(void **state)
{
	int64_t before = (int64_t)time(NULL) * 1000000;
	int64_t now = clock_now_us(&clock_system);

	/* time() may lag the fine clock by a tick */
	assert_in_range(now, before, before + 10 * 1000000);
}

static void test_monotonic_does_not_go_back(void **state)
{
	int64_t last = monotonic_us();

	for (int i = 0; i < 10000; i++) {
		int64_t now = monotonic_us();

		assert_true(now >= last);
		last = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed_stands),
		cmocka_unit_test(test_system_is_wall_time),
		cmocka_unit_test(test_monotonic_does_not_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
