/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "edu/v1/edu_service.tables.h"
#include "server/money/ledger.h"

static struct error err;

static int64_t amount_of(const struct ledger_posting *p, enum ledger_account account, int64_t owner_id)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < p->n; i++)
		if (p->entries[i].account == account && p->entries[i].owner_id == owner_id)
			sum += p->entries[i].amount;
	return sum;
}

static const struct course_share three[] = {{11, 3333}, {12, 3333}, {13, 2000}};

static void posts_the_example_of_the_header(void **state)
{
	struct ledger_posting p = {0};

	assert_int_equal(ledger_post_purchase(&p, 7, "EUR", 1001, three, 3, &err), 0);
	assert_int_equal(p.n, 6);
	assert_int_equal(amount_of(&p, LEDGER_WALLET, 7), -1001);
	assert_int_equal(amount_of(&p, LEDGER_PAYABLE, 11), 333);
	assert_int_equal(amount_of(&p, LEDGER_PAYABLE, 12), 333);
	assert_int_equal(amount_of(&p, LEDGER_PAYABLE, 13), 200);
	assert_int_equal(amount_of(&p, LEDGER_REVENUE, 0), 133);
	assert_int_equal(amount_of(&p, LEDGER_ROUNDING, 0), 2);
}

static void leaves_out_entries_of_zero(void **state)
{
	struct ledger_posting p = {0};

	/* Half of one cent each: both round to zero, and the cent is the rounding account's. */
	const struct course_share halves[] = {{11, 5000}, {12, 5000}};
	assert_int_equal(ledger_post_purchase(&p, 7, "EUR", 1, halves, 2, &err), 0);
	assert_int_equal(p.n, 2);
	assert_int_equal(amount_of(&p, LEDGER_ROUNDING, 0), 1);
}

static void gives_the_platform_what_nobody_shares(void **state)
{
	struct ledger_posting p = {0}, q = {0};

	assert_int_equal(ledger_post_purchase(&p, 7, "JPY", 999, NULL, 0, &err), 0);
	assert_int_equal(p.n, 2);
	assert_int_equal(amount_of(&p, LEDGER_REVENUE, 0), 999);

	const struct course_share all[] = {{11, 10000}};
	assert_int_equal(ledger_post_purchase(&q, 7, "JPY", 999, all, 1, &err), 0);
	assert_int_equal(q.n, 2);
	assert_int_equal(amount_of(&q, LEDGER_PAYABLE, 11), 999);
}

static void an_instructor_who_buys_pays_and_is_owed(void **state)
{
	struct ledger_posting p = {0};
	const struct course_share own[] = {{7, 10000}};

	assert_int_equal(ledger_post_purchase(&p, 7, "EUR", 100, own, 1, &err), 0);
	assert_int_equal(amount_of(&p, LEDGER_WALLET, 7), -100);
	assert_int_equal(amount_of(&p, LEDGER_PAYABLE, 7), 100);
}

/* Any total and any shares: exact, nobody is owed more than the share says, rounding below a unit per share.
 */
static void any_purchase_sums_to_zero(void **state)
{
	srandom(1);
	for (int round = 0; round < 20000; round++) {
		struct course_share shares[COURSE_INSTRUCTORS_MAX_ITEMS];
		unsigned n = (unsigned)random() % (COURSE_INSTRUCTORS_MAX_ITEMS + 1);
		int left = 10000;
		int64_t total = round % 4 ? 1 + random() % 100000 : INT64_MAX - random();
		struct ledger_posting p = {0};
		int64_t sum = 0;

		for (unsigned i = 0; i < n; i++) {
			shares[i] = (struct course_share){100 + i, (int)(random() % (left + 1))};
			left -= shares[i].share_basis_points;
		}
		assert_int_equal(ledger_post_purchase(&p, 7, "EUR", total, shares, n, &err), 0);
		for (unsigned i = 0; i < p.n; i++) {
			assert_int_not_equal(p.entries[i].amount, 0);
			sum += p.entries[i].amount;
		}
		assert_int_equal(sum, 0);
		assert_true(amount_of(&p, LEDGER_WALLET, 7) == -total);
		assert_in_range(amount_of(&p, LEDGER_ROUNDING, 0), 0, n);
		for (unsigned i = 0; i < n; i++)
			assert_true(amount_of(&p, LEDGER_PAYABLE, 100 + i) ==
				    money_share(total, shares[i].share_basis_points));
	}
}

static void refuses_shares_above_the_whole(void **state)
{
	struct ledger_posting p = {0};
	const struct course_share more[] = {{11, 6000}, {12, 4001}};

	assert_int_equal(ledger_post_purchase(&p, 7, "EUR", 1000, more, 2, &err), -STATUS_INTERNAL);
}

