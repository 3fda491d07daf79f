/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/db/script.h"

static void expect(const char *script, const char *const *statements)
{
	struct span rest = span_str(script), got;
	for (; *statements; statements++) {
		assert_true(script_next(&rest, &got));
		assert_int_equal(got.len, strlen(*statements));
		assert_memory_equal(got.data, *statements, got.len);
	}
	assert_false(script_next(&rest, &got));
}
#define EXPECT(script, ...) expect(script, (const char *const[]){__VA_ARGS__, NULL})

static void test_statements_end_at_semicolons(void **state)
{
	EXPECT("a;b ;\n c", "a", "b ", "c");
	EXPECT("a;", "a");
}

static void test_quoted_semicolons_end_nothing(void **state)
{
	EXPECT("a ';' b; c", "a ';' b", "c");
	EXPECT("a \";\" b; `;` c; d", "a \";\" b", "`;` c", "d");
	EXPECT("a 'it''s; \\'; so' b; c", "a 'it''s; \\'; so' b", "c");
	EXPECT("a ';", "a ';");
}

static void test_comments_end_nothing_and_are_skipped_before_a_statement(void **state)
{
	EXPECT("-- one; two\n# three;\n/* four; */ a -- it's; \n b; c", "a -- it's; \n b", "c");
	EXPECT("a /* ; ' */; b # ;\n", "a /* ; ' */", "b # ;\n");
	EXPECT("a - -1; b", "a - -1", "b");
}

static void test_nothing_has_no_statements(void **state)
{
	struct span rest = span_str(" -- only a comment"), got;
	assert_false(script_next(&rest, &got));
	rest = span_of(NULL, 0);
	assert_false(script_next(&rest, &got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statements_end_at_semicolons),
		cmocka_unit_test(test_quoted_semicolons_end_nothing),
		cmocka_unit_test(test_comments_end_nothing_and_are_skipped_before_a_statement),
		cmocka_unit_test(test_nothing_has_no_statements),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
