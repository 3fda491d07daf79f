/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "server/base/clock.h"
#include "server/db/table.h"
#include "tests/lib/testdb.h"
#include "tests/lib/threads.h"

enum { ITEM_INSERT, ITEM_ADD, ITEM_GET, CONNECTION_ID, IDLE_LIMIT, ITEM_COMMIT_AND_DIE, ITEM_STMTS };

static const struct db_stmt stmts[ITEM_STMTS] = {
	[ITEM_INSERT] = {"item_insert", "ii", NULL, "INSERT INTO item (id, n) VALUES (?, ?)"},
	[ITEM_ADD] = {"item_add", "ii", NULL, "UPDATE item SET n = n + ? WHERE id = ?"},
	[ITEM_GET] = {"item_get", "i", &db_row_i64, "SELECT n FROM item WHERE id = ?"},
	[CONNECTION_ID] = {"connection_id", "", &db_row_i64, "SELECT CONNECTION_ID()"},
	[IDLE_LIMIT] = {"idle_limit", "", &db_row_i64, "SELECT @@idle_transaction_timeout"},
	/* Claims its id, commits, and loses the connection before it can answer; run again it answers. */
	[ITEM_COMMIT_AND_DIE] =
		{"item_commit_and_die", "i", &db_row_i64,
		 "BEGIN NOT ATOMIC "
		 "  DECLARE v_id BIGINT DEFAULT ?; "
		 "  DECLARE v_fresh BIGINT DEFAULT 0; "
		 "  START TRANSACTION; "
		 "  INSERT INTO item (id, n) VALUES (v_id, 1) ON DUPLICATE KEY UPDATE id = id; "
		 "  SET v_fresh = ROW_COUNT(); "
		 "  COMMIT; "
		 "  IF v_fresh = 1 THEN KILL CONNECTION CONNECTION_ID(); END IF; "
		 "  SELECT n FROM item WHERE id = v_id; "
		 "END"},
};
static const struct db_stmt_list item_stmts = {"item", stmts, ITEM_STMTS};
static const struct db_stmt_list *const lists[] = {&item_stmts, NULL};

static struct testdb *db;
static struct db_conn *conn, *admin;
static struct error err;

static int setup(void **state)
{
	testdb_setup(state);
	db = *state;
	admin = testdb_connect(db, NULL);
	testdb_run(admin,
		   "CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, n BIGINT NOT NULL) ENGINE=InnoDB");
	return 0;
}

static int teardown(void **state)
{
	db_close(admin);
	return testdb_teardown(state);
}

static int clear(void **state)
{
	testdb_run(admin, "DELETE FROM item");
	testdb_run(admin, "INSERT INTO item (id, n) VALUES (1, 0), (2, 0)");
	conn = testdb_connect(db, lists);
	return 0;
}

static int close_connection(void **state)
{
	db_close(conn);
	return 0;
}

static int64_t number(struct db_conn *c, int statement, const struct db_value *args, unsigned n)
{
	int64_t number;
	return db_read(c, &stmts[statement], args, n, NULL, &number, &err) == 1 ? number : -1;
}

static int64_t item(int64_t id)
{
	return number(conn, ITEM_GET, DB_ARGS(db_i64(id)));
}

/* Sums what committed, whatever the connection of the test has seen. */
static int64_t total(void)
{
	return testdb_number(db, "SELECT CAST(SUM(n) AS SIGNED) FROM item");
}

static void kill_connection(struct db_conn *victim)
{
	char sql[64];
	snprintf(sql, sizeof(sql), "KILL CONNECTION %lld",
		 (long long)number(victim, CONNECTION_ID, DB_NO_ARGS));
	testdb_run(admin, sql);
}

struct body {
	unsigned runs;
	unsigned kill_before_work, kill_before_commit; /* in this run; 0: never */
	int refuse;
};

static int body(struct db_conn *c, void *arg, struct error *e)
{
	struct body *b = arg;
	b->runs++;
	if (b->runs == b->kill_before_work)
		kill_connection(c);
	int r = db_exec(c, &stmts[ITEM_ADD], DB_ARGS(db_i64(1), db_i64(1)), NULL, e);
	if (r < 0)
		return r;
	if (b->runs == b->kill_before_commit)
		kill_connection(c);
	return b->refuse ? error_raise(e, &RPC_REASON_FIELD_INVALID, "no") : 0;
}

static void test_a_transaction_commits_once(void **state)
{
	struct body b = {0};
	struct db_counters before = db_counters(conn);
	assert_int_equal(db_transaction(conn, true, body, &b, &err), 0);
	assert_int_equal(total(), 1);
	assert_int_equal(db_counters(conn).round_trips - before.round_trips, 3);
	assert_int_equal(db_counters(conn).commits - before.commits, 1);
}

