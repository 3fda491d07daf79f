/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "proto/runtime/format.h"

static void assert_all(enum string_format format, bool taken, const char *const *texts)
{
	for (; *texts; texts++) {
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
	REFUSES(STRING_USER_NAME, "", "ab", "abcdefghijklmnopqrstuvwxyz0123456", "a b", "ada!", "адa", "a@b");
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

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
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

static void test_any(void **state)
{
	TAKES(STRING_ANY, "", "anything at all");
}

static void test_each_says_what_to_do(void **state)
{
	for (int format = STRING_UUID; format <= STRING_URL; format++)
		assert_memory_equal(format_must((enum string_format)format), "must be ", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uuid),          cmocka_unit_test(test_email),
		cmocka_unit_test(test_email_lengths), cmocka_unit_test(test_currency),
		cmocka_unit_test(test_user_name),     cmocka_unit_test(test_language),
		cmocka_unit_test(test_url),           cmocka_unit_test(test_url_length),
		cmocka_unit_test(test_any),           cmocka_unit_test(test_each_says_what_to_do),
		cmocka_unit_test(test_language_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
