/* SPDX-License-Identifier: Apache-2.0 */
#include "server/purchase/wallet_store.h"

#include <stdio.h>

#include "proto/runtime/array.h"

enum {
	READ,
	PROVIDER,
	PROVIDER_ADD,
	CREDIT,
};

/*
 * The payment's key decides who credits it: racing repeats wait at its row for the first to commit. The
 * wallet's row is made before it is credited, so that one condition tells an overflow.
 */
#define CREDIT_SQL                                                                                           \
	"BEGIN NOT ATOMIC"                                                                                   \
	" DECLARE v_provider VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin DEFAULT ?;"         \
	" DECLARE v_payment_id VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin DEFAULT ?;"      \
	" DECLARE v_user_id BIGINT DEFAULT ?;"                                                               \
	" DECLARE v_currency_code CHAR(3) CHARACTER SET ascii COLLATE ascii_bin DEFAULT ?;"                  \
	" DECLARE v_amount BIGINT DEFAULT ?;"                                                                \
	" DECLARE v_transaction_id BIGINT DEFAULT ?;"                                                        \
	" DECLARE v_now BIGINT DEFAULT ?;"                                                                   \
	" DECLARE v_outcome TINYINT DEFAULT 0;"                                                              \
	" DECLARE v_first BIGINT;"                                                                           \
	" DECLARE v_same TINYINT;"                                                                           \
	" INSERT INTO payment (provider, provider_payment_id, user_id, currency_code, amount,"               \
	"   transaction_id, create_time)"                                                                    \
	"  VALUES (v_provider, v_payment_id, v_user_id, v_currency_code, v_amount, v_transaction_id, v_now)" \
	"  ON DUPLICATE KEY UPDATE transaction_id = payment.transaction_id;"                                 \
	" SELECT transaction_id,"                                                                            \
	"   user_id = v_user_id AND currency_code = v_currency_code AND amount = v_amount"                   \
	"  INTO v_first, v_same FROM payment"                                                                \
	"  WHERE provider = v_provider AND provider_payment_id = v_payment_id;"                              \
	" IF v_first <> v_transaction_id THEN"                                                               \
	"  SET v_outcome = IF(v_same, 1, 2);"                                                                \
	" ELSE"                                                                                              \
	"  INSERT INTO wallet (user_id, currency_code, balance, update_time)"                                \
	"   VALUES (v_user_id, v_currency_code, 0, v_now) ON DUPLICATE KEY UPDATE balance = wallet.balance;" \
	"  UPDATE wallet SET balance = balance + v_amount, update_time = GREATEST(update_time, v_now)"       \
	"   WHERE user_id = v_user_id AND currency_code = v_currency_code"                                   \
	"    AND balance <= 9223372036854775807 - v_amount;"                                                 \
	"  IF ROW_COUNT() = 0 THEN"                                                                          \
	"   SET v_outcome = 3;"                                                                              \
	"  ELSE"                                                                                             \
	"   INSERT INTO ledger_transaction (transaction_id, kind, actor_id, create_time)"                    \
	"    VALUES (v_transaction_id, 1, ?, v_now);"                                                        \
	"   INSERT INTO ledger_entry (transaction_id, line, account_kind, owner_id, currency_code, amount)"  \
	"    SELECT v_transaction_id, e.line, e.account_kind, e.owner_id, e.currency_code, e.amount"         \
	"     FROM " LEDGER_LINES_TABLE " e;"                                                                \
	"  END IF;"                                                                                          \
	" END IF;"                                                                                           \
	" SELECT v_outcome, v_first;"                                                                        \
	"END"

static const struct db_stmt stmts[] = {
	[READ] = {"wallet_read", "i", "sii",
		  "SELECT currency_code, balance, update_time FROM wallet WHERE user_id = ?"
		  " ORDER BY currency_code"},
	[PROVIDER] = {"wallet_provider", "s", "i",
		      "SELECT provider_id FROM payment_provider WHERE provider = ?"},
	[PROVIDER_ADD] = {"wallet_provider_add", "si", NULL,
			  "INSERT INTO payment_provider (provider, provider_id) VALUES (?, ?)"
			  " ON DUPLICATE KEY UPDATE provider = payment_provider.provider"},
	[CREDIT] = {"wallet_credit", "ssisiiiis", "ii", CREDIT_SQL},
};

