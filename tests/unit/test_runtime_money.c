/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "proto/runtime/array.h"
#include "proto/runtime/money.h"

static void test_exponents(void **state)
{
	assert_int_equal(currency_exponent("EUR"), 2);
	assert_int_equal(currency_exponent("CNY"), 2);
	assert_int_equal(currency_exponent("JPY"), 0);
	assert_int_equal(currency_exponent("KRW"), 0);
	assert_int_equal(currency_exponent("XOF"), 0);
	assert_int_equal(currency_exponent("KWD"), 3);
	assert_int_equal(currency_exponent("TND"), 3);
	assert_int_equal(currency_exponent("AED"), 2); /* first and last of the list */
	assert_int_equal(currency_exponent("ZWG"), 2);
	assert_int_equal(currency_exponent("XXX"), -1);
}

static void test_only_currencies_in_use(void **state)
{
	static const char *const others[] = {"",    "eur", "EU",  "EURO", "XXX", "XTS", "XAU",
					     "XDR", "CLF", "CHE", "USN",  "DEM", "HRK", "ZWL",
					     "BGN", "ANG", "AAA", "ZZZ",  " EUR"};

	assert_true(currency_valid("USD"));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (currency_valid(others[i]))
			fail_msg("took '%s'", others[i]);
	}
}

/* ISO 4217 list one has 155 codes that are neither funds, metals, units of account, tests nor none. */
static void test_finds_every_one_of_the_list(void **state)
{
	char code[CURRENCY_MAX] = "AAA";
	unsigned n = 0;

	for (code[0] = 'A'; code[0] <= 'Z'; code[0]++) {
		for (code[1] = 'A'; code[1] <= 'Z'; code[1]++) {
			for (code[2] = 'A'; code[2] <= 'Z'; code[2]++)
				n += currency_valid(code);
		}
	}
	assert_int_equal(n, 155);
}

static void test_sums_are_checked(void **state)
{
	int64_t sum = 5;

	assert_true(money_add(2, 3, &sum));
	assert_int_equal(sum, 5);
	assert_false(money_add(INT64_MAX, 1, &sum));
	assert_false(money_add(INT64_MIN, -1, &sum));
	assert_false(money_sub(INT64_MIN, 1, &sum));
	assert_false(money_sub(0, INT64_MIN, &sum));
	assert_int_equal(sum, 5);
	assert_true(money_sub(2, 3, &sum));
	assert_int_equal(sum, -1);
}

static void test_shares_round_toward_zero(void **state)
{
	assert_int_equal(money_part(1000, 7000, BASIS_POINTS), 700);
	assert_int_equal(money_part(999, 3333, BASIS_POINTS), 332);
	assert_int_equal(money_part(-999, 3333, BASIS_POINTS), -332);
	assert_int_equal(money_part(1, 9999, BASIS_POINTS), 0);
	assert_int_equal(money_part(INT64_MAX, 10000, BASIS_POINTS), INT64_MAX);
	assert_int_equal(money_part(INT64_MIN, 10000, BASIS_POINTS), INT64_MIN);
	assert_int_equal(money_part(INT64_MAX, 0, BASIS_POINTS), 0);
}

static void assert_format(const char *code, int64_t minor_units, const char *text)
{
	char out[64];

	assert_string_equal(money_format(code, minor_units, out, sizeof(out)), text);
}

static void test_formats_for_people(void **state)
{
	char small[6];

	assert_format("EUR", 1234, "12.34 EUR");
	assert_format("EUR", 5, "0.05 EUR");
	assert_format("EUR", -5, "-0.05 EUR");
	assert_format("JPY", 1234, "1234 JPY");
	assert_format("KWD", 1234, "1.234 KWD");
	assert_format("EUR", INT64_MIN, "-92233720368547758.08 EUR");
	assert_format("XXX", 7, "7 XXX");
	assert_string_equal(money_format("EUR", 1234, small, sizeof(small)), "12.34");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exponents),
		cmocka_unit_test(test_only_currencies_in_use),
		cmocka_unit_test(test_finds_every_one_of_the_list),
		cmocka_unit_test(test_sums_are_checked),
		cmocka_unit_test(test_shares_round_toward_zero),
		cmocka_unit_test(test_formats_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
