/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "server/rpc/path_table.h"

enum { METHODS = 200 };

static void test_all_are_found(void **state)
{
	static struct method methods[METHODS];
	static struct method_desc descs[METHODS];
	static char paths[METHODS][32];
	struct path_table table;

	assert_true(path_table_init(&table, METHODS));
	for (int i = 0; i < METHODS; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/a.B/Method%d", i);
		descs[i].path = paths[i];
		methods[i].desc = &descs[i];
		assert_null(path_table_find(&table, span_str(paths[i])));
		assert_true(path_table_add(&table, &methods[i]));
		assert_false(path_table_add(&table, &methods[i]));
	}
	for (int i = 0; i < METHODS; i++)
		assert_ptr_equal(path_table_find(&table, span_str(paths[i])), &methods[i]);
	path_table_done(&table);
}

static void test_strangers_are_not(void **state)
{
	static const struct method_desc desc = {.path = "/a.B/C"};
	struct method method = {.desc = &desc};
	struct path_table table;

	assert_true(path_table_init(&table, 1));
	assert_true(path_table_add(&table, &method));
	assert_null(path_table_find(&table, span_str("/a.B/D")));
	assert_null(path_table_find(&table, span_str("/a.B/C/")));
	assert_null(path_table_find(&table, span_str("/a.B/")));
	assert_null(path_table_find(&table, span_of("/a.B/C\0", 7)));
	assert_null(path_table_find(&table, span_str("")));
	path_table_done(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_are_found),
		cmocka_unit_test(test_strangers_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
