/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/db/event.h"
#include "server/money/payment_store.h"
#include "server/money/wallet_store.h"
#include "tests/lib/ledger_check.h"
#include "tests/lib/test_payment.h"
#include "tests/lib/testdb.h"
#include "tests/lib/threads.h"

enum { CROWD = 20, ARENA_BYTES = 1 << 20 };
#define NOW INT64_C(1750000000000000)

static const struct db_stmt_list *const lists[] = {&payment_stmts, &wallet_stmts, &event_stmts, NULL};

static struct testdb *db;
static struct db_conn *conn;
static struct arena arena;
static struct error err;
static _Atomic int64_t last_id = 1000;

static int64_t new_id(void)
{
	return last_id += 3;
}

#define number(...) testdb_numberf(db, __VA_ARGS__)

static struct test_payment pay(const char *provider, const char *payment_id, int64_t owner_id,
			       const char *currency, int64_t amount)
{
	struct test_payment p = {.provider = provider,
				 .provider_payment_id = payment_id,
				 .owner_id = owner_id,
				 .currency_code = currency,
				 .amount = amount,
				 .first_id = new_id(),
				 .now_us = NOW};

	test_payment_credit(conn, &p);
	return p;
}

static int64_t balance_of(int64_t owner_id)
{
	return number("SELECT IFNULL(SUM(balance), -1) FROM wallet WHERE owner_id = %" PRId64, owner_id);
}

static void a_payment_is_credited_once(void **state)
{
	int64_t user = new_id(), other = new_id();
	struct test_payment first = pay("bank", "pay-1", user, "EUR", 5000), p;

	assert_int_equal(first.outcome, PAYMENT_CREDITED);
	assert_int_equal(first.transaction_id, first.first_id);
	p = pay("bank", "pay-1", user, "EUR", 5000);
	assert_int_equal(p.outcome, PAYMENT_REPEATED);
	assert_int_equal(p.transaction_id, first.transaction_id);
	p = pay("bank", "pay-1", user, "EUR", 5001);
	assert_int_equal(p.outcome, PAYMENT_DIFFERS);
	assert_int_equal(p.transaction_id, first.transaction_id);
	assert_int_equal(pay("bank", "pay-1", user, "USD", 5000).outcome, PAYMENT_DIFFERS);
	assert_int_equal(pay("bank", "pay-1", other, "EUR", 5000).outcome, PAYMENT_DIFFERS);
	assert_int_equal(balance_of(user), 5000);
	assert_int_equal(balance_of(other), -1);
	assert_int_equal(ledger_faults(db), 0);
}

static void its_transaction_has_it_as_its_cause(void **state)
{
	struct test_payment p = pay("bank", "cause-1", new_id(), "EUR", 5000);

	assert_int_equal(
		number("SELECT COUNT(*) FROM ledger_transaction t"
		       " JOIN payment p ON t.cause_kind = 1 AND t.cause_id = p.payment_id AND t.step = 0"
		       " JOIN event e ON e.event_id = t.transaction_id"
		       " WHERE p.provider_payment_id = 'cause-1' AND t.transaction_id = %" PRId64
		       " AND t.actor_id = 1 AND p.payment_id = %" PRId64,
		       p.transaction_id, p.first_id + 1),
		1);
}

/* Whatever lets the same step of a cause be tried again, its key does not let it move money again. */
static void a_step_of_a_cause_moves_money_once(void **state)
{
	int64_t user = new_id(), transactions;
	struct test_payment p = pay("bank", "step-1", user, "EUR", 5000);
	struct ledger_record record = {.cause = LEDGER_BY_PAYMENT,
				       .step = LEDGER_PAYMENT_RECEIVED,
				       .lines = "[[4,3,\"EUR\",-5000],[1,3,\"EUR\",5000]]"};
	struct payment again = {.payment_id = p.first_id + 1,
				.transaction_id = new_id(),
				.actor_id = 1,
				.provider = "bank",
				.provider_payment_id = "step-1-again",
				.owner_id = user,
				.currency_code = "EUR",
				.amount = 5000,
				.create_us = NOW};
	enum payment_outcome outcome;
	int64_t first;

	transactions = number("SELECT COUNT(*) FROM ledger_transaction");
	testdb_run(conn, "START TRANSACTION");
	assert_int_equal(payment_store_credit(conn, &again, &record, &outcome, &first, &err),
			 -STATUS_INTERNAL);
	testdb_run(conn, "ROLLBACK");
	assert_int_equal(number("SELECT COUNT(*) FROM ledger_transaction"), transactions);
	assert_int_equal(balance_of(user), 5000);
}

static void payments_are_told_apart_exactly(void **state)
{
	static const char *const names[][2] = {{"x-bank", "p"}, {"X-bank", "p"},  {"x-bank ", "p"},
					       {"x-bank", "P"}, {"x-bank", "p "}, {"x-b\xc3\xa4nk", "p"}};
	int64_t user = new_id();

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(pay(names[i][0], names[i][1], user, "EUR", 1).outcome, PAYMENT_CREDITED);
	assert_int_equal(balance_of(user), 6);
	/* A provider keeps its clearing account. */
	assert_int_equal(number("SELECT COUNT(DISTINCT e.owner_id) FROM ledger_entry e JOIN payment p USING "
				"(transaction_id) WHERE p.owner_id = %" PRId64 " AND e.account_kind = 4",
				user),
			 4);
}

