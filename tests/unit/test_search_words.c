/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/base/clock.h"
#include "server/search/words.h"

enum { LIST_MAX = 4096 };

/* Words with a space between them. */
struct list {
	char text[LIST_MAX];
	size_t n;
};

static void append(void *arg, struct span word)
{
	struct list *l = arg;
	size_t len = strlen(l->text);
	l->n++;
	assert_true(word.len > 0 && word.len <= WORD_MAX);
	if (len + word.len + 2 > sizeof(l->text))
		return;
	if (len > 0)
		l->text[len++] = ' ';
	memcpy(l->text + len, word.data, word.len);
	l->text[len + word.len] = '\0';
}

static void expect(const char *text, const char *of_text, const char *of_query)
{
	struct words *w = words_new();
	struct list list = {0}, query = {0};
	struct arena arena;
	arena_init(&arena, 1 << 20);
	words_of_text(w, &arena, text, append, &list);
	assert_string_equal(list.text, of_text);
	words_of_query(w, &arena, text, append, &query);
	assert_string_equal(query.text, of_query);
	arena_done(&arena);
	words_free(w);
}

static void expect_same(const char *text, const char *words)
{
	expect(text, words, words);
}

static void test_english_by_its_stems(void **state)
{
	expect_same("Learning to program", "learn to program");
	expect_same("Programs, programming; PROGRAMMED!", "program program program");
	expect_same("AI for IT-managers", "ai for it manag");
	expect_same("A learner's guide", "a learner guid");
	expect_same("A learner\u2019s guide", "a learner guid");
	expect_same("O'Reilly", "o reilli");
	expect_same("Caf\u00e9 fran\u00e7ais", "caf\u00e9 fran\u00e7ais"); /* no English, no stem */
	expect_same("3D in 2024", "3d in 2024");
	expect_same("", "");
	expect_same("...!?", "");
}

static void test_signs_make_another_word(void **state)
{
	expect_same("C", "c");
	expect_same("C++", "c++");
	expect_same("C# and F#", "c# and f#");
	expect_same("C/C++", "c c++");
	expect_same("C++17", "c++ 17");
	expect("Google+", "google+ googl", "google+");
	expect_same("1 + 1 = 2", "1 1 2");
}

static void test_chinese_by_pairs(void **state)
{
	expect("\u8bfe\u7a0b", "\u8bfe \u8bfe\u7a0b \u7a0b", "\u8bfe\u7a0b");
	expect("\u673a\u5668\u5b66\u4e60",
	       "\u673a \u673a\u5668 \u5668 \u5668\u5b66 \u5b66 \u5b66\u4e60 \u4e60",
	       "\u673a\u5668 \u5668\u5b66 \u5b66\u4e60");
	expect_same("\u8bfe", "\u8bfe");
	/* Punctuation parts: no pair goes over it. */
	expect("\u8bfe\u7a0b\uff0c\u8bfe", "\u8bfe \u8bfe\u7a0b \u7a0b \u8bfe", "\u8bfe\u7a0b \u8bfe");
}

static void test_scripts_without_spaces_between_them(void **state)
{
	expect("AI\u8bfe\u7a0b", "ai \u8bfe \u8bfe\u7a0b \u7a0b", "ai \u8bfe\u7a0b");
	expect("\u7528C++\u7f16\u7a0b", "\u7528 c++ \u7f16 \u7f16\u7a0b \u7a0b", "\u7528 c++ \u7f16\u7a0b");
	expect("Python\u5165\u95e8", "python \u5165 \u5165\u95e8 \u95e8", "python \u5165\u95e8");
	expect_same("\uff21\uff29", "ai"); /* full width */
	expect("\u3072\u3089\u304c\u306a",
	       "\u3072 \u3072\u3089 \u3089 \u3089\u304c \u304c \u304c\u306a \u306a",
	       "\u3072\u3089 \u3089\u304c \u304c\u306a");
	expect("\ud55c\uad6d", "\ud55c \ud55c\uad6d \uad6d", "\ud55c\uad6d");
	expect_same("\u0440\u0443\u0441\u0441\u043a\u0438\u0439",
		    "\u0440\u0443\u0441\u0441\u043a\u0438\u0439");
}

/* A piece of text as often as there is room for it, behind what is there. */
static void repeat(char *out, size_t size, const char *piece)
{
	for (size_t at = strlen(out); at + strlen(piece) < size;)
		at += (size_t)snprintf(out + at, size - at, "%s", piece);
}

static void test_long_words_are_cut_between_characters(void **state)
{
	char text[3 * 200 + 1] = "", cut[WORD_MAX + 1] = "";
	repeat(text, sizeof(text), "\u00e9");
	repeat(cut, sizeof(cut), "\u00e9");
	expect_same(text, cut);
	memset(text, 'z', sizeof(text) - 1);
	memset(cut, 'z', WORD_MAX);
	expect_same(text, cut);
}

static void test_what_is_no_text_has_no_words(void **state)
{
	expect_same("\xff\xfe", "");
	char marks[2 * 100 + 2] = "a";
	repeat(marks, sizeof(marks), "\u0301");
	expect_same(marks, "");
}

/* As long as a query may be, of what unfolds the most; and as long as an index takes. */
static void test_hostile_texts_take_little_time(void **state)
{
	static const char *const pieces[] = {"\ufdfa",  "\U0001d160",   "a+", "\uff76\uff9e",
					     "\u0f77 ", "\u00ad\u0301", "'s", "\u8bfe"};
	struct words *w = words_new();
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		char text[8 * 7000 + 1] = "";
		struct list list = {0};
		struct arena arena;
		size_t len = strlen(pieces[i]);
		for (size_t n = 0; n < 7000; n++)
			memcpy(text + n * len, pieces[i], len);
		arena_init(&arena, 1 << 20);
		int64_t began_us = monotonic_us();
		words_of_text(w, &arena, text, append, &list);
		assert_true(monotonic_us() - began_us < 2000000);
		arena_done(&arena);
	}
	words_free(w);
}

static void test_common_words(void **state)
{
	assert_true(word_is_common(span_str("the")) && word_is_common(span_str("a")));
	assert_false(word_is_common(span_str("it")) || word_is_common(span_str("")) ||
		     word_is_common(span_str("then")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_english_by_its_stems),
		cmocka_unit_test(test_signs_make_another_word),
		cmocka_unit_test(test_chinese_by_pairs),
		cmocka_unit_test(test_scripts_without_spaces_between_them),
		cmocka_unit_test(test_long_words_are_cut_between_characters),
		cmocka_unit_test(test_what_is_no_text_has_no_words),
		cmocka_unit_test(test_hostile_texts_take_little_time),
		cmocka_unit_test(test_common_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
