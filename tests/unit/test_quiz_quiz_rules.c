/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/array.h"
#include "proto/runtime/rules.h"
#include "server/quiz/quiz_rules.h"
#include "tests/lib/quiz_json.h"

#define QUESTION(key, form) "{'key': '" key "', 'prompt': 'P', 'points': 1, " form "}"
#define QUIZ(questions) "{'scoring': 'QUIZ_SCORING_LAST', 'passBasisPoints': 1, 'questions': [" questions "]}"
#define AB "{'key': 'a', 'text': 'A'}, {'key': 'b', 'text': 'B'}"
#define SINGLE(options, key)                                                                                 \
	"'singleChoice': {'options': [" options "], 'solution': {'optionKey': '" key "'}}"
#define MULTIPLE(keys) "'multipleChoice': {'options': [" AB "], 'solution': {'optionKeys': [" keys "]}}"
#define NUMBER(solution) "'numeric': {'solution': {" solution "}}"
#define TEXT(accepted) "'text': {'solution': {'accepted': [" accepted "]}}"
#define ONE(form) QUIZ(QUESTION("q", form))
#define Q "quiz.questions[0]"

static struct arena arena;
static struct error err;

/* The contract's rules, then the quiz's own, as a request meets them. */
static int check(const char *json)
{
	SetQuizRequest req = SET_QUIZ_REQUEST_INIT;

	req.lesson_id = (char *)"les_0000000000001";
	req.quiz = quiz_of(&arena, json);
	error_clear(&err);
	int r = rules_check(&edu_v1_set_quiz_request_rules, &req.base, &arena, &err);
	return r < 0 ? r : quiz_check(req.quiz, &arena, &err);
}

static void test_what_a_quiz_may_be(void **state)
{
	static const char *const quizzes[] = {
		QUIZ_OF_EVERY_FORM,
		ONE(SINGLE(AB, "a")),
		ONE(MULTIPLE("'a'")),
		ONE(MULTIPLE("'b', 'a'")),
		ONE(NUMBER("'value': '0'")),
		ONE(NUMBER("'value': '-999999999999999.999999999', 'tolerance': '0'")),
		ONE(NUMBER("'value': '1', 'tolerance': '999999999999999'")),
		ONE(TEXT("'x'")),
		ONE(TEXT("'-ing', 'ing', ' a', 'a b'")),
		/* Options of different questions may be called the same; keys are compared exactly. */
		QUIZ(QUESTION("q", SINGLE(AB, "a")) "," QUESTION("Q", SINGLE(AB, "b"))),
	};

	for (unsigned i = 0; i < ARRAY_SIZE(quizzes); i++) {
		int r = check(quizzes[i]);
		if (r < 0)
			fail_msg("%s: %s %s", quizzes[i], err.violations[0].field,
				 err.violations[0].description);
	}
	assert_int_equal(quiz_points(quiz_of(&arena, QUIZ_OF_EVERY_FORM)), 15);
}