static void a_balance_stays_in_range(void **state)
{
	int64_t user = new_id();

	assert_int_equal(pay("bank", "big-1", user, "EUR", INT64_MAX - 1).outcome, PAYMENT_CREDITED);
	assert_int_equal(pay("bank", "big-2", user, "EUR", 2).outcome, PAYMENT_OVERFLOW);
	assert_int_equal(pay("bank", "big-3", user, "EUR", INT64_MAX).outcome, PAYMENT_OVERFLOW);
	assert_int_equal(pay("bank", "big-4", user, "EUR", 1).outcome, PAYMENT_CREDITED);
	assert_true(balance_of(user) == INT64_MAX);
	/* What was refused may come again, with room for it. */
	assert_int_equal(number("SELECT COUNT(*) FROM payment WHERE owner_id = %" PRId64, user), 2);
	assert_int_equal(ledger_faults(db), 0);
}

static void reads_balances_by_currency(void **state)
{
	int64_t user = new_id();
	struct wallet_balance *balances;
	unsigned n;

	assert_int_equal(wallet_store_read(conn, &arena, user, &balances, &n, &err), 0);
	assert_int_equal(n, 0);
	pay("bank", "cur-1", user, "USD", 7);
	pay("bank", "cur-2", user, "EUR", 5);
	pay("bank", "cur-3", user, "USD", 4);
	assert_int_equal(wallet_store_read(conn, &arena, user, &balances, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(balances[0].currency_code, "EUR");
	assert_int_equal(balances[0].minor_units, 5);
	assert_string_equal(balances[1].currency_code, "USD");
	assert_int_equal(balances[1].minor_units, 11);
	assert_true(balances[1].update_us == NOW);
}

/* --- at once --- */

struct racer {
	struct test_payment payment;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	struct db_conn *c = testdb_connect(db, lists);

	test_payment_credit(c, &r->payment);
	db_close(c);
	return NULL;
}

static void one_payment_at_once_is_credited_once(void **state)
{
	struct racer racers[CROWD];
	int64_t user = new_id();
	unsigned credited = 0;

	pay("bank", "before the race", new_id(), "EUR", 1); /* the provider is there */
	for (int i = 0; i < CROWD; i++)
		racers[i].payment = (struct test_payment){.provider = "bank",
							  .provider_payment_id = "race",
							  .owner_id = user,
							  .currency_code = "EUR",
							  .amount = 700,
							  .first_id = new_id(),
							  .now_us = NOW};
	threads_run(CROWD, race, racers, sizeof(*racers));
	for (int i = 0; i < CROWD; i++)
		credited += racers[i].payment.outcome == PAYMENT_CREDITED;
	assert_int_equal(credited, 1);
	assert_int_equal(balance_of(user), 700);
	assert_int_equal(ledger_faults(db), 0);
}

/* --- rows that guard what no method does yet --- */

/* The statements that recoveries and payouts will run: of two at once, the second finds too little left. */
static void a_guard_lets_one_of_two_through(void **state)
{
	static const char
		recover[] = "UPDATE wallet SET debt = debt - 20 WHERE owner_id = 7 AND debt >= 20",
		pay_out[] =
			"UPDATE payable SET paid_out = paid_out + 400 WHERE owner_id = 7 AND paid_out = 100";

	testdb_run(conn, "INSERT INTO wallet VALUES (7, 'EUR', 0, 30, 0)");
	testdb_run(conn, recover);
	testdb_run(conn, recover);
	assert_int_equal(number("SELECT debt FROM wallet WHERE owner_id = 7"), 10);
	testdb_run(conn, "INSERT INTO payable VALUES (7, 'EUR', 100)");
	testdb_run(conn, pay_out);
	testdb_run(conn, pay_out);
	assert_int_equal(number("SELECT paid_out FROM payable WHERE owner_id = 7"), 500);
}

static int setup(void **state)
{
	db = testdb_new();
	conn = testdb_connect(db, lists);
	arena_init(&arena, ARENA_BYTES);
	return 0;
}

static int teardown(void **state)
{
	arena_done(&arena);
	db_close(conn);
	testdb_free(db);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_payment_is_credited_once),
		cmocka_unit_test(its_transaction_has_it_as_its_cause),
		cmocka_unit_test(a_step_of_a_cause_moves_money_once),
		cmocka_unit_test(payments_are_told_apart_exactly),
		cmocka_unit_test(a_balance_stays_in_range),
		cmocka_unit_test(reads_balances_by_currency),
		cmocka_unit_test(one_payment_at_once_is_credited_once),
		cmocka_unit_test(a_guard_lets_one_of_two_through),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
