/* SPDX-License-Identifier: Apache-2.0 */
/* What the service config made from the contract does: see client/service_config.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "client/cli/exit_code.h"
#include "edu/v1/edu_service.client.h"
#include "tests/lib/raw_server.h"
#include "tests/lib/session_server.h"

static struct client_channel *channel;
static struct arena arena;
static struct error err;
static char target[64];

static void connect_with(bool no_retries)
{
	static const struct service_desc *const services[] = {&edu_service_desc, NULL};
	const struct client_options options = {.target = target, .no_retries = no_retries};

	assert_int_equal(client_channel_new(&options, services, &channel, &err), 0);
}

static int setup(void **state)
{
	snprintf(target, sizeof(target), "127.0.0.1:%d", session_server_start());
	arena_init(&arena, 4 << 20);
	return 0;
}

static int teardown(void **state)
{
	client_channel_free(channel);
	session_server_stop();
	arena_done(&arena);
	return 0;
}

static int get_course(void)
{
	GetCourseRequest request = GET_COURSE_REQUEST_INIT;
	GetCourseResponse *reply;

	request.course_id = (char *)"crs_0000000000001";
	return edu_service_get_course_call(channel, &request, NULL, &arena, &reply, &err);
}

static void test_a_retryable_method_is_repeated(void **state)
{
	connect_with(false);
	session_busy = 3;
	assert_int_equal(get_course(), 0);
	assert_int_equal(session_handled, 4);
}

static void test_four_attempts_are_all(void **state)
{
	connect_with(false);
	session_busy = 100;
	assert_int_equal(get_course(), -STATUS_UNAVAILABLE);
	assert_string_equal(err.reason->name, "OVERLOADED");
	assert_int_equal(session_handled, 4);
}

static void test_other_methods_are_not(void **state)
{
	LoginRequest request = LOGIN_REQUEST_INIT;
	LoginResponse *reply;

	connect_with(false);
	session_busy = 1;
	request.login = (char *)"ada";
	request.password = (char *)"correct horse";
	assert_int_equal(edu_service_login_call(channel, &request, NULL, &arena, &reply, &err),
			 -STATUS_UNAVAILABLE);
	assert_int_equal(session_handled, 1);
}

static void test_a_channel_may_do_without(void **state)
{
	connect_with(true);
	session_busy = 1;
	assert_int_equal(get_course(), -STATUS_UNAVAILABLE);
	assert_int_equal(session_handled, 1);
}

/* --- a CANCELLED nobody asked for --- */

static int setup_raw(void **state)
{
	snprintf(target, sizeof(target), "127.0.0.1:%d", raw_server_start());
	arena_init(&arena, 4 << 20);
	connect_with(false);
	return 0;
}

static int teardown_raw(void **state)
{
	client_channel_free(channel);
	raw_server_stop();
	arena_done(&arena);
	return 0;
}

static int login(void)
{
	LoginRequest request = LOGIN_REQUEST_INIT;
	LoginResponse *reply;

	request.login = (char *)"ada";
	request.password = (char *)"correct horse";
	return edu_service_login_call(channel, &request, NULL, &arena, &reply, &err);
}

static void test_a_cancelled_call_is_repeated_where_that_is_safe(void **state)
{
	for (int how = RAW_TRAILERS; how <= RAW_RESET; how++) {
		raw_how = how;
		raw_calls = 0;
		raw_cancels = 2;
		assert_int_equal(get_course(), 0);
		assert_int_equal(raw_calls, 3);
	}
}

static void test_elsewhere_its_outcome_is_unknown(void **state)
{
	for (int how = RAW_TRAILERS; how <= RAW_RESET; how++) {
		raw_how = how;
		raw_calls = 0;
		raw_cancels = 1;
		assert_int_equal(login(), -STATUS_CANCELLED);
		assert_ptr_equal(err.reason, client_plain_reason(STATUS_CANCELLED));
		assert_int_equal(exit_code_of(&err), EXIT_UNKNOWN);
		assert_int_equal(raw_calls, 1);
	}
}

static void test_it_is_not_repeated_for_ever(void **state)
{
	raw_cancels = 100;
	assert_int_equal(get_course(), -STATUS_CANCELLED);
	assert_int_equal(raw_calls, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_retryable_method_is_repeated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_four_attempts_are_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_methods_are_not, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_channel_may_do_without, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_cancelled_call_is_repeated_where_that_is_safe,
						setup_raw, teardown_raw),
		cmocka_unit_test_setup_teardown(test_elsewhere_its_outcome_is_unknown, setup_raw,
						teardown_raw),
		cmocka_unit_test_setup_teardown(test_it_is_not_repeated_for_ever, setup_raw, teardown_raw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
