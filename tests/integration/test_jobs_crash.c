/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/runtime/array.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/db/table.h"
#include "server/jobs/jobs.h"
#include "tests/lib/testdb.h"

/*
 * Two processes that do what is due, killed while they do. They are not the shipped server because nothing
 * that it does in the background shows that it was done twice: here each time is a row in `effect`. The
 * argument is how often one is killed; by itself 4 times, at length 20.
 */
enum { PROCESSES = 2, ROWS_A_KILL = 1500, STEPS = 5, MOVING = 200 };
enum { COUNT = 1, ALONE, MOVE, DEADLY };

static int kills = 4;

enum stmt { EFFECT, STEP, N_STMTS };
static const struct db_stmt stmts[N_STMTS] = {
	[EFFECT] = {"effect", "ii", NULL, "INSERT INTO effect (kind, subject_id) VALUES (?, ?)"},
	[STEP] = {"step", "ii", &db_row_i64, "SELECT COUNT(*) FROM effect WHERE kind = ? AND subject_id = ?"},
};
static const struct db_stmt_list effect_stmts = {"effect", stmts, N_STMTS};
static const struct db_stmt_list *const lists[] = {&due_stmts, &effect_stmts, NULL};

static struct testdb *db;
static struct db_conn *conn;
static struct error err;

static int effect(struct db_conn *c, const struct due *due, void *arg, struct error *e)
{
	return db_exec(c, &stmts[EFFECT], DB_ARGS(db_i64(due->kind), db_i64(due->subject_id)), NULL, e);
}

/* Puts itself again until it was done STEPS times. */
static int move_on(struct db_conn *c, const struct due *due, void *arg, struct error *e)
{
	int64_t steps = 0;
	int r = effect(c, due, arg, e);
	if (r == 0)
		r = db_read(c, &stmts[STEP], DB_ARGS(db_i64(due->kind), db_i64(due->subject_id)), NULL,
			    &steps, e);
	return r < 0 || steps >= STEPS ? (r < 0 ? r : 0) : due_in(c, due->kind, due->subject_id, 1000, e);
}

static int die_of_some(struct db_conn *c, const struct due *due, void *arg, struct error *e)
{
	if (due->subject_id == 50)
		raise(SIGKILL);
	return effect(c, due, arg, e);
}

static const struct due_kind kinds[] = {
	{.number = COUNT, DUE_NAME("count"), .run = effect, .together = 64},
	{.number = ALONE, DUE_NAME("alone"), .run = effect},
	{.number = MOVE, DUE_NAME("move"), .run = move_on, .together = 16},
	{.number = DEADLY, DUE_NAME("deadly"), .run = die_of_some, .together = 64},
};

/* --- processes --- */

static void serve(void)
{
	static struct job list[ARRAY_SIZE(kinds)];
	const struct jobs_config config = {.db = &db->config,
					   .stmts = lists,
					   .jobs = list,
					   .n_jobs = ARRAY_SIZE(kinds),
					   .threads = 2,
					   .poll_ms = 50};
	struct jobs *j;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		list[i].kind = &kinds[i];
	log_set_level(LOG_LEVEL_ERROR);
	if (jobs_start(&config, &j, &err) < 0)
		_exit(1);
	for (;;)
		pause();
}

static pid_t start(void)
{
	pid_t pid = fork();
	if (pid == 0)
		serve();
	assert_true(pid > 0);
	return pid;
}

