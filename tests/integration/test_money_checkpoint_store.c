/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edu/v1/error.tables.h"
#include "server/db/event.h"
#include "server/db/retention.h"
#include "server/db/sequencer.h"
#include "server/db/table.h"
#include "server/money/checkpoint_store.h"
#include "tests/lib/ledger_check.h"
#include "tests/lib/test_payment.h"
#include "tests/lib/testdb.h"
#include "tests/lib/threads.h"

/* Payments of one provider, whose clearing account is what is read. */

enum { WRITERS = 4, EACH = 200, CUT = 1000 };

static const struct db_stmt_list *const lists[] = {&payment_stmts, &event_stmts, &checkpoint_stmts, NULL};

static struct testdb *db;
static struct db_conn *conn;
static struct sequencer sequencer;
static struct error err;
static _Atomic int64_t last_id = 1000000;

static int64_t new_id(void)
{
	return atomic_fetch_add(&last_id, 3);
}

static void pay_in(struct db_conn *c, int64_t first_id, int64_t amount)
{
	char payment_id[32];
	struct test_payment p = {.provider = "bank",
				 .provider_payment_id = payment_id,
				 .owner_id = 7,
				 .currency_code = "EUR",
				 .amount = amount,
				 .first_id = first_id};

	snprintf(payment_id, sizeof(payment_id), "pay-%" PRId64, first_id);
	assert_int_equal(test_payment_credit(c, &p), PAYMENT_CREDITED);
}

static int64_t provider_id(void)
{
	return testdb_number(db, "SELECT provider_id FROM payment_provider WHERE provider = 'bank'");
}

static int64_t balance_on(struct db_conn *c, int64_t owner_id)
{
	int64_t balance;
	struct error e;

	if (checkpoint_store_balance(c, LEDGER_CLEARING, owner_id, "EUR", &balance, &e) < 0)
		fail_msg("%s", e.message);
	return balance;
}

static int64_t balance(void)
{
	return balance_on(conn, provider_id());
}

/* What the checkpoints say, and how far they are. */
static int64_t checkpoint(void)
{
	return testdb_number(db,
			     "SELECT IFNULL(SUM(balance), 0) FROM ledger_checkpoint WHERE account_kind = 4");
}

static int64_t place(void)
{
	return testdb_number(db, "SELECT position FROM event_reader WHERE name = 'ledger'");
}

static void give_positions(void)
{
	assert_int_equal(sequencer_run(&sequencer, &err), 0);
}

struct cut {
	unsigned n;
	bool more;
};

static int cut_body(struct db_conn *c, void *arg, struct error *e)
{
	struct cut *cut = arg;

	return checkpoint_store_cut(c, cut->n, &cut->more, e);
}

/* Whether there may be more. */
static bool cut_on(struct db_conn *c, unsigned n)
{
	struct cut cut = {.n = n};
	struct error e;

	if (db_transaction(c, true, cut_body, &cut, &e) < 0)
		fail_msg("%s", e.message);
	return cut.more;
}

static bool cut(unsigned n)
{
	return cut_on(conn, n);
}

/* --- one after the other --- */

static void a_balance_is_the_checkpoint_and_the_rest(void **state)
{
	pay_in(conn, new_id(), 100);
	assert_int_equal(balance(), -100); /* no position yet */
	assert_false(cut(CUT));
	assert_int_equal(checkpoint(), 0);
	give_positions();
	assert_int_equal(balance(), -100); /* not cut yet */
	assert_false(cut(CUT));
	assert_int_equal(checkpoint(), -100);
	assert_int_equal(place(), 1);
	assert_int_equal(balance(), -100);
	pay_in(conn, new_id(), 20);
	assert_int_equal(balance(), -120);
	assert_int_equal(balance_on(conn, provider_id() + 1), 0);
	give_positions();
	assert_false(cut(CUT));
	assert_false(cut(CUT));
	assert_int_equal(checkpoint(), -120);
	assert_int_equal(balance(), -120);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM ledger_checkpoint WHERE account_kind = 1"),
			 0);
	assert_int_equal(ledger_faults(db), 0);
}

