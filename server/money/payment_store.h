/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MONEY_PAYMENT_STORE_H
#define MONEY_PAYMENT_STORE_H

#include "server/db/db.h"
#include "server/money/ledger.h"

/* Payments and who takes them, as they are stored. */

/*
 * The id of a payment provider's clearing account. One seen for the first time gets `new_id`, in its caller's
 * transaction.
 */
int payment_store_provider(struct db_conn *conn, const char *provider, int64_t new_id, int64_t *ret,
			   struct error *err) __attribute__((warn_unused_result));

struct payment {
	int64_t payment_id;
	const char *provider, *provider_payment_id;
	int64_t owner_id; /* of the wallet; must exist */
	const char *currency_code;
	int64_t amount; /* above zero */
	int64_t transaction_id, actor_id, create_us;
};

enum payment_outcome {
	PAYMENT_CREDITED = 0,
	PAYMENT_REPEATED = 1, /* credited before, the same owner and amount */
	PAYMENT_DIFFERS = 2,  /* credited before to another owner or with another amount */
	PAYMENT_OVERFLOW = 3, /* the balance would leave the range */
};

/*
 * Records the payment, credits the wallet and posts the transaction, inside the caller's transaction, which
 * must be rolled back on the last two outcomes. One round trip. *ret_transaction_id is that of the payment:
 * ours, or that of who came first.
 */
int payment_store_credit(struct db_conn *conn, const struct payment *payment,
			 const struct ledger_record *record, enum payment_outcome *ret,
			 int64_t *ret_transaction_id, struct error *err) __attribute__((warn_unused_result));

extern const struct db_stmt_list payment_stmts;

#endif
