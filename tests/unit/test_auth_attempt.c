/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/auth/attempt.h"
#include "tests/lib/threads.h"

static struct clock_fixed clock_;
static struct rate_limiter *rates;

static int set_up(void **state)
{
	clock_fixed_init(&clock_, INT64_C(1750000000000000));
	rates = rate_limiter_new(&clock_.clock);
	assert_true(rate_limiter_configure(rates, "login_source=0.2/3"));
	assert_true(rate_limiter_configure(rates, "login_account=0.2/10"));
	return 0;
}

static int tear_down(void **state)
{
	rate_limiter_free(rates);
	return 0;
}

/* False when it was refused. `known`: the source has signed in to the account before. */
static bool guess(int64_t user_id, const char *name, const char *address, bool known, bool right)
{
	struct attempt a;
	struct error err;

	attempt_init(&a, rates, user_id, name, address);
	if (attempt_needs_history(&a))
		a.spared = known;
	if (attempt_ask(&a, &err) < 0 || attempt_begin(&a, &err) < 0) {
		assert_ptr_equal(err.reason, &RPC_REASON_RATE_LIMITED);
		assert_true(err.retry_delay_ms > 0);
		return false;
	}
	if (right)
		attempt_right(&a);
	return true;
}

static void test_only_wrong_ones_count(void **state)
{
	for (int i = 0; i < 50; i++)
		assert_true(guess(7, "ada", "192.0.2.1", false, true));
	for (int i = 0; i < 3; i++)
		assert_true(guess(7, "ada", "192.0.2.1", false, false));
	assert_false(guess(7, "ada", "192.0.2.1", false, true));
	clock_.us += 5000000;
	assert_true(guess(7, "ada", "192.0.2.1", false, true));
}

static void test_a_guesser_keeps_nobody_else_out(void **state)
{
	for (int i = 0; i < 100; i++)
		guess(7, "ada", "192.0.2.66", false, false);
	assert_false(guess(7, "ada", "192.0.2.66", false, false));
	assert_true(guess(7, "ada", "192.0.2.1", false, true));
	assert_true(guess(8, "bob", "192.0.2.66", false, true));
}

static void test_many_guessers_keep_out_none_who_was_in(void **state)
{
	unsigned guesses = 0;
	char address[32];

	for (int i = 0; i < 200; i++) {
		snprintf(address, sizeof(address), "198.51.100.%d", i);
		guesses += guess(7, "ada", address, false, false);
	}
	assert_int_equal(guesses, 10);
	assert_true(guess(7, "ada", "192.0.2.1", true, true));
	assert_false(guess(7, "ada", "192.0.2.2", false, true));
	/* But a source that was in has no more guesses than any. */
	for (int i = 0; i < 3; i++)
		assert_true(guess(7, "ada", "192.0.2.1", true, false));
	assert_false(guess(7, "ada", "192.0.2.1", true, true));
}

/* Whichever name was given: an account has one budget. */
static void test_a_name_and_an_address_share_a_budget(void **state)
{
	assert_true(guess(7, "ada", "192.0.2.1", false, false));
	assert_true(guess(7, "ada@example.org", "192.0.2.1", false, false));
	assert_true(guess(7, "ada", "192.0.2.1", false, false));
	assert_false(guess(7, "ada@example.org", "192.0.2.1", false, true));
}

/* An account that there is not behaves alike. */
static void test_an_unknown_name_is_counted_alike(void **state)
{
	char address[32];
	unsigned guesses = 0;

	for (int i = 0; i < 3; i++)
		assert_true(guess(0, "nobody", "192.0.2.1", false, false));
	assert_false(guess(0, "nobody", "192.0.2.1", false, false));
	assert_true(guess(0, "somebody", "192.0.2.1", false, false));
	for (int i = 0; i < 200; i++) {
		snprintf(address, sizeof(address), "198.51.100.%d", i);
		guesses += guess(0, "nobody", address, false, false);
	}
	assert_int_equal(guesses, 7);
}

static void *guess_often(void *arg)
{
	unsigned *guesses = arg;

	for (int i = 0; i < 500; i++) {
		struct attempt a;
		struct error err;

		attempt_init(&a, rates, 7, "ada", "192.0.2.1");
		*guesses += attempt_ask(&a, &err) == 0 && attempt_begin(&a, &err) == 0;
	}
	return NULL;
}

static void test_no_more_at_once(void **state)
{
	unsigned guesses[4] = {0};

	threads_run(4, guess_often, guesses, sizeof(guesses[0]));
	assert_int_equal(guesses[0] + guesses[1] + guesses[2] + guesses[3], 3);
}

#define limited(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		limited(test_only_wrong_ones_count),
		limited(test_a_guesser_keeps_nobody_else_out),
		limited(test_many_guessers_keep_out_none_who_was_in),
		limited(test_a_name_and_an_address_share_a_budget),
		limited(test_an_unknown_name_is_counted_alike),
		limited(test_no_more_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
