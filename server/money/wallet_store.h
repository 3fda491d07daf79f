/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MONEY_WALLET_STORE_H
#define MONEY_WALLET_STORE_H

#include "proto/runtime/money.h"
#include "server/db/db.h"

/* Wallets as they are stored. */

struct wallet_balance {
	char currency_code[CURRENCY_MAX];
	int64_t minor_units;
	int64_t update_us;
};

/* The balances of an owner by currency code, an array in the arena; none for one who never had money. */
int wallet_store_read(struct db_conn *conn, struct arena *arena, int64_t owner_id,
		      struct wallet_balance **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list wallet_stmts;

#endif
