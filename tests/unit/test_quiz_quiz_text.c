/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/quiz/quiz_text.h"

/* What is the same answer, and what is not. */
static void test_fold(void **state)
{
	static const struct {
		const char *text, *folded;
	} cases[] = {
		{"", ""},
		{" \t\n ", ""},
		{"Ada Lovelace", "ada lovelace"},
		{"  ADA \t\n  Lovelace ", "ada lovelace"},
		{"Ada\u00a0Lovelace\u3000", "ada lovelace"},
		{"Cafe\u0301", "caf\u00e9"},
		{"CAF\u00c9", "caf\u00e9"},
		{"Stra\u00dfe", "strasse"},
		{"\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2", "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3"},
		{"\uff21\uff22\uff23\uff11", "abc1"},
		{"\u6570\u5b66", "\u6570\u5b66"},
		{"co\u00adop", "coop"},
		{"-ing", "-ing"},
		{"don't", "don't"},
	};
	struct arena arena;

	arena_init(&arena, 1 << 20);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *folded = quiz_text_fold(&arena, cases[i].text);
		assert_non_null(folded);
		assert_string_equal(folded, cases[i].folded);
		assert_string_equal(quiz_text_fold(&arena, folded), folded);
	}
	arena_done(&arena);
}

static void test_a_full_arena(void **state)
{
	struct arena arena;

	arena_init(&arena, 0);
	assert_null(quiz_text_fold(&arena, "Caf\u00e9"));
	assert_true(arena.exhausted);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_a_full_arena),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
