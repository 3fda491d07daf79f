/* SPDX-License-Identifier: Apache-2.0 */
#include "server/quiz/quiz_proto.h"

#include <stdbool.h>

#include "proto/runtime/codec.h"
#include "server/quiz/quiz_rules.h"

/* Where the arena is full, what follows is left out: quiz_pack() asks once. */

static QuizOption **copy_options(struct arena *arena, QuizOption *const *from, size_t n, size_t *ret_n)
{
	QuizOption **ret = arena_array(arena, n, sizeof(*ret));

	for (size_t i = 0; ret && i < n; i++) {
		ret[i] = codec_new(QUIZ_OPTION_DESC, arena);
		if (!ret[i])
			return ret;
		ret[i]->key = from[i]->key;
		ret[i]->text = from[i]->text;
		*ret_n = i + 1;
	}
	return ret;
}

static SingleChoiceQuestion *copy_single_choice(struct arena *arena, const SingleChoiceQuestion *from,
						bool solved)
{
	SingleChoiceQuestion *ret = codec_new(SINGLE_CHOICE_QUESTION_DESC, arena);

	if (!ret)
		return NULL;
	ret->options = copy_options(arena, from->options, from->n_options, &ret->n_options);
	if (solved && (ret->solution = codec_new(SINGLE_CHOICE_SOLUTION_DESC, arena)))
		ret->solution->option_key = from->solution->option_key;
	return ret;
}

static MultipleChoiceQuestion *copy_multiple_choice(struct arena *arena, const MultipleChoiceQuestion *from,
						    bool solved)
{
	MultipleChoiceQuestion *ret = codec_new(MULTIPLE_CHOICE_QUESTION_DESC, arena);

	if (!ret)
		return NULL;
	ret->options = copy_options(arena, from->options, from->n_options, &ret->n_options);
	if (solved && (ret->solution = codec_new(MULTIPLE_CHOICE_SOLUTION_DESC, arena))) {
		ret->solution->option_keys = from->solution->option_keys;
		ret->solution->n_option_keys = from->solution->n_option_keys;
	}
	return ret;
}

static NumericQuestion *copy_numeric(struct arena *arena, const NumericQuestion *from, bool solved)
{
	NumericQuestion *ret = codec_new(NUMERIC_QUESTION_DESC, arena);

	if (!ret)
		return NULL;
	ret->unit = from->unit;
	if (solved && (ret->solution = codec_new(NUMERIC_SOLUTION_DESC, arena))) {
		ret->solution->value = from->solution->value;
		ret->solution->tolerance = from->solution->tolerance;
	}
	return ret;
}

static TextQuestion *copy_text(struct arena *arena, const TextQuestion *from, bool solved)
{
	TextQuestion *ret = codec_new(TEXT_QUESTION_DESC, arena);

	if (!ret)
		return NULL;
	if (solved && (ret->solution = codec_new(TEXT_SOLUTION_DESC, arena))) {
		ret->solution->accepted = from->solution->accepted;
		ret->solution->n_accepted = from->solution->n_accepted;
	}
	return ret;
}

/* A form that is not named here is not shown. */
static void copy_form(struct arena *arena, const QuizQuestion *from, bool solved, QuizQuestion *ret)
{
	ret->form_case = from->form_case;
	switch (from->form_case) {
	case EDU__V1__QUIZ_QUESTION__FORM_SINGLE_CHOICE:
		ret->single_choice = copy_single_choice(arena, from->single_choice, solved);
		return;
	case EDU__V1__QUIZ_QUESTION__FORM_MULTIPLE_CHOICE:
		ret->multiple_choice = copy_multiple_choice(arena, from->multiple_choice, solved);
		return;
	case EDU__V1__QUIZ_QUESTION__FORM_NUMERIC:
		ret->numeric = copy_numeric(arena, from->numeric, solved);
		return;
	case EDU__V1__QUIZ_QUESTION__FORM_TEXT:
		ret->text = copy_text(arena, from->text, solved);
		return;
	case EDU__V1__QUIZ_QUESTION__FORM__NOT_SET:
	case _EDU__V1__QUIZ_QUESTION__FORM__CASE_IS_INT_SIZE:
		break;
	}
	ret->form_case = EDU__V1__QUIZ_QUESTION__FORM__NOT_SET;
}

static QuizQuestion *copy_question(struct arena *arena, const QuizQuestion *from, bool solved)
{
	QuizQuestion *ret = codec_new(QUIZ_QUESTION_DESC, arena);

	if (!ret)
		return NULL;
	ret->key = from->key;
	ret->prompt = from->prompt;
	ret->points = from->points;
	copy_form(arena, from, solved, ret);
	return ret;
}

static int pack(const Quiz *quiz, bool solved, struct arena *arena, struct span *ret, struct error *err)
{
	Quiz copy = QUIZ_INIT;

	copy.scoring = quiz->scoring;
	copy.attempt_limit = quiz->attempt_limit;
	copy.pass_basis_points = quiz->pass_basis_points;
	copy.points_total = quiz_points(quiz);
	copy.questions = arena_array(arena, quiz->n_questions, sizeof(*copy.questions));
	for (size_t i = 0; copy.questions && i < quiz->n_questions; i++)
		copy.questions[copy.n_questions++] = copy_question(arena, quiz->questions[i], solved);
	int r = arena_check(arena, err);
	return r < 0 ? r : codec_pack(&copy.base, arena, ret, err);
}

int quiz_pack(const Quiz *quiz, struct arena *arena, struct quiz_packed *ret, struct error *err)
{
	int r = pack(quiz, true, arena, &ret->whole, err);

	return r < 0 ? r : pack(quiz, false, arena, &ret->shown, err);
}

int quiz_unpack(struct span packed, struct arena *arena, Quiz **ret, struct error *err)
{
	ProtobufCMessage *message;
	int r = codec_unpack(QUIZ_DESC, packed, &wire_limits_default, arena, &message, err);

	if (r == -STATUS_INVALID_ARGUMENT)
		return error_internal(err, "a stored quiz cannot be read");
	if (r < 0)
		return r;
	*ret = (Quiz *)message;
	return 0;
}
