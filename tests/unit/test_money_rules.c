/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/money/rules.h"

/* What the law of the ledger does not say; against it they are held by test_money_rules.py. */

static struct error err;

static const struct course_share three[] = {{11, 3333}, {12, 3333}, {13, 2000}};

static struct money_input sale(int64_t total, const struct course_share *sellers, unsigned n)
{
	return (struct money_input){.currency_code = "EUR",
				    .party_ids = {[MONEY_USER] = 7},
				    .total = total,
				    .sellers = sellers,
				    .n_sellers = n};
}

static int64_t amount_of(const struct ledger_posting *p, enum ledger_account account, int64_t owner_id)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < p->n; i++)
		if (p->entries[i].account == account && p->entries[i].owner_id == owner_id)
			sum += p->entries[i].amount;
	return sum;
}

static void posts_the_example_of_the_header(void **state)
{
	struct money_input in = sale(1001, three, 3);
	struct ledger_posting p;

	in.platform_basis_points = 3000;
	assert_int_equal(money_post(&p, MONEY_PURCHASE, &in, &err), 0);
	assert_int_equal(p.n, 6);
	assert_int_equal(p.cause, LEDGER_BY_PURCHASE);
	assert_int_equal(p.step, LEDGER_PURCHASE_PAID);
	assert_int_equal(amount_of(&p, LEDGER_WALLET, 7), -1001);
	assert_int_equal(amount_of(&p, LEDGER_PAYABLE, 11), 233);
	assert_int_equal(amount_of(&p, LEDGER_PAYABLE, 12), 233);
	assert_int_equal(amount_of(&p, LEDGER_PAYABLE, 13), 140);
	assert_int_equal(amount_of(&p, LEDGER_REVENUE, 0), 393);
	assert_int_equal(amount_of(&p, LEDGER_ROUNDING, 0), 2);
}

static void posts_a_top_up(void **state)
{
	const struct money_input in = {.currency_code = "EUR",
				       .party_ids = {[MONEY_USER] = 7, [MONEY_PROVIDER] = 3},
				       .total = INT64_MAX};
	struct ledger_posting p;

	assert_int_equal(money_post(&p, MONEY_TOP_UP, &in, &err), 0);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.cause, LEDGER_BY_PAYMENT);
	assert_int_equal(p.step, LEDGER_PAYMENT_RECEIVED);
	assert_true(amount_of(&p, LEDGER_CLEARING, 3) == -INT64_MAX);
	assert_true(amount_of(&p, LEDGER_WALLET, 7) == INT64_MAX);
}

static void leaves_out_entries_of_zero(void **state)
{
	/* Half of one cent each: both round to zero, and the cent is the rounding account's. */
	const struct course_share halves[] = {{11, 5000}, {12, 5000}};
	const struct money_input in = sale(1, halves, 2);
	struct ledger_posting p;

	assert_int_equal(money_post(&p, MONEY_PURCHASE, &in, &err), 0);
	assert_int_equal(p.n, 2);
	assert_int_equal(amount_of(&p, LEDGER_ROUNDING, 0), 1);
}

static void gives_the_platform_what_is_no_sellers(void **state)
{
	const struct course_share all[] = {{11, 10000}};
	struct money_input in = sale(999, NULL, 0);
	struct ledger_posting p;

	assert_int_equal(money_post(&p, MONEY_PURCHASE, &in, &err), 0);
	assert_int_equal(p.n, 2);
	assert_int_equal(amount_of(&p, LEDGER_REVENUE, 0), 999);

	in = sale(999, all, 1);
	assert_int_equal(money_post(&p, MONEY_PURCHASE, &in, &err), 0);
	assert_int_equal(p.n, 2);
	assert_int_equal(amount_of(&p, LEDGER_PAYABLE, 11), 999);

	in.platform_basis_points = 10000;
	assert_int_equal(money_post(&p, MONEY_PURCHASE, &in, &err), 0);
	assert_int_equal(p.n, 2);
	assert_int_equal(amount_of(&p, LEDGER_REVENUE, 0), 999);
}

