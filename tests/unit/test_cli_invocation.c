/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/invocation.h"
#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/array.h"

static struct invocation out;
static struct error err;

#define READ(...) read_words((const char *[]){"edu", __VA_ARGS__, NULL})

static int read_words(const char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return invocation_read(&edu_service_desc, argc, (char **)argv, NULL, &out, &err);
}

static const char *member(const char *key)
{
	return json_string_value(json_object_get(out.request, key));
}

static void test_every_method_is_a_command(void **state)
{
	assert_ptr_equal(invocation_method(&edu_service_desc, "submit-course-for-review"),
			 service_method(&edu_service_desc, "SubmitCourseForReview"));
	assert_null(invocation_method(&edu_service_desc, "SubmitCourseForReview"));
}

static void test_flags_and_options_in_any_order(void **state)
{
	assert_int_equal(READ("--target", "h:1", "get-course", "--course-id=crs_1", "--timeout", "500ms",
			      "--output", "json"),
			 0);
	assert_string_equal(out.method->name, "GetCourse");
	assert_string_equal(out.options.target, "h:1");
	assert_int_equal(out.options.timeout_ms, 500);
	assert_true(out.options.output_json);
	assert_string_equal(member("courseId"), "crs_1");
	assert_int_equal(out.n_flags, 1);
	invocation_done(&out);
}

static void test_a_switch_leaves_the_next_word_alone(void **state)
{
	assert_int_equal(READ("list-courses", "--free-only", "--subject-id", "sbj_1"), 0);
	assert_true(json_is_true(json_object_get(out.request, "freeOnly")));
	assert_string_equal(member("subjectId"), "sbj_1");
	invocation_done(&out);
	assert_int_equal(READ("list-courses", "--free-only=false"), 0);
	assert_true(json_is_false(json_object_get(out.request, "freeOnly")));
	invocation_done(&out);
}

static void test_values_may_look_like_flags(void **state)
{
	assert_int_equal(READ("create-course", "--title", "--x=y"), 0);
	assert_string_equal(member("title"), "--x=y");
	invocation_done(&out);
}

static void assert_refused(int r, const char *says)
{
	assert_int_equal(r, -STATUS_INVALID_ARGUMENT);
	if (!strstr(err.message, says))
		fail_msg("\"%s\" does not say \"%s\"", err.message, says);
}

static void test_wrong_words_say_what_was_meant(void **state)
{
	assert_refused(READ("create-curse"), "did you mean \"edu create-course\"");
	assert_refused(READ("create-course", "--titel", "x"), "did you mean --title?");
	assert_refused(READ("create-course", "--tokn", "x"), "did you mean --token?");
	assert_refused(READ("create-course", "--zzzzzzzzz", "x"), "see edu help create-course");
	assert_refused(READ("create-course", "--title"), "--title needs a value");
	assert_refused(READ("create-course", "algebra"), "not expected");
	assert_refused(READ("create-course", "-t", "x"), "two dashes");
	assert_refused(READ("get-course", "--tls=yes"), "takes no value");
}

static void test_options_are_checked(void **state)
{
	assert_int_equal(READ("get-course", "--output", "xml"), -STATUS_INVALID_ARGUMENT);
	assert_string_equal(err.violations[0].field, "output");
	assert_int_equal(READ("get-course", "--timeout", "0"), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(READ("get-course", "--timeout", "nan"), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(READ("get-course", "--profile", "../x"), -STATUS_INVALID_ARGUMENT);
}

/* Core would have called port 443, port 0 or port 34463 of these. */
static void test_a_target_is_a_host_and_a_port(void **state)
{
	static const char *const good[] = {"localhost:1",      "127.0.0.1:65535",  "[::1]:50051",
					   "unix:/run/e.sock", "unix-abstract:e",  "dns:///h.example:50051",
					   "dns:h:1",          "ipv4:127.0.0.1:1", "ipv6:[::1]:1"};
	static const char *const bad[] = {
		"",          "localhost",  "127.0.0.1",  "localhost:99999", "localhost:0", ":50051",
		"::1:50051", "http://h:1", "localhost:", "localhost:1x",    "unix:",       "dns:///h",
		"[::1]",     "[]:1",       "h:1/x"};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(READ("get-course", "--target", good[i]), 0);
		invocation_done(&out);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(READ("get-course", "--target", bad[i]), -STATUS_INVALID_ARGUMENT);
		assert_string_equal(err.violations[0].field, "target");
		assert_non_null(strstr(err.violations[0].description, "HOST:PORT"));
	}
}

/* As after an empty variable of a shell: --user-id $ID --roles instructor. */
static void test_a_flag_is_no_value(void **state)
{
	assert_refused(READ("set-user-roles", "--user-id", "--roles", "instructor"),
		       "--user-id needs a value");
	assert_refused(READ("get-user", "--user-id", "--output=json"), "--user-id needs a value");
	assert_refused(READ("get-user", "--target", "--user-id", "x"), "--target needs a value");
	assert_int_equal(READ("set-user-roles", "--reason=--roles"), 0);
	assert_string_equal(member("reason"), "--roles");
	invocation_done(&out);
}

static void test_help_asks_for_no_request(void **state)
{
	assert_int_equal(READ("help", "get-course"), 0);
	assert_string_equal(out.topic, "get-course");
	invocation_done(&out);
	assert_int_equal(READ("get-course", "--help"), 0);
	assert_true(out.options.help);
	invocation_done(&out);
}

static void test_environment_comes_first(void **state)
{
	setenv("EDU_TARGET", "env:1", 1);
	assert_int_equal(READ("get-course"), 0);
	assert_string_equal(out.options.target, "env:1");
	invocation_done(&out);
	assert_int_equal(READ("get-course", "--target", "flag:1"), 0);
	assert_string_equal(out.options.target, "flag:1");
	invocation_done(&out);
	unsetenv("EDU_TARGET");
}

/* A variable is no way around what its flag refuses. */
static void test_environment_is_checked_like_flags(void **state)
{
	setenv("EDU_PROFILE", "../../x", 1);
	assert_refused(READ("login"), "$EDU_PROFILE must be 1 to 32 letters");
	assert_int_equal(READ("login", "--profile", "mine"), 0);
	assert_string_equal(out.options.profile, "mine");
	invocation_done(&out);
	unsetenv("EDU_PROFILE");
	setenv("EDU_TARGET", "localhost", 1);
	assert_refused(READ("get-course"), "$EDU_TARGET must be HOST:PORT");
	unsetenv("EDU_TARGET");
	assert_int_equal(READ("get-course"), 0);
	assert_string_equal(out.options.target, "localhost:50051");
	assert_string_equal(out.options.profile, "default");
	invocation_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_method_is_a_command),
		cmocka_unit_test(test_flags_and_options_in_any_order),
		cmocka_unit_test(test_a_switch_leaves_the_next_word_alone),
		cmocka_unit_test(test_values_may_look_like_flags),
		cmocka_unit_test(test_wrong_words_say_what_was_meant),
		cmocka_unit_test(test_options_are_checked),
		cmocka_unit_test(test_a_target_is_a_host_and_a_port),
		cmocka_unit_test(test_a_flag_is_no_value),
		cmocka_unit_test(test_help_asks_for_no_request),
		cmocka_unit_test(test_environment_comes_first),
		cmocka_unit_test(test_environment_is_checked_like_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
