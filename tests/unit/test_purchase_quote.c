/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/array.h"
#include "server/purchase/quote.h"

static struct error err;
static const struct quote untouched = {"XYZ", 1, 2, 3, 4, false};

static struct course_terms on_sale_for(int64_t price)
{
	return (struct course_terms){.state = COURSE_PUBLISHED,
				     .pricing = COURSE_PRICED,
				     .offered = price > 0,
				     .price_minor_units = price};
}

static void quotes_the_price(void **state)
{
	struct course_terms terms = on_sale_for(1999);
	struct quote q = untouched;

	assert_int_equal(quote_course(&terms, "EUR", &q, &err), 0);
	assert_string_equal(q.currency_code, "EUR");
	assert_int_equal(q.list_price, 1999);
	assert_int_equal(q.discount, 0);
	assert_int_equal(q.tax, 0);
	assert_true(q.tax_inclusive);
	assert_int_equal(q.total, 1999);
}

static void a_free_course_costs_nothing_in_any_currency(void **state)
{
	struct course_terms terms = on_sale_for(0);
	struct quote q = untouched;

	terms.pricing = COURSE_FREE;
	assert_int_equal(quote_course(&terms, "KWD", &q, &err), 0);
	assert_string_equal(q.currency_code, "KWD");
	assert_int_equal(q.total, 0);
}

static void does_not_sell_to_who_teaches_it(void **state)
{
	struct course_terms terms = on_sale_for(1999);

	terms.n_instructors = 2;
	terms.instructors[1].user_id = 7; /* without a share, and whatever the roles are by now */
	assert_int_equal(quote_check_buyer(&terms, 8, &err), 0);
	assert_int_equal(quote_check_buyer(&terms, 7, &err), -STATUS_PERMISSION_DENIED);
	assert_ptr_equal(err.reason, &REASON_SELF_PURCHASE);
}

static void refuses_a_course_that_is_not_on_sale(void **state)
{
	static const enum course_state states[] = {COURSE_DRAFT, COURSE_IN_REVIEW, COURSE_ARCHIVED};

	for (unsigned i = 0; i < ARRAY_SIZE(states); i++) {
		struct course_terms terms = on_sale_for(1999);
		struct quote q = untouched;

		terms.state = states[i];
		assert_int_equal(quote_course(&terms, "EUR", &q, &err), -STATUS_FAILED_PRECONDITION);
		assert_ptr_equal(err.reason, &REASON_COURSE_NOT_PUBLISHED);
		assert_int_equal(q.total, untouched.total);
	}
}

static void refuses_a_currency_without_a_price(void **state)
{
	struct course_terms terms = on_sale_for(0);
	struct quote q = untouched;

	assert_int_equal(quote_course(&terms, "EUR", &q, &err), -STATUS_FAILED_PRECONDITION);
	assert_ptr_equal(err.reason, &REASON_PRICE_NOT_OFFERED);
	terms.pricing = COURSE_UNPRICED;
	assert_int_equal(quote_course(&terms, "EUR", &q, &err), -STATUS_FAILED_PRECONDITION);
	assert_ptr_equal(err.reason, &REASON_PRICE_NOT_OFFERED);
	assert_int_equal(q.total, untouched.total);
}

static void refuses_a_rise_and_says_the_total(void **state)
{
	struct quote q = {"EUR", 2000, 0, 0, 2000, true};

	assert_int_equal(quote_agreed(&q, 1999, &err), -STATUS_FAILED_PRECONDITION);
	assert_ptr_equal(err.reason, &REASON_PRICE_CHANGED);
	assert_int_equal(err.n_metadata, 2);
	assert_string_equal(err.metadata[0].key, "total_minor_units");
	assert_string_equal(err.metadata[0].value, "2000");
	assert_string_equal(err.metadata[1].key, "currency_code");
	assert_string_equal(err.metadata[1].value, "EUR");
}

static void passes_a_drop_on(void **state)
{
	struct quote q = {"EUR", 2000, 0, 0, 2000, true};

	assert_int_equal(quote_agreed(&q, 2000, &err), 0);
	assert_int_equal(quote_agreed(&q, 2001, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes_the_price),
		cmocka_unit_test(a_free_course_costs_nothing_in_any_currency),
		cmocka_unit_test(does_not_sell_to_who_teaches_it),
		cmocka_unit_test(refuses_a_course_that_is_not_on_sale),
		cmocka_unit_test(refuses_a_currency_without_a_price),
		cmocka_unit_test(refuses_a_rise_and_says_the_total),
		cmocka_unit_test(passes_a_drop_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
