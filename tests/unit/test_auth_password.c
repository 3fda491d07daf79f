/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/auth/password.h"
#include "server/base/metrics.h"

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

/* Whichever way its characters were typed, and the caller's text is left as it was. */
static void test_a_password_is_taken_in_form_c(void **state)
{
	struct passwords p = shipped();
	char hash[PASSWORD_HASH_SIZE], typed[] = "cafe\u0301 au lait";
	struct error err;

	assert_int_equal(password_hash(&p, typed, hash, &err), 0);
	assert_string_equal(typed, "cafe\u0301 au lait");
	assert_true(password_verify(&p, hash, "caf\u00e9 au lait"));
	assert_true(password_verify(&p, hash, typed));
	assert_false(password_verify(&p, hash, "cafe au lait"));
	assert_false(password_verify(&p, hash, "\xff"));
	assert_int_equal(password_hash(&p, "\xff", hash, &err), -STATUS_INVALID_ARGUMENT);
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

/* An unknown user costs as many hashes as a known one, and with the same parameters; times would tell of the
 * machine. */
static void test_unknown_user_costs_the_same(void **state)
{
	struct passwords p = shipped();
	char hash[PASSWORD_HASH_SIZE];
	struct error err;
	int64_t before;

	assert_int_equal(password_hash(&p, "correct horse", hash, &err), 0);
	before = metric_value(p.hashes);
	assert_false(password_verify(&p, hash, "wrong password"));
	assert_int_equal(metric_value(p.hashes), before + 1);
	assert_false(password_verify(&p, NULL, "wrong password"));
	assert_int_equal(metric_value(p.hashes), before + 2);
	/* "$argon2id$v=19$m=19456,t=2,p=1$": what a hash costs is before its salt. */
	assert_int_equal(strncmp(p.nobody, hash, strlen("$argon2id$v=19$m=19456,t=2,p=1$")), 0);
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
		cmocka_unit_test(test_a_password_is_taken_in_form_c),
		cmocka_unit_test(test_parameters_as_shipped),
		cmocka_unit_test(test_unknown_user_costs_the_same),
		cmocka_unit_test(test_rehash_when_parameters_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
