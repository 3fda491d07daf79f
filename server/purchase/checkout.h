/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PURCHASE_CHECKOUT_H
#define PURCHASE_CHECKOUT_H

#include <stdbool.h>

#include "edu/v1/edu_service.server.h"
#include "server/course/course.h"

/*
 * PurchaseCourse. Two round trips: the course's terms are read, then one statement completes the purchase if
 * the course is still on those terms (purchase_store.h). Before anything is refused the request's key is
 * asked, so that a repeat gets its first answer whatever became of the course since.
 */
edu_service_purchase_course_fn checkout_purchase_course;

/* Made before the transaction. */
struct checkout_ids {
	int64_t purchase_id, grant_id, event_id;
};
int checkout_new_ids(struct rpc_call *call, struct checkout_ids *ret, struct error *err)
	__attribute__((warn_unused_result));

/* On these terms the buyer may have the course for nothing. */
bool checkout_is_free(const struct course_terms *terms, int64_t buyer_id);

/*
 * The same purchase of what checkout_is_free() to the caller, in no currency and within his own transaction,
 * which claims a key that is not this one's. 1 when he has a live one now, this or an earlier one; 0 when the
 * terms have changed: read them again.
 */
int checkout_free(struct rpc_call *call, const struct course_terms *terms, const struct checkout_ids *ids,
		  int64_t now_us, struct error *err) __attribute__((warn_unused_result));

#endif
