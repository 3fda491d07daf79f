/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/examples/import_oulad/keys.h"

static const struct oulad oulad = {.module = "AAA", .presentation = "2013J"};

static void test_names(void **state)
{
	char course[KEY_EXTERNAL_ID_MAX], name[KEY_USER_NAME_MAX];
	struct error err;

	assert_string_equal(key_course(&oulad, course), "oulad-AAA-2013J");
	assert_int_equal(key_user_name(&oulad, 28400, name, &err), 0);
	assert_string_equal(name, "oulad-aaa-2013j-28400");
	assert_int_equal(key_user_name(&oulad, 1234567890123456, name, &err), 0);
	assert_true(key_user_name(&oulad, 12345678901234567, name, &err) < 0);
}

/* What another program makes of the same words: these values must never change. */
static void test_values_are_those_of_other_tools(void **state)
{
	char uuid[UUID_TEXT_MAX], password[KEY_PASSWORD_MAX];

	/* printf abc | sha256sum: ba7816bf8f01cfea414140de5dae2223... */
	assert_string_equal(key_uuid(uuid, "a%sc", "b"), "ba7816bf-8f01-8fea-8141-40de5dae2223");
	/* RFC 4231, test case 2 */
	key_password("Jefe", "what do ya want for nothing?", password);
	assert_string_equal(password, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_values_are_those_of_other_tools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
