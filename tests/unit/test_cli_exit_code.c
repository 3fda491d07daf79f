/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "client/cli/exit_code.h"
#include "client/client.h"
#include "edu/v1/edu_service.tables.h"
#include <cmocka.h>

static enum exit_code exit_of(const struct error_reason *reason)
{
	struct error err;

	error_raise(&err, reason, "x");
	return exit_code_of(&err);
}

static void test_classes(void **state)
{
	assert_int_equal(exit_of(&REASON_FIELD_INVALID), EXIT_REQUEST);
	assert_int_equal(exit_of(&REASON_AMOUNT_OVERFLOW), EXIT_REQUEST);
	assert_int_equal(exit_of(&REASON_MESSAGE_TOO_LARGE), EXIT_REQUEST);
	assert_int_equal(exit_of(&REASON_TOKEN_EXPIRED), EXIT_SIGN_IN);
	assert_int_equal(exit_of(&REASON_ROLE_MISSING), EXIT_DENIED);
	assert_int_equal(exit_of(&REASON_COURSE_NOT_FOUND), EXIT_NOT_FOUND);
	assert_int_equal(exit_of(&REASON_ALREADY_PURCHASED), EXIT_STATE);
	assert_int_equal(exit_of(&REASON_ETAG_MISMATCH), EXIT_STATE);
	assert_int_equal(exit_of(&REASON_CONFLICT), EXIT_LATER);
	assert_int_equal(exit_of(&REASON_RATE_LIMITED), EXIT_LATER);
	assert_int_equal(exit_of(&REASON_OVERLOADED), EXIT_LATER);
	assert_int_equal(exit_of(&REASON_DEADLINE_PASSED), EXIT_LATER);
	assert_int_equal(exit_of(&REASON_OUTCOME_UNKNOWN), EXIT_UNKNOWN);
	assert_int_equal(exit_of(&REASON_INTERNAL), EXIT_FAULT);
	assert_int_equal(exit_of(&REASON_METHOD_UNKNOWN), EXIT_FAULT);
}

/* Without a reason of the server's nobody knows what happened. */
static void test_no_answer_is_unknown(void **state)
{
	assert_int_equal(exit_of(client_plain_reason(STATUS_UNAVAILABLE)), EXIT_UNKNOWN);
	assert_int_equal(exit_of(client_plain_reason(STATUS_DEADLINE_EXCEEDED)), EXIT_UNKNOWN);
	assert_int_equal(exit_of(client_plain_reason(99)), EXIT_FAULT);
}

static void test_every_code_is_explained(void **state)
{
	for (enum exit_code code = EXIT_DONE; code < EXIT_CODES; code++)
		assert_non_null(exit_code_help(code));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_no_answer_is_unknown),
		cmocka_unit_test(test_every_code_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