static void test_a_refusal_rolls_back(void **state)
{
	struct body b = {.refuse = 1};
	assert_int_equal(db_transaction(conn, true, body, &b, &err), -STATUS_INVALID_ARGUMENT);
	assert_int_equal(b.runs, 1);
	assert_int_equal(total(), 0);
}

static void test_a_connection_lost_before_commit_is_run_again(void **state)
{
	struct body b = {.kill_before_work = 1};
	assert_int_equal(db_transaction(conn, false, body, &b, &err), 0);
	assert_int_equal(b.runs, 2);
	assert_int_equal(total(), 1);
}

static void test_a_connection_lost_at_commit_is_settled_by_a_rerunnable_body(void **state)
{
	struct body b = {.kill_before_commit = 1};
	assert_int_equal(db_transaction(conn, true, body, &b, &err), 0);
	assert_int_equal(b.runs, 2);
	assert_int_equal(total(), 1);
}

static void test_a_connection_lost_at_commit_is_an_unknown_outcome_for_others(void **state)
{
	struct body b = {.kill_before_commit = 1};
	assert_int_equal(db_transaction(conn, false, body, &b, &err), -STATUS_DEADLINE_EXCEEDED);
	assert_ptr_equal(err.reason, &RPC_REASON_OUTCOME_UNKNOWN);
	assert_int_equal(b.runs, 1);
}

/* Stands still, once, and somebody else gets what it had locked. */
static int stand_still(struct db_conn *c, void *arg, struct error *e)
{
	struct body *b = arg;
	int r = db_exec(c, &stmts[ITEM_ADD], DB_ARGS(db_i64(1), db_i64(1)), NULL, e);
	if (r == 0 && b->runs++ == 0) {
		testdb_run(c, "SET SESSION idle_transaction_timeout = 1");
		testdb_run(admin, "UPDATE item SET n = 10 WHERE id = 1");
	}
	return r < 0 ? r : db_exec(c, &stmts[ITEM_ADD], DB_ARGS(db_i64(1), db_i64(1)), NULL, e);
}

static void test_who_stands_still_in_a_transaction_keeps_no_locks(void **state)
{
	struct body b = {0};
	assert_in_range(number(conn, IDLE_LIMIT, DB_NO_ARGS), 1, 10);
	assert_int_equal(db_transaction(conn, false, stand_still, &b, &err), 0);
	assert_int_equal(b.runs, 2);
	assert_int_equal(item(1), 12);
}

static int commit_and_die(struct db_conn *c, void *arg, struct error *e)
{
	unsigned *runs = arg;
	++*runs;
	return db_found(c, &stmts[ITEM_COMMIT_AND_DIE], DB_ARGS(db_i64(7)), e);
}

static void test_a_commit_whose_answer_was_lost_is_settled(void **state)
{
	unsigned runs = 0;
	assert_int_equal(db_retry(conn, commit_and_die, &runs, &err), 1);
	assert_int_equal(runs, 2);
	assert_int_equal(total(), 1);
}

static void test_a_stale_connection_is_opened_anew(void **state)
{
	kill_connection(conn);
	assert_int_equal(item(1), 0);
	kill_connection(conn);
	assert_int_equal(db_exec(conn, &stmts[ITEM_ADD], DB_ARGS(db_i64(1), db_i64(1)), NULL, &err),
			 -STATUS_DEADLINE_EXCEEDED);
	assert_ptr_equal(err.reason, &RPC_REASON_OUTCOME_UNKNOWN);
	assert_int_equal(db_exec(conn, &stmts[ITEM_ADD], DB_ARGS(db_i64(1), db_i64(1)), NULL, &err), 0);
}

/* --- conflicts --- */

static pthread_barrier_t both_hold_one;

struct crossing {
	struct db_conn *conn;
	int64_t first, second;
	unsigned runs;
	int r;
};

static int cross(struct db_conn *c, void *arg, struct error *e)
{
	struct crossing *x = arg;
	int r = db_exec(c, &stmts[ITEM_ADD], DB_ARGS(db_i64(1), db_i64(x->first)), NULL, e);
	if (r < 0)
		return r;
	if (x->runs++ == 0)
		pthread_barrier_wait(&both_hold_one);
	r = db_exec(c, &stmts[ITEM_ADD], DB_ARGS(db_i64(1), db_i64(x->second)), NULL, e);
	/* A body that swallows the error must not get half of its work committed. */
	return r == -STATUS_ABORTED ? 0 : r;
}

static void *cross_thread(void *arg)
{
	struct crossing *x = arg;
	struct error e;
	x->r = db_transaction(x->conn, true, cross, x, &e);
	return NULL;
}

