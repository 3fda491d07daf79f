/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "server/auth/password.h"

static struct passwords shipped(void)
{
	struct passwords p;
	struct error err;

	assert_int_equal(passwords_init(&p, PASSWORD_MEMORY_KIB, PASSWORD_PASSES, &err), 0);
	return p;
}

static void test_hash_and_verify(void **state)
{
	struct passwords p = shipped();
	char a[PASSWORD_HASH_SIZE], b[PASSWORD_HASH_SIZE];
	struct error err;

	assert_int_equal(password_hash(&p, "correct horse", a, &err), 0);
	assert_int_equal(password_hash(&p, "correct horse", b, &err), 0);
	assert_string_not_equal(a, b); /* salted */
	assert_true(password_verify(&p, a, "correct horse"));
	assert_false(password_verify(&p, a, "correct horsf"));
	assert_false(password_verify(&p, a, ""));
	assert_false(password_verify(&p, "$argon2id$broken", "correct horse"));
	assert_false(password_verify(&p, "", ""));
}

/* What an operator and a security review will look for in the stored text. */
static void test_parameters_as_shipped(void **state)
{
	struct passwords p = shipped();
	char hash[PASSWORD_HASH_SIZE];
	struct error err;

	assert_int_equal(password_hash(&p, "correct horse", hash, &err), 0);
	assert_ptr_equal(strstr(hash, "$argon2id$v=19$m=19456,t=2,p=1$"), hash);
}

/* What this thread has worked: unlike the time that passed, it does not depend on what else the machine does.
 */
static int64_t worked_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t fastest_us(const struct passwords *p, const char *hash)
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < 5; i++) {
		int64_t begin = worked_us(), took;

		assert_false(password_verify(p, hash, "wrong password"));
		took = worked_us() - begin;
		best = took < best ? took : best;
	}
	return best;
}

static void test_unknown_user_costs_the_same(void **state)
{
	struct passwords p = shipped();
	char hash[PASSWORD_HASH_SIZE];
	struct error err;
	int64_t known, unknown;

	assert_int_equal(password_hash(&p, "correct horse", hash, &err), 0);
	known = fastest_us(&p, hash);
	unknown = fastest_us(&p, NULL);
	assert_true(unknown > known / 2 && unknown < known * 2);
}

static void test_rehash_when_parameters_change(void **state)
{
	struct passwords weak, p = shipped();
	char hash[PASSWORD_HASH_SIZE];
	struct error err;

	assert_int_equal(passwords_init(&weak, 8, 1, &err), 0);
	assert_int_equal(password_hash(&weak, "correct horse", hash, &err), 0);
	assert_true(password_needs_rehash(&p, hash));
	assert_false(password_needs_rehash(&weak, hash));
	assert_true(password_verify(&p, hash, "correct horse"));
	assert_true(password_needs_rehash(&p, "garbage"));
	assert_true(passwords_init(&weak, 1, 1, &err) < 0); /* below Argon2's least */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_and_verify),
		cmocka_unit_test(test_parameters_as_shipped),
		cmocka_unit_test(test_unknown_user_costs_the_same),
		cmocka_unit_test(test_rehash_when_parameters_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