static void end(pid_t pid)
{
	int status;
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* --- rows --- */

static void put(int kind, int from, int n)
{
	char sql[200];
	snprintf(sql, sizeof(sql),
		 "INSERT INTO due SELECT %d, seq, " DB_NOW_US " + seq %% 500 * 1000, 0 FROM seq_%d_to_%d",
		 kind, from, from + n - 1);
	testdb_run(conn, sql);
}

static int64_t number(const char *sql)
{
	return testdb_number(db, sql);
}

static void await_none(void)
{
	for (int64_t until_us = monotonic_us() + 60000000; number("SELECT COUNT(*) FROM due") > 0;
	     usleep(10000))
		if (monotonic_us() > until_us)
			fail_msg("%lld rows are still there", (long long)number("SELECT COUNT(*) FROM due"));
}

static int clear(void **state)
{
	testdb_run(conn, "DELETE FROM due");
	testdb_run(conn, "DELETE FROM effect");
	return 0;
}

static int setup(void **state)
{
	testdb_setup(state);
	db = *state;
	struct db_conn *bare = testdb_connect(db, NULL);
	testdb_run(
		bare,
		"CREATE TABLE effect (effect_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, kind INT NOT NULL, "
		"subject_id BIGINT NOT NULL, KEY effect_subject (kind, subject_id))");
	db_close(bare);
	conn = testdb_connect(db, lists);
	return 0;
}

static int teardown(void **state)
{
	db_close(conn);
	return testdb_teardown(state);
}

/* --- tests --- */

static void test_killed_servers_lose_and_double_nothing(void **state)
{
	pid_t pids[PROCESSES];
	int busy = 0;
	for (unsigned i = 0; i < PROCESSES; i++)
		pids[i] = start();
	put(MOVE, 1, MOVING);
	for (int i = 0; i < kills; i++) {
		put(COUNT, 1 + i * ROWS_A_KILL, ROWS_A_KILL);
		put(ALONE, 1 + i * ROWS_A_KILL / 10, ROWS_A_KILL / 10);
		usleep(100000 + arc4random_uniform(300000));
		pid_t *pid = &pids[arc4random_uniform(PROCESSES)];
		end(*pid);
		busy += number("SELECT COUNT(*) > 0 FROM due WHERE due_time <= " DB_NOW_US) > 0;
		*pid = start();
	}
	await_none();
	for (unsigned i = 0; i < PROCESSES; i++)
		end(pids[i]);
	print_message("%d kills, %d of them with rows due; %lld effects\n", kills, busy,
		      (long long)number("SELECT COUNT(*) FROM effect"));
	assert_true(busy > 0);
	const int counted = kills * ROWS_A_KILL + kills * (ROWS_A_KILL / 10);
	assert_int_equal(number("SELECT COUNT(*) FROM effect WHERE kind <> 3"), counted);
	assert_int_equal(number("SELECT COUNT(DISTINCT kind, subject_id) FROM effect WHERE kind <> 3"),
			 counted);
	assert_int_equal(
		number("SELECT COUNT(*) FROM (SELECT 1 FROM effect WHERE kind = 3 GROUP BY subject_id HAVING "
		       "COUNT(*) = 5) whole"),
		MOVING);
}

static void test_a_row_that_ends_the_process_keeps_nobody(void **state)
{
	int deaths = 0;
	put(DEADLY, 1, 100);
	pid_t pid = start();
	for (int64_t until_us = monotonic_us() + 30000000; number("SELECT COUNT(*) FROM effect") < 99;
	     usleep(10000)) {
		assert_true(monotonic_us() < until_us);
		if (waitpid(pid, NULL, WNOHANG) == pid) {
			deaths++;
			pid = start();
		}
	}
	print_message("99 rows beside one that ends the process: it ended %d times\n", deaths);
	assert_in_range(deaths, 1, 5);
	end(pid);
	assert_true(number("SELECT MIN(attempts) FROM due WHERE kind = 4") >= 1);
	assert_int_equal(number("SELECT COUNT(DISTINCT subject_id) FROM effect"), 99);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_killed_servers_lose_and_double_nothing, clear),
		cmocka_unit_test_setup(test_a_row_that_ends_the_process_keeps_nobody, clear),
	};
	if (argc > 1)
		kills = atoi(argv[1]);
	return cmocka_run_group_tests(tests, setup, teardown);
}