static void test_what_a_quiz_may_not_be(void **state)
{
	static const struct {
		const char *json, *field;
	} cases[] = {
		{QUIZ(""), "quiz.questions"},
		{"{'scoring': 'QUIZ_SCORING_LAST', 'questions': [" QUESTION("q", TEXT("'x'")) "]}",
		 "quiz.pass_basis_points"},
		{"{'passBasisPoints': 1, 'questions': [" QUESTION("q", TEXT("'x'")) "]}", "quiz.scoring"},
		{QUIZ(QUESTION("q", TEXT("'x'")) "," QUESTION("q", TEXT("'x'"))), "quiz.questions[1].key"},
		{QUIZ(QUESTION("", TEXT("'x'"))), Q ".key"},
		{QUIZ("{'key': 'q', 'prompt': 'P', 'points': 1}"), Q ".single_choice"},
		{QUIZ("{'key': 'q', 'prompt': ' ', 'points': 1, " TEXT("'x'") "}"), Q ".prompt"},
		{QUIZ("{'key': 'q', 'prompt': 'P', " TEXT("'x'") "}"), Q ".points"},

		{ONE(SINGLE(AB, "c")), Q ".single_choice.solution.option_key"},
		{ONE(SINGLE(AB, "A")), Q ".single_choice.solution.option_key"},
		{ONE(SINGLE(AB, "")), Q ".single_choice.solution.option_key"},
		{ONE(SINGLE("{'key': 'a', 'text': 'A'}", "a")), Q ".single_choice.options"},
		{ONE(SINGLE(AB ", {'key': 'a', 'text': 'C'}", "a")), Q ".single_choice.options[2].key"},
		{ONE(SINGLE(AB ", {'key': 'c', 'text': 'B'}", "a")), Q ".single_choice.options[2].text"},
		{ONE("'singleChoice': {'options': [" AB "]}"), Q ".single_choice.solution"},

		{ONE(MULTIPLE("")), Q ".multiple_choice.solution.option_keys"},
		{ONE(MULTIPLE("'a', 'd'")), Q ".multiple_choice.solution.option_keys[1]"},
		{ONE(MULTIPLE("'a', 'b', 'a'")), Q ".multiple_choice.solution.option_keys[2]"},
		{ONE("'multipleChoice': {'options': [" AB "]}"), Q ".multiple_choice.solution"},

		{ONE(NUMBER("")), Q ".numeric.solution.value"},
		{ONE(NUMBER("'value': 'NaN'")), Q ".numeric.solution.value"},
		{ONE(NUMBER("'value': 'Infinity'")), Q ".numeric.solution.value"},
		{ONE(NUMBER("'value': '1e9'")), Q ".numeric.solution.value"},
		{ONE(NUMBER("'value': '0x10'")), Q ".numeric.solution.value"},
		{ONE(NUMBER("'value': '1,5'")), Q ".numeric.solution.value"},
		{ONE(NUMBER("'value': '1', 'tolerance': '-1'")), Q ".numeric.solution.tolerance"},
		{ONE(NUMBER("'value': '1', 'tolerance': 'NaN'")), Q ".numeric.solution.tolerance"},
		{ONE(NUMBER("'value': '1', 'tolerance': '-0'")), Q ".numeric.solution.tolerance"},
		{ONE("'numeric': {}"), Q ".numeric.solution"},

		{ONE(TEXT("")), Q ".text.solution.accepted"},
		{ONE(TEXT("''")), Q ".text.solution.accepted[0]"},
		{ONE(TEXT("'x', '  '")), Q ".text.solution.accepted[1]"},
		{ONE(TEXT("'\\u00ad'")), Q ".text.solution.accepted[0]"},
		{ONE(TEXT("'\\u3164'")), Q ".text.solution.accepted[0]"},
		{ONE(TEXT("'x', ' X'")), Q ".text.solution.accepted[1]"},
		{ONE(TEXT("'a b', 'A \\u00a0 B'")), Q ".text.solution.accepted[1]"},
		{ONE(TEXT("'caf\u00e9', 'CAFE\u0301'")), Q ".text.solution.accepted[1]"},
		{ONE("'text': {}"), Q ".text.solution"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = check(cases[i].json);
		if (r != -STATUS_INVALID_ARGUMENT || err.n_violations != 1 ||
		    strcmp(err.violations[0].field, cases[i].field) != 0)
			fail_msg("%s: %d, %u violations, the first of %s", cases[i].json, r, err.n_violations,
				 err.n_violations ? err.violations[0].field : "nothing");
		assert_string_equal(err.reason->name, "FIELD_INVALID");
	}
}

static void test_all_of_it_is_said_at_once(void **state)
{
	static const char *const fields[] = {
		Q ".single_choice.options[1].key",
		Q ".single_choice.options[1].text",
		Q ".single_choice.solution.option_key",
		"quiz.questions[1].key",
		"quiz.questions[1].multiple_choice.solution.option_keys[0]",
		"quiz.questions[2].numeric.solution.tolerance",
		"quiz.questions[3].text.solution.accepted[1]",
	};

	assert_int_equal(
		check(QUIZ(QUESTION("q", SINGLE("{'key': 'a', 'text': 'A'}, {'key': 'a', 'text': 'A'}", "c")) "," QUESTION(
			"q",
			MULTIPLE(
				"'d'")) "," QUESTION("r",
						     NUMBER("'value': '1', 'tolerance': '-1'")) "," QUESTION("s",
													     TEXT("'x', 'X'")))),
		-STATUS_INVALID_ARGUMENT);
	assert_int_equal(err.n_violations, ARRAY_SIZE(fields));
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
		assert_string_equal(err.violations[i].field, fields[i]);
}

static int setup(void **state)
{
	arena_init(&arena, 8 << 20);
	return 0;
}

static int teardown(void **state)
{
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_quiz_may_be),
		cmocka_unit_test(test_what_a_quiz_may_not_be),
		cmocka_unit_test(test_all_of_it_is_said_at_once),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
