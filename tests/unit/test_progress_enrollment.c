/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/progress/enrollment.h"

static void test_reads_each_grant(void **state)
{
	const char *text = "7:1:9:100:200:150,9223372036854775807:1:0:-5:0:0";
	struct enrollment_grant g;

	assert_true(enrollment_grant_next(&text, &g));
	assert_int_equal(g.grant_id, 7);
	assert_int_equal(g.source, ACCESS_SOURCE_PURCHASE);
	assert_int_equal(g.purchase_id, 9);
	assert_int_equal(g.start_us, 100);
	assert_int_equal(g.expire_us, 200);
	assert_int_equal(g.revoke_us, 150);
	assert_true(enrollment_grant_next(&text, &g));
	assert_true(g.grant_id == INT64_MAX);
	assert_int_equal(g.purchase_id, 0);
	assert_int_equal(g.start_us, -5);
	assert_int_equal(g.expire_us, 0);
	assert_false(enrollment_grant_next(&text, &g));
	text = "";
	assert_false(enrollment_grant_next(&text, &g));
	text = "7:1:9:100"; /* no whole grant */
	assert_false(enrollment_grant_next(&text, &g));
}

/* At 1000. */
static void test_state(void **state)
{
	static const struct {
		const char *grants;
		EnrollmentState state;
	} cases[] = {
		{"", ENROLLMENT_STATE_ENDED},
		{"1:1:0:999:0:0", ENROLLMENT_STATE_ACTIVE},
		{"1:1:0:1000:0:0", ENROLLMENT_STATE_ACTIVE},
		{"1:1:0:1001:0:0", ENROLLMENT_STATE_SCHEDULED},
		{"1:1:0:500:1001:0", ENROLLMENT_STATE_ACTIVE},
		{"1:1:0:500:1000:0", ENROLLMENT_STATE_ENDED},
		{"1:1:0:500:0:1000", ENROLLMENT_STATE_ENDED},
		{"1:1:0:500:2000:1001", ENROLLMENT_STATE_ACTIVE},
		{"1:1:0:500:900:2000", ENROLLMENT_STATE_ENDED},
		{"1:1:0:2000:3000:1500", ENROLLMENT_STATE_ENDED}, /* taken away before it begins */
		{"1:1:0:2000:2000:0", ENROLLMENT_STATE_ENDED},    /* of no length */
		{"2:1:0:2000:0:0,1:1:0:500:900:0", ENROLLMENT_STATE_SCHEDULED},
		{"2:1:0:2000:0:0,1:1:0:500:0:0", ENROLLMENT_STATE_ACTIVE},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
		if (enrollment_state_at(cases[i].grants, 1000) != cases[i].state)
			fail_msg("not %s: %s", EnrollmentState_name(cases[i].state), cases[i].grants);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_each_grant),
		cmocka_unit_test(test_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
