/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MONEY_WALLET_H
#define MONEY_WALLET_H

/*
 * How a wallet is debited and credited inside the transaction of its entries: conditional updates of its row,
 * which order everything that its owner spends and receives. Arguments are expressions of SQL; ROW_COUNT() is
 * 0 when it was refused.
 */

/* Refused when the balance is below the amount. */
#define WALLET_DEBIT_SQL(owner_id, currency_code, amount, now)                                               \
	" UPDATE wallet SET balance = balance - " amount ", update_time = GREATEST(update_time, " now ")"    \
	"  WHERE owner_id = " owner_id " AND currency_code = " currency_code " AND balance >= " amount ";"

/* Refused when the balance would leave the range. */
#define WALLET_CREDIT_SQL(owner_id, currency_code, amount, now)                                              \
	" INSERT INTO wallet (owner_id, currency_code, balance, update_time)"                                \
	"  VALUES (" owner_id ", " currency_code ", 0, " now                                                 \
	") ON DUPLICATE KEY UPDATE balance = wallet.balance;"                                                \
	" UPDATE wallet SET balance = balance + " amount ", update_time = GREATEST(update_time, " now ")"    \
	"  WHERE owner_id = " owner_id " AND currency_code = " currency_code                                 \
	"   AND balance <= 9223372036854775807 - " amount ";"

/* What the balance lacks to the amount, an expression; not above 0 when it covers it. */
#define WALLET_MISSING_SQL(owner_id, currency_code, amount)                                                  \
	amount " - IFNULL((SELECT balance FROM wallet"                                                       \
	       " WHERE owner_id = " owner_id " AND currency_code = " currency_code "), 0)"

#endif
