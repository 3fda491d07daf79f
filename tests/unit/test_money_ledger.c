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

static void makes_a_record_with_its_key(void **state)
{
	struct arena arena;
	struct ledger_posting p = {.cause = LEDGER_BY_PURCHASE, .step = 4};
	struct ledger_record record;

	arena_init(&arena, 1 << 16);
	ledger_add(&p, LEDGER_CLEARING, INT64_MAX, "EUR", -INT64_MAX);
	ledger_add(&p, LEDGER_WALLET, 7, "EUR", INT64_MAX);
	assert_int_equal(ledger_record(&p, &arena, &record, &err), 0);
	assert_int_equal(record.cause, LEDGER_BY_PURCHASE);
	assert_int_equal(record.step, 4);
	assert_string_equal(
		record.lines,
		"[[4,9223372036854775807,\"EUR\",-9223372036854775807],[1,7,\"EUR\",9223372036854775807]]");
	arena_done(&arena);
}

static void the_widest_lines_fit(void **state)
{
	struct arena arena;
	struct ledger_posting p = {0};
	struct ledger_record record;

	arena_init(&arena, 1 << 16);
	assert_int_equal(ledger_record(&p, &arena, &record, &err), 0);
	assert_string_equal(record.lines, "[]");
	for (int i = 0; i < LEDGER_ENTRIES_MAX; i++)
		ledger_add(&p, LEDGER_LOSS, INT64_MAX, "EUR", INT64_MIN);
	assert_int_equal(p.n, LEDGER_ENTRIES_MAX);
	assert_int_equal(ledger_record(&p, &arena, &record, &err), 0);
	assert_string_equal(record.lines + strlen(record.lines) - 2, "]]");
	arena_done(&arena);

	arena_init(&arena, 8);
	assert_int_equal(ledger_record(&p, &arena, &record, &err), -STATUS_RESOURCE_EXHAUSTED);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_does_not_sum_to_zero),
		cmocka_unit_test(sums_each_currency_by_itself),
		cmocka_unit_test(tells_an_overflow),
		cmocka_unit_test(makes_a_record_with_its_key),
		cmocka_unit_test(the_widest_lines_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
