/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/auth/rate.h"
#include "tests/lib/threads.h"

#define T0 INT64_C(1750000000000000)

static struct clock_fixed clock_;
static struct error err;
static const struct principal anonymous;

static struct rate_limiter *fresh(const char *spec)
{
	struct rate_limiter *l;

	clock_fixed_init(&clock_, T0);
	l = rate_limiter_new(&clock_.clock);
	if (spec)
		assert_true(rate_limiter_configure(l, spec));
	return l;
}

static bool login_from(struct rate_limiter *l, const char *address)
{
	return rate_admit(l, RATE_LOGIN, &anonymous, address, &err) == 0;
}

static void test_burst_then_refill(void **state)
{
	struct rate_limiter *l = fresh("login=2/5");

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 5; i++)
			assert_true(login_from(l, "192.0.2.1"));
		assert_false(login_from(l, "192.0.2.1"));
		clock_.us += 499999;
		assert_false(login_from(l, "192.0.2.1"));
		clock_.us += 1;
		assert_true(login_from(l, "192.0.2.1"));
		assert_false(login_from(l, "192.0.2.1"));
		clock_.us += 60 * 1000000; /* full again, and no fuller */
	}
	rate_limiter_free(l);
}

static void test_error_says_when_to_come_again(void **state)
{
	struct rate_limiter *l = fresh("login=2/1");

	assert_true(login_from(l, "192.0.2.1"));
	clock_.us += 100000;
	assert_int_equal(rate_admit(l, RATE_LOGIN, &anonymous, "192.0.2.1", &err),
			 -STATUS_RESOURCE_EXHAUSTED);
	assert_ptr_equal(err.reason, &RPC_REASON_RATE_LIMITED);
	assert_int_equal(err.retry_delay_ms, 400);
	assert_int_equal(err.violation_kind, ERROR_VIOLATION_QUOTA);
	assert_int_equal(err.n_violations, 1);
	assert_string_equal(err.violations[0].field, "address");
	clock_.us += 400000;
	assert_true(login_from(l, "192.0.2.1"));
	rate_limiter_free(l);
}

static void test_subjects_are_apart(void **state)
{
	struct rate_limiter *l = fresh("login=1/1");
	struct principal one = {.user_id = 1}, two = {.user_id = 2};

	assert_true(rate_limiter_configure(l, "=1/1"));
	assert_true(login_from(l, "192.0.2.1"));
	assert_false(login_from(l, "192.0.2.1"));
	assert_true(login_from(l, "192.0.2.2"));
	/* by address even when signed in */
	assert_int_not_equal(rate_admit(l, RATE_LOGIN, &one, "192.0.2.1", &err), 0);
	/* classes do not share a bucket; the default one goes by account, wherever it calls from */
	assert_int_equal(rate_admit(l, "", &one, "192.0.2.1", &err), 0);
	assert_int_not_equal(rate_admit(l, "", &one, "192.0.2.9", &err), 0);
	assert_string_equal(err.violations[0].field, "account");
	assert_int_equal(rate_admit(l, "", &two, "192.0.2.1", &err), 0);
	/* an unknown class is the default one, never without limit */
	assert_int_not_equal(rate_admit(l, "typo", &two, "", &err), 0);
	rate_limiter_free(l);
}

/* A stranger is counted by his address, whatever the method that counts accounts. */
static void test_strangers(void **state)
{
	struct rate_limiter *l = fresh("stranger=1/2");
	struct principal one = {.user_id = 1};

	for (int i = 0; i < 2; i++)
		assert_int_equal(rate_admit(l, "", &anonymous, "192.0.2.1", &err), 0);
	assert_int_not_equal(rate_admit(l, "", &anonymous, "192.0.2.1", &err), 0);
	assert_string_equal(err.violations[0].field, "address");
	assert_int_equal(rate_admit(l, "", &anonymous, "192.0.2.2", &err), 0);
	assert_int_equal(rate_admit(l, "", &one, "192.0.2.1", &err), 0);
	assert_true(login_from(l, "192.0.2.1"));
	rate_limiter_free(l);
}