static void test_a_deadlock_is_run_again(void **state)
{
	struct crossing x[2] = {{.conn = conn, .first = 1, .second = 2},
				{.conn = testdb_connect(db, lists), .first = 2, .second = 1}};
	pthread_barrier_init(&both_hold_one, NULL, 2);
	threads_run(2, cross_thread, x, sizeof(*x));
	pthread_barrier_destroy(&both_hold_one);
	db_close(x[1].conn);
	assert_int_equal(x[0].r, 0);
	assert_int_equal(x[1].r, 0);
	assert_int_equal(x[0].runs + x[1].runs, 3);
	assert_int_equal(total(), 4);
}

static int lock_item(void)
{
	testdb_run(admin, "START TRANSACTION");
	testdb_run(admin, "UPDATE item SET n = n + 100 WHERE id = 1");
	return 0;
}

static void test_the_deadline_ends_a_lock_wait(void **state)
{
	struct body b = {0};
	int64_t start = monotonic_us();
	lock_item();
	db_set_deadline(conn, start + 300000);
	assert_int_equal(db_transaction(conn, true, body, &b, &err), -STATUS_DEADLINE_EXCEEDED);
	assert_ptr_equal(err.reason, &RPC_REASON_DEADLINE_PASSED);
	assert_in_range(monotonic_us() - start, 250000, 2000000);
	testdb_run(admin, "ROLLBACK");
	assert_int_equal(total(), 0);
	db_set_deadline(conn, INT64_MAX);
	assert_int_equal(db_transaction(conn, true, body, &b, &err), 0);
}

static void test_a_lock_wait_without_a_deadline_ends_too(void **state)
{
	struct db_config config = db->config;
	struct db_conn *c = NULL;
	config.lock_wait_s = 1;
	assert_int_equal(db_open(&config, lists, &c, &err), 0);
	lock_item();
	assert_int_equal(db_exec(c, &stmts[ITEM_ADD], DB_ARGS(db_i64(1), db_i64(1)), NULL, &err),
			 -STATUS_ABORTED);
	assert_ptr_equal(err.reason, &RPC_REASON_CONFLICT);
	testdb_run(admin, "ROLLBACK");
	db_close(c);
}

static int always_conflicts(struct db_conn *c, void *arg, struct error *e)
{
	struct timespec t = {.tv_nsec = 30000000};
	unsigned *runs = arg;
	++*runs;
	nanosleep(&t, NULL);
	return db_exec(c, &stmts[ITEM_ADD], DB_ARGS(db_i64(1), db_i64(1)), NULL, e);
}

static void test_retries_stay_within_the_deadline(void **state)
{
	struct db_config config = db->config;
	struct db_conn *c = NULL;
	unsigned runs = 0;
	config.lock_wait_s = 1;
	assert_int_equal(db_open(&config, lists, &c, &err), 0);
	lock_item();
	int64_t start = monotonic_us();
	db_set_deadline(c, start + 2500000);
	assert_true(db_transaction(c, true, always_conflicts, &runs, &err) < 0);
	assert_in_range(runs, 2, 4);
	assert_in_range(monotonic_us() - start, 2000000, 4500000);
	testdb_run(admin, "ROLLBACK");
	db_close(c);
}

static void test_a_database_that_is_not_there_is_unavailable(void **state)
{
	struct db_config config = db->config;
	struct db_conn *c = NULL;
	config.socket = "/nonexistent/db.sock";
	assert_int_equal(db_open(&config, lists, &c, &err), -STATUS_UNAVAILABLE);
	assert_ptr_equal(err.reason, &RPC_REASON_DATABASE_UNAVAILABLE);
	assert_true(err.retry_delay_ms > 0);
}

static int nested(struct db_conn *c, void *arg, struct error *e)
{
	return db_transaction(c, true, body, arg, e);
}

static void test_a_transaction_inside_a_transaction_is_refused(void **state)
{
	struct body b = {0};
	assert_int_equal(db_transaction(conn, true, nested, &b, &err), -STATUS_INTERNAL);
	assert_int_equal(b.runs, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, clear, close_connection)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_transaction_commits_once),
		TEST(test_a_refusal_rolls_back),
		TEST(test_a_connection_lost_before_commit_is_run_again),
		TEST(test_a_connection_lost_at_commit_is_settled_by_a_rerunnable_body),
		TEST(test_a_connection_lost_at_commit_is_an_unknown_outcome_for_others),
		TEST(test_who_stands_still_in_a_transaction_keeps_no_locks),
		TEST(test_a_commit_whose_answer_was_lost_is_settled),
		TEST(test_a_stale_connection_is_opened_anew),
		TEST(test_a_deadlock_is_run_again),
		TEST(test_the_deadline_ends_a_lock_wait),
		TEST(test_a_lock_wait_without_a_deadline_ends_too),
		TEST(test_retries_stay_within_the_deadline),
		TEST(test_a_database_that_is_not_there_is_unavailable),
		TEST(test_a_transaction_inside_a_transaction_is_refused),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
