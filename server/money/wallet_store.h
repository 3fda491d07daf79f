/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MONEY_WALLET_STORE_H
#define MONEY_WALLET_STORE_H

#include "proto/runtime/money.h"
#include "server/db/db.h"
#include "server/money/ledger.h"

/* Wallets and payments as they are stored. */

struct wallet_balance {
	char currency_code[CURRENCY_MAX];
	int64_t minor_units;
	int64_t update_us;
};

/* The balances of a user by currency code, an array in the arena; none for one who never had money. */
int wallet_store_read(struct db_conn *conn, struct arena *arena, int64_t user_id, struct wallet_balance **ret,
		      unsigned *ret_n, struct error *err) __attribute__((warn_unused_result));

/*
 * The id of a payment provider's clearing account. One seen for the first time gets `new_id`, in its caller's
 * transaction.
 */
int wallet_store_provider(struct db_conn *conn, const char *provider, int64_t new_id, int64_t *ret,
			  struct error *err) __attribute__((warn_unused_result));

struct wallet_payment {
	const char *provider, *provider_payment_id;
	int64_t user_id; /* must exist */
	const char *currency_code;
	int64_t amount; /* above zero */
	int64_t transaction_id, actor_id, create_us;
	const struct ledger_posting *posting;
};

enum wallet_outcome {
	WALLET_CREDITED = 0,
	WALLET_PAYMENT_REPEATED = 1, /* credited before, the same user and amount */
	WALLET_PAYMENT_DIFFERS = 2,  /* credited before to another user or with another amount */
	WALLET_OVERFLOW = 3,         /* the balance would leave the range */
};

/*
 * Records the payment and credits the wallet, inside the caller's transaction, which must be rolled back on
 * the last two outcomes. One round trip. *ret_transaction_id is that of the payment: ours, or that of who
 * came first.
 */
int wallet_store_credit(struct db_conn *conn, struct arena *arena, const struct wallet_payment *payment,
			enum wallet_outcome *ret, int64_t *ret_transaction_id, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list wallet_stmts;

#endif
