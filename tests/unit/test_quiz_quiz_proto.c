/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/codec.h"
#include "server/quiz/quiz_proto.h"
#include "tests/lib/quiz_json.h"

static struct arena arena;
static struct error err;

static struct quiz_packed packed_of(const Quiz *quiz)
{
	struct quiz_packed ret;

	assert_int_equal(quiz_pack(quiz, &arena, &ret, &err), 0);
	return ret;
}

static void assert_same(struct span a, struct span b)
{
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
}

static bool holds(struct span bytes, const char *text)
{
	return memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
}

/* Calls `visit` with every message that is set below this one. */
static void walk(const ProtobufCMessage *m, void (*visit)(const ProtobufCMessage *m))
{
	visit(m);
	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		const void *at = (const char *)m + f->offset;

		if (f->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			const size_t n = *(const size_t *)((const char *)m + f->quantifier_offset);
			ProtobufCMessage *const *items = *(ProtobufCMessage *const *const *)at;
			for (size_t j = 0; j < n; j++)
				walk(items[j], visit);
			continue;
		}
		if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
		    *(const uint32_t *)((const char *)m + f->quantifier_offset) != f->id)
			continue;
		if (*(const ProtobufCMessage *const *)at)
			walk(*(const ProtobufCMessage *const *)at, visit);
	}
}

static unsigned n_solutions;

static void count_solutions(const ProtobufCMessage *m)
{
	n_solutions += strstr(m->descriptor->name, "Solution") != NULL;
}

static unsigned solutions_of(struct span packed)
{
	Quiz *quiz;

	assert_int_equal(quiz_unpack(packed, &arena, &quiz, &err), 0);
	n_solutions = 0;
	walk(&quiz->base, count_solutions);
	return n_solutions;
}

static void test_the_whole_is_kept(void **state)
{
	Quiz *quiz = quiz_of(&arena, QUIZ_OF_EVERY_FORM);
	const struct quiz_packed packed = packed_of(quiz);
	struct span asked;

	quiz->points_total = 15;
	assert_int_equal(codec_pack(&quiz->base, &arena, &asked, &err), 0);
	assert_same(packed.whole, asked);
	assert_int_equal(solutions_of(packed.whole), 4);
}

static void test_what_is_shown_has_no_solutions(void **state)
{
	const struct quiz_packed packed = packed_of(quiz_of(&arena, QUIZ_OF_EVERY_FORM));
	static const char *const secret[] = {"Ada", "Lovelace", "-41.5", "0.25"};
	static const char *const shown[] = {"q1",        "q2",   "q3", "q4", "One?", "Some?",
					    "How much?", "Who?", "kg", "A",  "B",    "C"};

	assert_int_equal(solutions_of(packed.shown), 0);
	for (unsigned i = 0; i < sizeof(secret) / sizeof(*secret); i++) {
		assert_true(holds(packed.whole, secret[i]));
		assert_false(holds(packed.shown, secret[i]));
	}
	for (unsigned i = 0; i < sizeof(shown) / sizeof(*shown); i++)
		assert_true(holds(packed.shown, shown[i]));
}

/* The strongest that can be said of the bytes: they do not depend on what is right. */
static void test_what_is_shown_does_not_depend_on_solutions(void **state)
{
	Quiz *quiz = quiz_of(&arena, QUIZ_OF_EVERY_FORM);
	const struct quiz_packed before = packed_of(quiz);
	static char *one[] = {(char *)"b"}, *texts[] = {(char *)"Grace Hopper"};

	quiz->questions[0]->single_choice->solution->option_key = (char *)"a";
	quiz->questions[1]->multiple_choice->solution->option_keys = one;
	quiz->questions[1]->multiple_choice->solution->n_option_keys = 1;
	quiz->questions[2]->numeric->solution->value = (char *)"7";
	quiz->questions[2]->numeric->solution->tolerance = (char *)"";
	quiz->questions[3]->text->solution->accepted = texts;
	quiz->questions[3]->text->solution->n_accepted = 1;
	const struct quiz_packed after = packed_of(quiz);
	assert_same(before.shown, after.shown);
	assert_true(before.whole.len != after.whole.len);
}

/* A newer client's fields, which this server does not know, may be solutions; and ids are not the caller's.
 */
static void test_what_is_not_known_is_not_kept(void **state)
{
	Quiz *quiz = quiz_of(&arena, QUIZ_OF_EVERY_FORM);
	const struct quiz_packed before = packed_of(quiz);
	static uint8_t bytes[] = "it is B";
	ProtobufCMessageUnknownField unknown = {.tag = 77, .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED};
	ProtobufCMessage *const messages[] = {&quiz->base, &quiz->questions[0]->base,
					      &quiz->questions[0]->single_choice->base,
					      &quiz->questions[0]->single_choice->options[1]->base};

	bytes[0] = sizeof(bytes) - 1;
	unknown.data = bytes;
	unknown.len = sizeof(bytes);
	for (unsigned i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		messages[i]->unknown_fields = &unknown;
		messages[i]->n_unknown_fields = 1;
	}
	quiz->lesson_id = quiz->course_id = (char *)"mine";
	quiz->revision = 7;
	quiz->points_total = 1;
	const struct quiz_packed after = packed_of(quiz);
	assert_same(before.shown, after.shown);
	assert_same(before.whole, after.whole);
}

static void test_a_full_arena(void **state)
{
	const Quiz *quiz = quiz_of(&arena, QUIZ_OF_EVERY_FORM);
	int refused = 0, r = -1;

	for (size_t cap = 0; r < 0; cap += 16) {
		struct arena small;
		struct quiz_packed packed;

		arena_init(&small, cap);
		r = quiz_pack(quiz, &small, &packed, &err);
		if (r < 0)
			assert_ptr_equal(err.reason, &RPC_REASON_MESSAGE_TOO_LARGE);
		refused += r < 0;
		arena_done(&small);
	}
	assert_true(refused > 10);
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
		cmocka_unit_test(test_the_whole_is_kept),
		cmocka_unit_test(test_what_is_shown_has_no_solutions),
		cmocka_unit_test(test_what_is_shown_does_not_depend_on_solutions),
		cmocka_unit_test(test_what_is_not_known_is_not_kept),
		cmocka_unit_test(test_a_full_arena),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
