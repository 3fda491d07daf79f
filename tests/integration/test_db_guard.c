/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/clock.h"
#include "server/db/guard.h"
#include "server/db/table.h"
#include "tests/lib/testdb.h"
#include "tests/lib/threads.h"

enum { NAP, ONE, ADD, STMTS };

static const struct db_stmt stmts[STMTS] = {
	[NAP] = {"nap", "i", &db_row_i64, "SELECT SLEEP(?)"},
	[ONE] = {"one", NULL, &db_row_i64, "SELECT 1 + 0 * SLEEP(0.001)"},
	[ADD] = {"add", "i", NULL, "UPDATE counter SET n = n + 1 + 0 * SLEEP(? / 1000)"},
};
static const struct db_stmt_list list = {"guard", stmts, STMTS};
static const struct db_stmt_list *const lists[] = {&list, NULL};

static struct testdb *db;
static struct db_config config;
static struct error err;

/* A statement on a thread of its own. */
struct runner {
	struct db_conn *conn;
	const struct db_stmt *stmt;
	int64_t arg;
	pthread_t thread;
	int r;
	struct error err;
	int64_t took_us;
};

static int run_once(struct db_conn *conn, const struct db_stmt *stmt, int64_t arg, struct error *e)
{
	if (stmt == &stmts[ADD])
		return db_exec(conn, stmt, DB_ARGS(db_i64(arg)), NULL, e);
	if (stmt == &stmts[ONE])
		return db_found(conn, stmt, DB_NO_ARGS, e);
	return db_found(conn, stmt, DB_ARGS(db_i64(arg)), e);
}

static void *runner_main(void *arg)
{
	struct runner *r = arg;
	const int64_t began_us = monotonic_us();

	r->r = run_once(r->conn, r->stmt, r->arg, &r->err);
	r->took_us = monotonic_us() - began_us;
	return NULL;
}

static void runner_start(struct runner *r, int stmt, int64_t arg)
{
	*r = (struct runner){.stmt = &stmts[stmt], .arg = arg};
	assert_int_equal(db_open(&config, lists, &r->conn, &err), 0);
	assert_int_equal(pthread_create(&r->thread, NULL, runner_main, r), 0);
	usleep(200000);
}

static int setup(void **state)
{
	testdb_setup(state);
	db = *state;
	struct db_conn *c = testdb_connect(db, NULL);
	testdb_run(c, "CREATE TABLE counter (n BIGINT NOT NULL) ENGINE=InnoDB");
	testdb_run(c, "INSERT INTO counter VALUES (0)");
	db_close(c);
	return 0;
}

static int guard_setup(void **state)
{
	config = db->config;
	return db_guard_start(&db->config, &config.guard, &err);
}

static int guard_teardown(void **state)
{
	db_guard_stop(config.guard);
	return 0;
}

static void test_a_read_is_stopped(void **state)
{
	struct runner r;

	runner_start(&r, NAP, 30);
	db_interrupt(r.conn);
	pthread_join(r.thread, NULL);
	assert_true(r.took_us < 10 * 1000000);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM information_schema.processlist"
					   " WHERE info LIKE 'SELECT SLEEP%' AND db = DATABASE()"),
			 0);
	/* The next statement is another's. */
	assert_int_equal(run_once(r.conn, &stmts[ONE], 0, &err), 1);
	/* Nothing runs: nothing happens. */
	db_interrupt(r.conn);
	usleep(50000);
	assert_int_equal(run_once(r.conn, &stmts[ONE], 0, &err), 1);
	db_close(r.conn);
}

static void test_a_write_runs_to_its_end(void **state)
{
	const int64_t before = testdb_number(db, "SELECT n FROM counter");
	struct runner r;

	runner_start(&r, ADD, 600);
	db_interrupt(r.conn);
	pthread_join(r.thread, NULL);
	assert_int_equal(r.r, 0);
	assert_int_equal(testdb_number(db, "SELECT n FROM counter"), before + 1);
	db_close(r.conn);
}

/* --- at any moment --- */

/* Serves a caller who goes away at some moment, before, while or after the statement is sent. */
struct caller {
	struct db_conn *conn;
	_Atomic bool gone;
	unsigned patience_us;
	pthread_t thread;
};

static void *caller_main(void *arg)
{
	struct caller *c = arg;

	usleep(c->patience_us);
	atomic_store(&c->gone, true);
	db_interrupt(c->conn);
	return NULL;
}

