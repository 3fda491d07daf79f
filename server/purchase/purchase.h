/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PURCHASE_PURCHASE_H
#define PURCHASE_PURCHASE_H

#include <assert.h>
#include <stdint.h>

#include "edu/v1/purchase.tables.h"
#include "server/money/charge.h"

/* edu.v1.PurchaseState; stored as these numbers. */
enum purchase_state {
	PURCHASE_PENDING = PURCHASE_STATE_PENDING,
	PURCHASE_COMPLETED = PURCHASE_STATE_COMPLETED,
	PURCHASE_PARTIALLY_REFUNDED = PURCHASE_STATE_PARTIALLY_REFUNDED,
	PURCHASE_REFUNDED = PURCHASE_STATE_REFUNDED,
	PURCHASE_CANCELLED = PURCHASE_STATE_CANCELLED,
	PURCHASE_EXPIRED = PURCHASE_STATE_EXPIRED,
	PURCHASE_FAILED = PURCHASE_STATE_FAILED,
};
static_assert(PURCHASE_FAILED == PurchaseState_MAX, "of a new state the schema says whether it may be live");

/* edu.v1.PaymentSource; stored as these numbers. */
enum purchase_source { PURCHASE_FROM_WALLET = PAYMENT_SOURCE_WALLET };

/* A user's purchase of a course. */
struct purchase {
	int64_t purchase_id, user_id, course_id, course_revision;
	enum purchase_state state;
	enum purchase_source source;
	int64_t complete_us; /* 0: not yet */
	struct charge charge;
};

#endif
