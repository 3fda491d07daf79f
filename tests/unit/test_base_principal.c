/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "edu/v1/user.tables.h"
#include "server/base/principal.h"

static void test_names_round_trip(void **state)
{
	for (uint32_t bit = ROLE_MASK_LEARNER; bit <= ROLE_MASK_ADMIN; bit <<= 1)
		assert_int_equal(role_from_name(role_name(bit)), bit);
	for (uint32_t bit = SCOPE_MEMBERS_WRITE; bit <= SCOPE_CLIENT_FORWARD; bit <<= 1)
		assert_int_equal(scope_from_name(scope_name(bit)), bit);
}

/* The contract's number n is bit n - 1, under the same name. */
static void test_roles_are_the_contracts(void **state)
{
	for (unsigned n = 1; n <= Role_MAX; n++)
		assert_string_equal(role_name((enum role)(1u << (n - 1))), Role_name((int)n));
}

static void test_unknown_is_nothing(void **state)
{
	assert_int_equal(role_from_name("ROOT"), 0);
	assert_int_equal(role_from_name("admin"), 0);
	assert_int_equal(role_from_name(""), 0);
	assert_int_equal(scope_from_name("records"), 0);
	assert_null(role_name(ROLE_MASK_ADMIN << 1));
	assert_null(scope_name(0));
}

static void test_roles_asked(void **state)
{
	struct principal nobody = {0}, admin = {.user_id = 1, .roles = ROLE_MASK_LEARNER | ROLE_MASK_ADMIN};

	assert_false(principal_signed_in(&nobody));
	assert_true(principal_signed_in(&admin));
	assert_true(principal_has_role(&admin, ROLE_MASK_SUPPORT | ROLE_MASK_ADMIN));
	assert_false(principal_has_role(&admin, ROLE_MASK_SUPPORT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_round_trip),
		cmocka_unit_test(test_roles_are_the_contracts),
		cmocka_unit_test(test_unknown_is_nothing),
		cmocka_unit_test(test_roles_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
