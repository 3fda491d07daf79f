/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "client/examples/import_oulad/patience.h"
#include "proto/runtime/array.h"

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void test_what_is_cured(void **state)
{
	static const struct error_reason *const cured[] = {
		&RPC_REASON_OVERLOADED,   &RPC_REASON_DRAINING,        &RPC_REASON_DATABASE_UNAVAILABLE,
		&RPC_REASON_RATE_LIMITED, &RPC_REASON_OUTCOME_UNKNOWN, &RPC_REASON_DEADLINE_PASSED,
		&RPC_REASON_CONFLICT};
	static const struct error_reason *const others[] = {&RPC_REASON_MESSAGE_TOO_LARGE,
							    &RPC_REASON_INTERNAL, &RPC_REASON_FIELD_INVALID,
							    &RPC_REASON_TOKEN_INVALID};
	const struct error_reason etag = {"ETAG_MISMATCH", STATUS_ABORTED};
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(cured); i++)
		assert_true(patience_curable(error_raise(&err, cured[i], "x"), &err));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(patience_curable(error_raise(&err, others[i], "x"), &err));
	assert_false(patience_curable(error_raise(&err, &etag, "x"), &err));
}

static void test_it_waits_as_told(void **state)
{
	struct patience p = PATIENCE;
	struct error err;
	int64_t begin = now_ms();

	error_raise(&err, &RPC_REASON_OVERLOADED, "x");
	int r = error_set_retry(&err, 120);
	assert_true(patience_again(&p, r, &err));
	assert_true(now_ms() - begin >= 120);
	assert_int_equal(p.tries, 1);
	assert_false(patience_again(&p, 0, &err));
}

static void test_it_ends(void **state)
{
	struct patience p = {.limit_ms = 300};
	struct error err;
	unsigned again = 0;
	int64_t begin = now_ms();
	int r = error_raise(&err, &RPC_REASON_OVERLOADED, "x");

	while (patience_again(&p, r, &err))
		again++;
	assert_in_range(again, 1, 3); /* after 50, 100 and no more than 150 ms */
	assert_true(now_ms() - begin < 5000);
	r = error_set_retry(&err, 3600 * 1000);
	p = PATIENCE;
	assert_false(patience_again(&p, r, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_cured),
		cmocka_unit_test(test_it_waits_as_told),
		cmocka_unit_test(test_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