/* The posting of a transaction that is begun before the cut and committed after it. */
static void an_old_id_that_commits_after_the_cut_is_not_lost(void **state)
{
	struct db_conn *late = testdb_connect(db, lists);
	const int64_t old_id = new_id();

	pay_in(conn, new_id(), 1); /* the provider is there */
	give_positions();
	testdb_run(late, "START TRANSACTION");
	testdb_run(late, "INSERT INTO ledger_transaction VALUES (500, 1, 501, 0, 1, 0)");
	testdb_run(
		late,
		"INSERT INTO ledger_entry SELECT 500, 1, 4, provider_id, 'EUR', -5000 FROM payment_provider");
	testdb_run(late, "INSERT INTO ledger_entry VALUES (500, 2, 1, 7, 'EUR', 5000)");
	testdb_run(late, "INSERT INTO payment VALUES (501, 'bank', 'late', 7, 'EUR', 5000, 500, 0)");
	testdb_run(late, "INSERT INTO event (event_id, kind, subject_id, user_id, course_id, organization_id,"
			 " create_time, payload) VALUES (500, 'wallet.topped_up', 7, 7, 0, 0, 0, '')");
	assert_true(old_id > 500);
	pay_in(conn, new_id(), 30);
	give_positions();
	cut(CUT);
	assert_int_equal(balance(), -31);
	assert_int_equal(checkpoint(), -31);
	const int64_t place_before = place();

	testdb_run(late, "UPDATE wallet SET balance = balance + 5000 WHERE owner_id = 7");
	testdb_run(late, "COMMIT");
	assert_int_equal(balance(), -5031);
	give_positions();
	assert_int_equal(balance(), -5031);
	cut(CUT);
	assert_int_equal(place(), place_before + 1);
	assert_int_equal(checkpoint(), -5031);
	assert_int_equal(balance(), -5031);
	assert_int_equal(ledger_faults(db), 0);
	db_close(late);
}

static void cuts_so_many_at_a_time(void **state)
{
	for (int i = 0; i < 10; i++)
		pay_in(conn, new_id(), 1);
	give_positions();
	assert_true(cut(4));
	assert_int_equal(place(), 4);
	assert_int_equal(checkpoint(), -4);
	assert_int_equal(balance(), -10);
	assert_true(cut(4));
	assert_false(cut(4));
	assert_int_equal(place(), 10);
	assert_int_equal(checkpoint(), -10);
	assert_false(cut(4));
	assert_int_equal(ledger_faults(db), 0);
}

static void a_cut_that_is_rolled_back_leaves_all_as_it_was(void **state)
{
	bool more;

	pay_in(conn, new_id(), 8);
	give_positions();
	testdb_run(conn, "START TRANSACTION");
	assert_int_equal(checkpoint_store_cut(conn, CUT, &more, &err), 0);
	testdb_run(conn, "ROLLBACK");
	assert_int_equal(place(), 0);
	assert_int_equal(balance(), -8);
	cut(CUT);
	assert_int_equal(checkpoint(), -8);
}

static void a_sum_beyond_an_amount_stops_no_cut(void **state)
{
	int64_t balance;

	for (int user = 1; user <= 2; user++) {
		char payment_id[32];
		struct test_payment p = {.provider = "bank",
					 .provider_payment_id = payment_id,
					 .owner_id = user,
					 .currency_code = "EUR",
					 .amount = INT64_MAX,
					 .first_id = new_id()};

		snprintf(payment_id, sizeof(payment_id), "all-%d", user);
		assert_int_equal(test_payment_credit(conn, &p), PAYMENT_CREDITED);
	}
	for (int cuts = 0; cuts < 2; cuts++) {
		assert_int_equal(
			checkpoint_store_balance(conn, LEDGER_CLEARING, provider_id(), "EUR", &balance, &err),
			-STATUS_OUT_OF_RANGE);
		assert_ptr_equal(err.reason, &REASON_AMOUNT_OVERFLOW);
		give_positions();
		cut(CUT);
	}
	assert_int_equal(place(), 2);
	assert_int_equal(ledger_faults(db), 0);
}

/* --- at once --- */

enum part { PAYS, GIVES, CUTS, READS };

struct worker {
	enum part part;
	struct db_conn *conn;
	int64_t owner_id;
};

static atomic_int paying;
static _Atomic int64_t paid; /* by transactions that have committed */

static void pay_all(struct worker *w)
{
	for (int i = 0; i < EACH; i++) {
		pay_in(w->conn, new_id(), 1 + i % 3);
		atomic_fetch_add(&paid, 1 + i % 3);
	}
	atomic_fetch_sub(&paying, 1);
}