static void test_by_bytes(void **state)
{
	struct rate_limiter *l = fresh("login_account=0.2/3");
	struct span mallory = span_str("mallory");

	for (int i = 0; i < 3; i++) {
		assert_int_equal(rate_ask(l, RATE_LOGIN_ACCOUNT, mallory, &err), 0);
		assert_int_equal(rate_take(l, RATE_LOGIN_ACCOUNT, mallory, &err), 0);
	}
	assert_int_equal(rate_take(l, RATE_LOGIN_ACCOUNT, mallory, &err), -STATUS_RESOURCE_EXHAUSTED);
	assert_int_equal(err.retry_delay_ms, 5000);
	assert_int_equal(rate_ask(l, RATE_LOGIN_ACCOUNT, mallory, &err), -STATUS_RESOURCE_EXHAUSTED);
	assert_int_equal(rate_take(l, RATE_LOGIN_ACCOUNT, span_str("alice"), &err), 0);
	/* What is given back is there again, once. */
	rate_give_back(l, RATE_LOGIN_ACCOUNT, mallory);
	assert_int_equal(rate_take(l, RATE_LOGIN_ACCOUNT, mallory, &err), 0);
	assert_int_not_equal(rate_take(l, RATE_LOGIN_ACCOUNT, mallory, &err), 0);
	/* A bucket never holds more than it holds. */
	for (int i = 0; i < 10; i++)
		rate_give_back(l, RATE_LOGIN_ACCOUNT, mallory);
	for (int i = 0; i < 3; i++)
		assert_int_equal(rate_take(l, RATE_LOGIN_ACCOUNT, mallory, &err), 0);
	assert_int_not_equal(rate_take(l, RATE_LOGIN_ACCOUNT, mallory, &err), 0);
	rate_limiter_free(l);
}

static void test_no_limit(void **state)
{
	struct rate_limiter *l = fresh("=0/1");
	struct principal one = {.user_id = 1};

	for (int i = 0; i < 100000; i++)
		assert_int_equal(rate_admit(l, "", &one, "192.0.2.1", &err), 0);
	rate_limiter_free(l);
}

static void test_clock_set_back_locks_nobody_out(void **state)
{
	struct rate_limiter *l = fresh("login=2/5");

	for (int i = 0; i < 5; i++)
		assert_true(login_from(l, "192.0.2.1"));
	clock_.us -= INT64_C(3600) * 1000000;
	assert_false(login_from(l, "192.0.2.1"));
	assert_in_range(err.retry_delay_ms, 1, 500);
	clock_.us += 500000;
	assert_true(login_from(l, "192.0.2.1"));
	rate_limiter_free(l);
}

static void test_an_ipv6_network_is_one_caller(void **state)
{
	struct rate_limiter *l = fresh("login=0.001/1");

	assert_true(login_from(l, "2001:db8:1:2::1"));
	assert_false(login_from(l, "2001:db8:1:2:ffff:1:2:3"));
	assert_false(login_from(l, "2001:0DB8:0001:0002::9"));
	assert_true(login_from(l, "2001:db8:1:3::1"));
	assert_true(login_from(l, "::ffff:192.0.2.1"));
	assert_true(login_from(l, "::ffff:192.0.2.2"));
	assert_false(login_from(l, "::ffff:192.0.2.2"));
	rate_limiter_free(l);
}

/* Neither do the 256 networks of a /56, nor the 65,536 of a /48, have a budget each. */
static void test_wider_ipv6_networks_have_budgets(void **state)
{
	struct rate_limiter *l = fresh("login=0.001/10");
	unsigned admitted = 0;
	char address[64];

	for (int i = 0; i < 256; i++) {
		snprintf(address, sizeof(address), "2001:db8:1:%x::1", i);
		admitted += login_from(l, address);
	}
	assert_int_equal(admitted, 20);
	for (int i = 256; i < 4096; i++) {
		snprintf(address, sizeof(address), "2001:db8:1:%x::1", i);
		admitted += login_from(l, address);
	}
	assert_int_equal(admitted, 30);
	assert_true(login_from(l, "2001:db8:2::1"));
	/* What was given back was taken nowhere. */
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(rate_take_address(l, RATE_LOGIN, "2001:db8:3::1", &err), 0);
		rate_give_back_address(l, RATE_LOGIN, "2001:db8:3::1");
	}
	rate_limiter_free(l);
}

