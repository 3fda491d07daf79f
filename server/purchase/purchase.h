/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PURCHASE_PURCHASE_H
#define PURCHASE_PURCHASE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "edu/v1/purchase.tables.h"
#include "proto/runtime/money.h"

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
static_assert(PURCHASE_FAILED == PurchaseState_MAX,
	      "a new state also decides in the schema whether it is live");

/* edu.v1.PaymentSource; stored as these numbers. */
enum purchase_source { PURCHASE_FROM_WALLET = PAYMENT_SOURCE_WALLET };

/* A user's purchase of a course. Amounts are minor units of currency_code; total = list_price - discount,
 * plus tax unless tax_inclusive. */
struct purchase {
	int64_t purchase_id, user_id, course_id, course_revision;
	enum purchase_state state;
	enum purchase_source source;
	char currency_code[CURRENCY_MAX];
	int64_t list_price, discount, tax, total;
	bool tax_inclusive;             /* tax is inside list_price - discount */
	int64_t charged;                /* taken from the buyer so far */
	int64_t transaction_id;         /* 0: nothing was paid */
	int64_t create_us, complete_us; /* complete_us 0: not yet */
};

#endif
