/* SPDX-License-Identifier: Apache-2.0 */
#include "server/money/checkpoint_store.h"

#include <assert.h>

#include "edu/v1/error.tables.h"
#include "proto/runtime/array.h"
#include "server/db/table.h"

enum { PLACE, END, ADD, ADVANCE, BALANCE };

struct end {
	int64_t position;
	int n; /* events to there */
};
#define END_COLUMNS(F, C, R) F(R, "IFNULL(MAX(position), 0)", I64, position) C(R, "COUNT(*)", INT, n)
DB_ROW(end_row, struct end, END_COLUMNS);

struct balance {
	bool fits;
	int64_t balance;
};
#define BALANCE_COLUMNS(F, C, R)                                                                             \
	F(R, "sum BETWEEN -9223372036854775807 AND 9223372036854775807", BOOL, fits)                         \
	C(R, "CAST(sum AS SIGNED)", I64, balance)
DB_ROW(balance_row, struct balance, BALANCE_COLUMNS);

static_assert(LEDGER_WALLET == 1, "in the statement");
static const struct db_stmt stmts[] = {
	[PLACE] = {"checkpoint_place", "", &db_row_i64,
		   "SELECT position FROM event_reader WHERE name = 'ledger' FOR UPDATE"},
	[END] = {"checkpoint_end", "ii", &end_row,
		 DB_SELECT(END_COLUMNS, " FROM (SELECT position FROM event WHERE position > ?"
					"  ORDER BY position LIMIT ?) next")},
	[ADD] = {"checkpoint_add", "iii", NULL,
		 "INSERT INTO ledger_checkpoint (account_kind, owner_id, currency_code, position, balance)"
		 " SELECT e.account_kind, e.owner_id, e.currency_code, ?, SUM(e.amount)"
		 "  FROM event v FORCE INDEX (event_position)"
		 "  JOIN ledger_entry e ON e.transaction_id = v.event_id AND e.account_kind <> 1"
		 "  WHERE v.position > ? AND v.position <= ?"
		 "  GROUP BY e.account_kind, e.owner_id, e.currency_code"
		 " ON DUPLICATE KEY UPDATE position = VALUES(position),"
		 "  balance = ledger_checkpoint.balance + VALUES(balance)"},
	[ADVANCE] = {"checkpoint_advance", "i", NULL,
		     "UPDATE event_reader SET position = ? WHERE name = 'ledger'"},
	/* One statement sees one state of all three tables: nothing is cut in between. */
	[BALANCE] = {"checkpoint_balance", "iisiis", &balance_row,
		     DB_SELECT(BALANCE_COLUMNS,
			       " FROM (SELECT"
			       "  IFNULL((SELECT balance FROM ledger_checkpoint"
			       "   WHERE account_kind = ? AND owner_id = ? AND currency_code = ?), 0) +"
			       "  IFNULL((SELECT SUM(e.amount) FROM event v FORCE INDEX (event_position)"
			       "   JOIN ledger_entry e ON e.transaction_id = v.event_id"
			       "   WHERE e.account_kind = ? AND e.owner_id = ? AND e.currency_code = ? AND"
			       "    (v.position = 0 OR v.position > (SELECT position FROM event_reader"
			       "     WHERE name = 'ledger'))), 0) AS sum) account")},
};

const struct db_stmt_list checkpoint_stmts = {"checkpoint", stmts, ARRAY_SIZE(stmts)};

int checkpoint_store_cut(struct db_conn *conn, unsigned n, bool *ret_more, struct error *err)
{
	struct end end = {0};
	int64_t place = 0;
	int r = db_read_one(conn, &stmts[PLACE], DB_NO_ARGS, NULL, &place, err);

	if (r == 0)
		r = db_read_one(conn, &stmts[END], DB_ARGS(db_i64(place), db_i64(n)), NULL, &end, err);
	*ret_more = end.n == (int)n;
	if (r < 0 || end.n == 0)
		return r;
	r = db_exec(conn, &stmts[ADD], DB_ARGS(db_i64(end.position), db_i64(place), db_i64(end.position)),
		    NULL, err);
	return r < 0 ? r : db_exec(conn, &stmts[ADVANCE], DB_ARGS(db_i64(end.position)), NULL, err);
}

int checkpoint_store_balance(struct db_conn *conn, enum ledger_account account, int64_t owner_id,
			     const char *currency_code, int64_t *ret, struct error *err)
{
	struct balance b = {0};
	int r = db_read_one(conn, &stmts[BALANCE],
			    DB_ARGS(db_i64(account), db_i64(owner_id), db_str(currency_code), db_i64(account),
				    db_i64(owner_id), db_str(currency_code)),
			    NULL, &b, err);

	if (r == 0 && !b.fits)
		return error_raise(err, &REASON_AMOUNT_OVERFLOW,
				   "The account holds more than an amount can say; its entries tell it.");
	*ret = b.balance;
	return r;
}
