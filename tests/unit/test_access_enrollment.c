/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/array.h"
#include "server/access/enrollment.h"

static void test_reads_each_access_the_latest_first(void **state)
{
	struct arena arena;
	unsigned n;

	arena_init(&arena, 1 << 16);
	const struct enrollment_access *a = enrollment_accesses(
		&arena, "9223372036854775807:0:1:9:-5:0:0,7:30:5:31:100:200:150,8:0:2:9:100:0:0", &n);
	assert_int_equal(n, 3);
	assert_int_equal(a[0].grant_id, 8);
	assert_int_equal(a[1].grant_id, 7);
	assert_int_equal(a[1].catalogue_id, 30);
	assert_int_equal(a[1].source, ACCESS_SOURCE_SEAT);
	assert_int_equal(a[1].source_id, 31);
	assert_int_equal(a[1].start_us, 100);
	assert_int_equal(a[1].expire_us, 200);
	assert_int_equal(a[1].revoke_us, 150);
	assert_true(a[2].grant_id == INT64_MAX);
	assert_int_equal(a[2].catalogue_id, 0);
	assert_int_equal(a[2].start_us, -5);
	assert_int_equal(a[2].expire_us, 0);
	arena_done(&arena);
}

/* A text that the database has cut off gives what is whole. */
static void test_reads_what_is_whole(void **state)
{
	static const struct {
		const char *text;
		unsigned n;
	} cases[] = {{"", 0},
		     {"7:0:1:9:100", 0},
		     {"7:0:1:9:1:0:0,8:0:1", 1},
		     {"1:2:3:4:5:6:7:8:9:1:2:3:4:5:6", 1}};
	struct arena arena;
	unsigned n;

	arena_init(&arena, 1 << 16);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_non_null(enrollment_accesses(&arena, cases[i].text, &n));
		assert_int_equal(n, cases[i].n);
	}
	arena_done(&arena);
}

/* At 1000. */
static void test_state(void **state)
{
	static const struct {
		const char *accesses;
		EnrollmentState state;
	} cases[] = {
		{"", ENROLLMENT_STATE_ENDED},
		{"1:0:1:2:999:0:0", ENROLLMENT_STATE_ACTIVE},
		{"1:0:1:2:1000:0:0", ENROLLMENT_STATE_ACTIVE},
		{"1:0:1:2:1001:0:0", ENROLLMENT_STATE_SCHEDULED},
		{"1:0:1:2:500:1001:0", ENROLLMENT_STATE_ACTIVE},
		{"1:0:1:2:500:1000:0", ENROLLMENT_STATE_ENDED},
		{"1:0:1:2:500:0:1000", ENROLLMENT_STATE_ENDED},
		/* Taken away, by a clock that is ahead of ours; and before it begins. */
		{"1:0:1:2:500:2000:1001", ENROLLMENT_STATE_ENDED},
		{"1:0:1:2:2000:3000:1500", ENROLLMENT_STATE_ENDED},
		{"1:0:1:2:500:900:2000", ENROLLMENT_STATE_ENDED},
		{"1:9:6:2:500:2000:0", ENROLLMENT_STATE_ACTIVE},
		{"1:0:1:2:500:900:0,2:9:6:2:2000:0:0", ENROLLMENT_STATE_SCHEDULED},
		{"1:0:1:2:500:0:0,2:9:6:2:2000:0:0", ENROLLMENT_STATE_ACTIVE},
		{"1:0:1:2:500:0:700,2:9:6:2:600:0:0", ENROLLMENT_STATE_ACTIVE},
	};
	struct arena arena;
	unsigned n;

	arena_init(&arena, 1 << 16);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct enrollment_access *a = enrollment_accesses(&arena, cases[i].accesses, &n);

		if (enrollment_state_at(a, n, 1000) != cases[i].state)
			fail_msg("not %s: %s", EnrollmentState_name(cases[i].state), cases[i].accesses);
	}
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_each_access_the_latest_first),
		cmocka_unit_test(test_reads_what_is_whole),
		cmocka_unit_test(test_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
