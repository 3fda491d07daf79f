/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MONEY_CHECKPOINT_STORE_H
#define MONEY_CHECKPOINT_STORE_H

#include "server/db/db.h"
#include "server/money/ledger.h"

/* Checkpoints as they are stored. */

/* Adds the entries of the next `n` events at most to the checkpoints of their accounts; *ret_more: there may
 * be others behind them. In the caller's transaction; who cuts at the same time waits. */
int checkpoint_store_cut(struct db_conn *conn, unsigned n, bool *ret_more, struct error *err)
	__attribute__((warn_unused_result));

/* The balance of any account but a wallet as of what is committed now, whenever that was begun.
 * AMOUNT_OVERFLOW. One round trip; costs a look at each event since the last cut. */
int checkpoint_store_balance(struct db_conn *conn, enum ledger_account account, int64_t owner_id,
			     const char *currency_code, int64_t *ret, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list checkpoint_stmts;

#endif