static void refuses_amounts_that_are_none(void **state)
{
	struct ledger_posting p = {0};

	assert_int_equal(ledger_post_purchase(&p, 7, "EUR", 0, three, 3, &err), -STATUS_INTERNAL);
	assert_int_equal(ledger_post_purchase(&p, 7, "EUR", -5, three, 3, &err), -STATUS_INTERNAL);
	assert_int_equal(ledger_post_top_up(&p, 3, 7, "EUR", 0, &err), -STATUS_INTERNAL);
}

static void posts_a_top_up(void **state)
{
	struct ledger_posting p = {0};

	assert_int_equal(ledger_post_top_up(&p, 3, 7, "EUR", INT64_MAX, &err), 0);
	assert_int_equal(p.n, 2);
	assert_true(amount_of(&p, LEDGER_CLEARING, 3) == -INT64_MAX);
	assert_true(amount_of(&p, LEDGER_WALLET, 7) == INT64_MAX);
}

static void refuses_what_does_not_sum_to_zero(void **state)
{
	struct ledger_posting p = {0};

	assert_int_equal(ledger_check(&p, &err), -STATUS_INTERNAL);
	ledger_add(&p, LEDGER_WALLET, 7, "EUR", 100);
	assert_int_equal(ledger_check(&p, &err), -STATUS_INTERNAL);
	ledger_add(&p, LEDGER_REVENUE, 0, "EUR", -99);
	assert_int_equal(ledger_check(&p, &err), -STATUS_INTERNAL);
	ledger_add(&p, LEDGER_ROUNDING, 0, "EUR", -1);
	assert_int_equal(ledger_check(&p, &err), 0);
}

static void sums_each_currency_by_itself(void **state)
{
	struct ledger_posting p = {0};

	ledger_add(&p, LEDGER_WALLET, 7, "EUR", 100);
	ledger_add(&p, LEDGER_REVENUE, 0, "USD", -100);
	assert_int_equal(ledger_check(&p, &err), -STATUS_INTERNAL);
	ledger_add(&p, LEDGER_REVENUE, 0, "EUR", -100);
	ledger_add(&p, LEDGER_WALLET, 7, "USD", 100);
	assert_int_equal(ledger_check(&p, &err), 0);
}

static void tells_an_overflow(void **state)
{
	struct ledger_posting p = {0};

	ledger_add(&p, LEDGER_WALLET, 7, "EUR", INT64_MAX);
	ledger_add(&p, LEDGER_WALLET, 8, "EUR", 1);
	assert_int_equal(ledger_check(&p, &err), -STATUS_OUT_OF_RANGE);
	assert_ptr_equal(err.reason, &REASON_AMOUNT_OVERFLOW);
}

static void writes_the_lines(void **state)
{
	struct arena arena;
	struct ledger_posting p = {0};

	arena_init(&arena, 1 << 16);
	assert_int_equal(ledger_post_top_up(&p, INT64_MAX, 7, "EUR", INT64_MAX, &err), 0);
	assert_string_equal(
		ledger_lines(&p, &arena),
		"[[4,9223372036854775807,\"EUR\",-9223372036854775807],[1,7,\"EUR\",9223372036854775807]]");
	p.n = 0;
	assert_string_equal(ledger_lines(&p, &arena), "[]");
	for (int i = 0; i < LEDGER_ENTRIES_MAX; i++)
		ledger_add(&p, LEDGER_CLEARING, INT64_MAX, "EUR", INT64_MIN);
	assert_int_equal(p.n, LEDGER_ENTRIES_MAX);
	const char *widest = ledger_lines(&p, &arena);
	assert_string_equal(widest + strlen(widest) - 2, "]]");
	arena_done(&arena);

	arena_init(&arena, 8);
	assert_null(ledger_lines(&p, &arena));
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(posts_the_example_of_the_header),
		cmocka_unit_test(leaves_out_entries_of_zero),
		cmocka_unit_test(gives_the_platform_what_nobody_shares),
		cmocka_unit_test(an_instructor_who_buys_pays_and_is_owed),
		cmocka_unit_test(any_purchase_sums_to_zero),
		cmocka_unit_test(refuses_shares_above_the_whole),
		cmocka_unit_test(refuses_amounts_that_are_none),
		cmocka_unit_test(posts_a_top_up),
		cmocka_unit_test(refuses_what_does_not_sum_to_zero),
		cmocka_unit_test(sums_each_currency_by_itself),
		cmocka_unit_test(tells_an_overflow),
		cmocka_unit_test(writes_the_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
