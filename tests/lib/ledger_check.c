/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/ledger_check.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/runtime/array.h"

static const struct {
	const char *fault, *sql;
} checks[] = {
	{"transactions that do not sum to zero", "SELECT COUNT(*) FROM (SELECT transaction_id FROM "
						 "ledger_entry GROUP BY transaction_id, currency_code"
						 " HAVING SUM(amount) <> 0 OR COUNT(*) < 2) x"},
	{"currencies that do not sum to zero",
	 "SELECT COUNT(*) FROM (SELECT currency_code FROM ledger_entry GROUP BY currency_code"
	 " HAVING SUM(amount) <> 0) x"},
	{"transactions without entries",
	 "SELECT COUNT(*) FROM ledger_transaction t"
	 " WHERE NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.transaction_id = t.transaction_id)"},
	{"entries without a transaction",
	 "SELECT COUNT(*) FROM ledger_entry e"
	 " WHERE NOT EXISTS (SELECT 1 FROM ledger_transaction t WHERE t.transaction_id = e.transaction_id)"},
	{"wallets that are not the sum of their entries",
	 "SELECT COUNT(*) FROM wallet w WHERE w.balance < 0 OR w.balance <>"
	 " (SELECT IFNULL(SUM(e.amount), 0) FROM ledger_entry e WHERE e.account_kind = 1"
	 "  AND e.owner_id = w.owner_id AND e.currency_code = w.currency_code)"},
	{"entries of wallets that are not there",
	 "SELECT COUNT(*) FROM ledger_entry e WHERE e.account_kind = 1 AND NOT EXISTS"
	 " (SELECT 1 FROM wallet w WHERE w.owner_id = e.owner_id AND w.currency_code = e.currency_code)"},
	{"transactions that no event tells of",
	 "SELECT COUNT(*) FROM ledger_transaction t"
	 " WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.event_id = t.transaction_id)"},
	{"steps of causes that moved money twice",
	 "SELECT COUNT(*) FROM (SELECT cause_id FROM ledger_transaction GROUP BY cause_kind, cause_id, step"
	 " HAVING COUNT(*) > 1) x"},
	{"transactions of payments and purchases that are not there",
	 "SELECT COUNT(*) FROM ledger_transaction t WHERE t.cause_kind NOT IN (1, 2)"
	 " OR t.cause_kind = 1 AND NOT EXISTS (SELECT 1 FROM payment p WHERE p.payment_id = t.cause_id)"
	 " OR t.cause_kind = 2 AND NOT EXISTS (SELECT 1 FROM charge c WHERE c.charge_id = t.cause_id)"},
	{"charges that are not paid by their transaction",
	 "SELECT COUNT(*) FROM charge c WHERE c.charged <>"
	 " (SELECT IFNULL(-SUM(e.amount), 0) FROM ledger_entry e JOIN ledger_transaction t USING"
	 "  (transaction_id)"
	 "  WHERE t.cause_kind = 2 AND t.cause_id = c.charge_id AND t.step = 0"
	 "  AND t.transaction_id = c.transaction_id AND e.account_kind = 1"
	 "  AND e.owner_id = c.payer_id AND e.currency_code = c.currency_code)"},
	{"purchases without their charge",
	 "SELECT COUNT(*) FROM purchase p WHERE NOT EXISTS (SELECT 1 FROM charge c"
	 " WHERE c.charge_id = p.purchase_id AND c.beneficiary_id = p.user_id"
	 " AND (p.state <> 2 OR c.charged = c.total))"},
	{"charges of nothing",
	 "SELECT COUNT(*) FROM charge c WHERE NOT EXISTS (SELECT 1 FROM purchase p WHERE p.purchase_id = "
	 "c.charge_id)"},
	{"completed purchases without one grant",
	 "SELECT COUNT(*) FROM purchase p WHERE p.state = 2 AND 1 <> (SELECT COUNT(*) FROM access_grant g"
	 " WHERE g.user_id = p.user_id AND g.scope_kind = 1 AND g.scope_id = p.course_id AND g.source_kind = 1"
	 " AND g.source_id = p.purchase_id)"},
	{"completed purchases without an enrollment",
	 "SELECT COUNT(*) FROM purchase p WHERE p.state = 2 AND NOT EXISTS (SELECT 1 FROM enrollment e"
	 " WHERE e.user_id = p.user_id AND e.course_id = p.course_id)"},
	{"accounts that are not their checkpoint and the rest",
	 "SELECT COUNT(*) FROM (SELECT e.account_kind, e.owner_id, e.currency_code, SUM(e.amount) total,"
	 "  SUM(IF(v.position = 0 OR v.position > r.position, e.amount, 0)) rest"
	 " FROM ledger_entry e LEFT JOIN event v ON v.event_id = e.transaction_id"
	 " JOIN event_reader r ON r.name = 'ledger' WHERE e.account_kind <> 1"
	 " GROUP BY e.account_kind, e.owner_id, e.currency_code) a"
	 " LEFT JOIN ledger_checkpoint c USING (account_kind, owner_id, currency_code)"
	 " WHERE a.total - a.rest <> IFNULL(c.balance, 0)"},
	{"checkpoints of accounts that are not there",
	 "SELECT COUNT(*) FROM ledger_checkpoint c WHERE NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE"
	 " e.account_kind = c.account_kind AND e.owner_id = c.owner_id AND e.currency_code = c.currency_code)"},
	{"payments that are not what their transaction credited",
	 "SELECT COUNT(*) FROM payment p WHERE p.amount <> (SELECT IFNULL(SUM(e.amount), 0) FROM"
	 " ledger_entry e JOIN ledger_transaction t USING (transaction_id)"
	 " WHERE t.cause_kind = 1 AND t.cause_id = p.payment_id AND t.step = 0"
	 "  AND t.transaction_id = p.transaction_id AND e.account_kind = 1 AND e.owner_id = p.owner_id"
	 "  AND e.currency_code = p.currency_code)"},
};

int64_t ledger_faults(const struct testdb *t)
{
	int64_t faults = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(checks); i++) {
		int64_t n = testdb_number(t, checks[i].sql);

		if (n)
			fprintf(stderr, "%" PRId64 " %s\n", n, checks[i].fault);
		faults += n;
	}
	return faults;
}
