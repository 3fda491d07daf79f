/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/auth/token_text.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void test_base64url_known_answers(void **state)
{
	/* RFC 4648 section 10, without padding; and the two characters that differ from base64. */
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},          {"foob", "Zm9vYg"},
		{"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xff\xef\xff", "_-__"},
	};
	char text[16];
	uint8_t bytes[16];
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		base64url_encode(text, sizeof(text), cases[i].bytes, strlen(cases[i].bytes));
		assert_string_equal(text, cases[i].text);
		assert_int_equal(BASE64URL_SIZE(strlen(cases[i].bytes)), strlen(text) + 1);
		assert_true(base64url_decode(bytes, sizeof(bytes), text, strlen(text), &len));
		assert_int_equal(len, strlen(cases[i].bytes));
		assert_memory_equal(bytes, cases[i].bytes, len);
	}
}

/* Of the 64 last characters of a text of two, 4 use no bit they may not. */
static void test_base64url_one_text_per_value(void **state)
{
	uint8_t bytes[4];
	unsigned accepted = 0;
	size_t len;

	for (int i = 0; i < 64; i++) {
		char text[] = {'Z', alphabet[i]};

		accepted += base64url_decode(bytes, sizeof(bytes), text, 2, &len);
	}
	assert_int_equal(accepted, 4);
}

/* No byte but the 64 means anything, those above 0x7f included. */
static void test_base64url_takes_its_alphabet_only(void **state)
{
	uint8_t bytes[4];
	size_t len;

	for (int i = 0; i < 256; i++) {
		char text[] = {(char)i, 'A'};
		bool ours = i != 0 && strchr(alphabet, i) != NULL;

		assert_int_equal(base64url_decode(bytes, sizeof(bytes), text, 2, &len), ours);
	}
}

static void test_base64url_refuses(void **state)
{
	static const char *const bad[] = {"Z",   "Zg=",  "Zg==",  "Zg ",  " Zg",
					  "Z g", "Zg\n", "Zm9v+", "Zm9/", "Zm9vZ"};
	uint8_t bytes[16];
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(base64url_decode(bytes, sizeof(bytes), bad[i], strlen(bad[i]), &len));
	assert_false(base64url_decode(bytes, 2, "Zm9v", 4, &len)); /* larger than the room */
}

/* A text of the right shape with this s. */
static void token_with_s(const uint8_t s[32], char out[128])
{
	uint8_t signature[64] = {[31] = 1};

	memcpy(signature + 32, s, 32);
	strcpy(out, "e30.e30.");
	base64url_encode(out + 8, 120, signature, sizeof(signature));
}

static void test_smaller_s_only(void **state)
{
	/* n - 1, whose counterpart is 1; and the half of n, the largest that may be. */
	static const uint8_t high[32] = {0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff,
					 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
					 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x50};
	static const uint8_t one[32] = {[31] = 1};
	static const uint8_t half[32] = {0x7f, 0xff, 0xff, 0xff, 0x80, 0,    0,    0,    0x7f, 0xff, 0xff,
					 0xff, 0xff, 0xff, 0xff, 0xff, 0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b,
					 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8};
	struct token_text t;
	char text[128], same[128];

	token_with_s(high, text);
	assert_false(token_text_parse(&t, span_str(text)));
	assert_true(token_text_canonicalize(text));
	assert_true(token_text_parse(&t, span_str(text)));
	assert_memory_equal(t.signature + 32, one, 32);

	token_with_s(half, text);
	strcpy(same, text);
	assert_true(token_text_parse(&t, span_str(text)));
	assert_true(token_text_canonicalize(text));
	assert_string_equal(text, same);
	assert_false(token_text_canonicalize(strcpy(text, "e30.e30")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64url_known_answers),
		cmocka_unit_test(test_base64url_one_text_per_value),
		cmocka_unit_test(test_base64url_takes_its_alphabet_only),
		cmocka_unit_test(test_base64url_refuses),
		cmocka_unit_test(test_smaller_s_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
