/* SPDX-License-Identifier: Apache-2.0 */
#include "server/money/wallet_store.h"

#include "proto/runtime/array.h"
#include "server/db/table.h"

enum { READ };

#define BALANCE_COLUMNS(F, C, R)                                                                             \
	F(R, "currency_code", CODE, currency_code)                                                           \
	C(R, "balance", I64, minor_units)                                                                    \
	C(R, "update_time", I64, update_us)
DB_ROW(balance_row, struct wallet_balance, BALANCE_COLUMNS);

static const struct db_stmt stmts[] = {
	[READ] = {"wallet_read", "i", &balance_row,
		  DB_SELECT(BALANCE_COLUMNS, " FROM wallet WHERE owner_id = ? ORDER BY currency_code")},
};

const struct db_stmt_list wallet_stmts = {"wallet", stmts, ARRAY_SIZE(stmts)};

int wallet_store_read(struct db_conn *conn, struct arena *arena, int64_t owner_id,
		      struct wallet_balance **ret, unsigned *ret_n, struct error *err)
{
	return db_read_all(conn, &stmts[READ], DB_ARGS(db_i64(owner_id)), arena, ret, ret_n, err);
}
