/* SPDX-License-Identifier: Apache-2.0 */
#include "server/money/payment_store.h"

#include <assert.h>

#include "proto/runtime/array.h"
#include "server/db/table.h"
#include "server/money/wallet.h"

enum {
	PROVIDER,
	PROVIDER_ADD,
	CREDIT,
};

struct credit {
	struct payment payment;
	struct ledger_record record;
};
#define CREDIT_PARAMETERS(F, C, R)                                                                           \
	F(R, "v_payment_id BIGINT", I64, payment.payment_id)                                                 \
	C(R, "v_provider VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin", TEXT,                 \
	  payment.provider)                                                                                  \
	C(R, "v_provider_payment_id VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin", TEXT,     \
	  payment.provider_payment_id)                                                                       \
	C(R, "v_owner_id BIGINT", I64, payment.owner_id)                                                     \
	C(R, "v_currency_code CHAR(3) CHARACTER SET ascii COLLATE ascii_bin", TEXT, payment.currency_code)   \
	C(R, "v_amount BIGINT", I64, payment.amount)                                                         \
	C(R, "v_transaction_id BIGINT", I64, payment.transaction_id)                                         \
	C(R, "v_actor_id BIGINT", I64, payment.actor_id)                                                     \
	C(R, "v_now BIGINT", I64, payment.create_us)                                                         \
	LEDGER_PARAMETERS(C, C, R, record)
DB_ROW(credit_row, struct credit, CREDIT_PARAMETERS);

struct credited {
	enum payment_outcome outcome;
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
static_assert(PAYMENT_CREDITED == 0 && PAYMENT_REPEATED == 1 && PAYMENT_DIFFERS == 2 && PAYMENT_OVERFLOW == 3,
	      "outcomes in the statement");
#define CREDIT_DECLARES DB_DECLARES(CREDIT_PARAMETERS)
#define CREDIT_ANSWER DB_NAMES(CREDITED_COLUMNS)
#define CREDIT_WALLET WALLET_CREDIT_SQL("v_owner_id", "v_currency_code", "v_amount", "v_now")
#define POST LEDGER_POST_SQL("v_transaction_id", "v_payment_id", "v_actor_id", "v_now")
#define CREDIT_SQL                                                                                           \
	"BEGIN NOT ATOMIC" CREDIT_DECLARES " DECLARE v_outcome TINYINT DEFAULT 0;"                           \
	" DECLARE v_first BIGINT;"                                                                           \
	" DECLARE v_same TINYINT;"                                                                           \
	" INSERT INTO payment (payment_id, provider, provider_payment_id, owner_id, currency_code, amount,"  \
	"   transaction_id, create_time)"                                                                    \
	"  VALUES (v_payment_id, v_provider, v_provider_payment_id, v_owner_id, v_currency_code, v_amount,"  \
	"   v_transaction_id, v_now)"                                                                        \
	"  ON DUPLICATE KEY UPDATE transaction_id = payment.transaction_id;"                                 \
	" SELECT transaction_id,"                                                                            \
	"   owner_id = v_owner_id AND currency_code = v_currency_code AND amount = v_amount"                 \
	"  INTO v_first, v_same FROM payment"                                                                \
	"  WHERE provider = v_provider AND provider_payment_id = v_provider_payment_id;"                     \
	" IF v_first <> v_transaction_id THEN"                                                               \
	"  SET v_outcome = IF(v_same, 1, 2);"                                                                \
	" ELSE" CREDIT_WALLET "  IF ROW_COUNT() = 0 THEN"                                                    \
	"   SET v_outcome = 3;"                                                                              \
	"  ELSE" POST "  END IF;"                                                                            \
	" END IF;"                                                                                           \
	" SELECT " CREDIT_ANSWER ";"                                                                         \
	"END"

static const struct db_stmt stmts[] = {
	[PROVIDER] = {"payment_provider", "s", &db_row_i64,
		      "SELECT provider_id FROM payment_provider WHERE provider = ?"},
	[PROVIDER_ADD] = {"payment_provider_add", "si", NULL,
			  "INSERT INTO payment_provider (provider, provider_id) VALUES (?, ?)"
			  " ON DUPLICATE KEY UPDATE provider = payment_provider.provider"},
	[CREDIT] = {"payment_credit", DB_LETTERS(CREDIT_PARAMETERS), &credited_row, CREDIT_SQL},
};

const struct db_stmt_list payment_stmts = {"payment", stmts, ARRAY_SIZE(stmts)};

static int provider_find(struct db_conn *conn, const char *provider, int64_t *ret, struct error *err)
{
	return db_read(conn, &stmts[PROVIDER], DB_ARGS(db_str(provider)), NULL, ret, err);
}

int payment_store_provider(struct db_conn *conn, const char *provider, int64_t new_id, int64_t *ret,
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

int payment_store_credit(struct db_conn *conn, const struct payment *payment,
			 const struct ledger_record *record, enum payment_outcome *ret,
			 int64_t *ret_transaction_id, struct error *err)
{
	const struct credit credit = {*payment, *record};
	struct db_value args[DB_COUNT(CREDIT_PARAMETERS)];
	struct credited credited;
	db_row_values(&credit_row, &credit, args);
	int r = db_read_one(conn, &stmts[CREDIT], args, ARRAY_SIZE(args), NULL, &credited, err);
	if (r == -STATUS_ALREADY_EXISTS)
		return error_internal(err, "an id of a new payment exists already: %s",
				      db_duplicate_key(conn));
	if (r < 0)
		return r;
	*ret = credited.outcome;
	*ret_transaction_id = credited.first_transaction_id;
	return 0;
}
