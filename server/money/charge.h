/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MONEY_CHARGE_H
#define MONEY_CHARGE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/runtime/money.h"

/*
 * What is asked for a thing that is sold, and what became of it. Whatever is sold has one charge, under its
 * own id, and is paid, refunded and disputed through it. Amounts are minor units of currency_code, none below
 * zero; total = list_price - discount, plus tax unless tax_inclusive. What the database checks is in
 * schema/0004_purchase.sql.
 */
struct charge {
	int64_t charge_id; /* of what is sold */
	int64_t payer_id, beneficiary_id;
	char currency_code[CURRENCY_MAX];
	int64_t list_price, discount, tax, total;
	bool tax_inclusive;     /* tax is inside list_price - discount */
	int64_t charged;        /* taken from the payer so far */
	int64_t transaction_id; /* that paid it; 0: nothing was paid */
	int64_t create_us;
};

/* Its columns, of the member `at` of R. */
#define CHARGE_COLUMNS(F, C, R, at)                                                                          \
	F(R, "charge_id", I64, at.charge_id)                                                                 \
	C(R, "payer_id", I64, at.payer_id)                                                                   \
	C(R, "beneficiary_id", I64, at.beneficiary_id)                                                       \
	C(R, "currency_code", CODE, at.currency_code)                                                        \
	C(R, "list_price", I64, at.list_price)                                                               \
	C(R, "discount", I64, at.discount)                                                                   \
	C(R, "tax", I64, at.tax)                                                                             \
	C(R, "tax_inclusive", BOOL, at.tax_inclusive)                                                        \
	C(R, "total", I64, at.total)                                                                         \
	C(R, "charged", I64, at.charged)                                                                     \
	C(R, "transaction_id", I64_OR_NULL, at.transaction_id)                                               \
	C(R, "create_time", I64, at.create_us)

#endif
