/* SPDX-License-Identifier: Apache-2.0 */
#include "server/purchase/quote.h"

#include <inttypes.h>
#include <stdio.h>

#include "edu/v1/edu_service.tables.h"

int quote_check_sold(const struct course_terms *terms, struct error *err)
{
	if (course_state_published(terms->state))
		return 0;
	return error_raise(err, &REASON_COURSE_NOT_PUBLISHED, "The course is not on sale.");
}

int quote_course(const struct course_terms *terms, const char *currency_code, struct quote *ret,
		 struct error *err)
{
	struct quote q = {0};
	int r = quote_check_sold(terms, err);

	if (r < 0)
		return r;
	if (terms->pricing != COURSE_FREE && !terms->offered)
		return error_raise(err, &REASON_PRICE_NOT_OFFERED,
				   "The course has no price in this currency; choose one it lists.");
	snprintf(q.currency_code, sizeof(q.currency_code), "%s", currency_code);
	q.list_price = terms->pricing == COURSE_FREE ? 0 : terms->price_minor_units;
	q.tax_inclusive = true;
	q.total = q.list_price - q.discount;
	*ret = q;
	return 0;
}

int quote_check_buyer(const struct course_terms *terms, int64_t buyer_id, struct error *err)
{
	if (!course_has_share(terms->instructors, terms->n_instructors, buyer_id))
		return 0;
	return error_raise(err, &REASON_SELF_PURCHASE, "You teach this course; it is not sold to you.");
}

int quote_agreed(const struct quote *q, int64_t expected_total, struct error *err)
{
	if (q->total <= expected_total)
		return 0;
	error_raise(err, &REASON_PRICE_CHANGED,
		    "The course costs more than expected_total; nothing was taken. Ask the buyer, then repeat"
		    " with a new request_id.");
	error_add_metadata(err, "total_minor_units", "%" PRId64, q->total);
	return error_add_metadata(err, "currency_code", "%s", q->currency_code);
}
