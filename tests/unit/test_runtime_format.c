/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "grpc_c/v1/options.pb-c.h"
#include "proto/runtime/array.h"
#include "proto/runtime/format.h"
#include "proto/runtime/time_zone.h"

static const ProtobufCEnumDescriptor *const formats = &grpc_c__v1__string_format__descriptor;
static uint64_t tried[2]; /* which formats refused and took something, a bit for each */

static void assert_all(enum string_format format, bool taken, const char *const *texts)
{
	for (; *texts; texts++) {
		tried[taken] |= UINT64_C(1) << format;
		if (format_check(format, *texts) != taken)
			fail_msg("%s '%s'", taken ? "refused" : "took", *texts);
	}
}
#define TAKES(format, ...) assert_all(format, true, (const char *const[]){__VA_ARGS__, NULL})
#define REFUSES(format, ...) assert_all(format, false, (const char *const[]){__VA_ARGS__, NULL})

static void test_uuid(void **state)
{
	TAKES(STRING_UUID, "3e7c3f6d-9c1c-4f0a-8a53-0d9a7e0f2b61", "3E7C3F6D-9C1C-4F0A-8A53-0D9A7E0F2B61",
	      "00000000-0000-0000-0000-000000000000");
	REFUSES(STRING_UUID, "", "3e7c3f6d-9c1c-4f0a-8a53-0d9a7e0f2b6",
		"3e7c3f6d-9c1c-4f0a-8a53-0d9a7e0f2b611", "3e7c3f6d9c1c4f0a8a530d9a7e0f2b61",
		"3e7c3f6d-9c1c-4f0a-8a53-0d9a7e0f2b6g", "{3e7c3f6d-9c1c-4f0a-8a53-0d9a7e0f2b6}",
		"3e7c3f6d-9c1c-4f0a-8a5300d9a7e0f2b61");
}

static void test_email(void **state)
{
	TAKES(STRING_EMAIL, "ada@example.org", "a@b", "first.last+tag@sub.example.co.uk",
	      "!#$%&'*+/=?^_`{|}~-.@x.y", ".dots..anywhere.@example.org", "a@1.2");
	REFUSES(STRING_EMAIL, "", "@", "a@", "@b", "a", "a b@c", "a@b c", "a@b..c", "a@.b", "a@b.", "a@-b",
		"a@b-", "a@b_c", "a@@b", "\"a\"@b", "a@[127.0.0.1]", "é@b.c", "a@é.c", "a@b\n", "a,b@c");
}

static void test_email_lengths(void **state)
{
	char text[300];

	/* A label has at most 63 characters; the whole at most 254 bytes. */
	memset(text, 'a', sizeof(text));
	memcpy(text, "x@", 2);
	text[65] = '\0';
	TAKES(STRING_EMAIL, text);
	text[65] = 'a', text[66] = '\0';
	REFUSES(STRING_EMAIL, text);
	memset(text, 'a', sizeof(text));
	strcpy(text + 252, "@b");
	TAKES(STRING_EMAIL, text);
	memset(text, 'a', sizeof(text));
	strcpy(text + 253, "@b");
	REFUSES(STRING_EMAIL, text);
}

static void test_currency(void **state)
{
	TAKES(STRING_CURRENCY, "EUR", "CNY");
	REFUSES(STRING_CURRENCY, "", "eur", "XXX", "EURO");
}

static void test_user_name(void **state)
{
	TAKES(STRING_USER_NAME, "ada", "Ada.L_0-9", "abcdefghijklmnopqrstuvwxyz012345");
	REFUSES(STRING_USER_NAME, "", "ab", "abcdefghijklmnopqrstuvwxyz0123456", "a b", "ada!", "адa", "a@b",
		"-rf", ".ada", "ada_", "...", "ada\n");
}

static void test_language(void **state)
{
	TAKES(STRING_LANGUAGE, "en", "zh", "fil", "zh-Hans", "pt-BR", "zh-Hant-TW", "es-419", "sr-Latn-RS",
	      "EN", "en-us", "ZH-hANS");
	REFUSES(STRING_LANGUAGE, "", "e", "english", "en_US", "zh-Hans-", "-en", "en-", "en-U", "en-USA",
		"en-41", "en-US-x-private", "en-Latin", "zh-TW-Hant", "en ");
}