static void test_no_read_outlives_its_caller(void **state)
{
	enum { ROUNDS = 100 };
	int before = 0;
	struct caller c = {0};

	assert_int_equal(db_open(&config, lists, &c.conn, &err), 0);
	db_set_unwanted(c.conn, &c.gone);
	for (int i = 0; i < ROUNDS; i++) {
		const int64_t began_us = monotonic_us();

		atomic_store(&c.gone, false);
		c.patience_us = 3 * (unsigned)i;
		assert_int_equal(pthread_create(&c.thread, NULL, caller_main, &c), 0);
		int r = run_once(c.conn, &stmts[NAP], 30, &err);
		if (r < 0 && err.code == STATUS_CANCELLED)
			before++;
		pthread_join(c.thread, NULL);
		assert_true(monotonic_us() - began_us < 10 * 1000000);
		/* Nothing begins for him but what changes something. */
		assert_int_equal(run_once(c.conn, &stmts[ONE], 0, &err), -STATUS_CANCELLED);
		assert_string_equal(err.reason->name, "CALL_CANCELLED");
		assert_int_equal(run_once(c.conn, &stmts[ADD], 0, &err), 0);
	}
	db_close(c.conn);
	printf("%d of %d callers left before their read began\n", before, ROUNDS);
}

struct hammer {
	struct db_conn *conn;
	atomic_bool over;
	pthread_t thread;
};

static void *hammer_main(void *arg)
{
	struct hammer *h = arg;

	while (!atomic_load(&h->over)) {
		db_interrupt(h->conn);
		usleep(300);
	}
	return NULL;
}

/* Whenever it comes, it stops the read that ran then or nothing: never the write after it. */
static void test_only_reads_are_stopped(void **state)
{
	enum { ROUNDS = 1500 };
	const int64_t before = testdb_number(db, "SELECT n FROM counter");
	struct hammer h = {0};
	int stopped = 0;

	assert_int_equal(db_open(&config, lists, &h.conn, &err), 0);
	assert_int_equal(pthread_create(&h.thread, NULL, hammer_main, &h), 0);
	for (int i = 0; i < ROUNDS; i++) {
		if (run_once(h.conn, &stmts[ONE], 0, &err) < 0) {
			assert_int_equal(err.code, STATUS_UNAVAILABLE);
			stopped++;
		}
		assert_int_equal(run_once(h.conn, &stmts[ADD], 0, &err), 0);
	}
	atomic_store(&h.over, true);
	pthread_join(h.thread, NULL);
	db_close(h.conn);
	printf("%d of %d reads stopped\n", stopped, ROUNDS);
	assert_int_equal(testdb_number(db, "SELECT n FROM counter"), before + ROUNDS);
	assert_true(stopped > 0);
}

/* --- the end --- */

static void test_who_waits_is_cut_off(void **state)
{
	const int64_t before = testdb_number(db, "SELECT n FROM counter");
	struct runner reads, writes;
	struct db_conn *late;

	runner_start(&reads, NAP, 30);
	runner_start(&writes, ADD, 30000);
	db_guard_cut_at(config.guard, monotonic_us() + 300000);
	pthread_join(reads.thread, NULL);
	pthread_join(writes.thread, NULL);
	assert_true(reads.took_us < 10 * 1000000 && writes.took_us < 10 * 1000000);
	assert_int_equal(reads.r, -STATUS_UNAVAILABLE);
	assert_string_equal(reads.err.reason->name, "DATABASE_UNAVAILABLE");
	/* It was sent, and nobody knows what becomes of it. */
	assert_string_equal(writes.err.reason->name, "OUTCOME_UNKNOWN");
	assert_int_equal(run_once(reads.conn, &stmts[ONE], 0, &err), -STATUS_UNAVAILABLE);
	assert_true(db_open(&config, lists, &late, &err) < 0);
	assert_int_equal(testdb_number(db, "SELECT n FROM counter"), before);
	db_close(reads.conn);
	db_close(writes.conn);
}

int main(void)
{
#define GUARDED(test) cmocka_unit_test_setup_teardown(test, guard_setup, guard_teardown)
	const struct CMUnitTest tests[] = {
		GUARDED(test_a_read_is_stopped),           GUARDED(test_a_write_runs_to_its_end),
		GUARDED(test_no_read_outlives_its_caller), GUARDED(test_only_reads_are_stopped),
		GUARDED(test_who_waits_is_cut_off),
	};
	return cmocka_run_group_tests(tests, setup, testdb_teardown);
}