static void shares_the_net(void **state)
{
	const struct course_share all[] = {{11, 10000}};
	struct money_input in = sale(11900, all, 1);
	struct ledger_posting p;

	in.tax = 1900;
	in.party_ids[MONEY_JURISDICTION] = 49;
	in.platform_basis_points = 3000;
	assert_int_equal(money_post(&p, MONEY_PURCHASE, &in, &err), 0);
	assert_int_equal(amount_of(&p, LEDGER_TAX, 49), 1900);
	assert_int_equal(amount_of(&p, LEDGER_PAYABLE, 11), 7000);
	assert_int_equal(amount_of(&p, LEDGER_REVENUE, 0), 3000);
	assert_int_equal(amount_of(&p, LEDGER_WALLET, 7), -11900);
	/* All of it tax: nothing is left to share. */
	in.tax = 11900;
	assert_int_equal(money_post(&p, MONEY_PURCHASE, &in, &err), 0);
	assert_int_equal(p.n, 2);
}

static void a_seller_who_buys_pays_and_is_owed(void **state)
{
	const struct course_share own[] = {{7, 10000}};
	const struct money_input in = sale(100, own, 1);
	struct ledger_posting p;

	assert_int_equal(money_post(&p, MONEY_PURCHASE, &in, &err), 0);
	assert_int_equal(amount_of(&p, LEDGER_WALLET, 7), -100);
	assert_int_equal(amount_of(&p, LEDGER_PAYABLE, 7), 100);
}

/* The largest total, and as many sellers as there may be. */
static void the_most_of_everything_fits(void **state)
{
	struct course_share shares[COURSE_INSTRUCTORS_MAX_ITEMS];
	struct ledger_posting p;

	for (int i = 0; i < COURSE_INSTRUCTORS_MAX_ITEMS; i++)
		shares[i] = (struct course_share){100 + i, 333};
	struct money_input in = sale(INT64_MAX, shares, COURSE_INSTRUCTORS_MAX_ITEMS);
	in.tax = 1;
	in.platform_basis_points = 3333;
	assert_int_equal(money_post(&p, MONEY_PURCHASE, &in, &err), 0);
	assert_int_equal(p.n, LEDGER_ENTRIES_MAX);
}

static void refuses_inputs_that_cannot_be(void **state)
{
	const struct course_share more[] = {{11, 6000}, {12, 4001}}, less[] = {{11, 6000}, {12, -1}};
	struct course_share many[COURSE_INSTRUCTORS_MAX_ITEMS + 1] = {{0}};
	struct money_input bad[] = {
		sale(0, three, 3),
		sale(-5, three, 3),
		sale(1000, more, 2),
		sale(1000, less, 2),
		sale(1000, many, COURSE_INSTRUCTORS_MAX_ITEMS + 1),
		sale(1000, three, 3),
		sale(1000, three, 3),
		sale(1000, three, 3),
		sale(1000, three, 3),
	};
	struct ledger_posting p;

	bad[5].tax = 1001;
	bad[6].tax = -1;
	bad[7].platform_basis_points = 10001;
	bad[8].platform_basis_points = -1;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (money_post(&p, MONEY_PURCHASE, &bad[i], &err) != -STATUS_INTERNAL)
			fail_msg("input %u is taken", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(posts_the_example_of_the_header),
		cmocka_unit_test(posts_a_top_up),
		cmocka_unit_test(leaves_out_entries_of_zero),
		cmocka_unit_test(gives_the_platform_what_is_no_sellers),
		cmocka_unit_test(shares_the_net),
		cmocka_unit_test(a_seller_who_buys_pays_and_is_owed),
		cmocka_unit_test(the_most_of_everything_fits),
		cmocka_unit_test(refuses_inputs_that_cannot_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
