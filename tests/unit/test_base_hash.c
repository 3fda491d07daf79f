/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/hash.h"

/* The key and the values of the paper's appendix A and of the reference implementation's vectors. */
static const struct hash_key paper_key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};

static void test_known_answers(void **state)
{
	uint8_t bytes[15];

	for (uint8_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i;
	assert_int_equal(hash_bytes(&paper_key, span_of(bytes, 15)), UINT64_C(0xa129ca6149be45e5));
	assert_int_equal(hash_bytes(&paper_key, span_of(NULL, 0)), UINT64_C(0x726fdb47dd0e0e31));
}

static void test_depends_on_key(void **state)
{
	struct hash_key a = hash_key_random(), b = hash_key_random();

	assert_int_not_equal(hash_bytes(&a, span_str("x")), hash_bytes(&b, span_str("x")));
	assert_int_equal(hash_bytes(&a, span_str("x")), hash_bytes(&a, span_str("x")));
}

/* Ids a millisecond apart, as they are made (runtime/ids.h), over a few lanes. */
static void test_spreads_ids(void **state)
{
	unsigned lanes[4] = {0};

	for (int64_t i = 0; i < 4000; i++)
		lanes[hash_id((i + 1) << 22) % 4]++;
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(lanes[i], 900, 1100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_depends_on_key),
		cmocka_unit_test(test_spreads_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
