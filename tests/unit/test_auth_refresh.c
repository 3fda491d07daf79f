/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/auth/refresh.h"

static void test_round_trip(void **state)
{
	char a[REFRESH_TOKEN_SIZE], b[REFRESH_TOKEN_SIZE];
	uint8_t hash_a[REFRESH_HASH_LEN], hash_b[REFRESH_HASH_LEN], hash[REFRESH_HASH_LEN];

	refresh_token_make(a, hash_a);
	refresh_token_make(b, hash_b);
	assert_int_equal(strlen(a), REFRESH_TOKEN_SIZE - 1);
	assert_memory_equal(a, "rt_", 3);
	assert_string_not_equal(a, b);
	assert_true(refresh_token_hash(a, hash));
	assert_true(refresh_hash_equal(hash, hash_a));
	assert_false(refresh_hash_equal(hash, hash_b));
}

/* 43 characters carry 258 bits: of 64 last characters only one is the token's, and 16 are well-formed. */
static void test_one_text(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t hash_a[REFRESH_HASH_LEN], hash[REFRESH_HASH_LEN];
	unsigned well_formed = 0, same = 0;
	char a[REFRESH_TOKEN_SIZE];

	refresh_token_make(a, hash_a);
	for (int i = 0; i < 64; i++) {
		a[REFRESH_TOKEN_SIZE - 2] = alphabet[i];
		if (!refresh_token_hash(a, hash))
			continue;
		well_formed++;
		same += refresh_hash_equal(hash, hash_a);
	}
	assert_int_equal(well_formed, 16);
	assert_int_equal(same, 1);
}

static void test_malformed(void **state)
{
	uint8_t hash[REFRESH_HASH_LEN];
	char a[REFRESH_TOKEN_SIZE], longer[REFRESH_TOKEN_SIZE + 2];

	refresh_token_make(a, hash);
	snprintf(longer, sizeof(longer), "%s=", a);
	assert_false(refresh_token_hash(longer, hash));
	assert_false(refresh_token_hash("", hash));
	assert_false(refresh_token_hash("rt_", hash));
	assert_false(refresh_token_hash(a + 1, hash));
	a[20] = '+';
	assert_false(refresh_token_hash(a, hash));
	refresh_token_make(a, hash);
	a[0] = 'R';
	assert_false(refresh_token_hash(a, hash));
	refresh_token_make(a, hash);
	a[REFRESH_TOKEN_SIZE - 2] = '\0';
	assert_false(refresh_token_hash(a, hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_one_text),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
