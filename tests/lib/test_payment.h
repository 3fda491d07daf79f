/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TEST_PAYMENT_H
#define TESTS_TEST_PAYMENT_H

#include "server/money/payment_store.h"

/* Money for a wallet, as TopUpWallet brings it: payment, transaction and event in one transaction, which is
 * rolled back unless the payment counts. The connection has payment_stmts and event_stmts. */
struct test_payment {
	const char *provider, *provider_payment_id;
	int64_t owner_id;
	const char *currency_code;
	int64_t amount;
	int64_t first_id; /* and the two behind it: of the transaction and its event, the payment, the
			     provider */
	int64_t now_us;

	/* what became of it */
	enum payment_outcome outcome;
	int64_t transaction_id;
};

/* A failure of the database ends the program. */
enum payment_outcome test_payment_credit(struct db_conn *conn, struct test_payment *p);

#endif
