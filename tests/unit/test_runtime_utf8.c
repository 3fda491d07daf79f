/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "proto/runtime/array.h"
#include "proto/runtime/utf8.h"

/* The definition, one code point at a time: the scan must agree with it on every one and two and three byte
 * text. */
static bool reference_valid(const uint8_t *p, size_t len)
{
	static const uint32_t least[] = {0, 1, 0x80, 0x800, 0x10000};

	for (size_t i = 0; i < len;) {
		size_t n = p[i] < 0x80       ? 1
			   : p[i] >> 5 == 6  ? 2
			   : p[i] >> 4 == 14 ? 3
			   : p[i] >> 3 == 30 ? 4
					     : 0;
		uint32_t code = n == 1 ? p[i] : p[i] & (0x7fu >> n);

		if (n == 0 || i + n > len)
			return false;
		for (size_t k = 1; k < n; k++) {
			if (p[i + k] >> 6 != 2)
				return false;
			code = code << 6 | (p[i + k] & 0x3f);
		}
		if (code < least[n] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
			return false;
		i += n;
	}
	return true;
}

static void test_agrees_with_its_definition(void **state)
{
	for (uint32_t v = 0; v < 1u << 24; v++) {
		uint8_t p[4] = {(uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

		if (utf8_valid(span_of(p, 3)) != reference_valid(p, 3))
			fail_msg("%02x %02x %02x", p[0], p[1], p[2]);
	}
	/* Four bytes: every lead and second byte, tails at their edges. */
	for (uint32_t v = 0; v < 1u << 16; v++) {
		static const uint8_t tails[] = {0x7f, 0x80, 0xbf, 0xc0};

		for (unsigned t = 0; t < 16; t++) {
			uint8_t p[4] = {(uint8_t)(v >> 8), (uint8_t)v, tails[t >> 2], tails[t & 3]};

			if (utf8_valid(span_of(p, 4)) != reference_valid(p, 4))
				fail_msg("%02x %02x %02x %02x", p[0], p[1], p[2], p[3]);
		}
	}
}

static void test_looks_at_every_byte_of_a_long_text(void **state)
{
	char text[41];

	for (size_t len = 0; len < sizeof(text); len++) {
		memset(text, 'a', sizeof(text));
		assert_true(utf8_valid(span_of(text, len)));
		for (size_t i = 0; i < len; i++) {
			text[i] = '\0';
			assert_false(utf8_valid(span_of(text, len)));
			text[i] = '\x80';
			assert_false(utf8_valid(span_of(text, len)));
			text[i] = '\x7f';
			assert_true(utf8_valid(span_of(text, len)));
			text[i] = '\x01';
			assert_true(utf8_valid(span_of(text, len)));
		}
	}
}

static void test_counts_code_points(void **state)
{
	assert_int_equal(utf8_length(span_str("")), 0);
	assert_int_equal(utf8_length(span_str("aé学😀")), 4);
}

static void test_print_cuts_between_characters(void **state)
{
	char out[4];

	utf8_print(out, sizeof(out), "a%s", "\u00e9\u00e9");
	assert_string_equal(out, "a\u00e9");
	utf8_print(out, sizeof(out), "%s",
		   "\xff"
		   "b");
	assert_string_equal(out, "?b");
	utf8_print(out, sizeof(out), "ab%s", "\U0001F600");
	assert_string_equal(out, "ab");
}

/* --- utf8_nfc --- */

static void test_nfc_of_what_looks_the_same_is_the_same(void **state)
{
	static const struct {
		const char *text, *nfc;
	} cases[] = {
		{"", ""},
		{"plain", "plain"},
		{"\u00e9", "\u00e9"},
		{"e\u0301", "\u00e9"},
		{"\u212b", "\u00c5"},               /* the Angstrom sign */
		{"q\u0307\u0323", "q\u0323\u0307"}, /* marks in their order */
		{"\u1112\u1161\u11ab", "\ud55c"},   /* Korean, by its parts */
		{"\u0f71\u0f72", "\u0f71\u0f72"},   /* never composed */
		{"\ufb01", "\ufb01"},               /* a ligature is not the same as its letters */
		{"\u7a0b\u5f0f", "\u7a0b\u5f0f"},
		{"\U0001d160", "\U0001d158\U0001d165\U0001d16e"}, /* three times as long */
	};
	struct arena arena;

	arena_init(&arena, 1 << 16);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *got = utf8_nfc(&arena, cases[i].text);

		assert_non_null(got);
		assert_string_equal(got, cases[i].nfc);
		assert_string_equal(utf8_nfc(&arena, got), got);
	}
	assert_ptr_equal(utf8_nfc(&arena, cases[2].text), cases[2].text);
	arena_done(&arena);
}

static void test_fold_of_what_is_sought_as_the_same_is_the_same(void **state)
{
	static const struct {
		const char *text, *folded;
	} cases[] = {
		{"", ""},
		{"c++ for ai", "c++ for ai"},
		{"C++ for AI", "c++ for ai"},
		{"\uff21\uff29\u3000\uff13", "ai 3"}, /* full width */
		{"STRASSE", "strasse"},
		{"stra\u00dfe", "strasse"},
		{"\u0130", "i\u0307"},
		{"\ufb01ne", "fine"},
		{"soft\u00adly", "softly"},
		{"\u673a\u5668", "\u673a\u5668"},
		{"\uff76\uff9e", "\u30ac"}, /* two halves of a Katakana */
	};
	struct arena arena;

	arena_init(&arena, 1 << 16);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *got = utf8_fold(&arena, cases[i].text);

		assert_non_null(got);
		assert_string_equal(got, cases[i].folded);
		assert_string_equal(utf8_fold(&arena, got), got);
	}
	assert_ptr_equal(utf8_fold(&arena, cases[1].text), cases[1].text);
	arena_done(&arena);
}

static void test_words_are_of_letters_digits_and_marks(void **state)
{
	assert_true(utf8_code_is_word('a') && utf8_code_is_word('7') && utf8_code_is_word(0x8bfe) &&
		    utf8_code_is_word(0x301));
	assert_false(utf8_code_is_word('+') || utf8_code_is_word(' ') || utf8_code_is_word(0x3002) ||
		     utf8_code_is_word(0x1F600) || utf8_code_is_word(0x10FFFF));
}

/* `n` marks of two classes by turns, which is the dearest to order. */
static char *with_marks(struct arena *arena, size_t n)
{
	char *text = arena_alloc(arena, 2 * n + 2), *p = text;

	*p++ = 'a';
	for (size_t i = 0; i < n; i++, p += 2)
		memcpy(p, i % 2 ? "\u0323" : "\u0301", 2);
	*p = '\0';
	return text;
}

static void test_nfc_refuses_marks_without_end(void **state)
{
	char disguised[31 * 3 + 1] = "";
	struct arena arena;

	arena_init(&arena, 1 << 22);
	assert_non_null(utf8_nfc(&arena, with_marks(&arena, 30)));
	assert_null(utf8_nfc(&arena, with_marks(&arena, 31)));
	assert_null(utf8_nfc(&arena, with_marks(&arena, 500000)));
	assert_false(arena.exhausted);
	/* U+0F73 is of class 0, and is taken apart into two marks of other classes. */
	for (size_t i = 0; i + 3 < sizeof(disguised); i += 3)
		memcpy(disguised + i, "\u0f73", 3);
	assert_null(utf8_nfc(&arena, disguised));
	disguised[30 * 3] = '\0';
	assert_non_null(utf8_nfc(&arena, disguised));
	assert_null(utf8_nfc(&arena, "\xe9"));
	arena_done(&arena);
	arena_init(&arena, 16);
	assert_null(utf8_nfc(&arena, "e\u0301 and a long text behind it"));
	assert_true(arena.exhausted);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees_with_its_definition),
		cmocka_unit_test(test_looks_at_every_byte_of_a_long_text),
		cmocka_unit_test(test_counts_code_points),
		cmocka_unit_test(test_print_cuts_between_characters),
		cmocka_unit_test(test_nfc_of_what_looks_the_same_is_the_same),
		cmocka_unit_test(test_nfc_refuses_marks_without_end),
		cmocka_unit_test(test_fold_of_what_is_sought_as_the_same_is_the_same),
		cmocka_unit_test(test_words_are_of_letters_digits_and_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
