/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "proto/runtime/path.h"

static void test_names_places(void **state)
{
	struct path path = {0};
	size_t len;

	path_push(&path, "prices");
	len = path.len;
	path_push_index(&path, 12);
	path_push(&path, "currency_code");
	assert_string_equal(path.text, "prices[12].currency_code");
	path_cut(&path, len);
	path_push_key(&path, "a");
	assert_string_equal(path.text, "prices[\"a\"]");
	path_cut(&path, 0);
	assert_string_equal(path.text, "");
}

static void test_long_paths_are_truncated(void **state)
{
	struct path path = {0};

	for (int i = 0; i < 100; i++) {
		path_push(&path, "field");
		assert_int_equal(strlen(path.text), path.len);
	}
	assert_int_equal(path.len, sizeof(path.text) - 1);
	path_cut(&path, 5);
	assert_string_equal(path.text, "field");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_places),
		cmocka_unit_test(test_long_paths_are_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
