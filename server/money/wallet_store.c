/* SPDX-License-Identifier: Apache-2.0 */
#include "server/money/wallet_store.h"

#include <assert.h>

#include "proto/runtime/array.h"
#include "server/db/table.h"

enum {
	READ,
	PROVIDER,
	PROVIDER_ADD,
	CREDIT,
};

#define BALANCE_COLUMNS(F, C, R)                                                                             \
	F(R, "currency_code", CODE, currency_code)                                                           \
	C(R, "balance", I64, minor_units)                                                                    \
	C(R, "update_time", I64, update_us)
DB_ROW(balance_row, struct wallet_balance, BALANCE_COLUMNS);

struct credit {
	struct wallet_payment payment;
	const char *lines; /* the posting's, as ledger_lines() makes them */
};
#define CREDIT_PARAMETERS(F, C, R)                                                                           \
	F(R, "v_provider VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin", TEXT,                 \
	  payment.provider)                                                                                  \
	C(R, "v_payment_id VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin", TEXT,              \
	  payment.provider_payment_id)                                                                       \
	C(R, "v_user_id BIGINT", I64, payment.user_id)                                                       \
	C(R, "v_currency_code CHAR(3) CHARACTER SET ascii COLLATE ascii_bin", TEXT, payment.currency_code)   \
	C(R, "v_amount BIGINT", I64, payment.amount)                                                         \
	C(R, "v_transaction_id BIGINT", I64, payment.transaction_id)                                         \
	C(R, "v_actor_id BIGINT", I64, payment.actor_id)                                                     \
	C(R, "v_now BIGINT", I64, payment.create_us)                                                         \
	C(R, "v_lines TEXT CHARACTER SET ascii", TEXT, lines)
DB_ROW(credit_row, struct credit, CREDIT_PARAMETERS);

struct credited {
	enum wallet_outcome outcome;
	int64_t first_transaction_id;
};
#define CREDITED_COLUMNS(F, C, R)                                                                            \
	F(R, "v_outcome", INT, outcome)                                                                      \
	C(R, "v_first", I64, first_transaction_id)
DB_ROW(credited_row, struct credited, CREDITED_COLUMNS);

/*
 * The payment's key decides who credits it: racing repeats wait at its row for the first to commit. The
 * wallet's row is made before it is credited, so that one condition tells an overflow.
 */
static_assert(WALLET_CREDITED == 0 && WALLET_PAYMENT_REPEATED == 1 && WALLET_PAYMENT_DIFFERS == 2 &&
		      WALLET_OVERFLOW == 3 && LEDGER_TOP_UP == 1,
	      "outcomes and kinds in the statement");
#define CREDIT_DECLARES DB_DECLARES(CREDIT_PARAMETERS)
#define CREDIT_ANSWER DB_NAMES(CREDITED_COLUMNS)
#define CREDIT_SQL                                                                                           \
	"BEGIN NOT ATOMIC" CREDIT_DECLARES " DECLARE v_outcome TINYINT DEFAULT 0;"                           \
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
	"    VALUES (v_transaction_id, 1, v_actor_id, v_now);"                                               \
	"   INSERT INTO ledger_entry (transaction_id, line, account_kind, owner_id, currency_code, amount)"  \
	"    SELECT v_transaction_id, e.line, e.account_kind, e.owner_id, e.currency_code, e.amount"         \
	"     FROM " LEDGER_LINES_TABLE " e;"                                                                \
	"  END IF;"                                                                                          \
	" END IF;"                                                                                           \
	" SELECT " CREDIT_ANSWER ";"                                                                         \
	"END"

static const struct db_stmt stmts[] = {
	[READ] = {"wallet_read", "i", &balance_row,
		  DB_SELECT(BALANCE_COLUMNS, " FROM wallet WHERE user_id = ? ORDER BY currency_code")},
	[PROVIDER] = {"wallet_provider", "s", &db_row_i64,
		      "SELECT provider_id FROM payment_provider WHERE provider = ?"},
	[PROVIDER_ADD] = {"wallet_provider_add", "si", NULL,
			  "INSERT INTO payment_provider (provider, provider_id) VALUES (?, ?)"
			  " ON DUPLICATE KEY UPDATE provider = payment_provider.provider"},
	[CREDIT] = {"wallet_credit", DB_LETTERS(CREDIT_PARAMETERS), &credited_row, CREDIT_SQL},
};

const struct db_stmt_list wallet_stmts = {"wallet", stmts, ARRAY_SIZE(stmts)};

int wallet_store_read(struct db_conn *conn, struct arena *arena, int64_t user_id, struct wallet_balance **ret,
		      unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[READ], DB_ARGS(db_i64(user_id)), arena, ret, ret_n, err);
}

static int provider_find(struct db_conn *conn, const char *provider, int64_t *ret, struct error *err)
{
	return db_read(conn, &stmts[PROVIDER], DB_ARGS(db_str(provider)), NULL, ret, err);
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
	const struct credit credit = {*payment, ledger_lines(payment->posting, arena)};
	struct db_value args[DB_COUNT(CREDIT_PARAMETERS)];
	struct credited credited;
	if (!credit.lines)
		return arena_full(err);
	db_row_values(&credit_row, &credit, args);
	int r = db_read(conn, &stmts[CREDIT], args, ARRAY_SIZE(args), NULL, &credited, err);
	if (r == -STATUS_ALREADY_EXISTS)
		return error_internal(err, "an id of a new payment exists already: %s",
				      db_duplicate_key(conn));
	if (r < 0)
		return r;
	if (r == 0)
		return error_internal(err, "a payment without an outcome");
	*ret = credited.outcome;
	*ret_transaction_id = credited.first_transaction_id;
	return 0;
}
