/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/auth/refresh.h"

/* A session's first three tokens, and what is stored after each. */
struct history {
	struct refresh_token tokens[3];
	struct refresh_stored stored[3];
};

static void live(struct history *h)
{
	uint8_t nonce[REFRESH_NONCE_LEN];

	refresh_token_begin(INT64_C(0x123456789abcdef), &h->tokens[0], &h->stored[0]);
	for (int i = 1; i < 3; i++) {
		h->tokens[i] = h->tokens[i - 1];
		h->stored[i] = h->stored[i - 1];
		refresh_nonce_make(nonce);
		refresh_token_exchange(&h->tokens[i], nonce, &h->stored[i]);
	}
}

static void test_what_each_token_is(void **state)
{
	struct history h, other;
	struct refresh_token made_up;

	live(&h);
	live(&other);
	for (int now = 0; now < 3; now++)
		for (int i = 0; i <= now; i++)
			assert_int_equal(refresh_token_kind(&h.tokens[i], &h.stored[now]),
					 i == now       ? REFRESH_NEWEST
					 : i == now - 1 ? REFRESH_PREVIOUS
							: REFRESH_OLDER);
	for (int i = 0; i < 3; i++)
		assert_int_equal(refresh_token_kind(&other.tokens[i], &h.stored[2]), REFRESH_UNKNOWN);
	/* Who knows a session's id, but no token of it, cannot end it. */
	made_up = other.tokens[0];
	made_up.session_id = h.tokens[0].session_id;
	assert_int_equal(refresh_token_kind(&made_up, &h.stored[2]), REFRESH_UNKNOWN);
	/* Nor is what is stored a token. */
	made_up = h.tokens[0];
	memcpy(made_up.secret, h.stored[2].newest_hash, sizeof(made_up.secret));
	assert_int_equal(refresh_token_kind(&made_up, &h.stored[2]), REFRESH_OLDER);
}

static void test_the_previous_one_has_the_same_successor(void **state)
{
	struct refresh_token again;
	struct history h;

	live(&h);
	refresh_token_successor(&h.tokens[1], &h.stored[2], &again);
	assert_memory_equal(&again, &h.tokens[2], sizeof(again));
	/* Not without the nonce of that exchange. */
	refresh_token_successor(&h.tokens[1], &h.stored[1], &again);
	assert_memory_not_equal(again.secret, h.tokens[2].secret, sizeof(again.secret));
}

static void test_round_trip(void **state)
{
	char text[REFRESH_TOKEN_SIZE], other[REFRESH_TOKEN_SIZE];
	struct refresh_token got;
	struct history h;

	live(&h);
	for (int i = 0; i < 3; i++) {
		refresh_token_format(&h.tokens[i], text);
		assert_int_equal(strlen(text), REFRESH_TOKEN_SIZE - 1);
		assert_memory_equal(text, "rt_", 3);
		assert_true(refresh_token_parse(text, &got));
		assert_memory_equal(&got, &h.tokens[i], sizeof(got));
		refresh_token_format(&h.tokens[(i + 1) % 3], other);
		assert_string_not_equal(text, other);
	}
}

/* Every bit of the text counts. */
static void test_one_text(void **state)
{
	char text[REFRESH_TOKEN_SIZE];
	struct refresh_token got;
	struct history h;

	live(&h);
	refresh_token_format(&h.tokens[2], text);
	for (int i = 0; i < REFRESH_TOKEN_SIZE - 1; i++) {
		for (int bit = 0; bit < 8; bit++) {
			text[i] = (char)(text[i] ^ 1 << bit);
			if (refresh_token_parse(text, &got))
				assert_true(got.session_id != h.tokens[2].session_id ||
					    refresh_token_kind(&got, &h.stored[2]) != REFRESH_NEWEST);
			text[i] = (char)(text[i] ^ 1 << bit);
		}
	}
}

static void test_malformed(void **state)
{
	char text[REFRESH_TOKEN_SIZE], longer[REFRESH_TOKEN_SIZE + 2];
	struct refresh_token got;
	struct history h;

	live(&h);
	refresh_token_format(&h.tokens[0], text);
	snprintf(longer, sizeof(longer), "%s=", text);
	assert_false(refresh_token_parse(longer, &got));
	assert_false(refresh_token_parse("", &got));
	assert_false(refresh_token_parse("rt_", &got));
	assert_false(refresh_token_parse(text + 1, &got));
	text[20] = '+';
	assert_false(refresh_token_parse(text, &got));
	refresh_token_format(&h.tokens[0], text);
	text[0] = 'R';
	assert_false(refresh_token_parse(text, &got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_each_token_is),
		cmocka_unit_test(test_the_previous_one_has_the_same_successor),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_one_text),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
