/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/input.h"
#include <jansson.h>

#include "client/cli/report.h"
#include "edu/v1/edu_service.tables.h"

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

static char *reported(const struct error *e, bool json, const char *request_id)
{
	char *text;
	size_t size;
	struct docs *docs;
	struct error failed;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(docs_new(&edu_service_desc, &docs, &failed), 0);
	report_error(out, "create-course", e, docs, request_id, json);
	docs_free(docs);
	fclose(out);
	return text;
}

static void test_an_error_says_what_to_do(void **state)
{
	struct error e;

	error_raise(&e, &REASON_FIELD_INVALID, "the request has \033[31m1 invalid field");
	error_add_violation(&e, "title", "must have 1 to 200 characters");
	error_set_retry(&e, 1500);
	char *text = reported(&e, false, "1-2");
	assert_says(text, "edu create-course: the request has  [31m1 invalid field");
	assert_says(text, "reason: FIELD_INVALID (INVALID_ARGUMENT)");
	assert_says(text, "title: must have 1 to 200 characters");
	assert_says(text, "after 1.5 s");
	assert_says(text, "what to do: Fields break their rules");
	assert_says(text, "--request-id 1-2");
	free(text);
	text = reported(&e, true, NULL);
	json_t *json = json_loads(text, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(json, "reason")), "FIELD_INVALID");
	assert_int_equal(json_array_size(json_object_get(json, "violations")), 1);
	assert_int_equal(json_integer_value(json_object_get(json, "retryDelayMs")), 1500);
	json_decref(json);
	free(text);
}

/* What is wrong with one field is the message already, unless it tells more. */
static void test_one_field_is_said_once(void **state)
{
	struct error e;

	error_field(&e, "title", "must not be empty");
	char *text = reported(&e, false, NULL);
	assert_says(text, "edu create-course: title must not be empty.");
	assert_null(strstr(text, "title:"));
	free(text);
	error_field(&e, "shares", "must be at most %d, is %d", 3, 4);
	text = reported(&e, false, NULL);
	assert_says(text, "shares must be at most 3.");
	assert_says(text, "shares: must be at most 3, is 4");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_error_says_what_to_do),
		cmocka_unit_test(test_one_field_is_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