const struct db_stmt_list wallet_stmts = {"wallet", stmts, ARRAY_SIZE(stmts)};

/* A wallet never has more than there are currencies. */
enum { BALANCES_MAX = 200 };

static int out_of_memory(struct error *err)
{
	return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE, "The wallet needs too much memory.");
}

int wallet_store_read(struct db_conn *conn, struct arena *arena, int64_t user_id, struct wallet_balance **ret,
		      unsigned *ret_n, struct error *err)
{
	struct db_rows rows _cleanup_rows_ = {0};
	struct wallet_balance *balances = arena_array(arena, BALANCES_MAX, sizeof(*balances));
	unsigned n = 0;
	int r;

	if (!balances)
		return out_of_memory(err);
	r = db_query(conn, &stmts[READ], DB_ARGS(db_i64(user_id)), &rows, err);
	if (r < 0)
		return r;
	while ((r = db_next(&rows, err)) > 0 && n < BALANCES_MAX) {
		const char *currency = db_col_str(&rows, 0, arena);

		if (!currency)
			return out_of_memory(err);
		snprintf(balances[n].currency_code, sizeof(balances[n].currency_code), "%s", currency);
		balances[n].minor_units = db_col_i64(&rows, 1);
		balances[n].update_us = db_col_i64(&rows, 2);
		n++;
	}
	*ret = balances;
	*ret_n = n;
	return r < 0 ? r : 0;
}

static int provider_find(struct db_conn *conn, const char *provider, int64_t *ret, struct error *err)
{
	struct db_rows rows _cleanup_rows_ = {0};
	int r = db_query_row(conn, &stmts[PROVIDER], DB_ARGS(db_str(provider)), &rows, err);

	if (r > 0)
		*ret = db_col_i64(&rows, 0);
	return r;
}

int wallet_store_provider(struct db_conn *conn, const char *provider, int64_t new_id, int64_t *ret,
			  struct error *err)
{
	int r = provider_find(conn, provider, ret, err);

	if (r != 0)
		return r < 0 ? r : 0;
	r = db_exec(conn, &stmts[PROVIDER_ADD], DB_ARGS(db_str(provider), db_i64(new_id)), NULL, err);
	if (r < 0)
		return r;
	r = provider_find(conn, provider, ret, err);
	if (r == 0)
		return error_internal(err, "a payment provider that was just added is not there");
	return r < 0 ? r : 0;
}

int wallet_store_credit(struct db_conn *conn, struct arena *arena, const struct wallet_payment *payment,
			enum wallet_outcome *ret, int64_t *ret_transaction_id, struct error *err)
{
	struct db_rows rows _cleanup_rows_ = {0};
	const char *lines = ledger_lines(payment->posting, arena);
	int r;

	if (!lines)
		return out_of_memory(err);
	r = db_query_row(conn, &stmts[CREDIT],
			 DB_ARGS(db_str(payment->provider), db_str(payment->provider_payment_id),
				 db_i64(payment->user_id), db_str(payment->currency_code),
				 db_i64(payment->amount), db_i64(payment->transaction_id),
				 db_i64(payment->create_us), db_i64(payment->actor_id), db_str(lines)),
			 &rows, err);
	if (r == -STATUS_ALREADY_EXISTS)
		return error_internal(err, "an id of a new payment exists already: %s",
				      db_duplicate_key(conn));
	if (r < 0)
		return r;
	if (r == 0)
		return error_internal(err, "a payment without an outcome");
	*ret = (enum wallet_outcome)db_col_i64(&rows, 0);
	*ret_transaction_id = db_col_i64(&rows, 1);
	return 0;
}