/* Nothing that was committed before is missing, and nothing is counted twice. */
static void read_once(struct worker *w)
{
	const int64_t before = atomic_load(&paid), got = -balance_on(w->conn, w->owner_id),
		      after = atomic_load(&paid);

	if (got < before || got > after + WRITERS * 3)
		fail_msg("%" PRId64 " is not from %" PRId64 " to %" PRId64, got, before, after);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct error e;

	if (w->part == PAYS)
		pay_all(w);
	while (w->part != PAYS && atomic_load(&paying) > 0) {
		if (w->part == GIVES && sequencer_run(&sequencer, &e) < 0)
			fail_msg("%s", e.message);
		if (w->part == CUTS)
			cut_on(w->conn, 7);
		if (w->part == READS)
			read_once(w);
	}
	return NULL;
}

static void readers_see_each_payment_once_while_cuts_are_made(void **state)
{
	static const enum part parts[] = {PAYS, PAYS, PAYS, PAYS, GIVES, CUTS, CUTS, READS};
	struct worker workers[WRITERS + 4];

	pay_in(conn, new_id(), 1); /* the provider is there */
	atomic_store(&paid, 1);
	atomic_store(&paying, WRITERS);
	for (int i = 0; i < WRITERS + 4; i++) {
		workers[i].conn = testdb_connect(db, lists);
		workers[i].part = parts[i];
		workers[i].owner_id = provider_id();
	}
	threads_run(WRITERS + 4, work, workers, sizeof(*workers));
	for (int i = 0; i < WRITERS + 4; i++)
		db_close(workers[i].conn);
	give_positions();
	while (cut(CUT))
		;
	assert_int_equal(checkpoint(), -paid);
	assert_int_equal(place(), WRITERS * EACH + 1);
	assert_int_equal(ledger_faults(db), 0);
}

/* --- what has not been cut is kept --- */

static void an_event_is_removed_only_when_it_was_cut(void **state)
{
	static const char old[] = "SELECT COUNT(*) FROM event";
	const struct db_stmt *pick = event_retention.pick;
	struct arena arena;
	void *rows;
	unsigned n;

	pay_in(conn, 50, 8); /* an id of the first day there was */
	give_positions();
	assert_int_equal(testdb_number(db, old), 1);
	arena_init(&arena, 1 << 16);
	assert_int_equal(db_read_all(conn, pick, DB_ARGS(db_i64(0), db_i64(100)), &arena, &rows, &n, &err),
			 0);
	assert_int_equal(n, 0);
	cut(CUT);
	assert_int_equal(db_read_all(conn, pick, DB_ARGS(db_i64(0), db_i64(100)), &arena, &rows, &n, &err),
			 0);
	assert_int_equal(n, 1);
	testdb_run(conn, "DELETE FROM event");
	assert_int_equal(balance(), -8);
	arena_done(&arena);
}

static int clear(void **state)
{
	static const char *const tables[] = {
		"event",  "ledger_transaction", "ledger_entry", "payment", "payment_provider",
		"wallet", "ledger_checkpoint"};
	char sql[64];

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		snprintf(sql, sizeof(sql), "DELETE FROM %s", tables[i]);
		testdb_run(conn, sql);
	}
	testdb_run(conn, "UPDATE event_reader SET position = 0");
	testdb_run(conn, "UPDATE event_sequence SET position = 0, durable_position = 0");
	return 0;
}

static int setup(void **state)
{
	struct sequencer_config config = {0};

	db = testdb_new();
	conn = testdb_connect(db, lists);
	config.db = &db->config;
	if (sequencer_open(&sequencer, &config, &err) < 0)
		return -1;
	sequencer.held = true;
	sequencer.next_take_us = INT64_MAX;
	return 0;
}

static int teardown(void **state)
{
	sequencer_close(&sequencer);
	db_close(conn);
	testdb_free(db);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_balance_is_the_checkpoint_and_the_rest, clear),
		cmocka_unit_test_setup(an_old_id_that_commits_after_the_cut_is_not_lost, clear),
		cmocka_unit_test_setup(cuts_so_many_at_a_time, clear),
		cmocka_unit_test_setup(a_cut_that_is_rolled_back_leaves_all_as_it_was, clear),
		cmocka_unit_test_setup(a_sum_beyond_an_amount_stops_no_cut, clear),
		cmocka_unit_test_setup(readers_see_each_payment_once_while_cuts_are_made, clear),
		cmocka_unit_test_setup(an_event_is_removed_only_when_it_was_cut, clear),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
