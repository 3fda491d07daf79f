/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PURCHASE_QUOTE_H
#define PURCHASE_QUOTE_H

#include "proto/runtime/error.h"
#include "proto/runtime/money.h"
#include "server/course/course.h"

/* What a course costs now: total = list_price - discount, plus tax unless it is inside. Today nothing is
 * taken off and there is no tax: a price is what is paid. */
struct quote {
	char currency_code[CURRENCY_MAX];
	int64_t list_price, discount, tax, total; /* minor units, none below zero */
	bool tax_inclusive;
};

/* COURSE_NOT_PUBLISHED unless it is on sale. */
int quote_check_sold(const struct course_terms *terms, struct error *err) __attribute__((warn_unused_result));

/*
 * The price on these terms, which were read for `currency_code`. A free course costs zero in any currency.
 * COURSE_NOT_PUBLISHED, PRICE_NOT_OFFERED.
 */
int quote_course(const struct course_terms *terms, const char *currency_code, struct quote *ret,
		 struct error *err) __attribute__((warn_unused_result));

/* SELF_PURCHASE when the buyer stands in the course's list: money of the wallet would become payable. */
int quote_check_buyer(const struct course_terms *terms, int64_t buyer_id, struct error *err)
	__attribute__((warn_unused_result));

/* PRICE_CHANGED when the total is above what the buyer agreed to; a lower one is passed on. */
int quote_agreed(const struct quote *q, int64_t expected_total, struct error *err)
	__attribute__((warn_unused_result));

#endif
