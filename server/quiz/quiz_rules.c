/* SPDX-License-Identifier: Apache-2.0 */
#include "server/quiz/quiz_rules.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "server/quiz/quiz_text.h"

enum { FIELD_MAX = 96 };

/* What was found so far: 0, or what the last violation returned. */
struct check {
	struct arena *arena;
	struct error *err;
	char question[FIELD_MAX / 2]; /* the path of the one looked at */
	int r;
};

static void violate(struct check *c, const char *what, const char *must)
{
	char field[FIELD_MAX];

	snprintf(field, sizeof(field), "%s%s", c->question, what);
	c->r = c->r == 0 ? error_field(c->err, field, "%s", must)
			 : error_add_violation(c->err, field, "%s", must);
}

static void violate_item(struct check *c, const char *list, size_t i, const char *member, const char *must)
{
	char what[FIELD_MAX / 2];

	snprintf(what, sizeof(what), "%s[%zu]%s", list, i, member);
	violate(c, what, must);
}

/* Whether a text is that of one before it. The lists are short, as the contract has them. */
static bool is_again(const char *const *texts, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(texts[i], texts[j]) == 0)
			return true;
	return false;
}

/* --- the forms --- */

static_assert(SINGLE_CHOICE_QUESTION_OPTIONS_MAX_ITEMS == MULTIPLE_CHOICE_QUESTION_OPTIONS_MAX_ITEMS,
	      "options of either");

static void check_options(struct check *c, const char *list, QuizOption *const *options, size_t n)
{
	const char *keys[SINGLE_CHOICE_QUESTION_OPTIONS_MAX_ITEMS];
	const char *texts[SINGLE_CHOICE_QUESTION_OPTIONS_MAX_ITEMS];

	for (size_t i = 0; i < n; i++) {
		keys[i] = options[i]->key;
		texts[i] = options[i]->text;
		if (is_again(keys, i))
			violate_item(c, list, i, ".key", "must not be the key of another option");
		if (is_again(texts, i))
			violate_item(c, list, i, ".text", "must not say what another option says");
	}
}

static bool is_option(QuizOption *const *options, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(options[i]->key, key) == 0)
			return true;
	return false;
}

static void check_single_choice(struct check *c, const SingleChoiceQuestion *q)
{
	check_options(c, ".single_choice.options", q->options, q->n_options);
	if (!is_option(q->options, q->n_options, q->solution->option_key))
		violate(c, ".single_choice.solution.option_key", "must be the key of an option");
}

static void check_multiple_choice(struct check *c, const MultipleChoiceQuestion *q)
{
	static const char list[] = ".multiple_choice.solution.option_keys";
	const char *keys[MULTIPLE_CHOICE_SOLUTION_OPTION_KEYS_MAX_ITEMS];

	check_options(c, ".multiple_choice.options", q->options, q->n_options);
	for (size_t i = 0; i < q->solution->n_option_keys; i++) {
		keys[i] = q->solution->option_keys[i];
		if (!is_option(q->options, q->n_options, keys[i]))
			violate_item(c, list, i, "", "must be the key of an option");
		else if (is_again(keys, i))
			violate_item(c, list, i, "", "must not be there twice");
	}
}

static void check_numeric(struct check *c, const NumericQuestion *q)
{
	if (*q->solution->tolerance == '-')
		violate(c, ".numeric.solution.tolerance", "must not be below 0");
}

static int check_text(struct check *c, const TextQuestion *q)
{
	static const char list[] = ".text.solution.accepted";
	const char *folded[TEXT_SOLUTION_ACCEPTED_MAX_ITEMS];

	for (size_t i = 0; i < q->solution->n_accepted; i++) {
		folded[i] = quiz_text_fold(c->arena, q->solution->accepted[i]);
		if (!folded[i])
			return arena_full(c->err);
		if (!*folded[i])
			violate_item(c, list, i, "", "must have something in it that is compared");
		else if (is_again(folded, i))
			violate_item(c, list, i, "", "must not be the same as another");
	}
	return 0;
}

/* --- the quiz --- */

static int check_form(struct check *c, const QuizQuestion *q)
{
	switch (q->form_case) {
	case EDU__V1__QUIZ_QUESTION__FORM_SINGLE_CHOICE:
		check_single_choice(c, q->single_choice);
		return 0;
	case EDU__V1__QUIZ_QUESTION__FORM_MULTIPLE_CHOICE:
		check_multiple_choice(c, q->multiple_choice);
		return 0;
	case EDU__V1__QUIZ_QUESTION__FORM_NUMERIC:
		check_numeric(c, q->numeric);
		return 0;
	case EDU__V1__QUIZ_QUESTION__FORM_TEXT:
		return check_text(c, q->text);
	case EDU__V1__QUIZ_QUESTION__FORM__NOT_SET:
	case _EDU__V1__QUIZ_QUESTION__FORM__CASE_IS_INT_SIZE:
		break;
	}
	return error_internal(c->err, "a question without a form");
}

int quiz_check(const Quiz *quiz, struct arena *arena, struct error *err)
{
	const char *keys[QUIZ_QUESTIONS_MAX_ITEMS];
	struct check c = {.arena = arena, .err = err};
	int r = 0;

	for (size_t i = 0; r == 0 && i < quiz->n_questions; i++) {
		snprintf(c.question, sizeof(c.question), "quiz.questions[%zu]", i);
		keys[i] = quiz->questions[i]->key;
		if (is_again(keys, i))
			violate(&c, ".key", "must not be the key of another question");
		r = check_form(&c, quiz->questions[i]);
	}
	return r < 0 ? r : c.r;
}

int quiz_points(const Quiz *quiz)
{
	int points = 0;

	for (size_t i = 0; i < quiz->n_questions; i++)
		points += quiz->questions[i]->points;
	return points;
}