static void test_networks(void **state)
{
	unsigned char buffer[RATE_NETWORK_MAX];

	assert_int_equal(rate_network("192.0.2.1", buffer).len, 4);
	assert_int_equal(rate_network("::ffff:192.0.2.1", buffer).len, 4);
	assert_int_equal(rate_network("2001:db8::1", buffer).len, 8);
	assert_int_equal(rate_network("", buffer).len, 0);
	assert_int_equal(rate_network("unix", buffer).len, 0);
}

/* A flood of addresses costs no memory, and those who were refused before it mostly still are. */
static void test_flood_of_subjects(void **state)
{
	struct rate_limiter *l = fresh("login=0.1/2");
	unsigned forgotten = 0;
	char address[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(address, sizeof(address), "guesser-%d", i);
		while (login_from(l, address))
			;
	}
	for (int i = 0; i < 300000; i++) {
		snprintf(address, sizeof(address), "flood-%d", i);
		login_from(l, address);
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(address, sizeof(address), "guesser-%d", i);
		forgotten += login_from(l, address);
	}
	assert_true(forgotten < 50);
	rate_limiter_free(l);
}

static void test_specs(void **state)
{
	static const char *const bad[] = {"",
					  "login",
					  "login=",
					  "login=5",
					  "login=5/",
					  "login=5/0",
					  "x=5/5",
					  "login=-1/5",
					  "login=nan/5",
					  "login=5/5x",
					  "login=5/5 ",
					  "login=inf/5",
					  "login=1e-9/5",
					  "login=5/99999999999"};
	struct rate_limiter *l = fresh(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(rate_limiter_configure(l, bad[i]));
	assert_true(rate_limiter_configure(l, "login=0.5/5"));
	assert_true(rate_limiter_configure(l, "=10000000/20000001"));
	assert_true(rate_class_known(RATE_LOGIN_ACCOUNT));
	assert_true(rate_class_known(""));
	assert_false(rate_class_known("typo"));
	rate_limiter_free(l);
}

struct caller {
	struct rate_limiter *limiter;
	unsigned admitted;
};

static void *call_often(void *arg)
{
	struct caller *c = arg;
	struct error mine;

	for (int i = 0; i < 1000; i++)
		c->admitted += rate_take(c->limiter, RATE_LOGIN_ACCOUNT, span_str("ada"), &mine) == 0;
	return NULL;
}

/* However many ask at once, a bucket gives what it holds and no more. */
static void test_threads_share_a_bucket(void **state)
{
	enum { CALLERS = 4, BURST = 500 };
	struct rate_limiter *l = fresh("login_account=0.001/500");
	struct caller callers[CALLERS];
	unsigned admitted = 0;

	for (int i = 0; i < CALLERS; i++)
		callers[i] = (struct caller){.limiter = l};
	threads_run(CALLERS, call_often, callers, sizeof(callers[0]));
	for (int i = 0; i < CALLERS; i++)
		admitted += callers[i].admitted;
	assert_int_equal(admitted, BURST);
	rate_limiter_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_then_refill),
		cmocka_unit_test(test_error_says_when_to_come_again),
		cmocka_unit_test(test_subjects_are_apart),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_by_bytes),
		cmocka_unit_test(test_no_limit),
		cmocka_unit_test(test_clock_set_back_locks_nobody_out),
		cmocka_unit_test(test_an_ipv6_network_is_one_caller),
		cmocka_unit_test(test_wider_ipv6_networks_have_budgets),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_flood_of_subjects),
		cmocka_unit_test(test_specs),
		cmocka_unit_test(test_threads_share_a_bucket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