static void test_language_case(void **state)
{
	static const char *const tags[][2] = {
		{"", ""},
		{"EN", "en"},
		{"fIL", "fil"},
		{"en-us", "en-US"},
		{"ZH-hANS", "zh-Hans"},
		{"zH-hant-tW", "zh-Hant-TW"},
		{"ES-419", "es-419"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		char tag[16];

		snprintf(tag, sizeof(tag), "%s", tags[i][0]);
		format_language(tag);
		assert_string_equal(tag, tags[i][1]);
	}
}

static void test_url(void **state)
{
	TAKES(STRING_URL, "https://example.org", "http://example.org/",
	      "HTTPS://Example.ORG:8443/a%20b?c=d&e#f", "https://[2001:db8::1]/x", "https://[::1]:443",
	      "http://127.0.0.1", "https://a.b?x", "https://a.b#x", "https://localhost:1/");
	REFUSES(STRING_URL, "", "example.org", "//example.org", "ftp://example.org", "https://", "https:///x",
		"javascript:alert(1)", "https://a b", "https://a.b/c d", "https://a.b/\"", "https://a.b/<x>",
		"https://user@a.b", "https://user:pw@a.b", "https://a.b:", "https://a.b:0",
		"https://a.b:65536", "https://a.b:999999", "https://a..b", "https://-a.b", "https://a.b/%",
		"https://a.b/%2", "https://a.b/%zz", "https://é.org", "https://a.b/é", "https://a.b\n",
		"https://[::1", "https://[xyz]/", "https://a.b\\c");
}

static void test_url_length(void **state)
{
	char text[2100] = "https://a.b/";

	memset(text + 12, 'x', 2048 - 12);
	TAKES(STRING_URL, text);
	text[2048] = 'x';
	REFUSES(STRING_URL, text);
}

static void test_slug(void **state)
{
	TAKES(STRING_SLUG, "a", "7", "stripe", "bank-transfer", "a--b", "0123456789abcdef0123456789abcdef");
	REFUSES(STRING_SLUG, "", "Stripe", "stripe ", " stripe", "-stripe", "stripe-", "-", "a_b", "a.b",
		"a b", "str\xC3\xAFpe", "stripe\n", "0123456789abcdef0123456789abcdef0");
}

static void test_key(void **state)
{
	TAKES(STRING_KEY, "a", "pi_3MtwBwLkdIwHu7ix28a3tqPa", "2026/11 26 (a)", "-1", "Case", "~");
	REFUSES(STRING_KEY, "", " ", "   ", "a ", " a", "a\n", "a\tb", "\x7F", "a\xE2\x80\x8B" /* U+200B */,
		"\xD0\xB0" /* Cyrillic a */, "\xE8\xAF\xBE", "a\xC2\xA0");
}

#define INVISIBLE                                                                                            \
	"\xE2\x80\x8B" /* U+200B zero width space */, "\xE2\x80\x8D" /* U+200D joiner */,                    \
		"\xE2\x80\x8E" /* U+200E mark */, "\xEF\xBB\xBF" /* U+FEFF */, "\xC2\xAD" /* U+00AD */,      \
		"\xE2\xA0\x80" /* U+2800 blank braille */, "\xE3\x85\xA4" /* U+3164 Hangul filler */,        \
		"\xCC\x81" /* U+0301 alone */, "\xEF\xB8\x8F" /* U+FE0F */,                                  \
		"\xF3\xA0\x81\xA7" /* U+E0067 */, "\xE2\x80\x8B\xE2\x80\x8B"
#define CONTROLS                                                                                             \
	"a\x01", "\x1B[1ma", "a\x7F", "a\xC2\x9B" /* C1 */, "a\xE2\x80\xAE" /* U+202E override */,           \
		"a\xE2\x80\xAA" /* U+202A */, "a\xE2\x81\xA6" /* U+2066 isolate */, "a\xE2\x81\xA9", "a\b"

static void test_text_line(void **state)
{
	TAKES(STRING_TEXT_LINE, "a", "Compilers by hand", "C", "\xE6\x96\xB0\xE7\x94\xA8\xE6\x88\xB7",
	      "\xD9\x85\xD8\xB1\xD8\xAD\xD8\xA8\xD8\xA7", "5", "...", "a-b",
	      "\xE2\x88\x92"
	      "5" /* U+2212 minus */,
	      "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB" /* woman, joiner, laptop */,
	      "\xD9\x85\xE2\x80\x8C\xD9\x85" /* Persian with U+200C */,
	      "a\xC2\xA0"
	      "b",
	      "e\xCC\x81", "\xE0\xA4\xA8\xE0\xA4\xBF" /* Devanagari with a vowel sign */);
	REFUSES(STRING_TEXT_LINE, "", " ", "   ", " a", "a ", "a\xC2\xA0",
		"\xE3\x80\x80"
		"a",
		"a\nb", "a\n", "\n", "a\tb", "a\r",
		"a\xE2\x80\xA8"
		"b" /* U+2028 */,
		"-rf", "-", "--help",
		"\xE2\x80\x8B"
		"-rf" /* U+200B before it */,
		"\xEF\xBF\xBF" /* U+FFFF */, "\xF4\x8F\xBF\xBF", "\xEF\xB7\x90", INVISIBLE, CONTROLS);
}

static void test_text(void **state)
{
	TAKES(STRING_TEXT, "a", "a\nb\n", "\tcode\r\n", "- one\n- two", " a ",
	      "a\xE2\x80\xA8"
	      "b",
	      ".\n");
	REFUSES(STRING_TEXT, "", " ", "\n", " \n\t\r\n", INVISIBLE, CONTROLS);
}

static void test_time_zone(void **state)
{
	TAKES(STRING_TIME_ZONE, "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Calcutta", "UTC",
	      "Etc/GMT+5");
	REFUSES(STRING_TIME_ZONE, "", "Europe", "Europe/", "europe/berlin", "Europe/Atlantis", " UTC", "UTC ",
		"+01:00", "../UTC", "posix/UTC", "localtime", "Factory");
	assert_true(n_time_zones > 400);
	for (size_t i = 0; i < n_time_zones; i++) {
		assert_true(i == 0 || strcmp(time_zones[i - 1], time_zones[i]) < 0);
		assert_true(strlen(time_zones[i]) <= 64); /* what max_length has */
	}
}

static void test_decimal(void **state)
{
	TAKES(STRING_DECIMAL, "0", "-0", "7", "-12", "0.5", "-0.000000001", "3.140000000", "999999999999999",
	      "-999999999999999.999999999");
	REFUSES(STRING_DECIMAL, "", "-", "+1", "--1", ".5", "-.5", "5.", "01", "00", "-01.5", "1.2.3", "1,5",
		"1e3", "1E3", "0x1", "NaN", "nan", "Infinity", "-inf", " 1", "1 ", "1\n", "1 000", "1_000",
		"١", "1000000000000000", "1.0000000000", "0.-5", "1.5-");
}

/* What is kept in one form, and only that. */
static void test_which_are_text(void **state)
{
	for (unsigned format = STRING_ANY; format < formats->n_values; format++)
		assert_int_equal(format_is_text((enum string_format)format),
				 format == STRING_TEXT_LINE || format == STRING_TEXT);
}

static void test_any(void **state)
{
	TAKES(STRING_ANY, "", "anything at all");
}

static void test_each_says_what_to_do(void **state)
{
	const size_t room = sizeof(((struct error_violation *)0)->description);

	for (unsigned format = STRING_UUID; format < formats->n_values; format++) {
		const char *must = format_must((enum string_format)format);

		assert_memory_equal(must, "must be ", 8);
		assert_true(strlen(must) < room);
	}
}

/* The last: a format that the options have and nobody enforces is named. */
static void test_each_takes_and_refuses(void **state)
{
	for (unsigned i = 0; i < formats->n_values; i++) {
		assert_int_equal(formats->values[i].value, i);
		if (!(tried[true] >> i & 1) || (i != STRING_ANY && !(tried[false] >> i & 1)))
			fail_msg("nothing here is taken and refused for being %s", formats->values[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_email),
		cmocka_unit_test(test_email_lengths),
		cmocka_unit_test(test_currency),
		cmocka_unit_test(test_user_name),
		cmocka_unit_test(test_language),
		cmocka_unit_test(test_time_zone),
		cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_url_length),
		cmocka_unit_test(test_any),
		cmocka_unit_test(test_each_says_what_to_do),
		cmocka_unit_test(test_language_case),
		cmocka_unit_test(test_slug),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_text_line),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_which_are_text),
		cmocka_unit_test(test_each_takes_and_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
