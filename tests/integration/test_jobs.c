/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/base/clock.h"
#include "server/base/metrics.h"
#include "server/db/guard.h"
#include "server/db/table.h"
#include "server/jobs/jobs.h"
#include "tests/lib/testdb.h"

/*
 * The runner with kinds of the test's own. What a row does is a row in `effect`, which has no key that would
 * hide a second time.
 */
enum { COUNT = 1, ALONE, FAIL, HANG, STRANGE, OVER, AGAIN, NAP, CROSS };

enum stmt { EFFECT, SLEEP, DOZE, RAISE, N_STMTS };
static const struct db_stmt stmts[N_STMTS] = {
	[EFFECT] = {"effect", "ii", NULL, "INSERT INTO effect (kind, subject_id) VALUES (?, ?)"},
	[SLEEP] = {"sleep", "", &db_row_i64, "SELECT SLEEP(600)"},
	[DOZE] = {"doze", "", &db_row_i64, "SELECT SLEEP(0.5)"},
	[RAISE] = {"raise", "i", NULL, "UPDATE pair SET n = n + 1 WHERE id = ?"},
};
static const struct db_stmt_list effect_stmts = {"effect", stmts, N_STMTS};
static const struct db_stmt_list *const lists[] = {&due_stmts, &effect_stmts, NULL};

static struct testdb *db;
static struct db_guard *guard;
static struct db_config guarded; /* of the runners, which stop what hangs as a service does */
static struct db_conn *conn;
static struct error err;

static int effect(struct db_conn *c, const struct due *due, void *arg, struct error *e)
{
	return db_exec(c, &stmts[EFFECT], DB_ARGS(db_i64(due->kind), db_i64(due->subject_id)), NULL, e);
}

/* Writes first: what failed must not be seen. Subjects from 1000 on are well. */
static int effect_and_fail(struct db_conn *c, const struct due *due, void *arg, struct error *e)
{
	int r = effect(c, due, arg, e);
	return r < 0 || due->subject_id >= 1000 ? r : error_internal(e, "this one\nnever works");
}

static int sleep_first(struct db_conn *c, enum stmt how, const struct due *due, void *arg, struct error *e)
{
	int64_t slept;
	int r = db_read(c, &stmts[how], DB_NO_ARGS, NULL, &slept, e);
	return r < 0 ? r : effect(c, due, arg, e);
}

static int hang(struct db_conn *c, const struct due *due, void *arg, struct error *e)
{
	return sleep_first(c, SLEEP, due, arg, e);
}

static int doze(struct db_conn *c, const struct due *due, void *arg, struct error *e)
{
	return sleep_first(c, DOZE, due, arg, e);
}

/* Raises both rows of a pair, in this order. */
static int raise_both(struct db_conn *c, int first, int second, struct error *e)
{
	int r = db_exec(c, &stmts[RAISE], DB_ARGS(db_i64(first)), NULL, e);
	return r < 0 ? r : db_exec(c, &stmts[RAISE], DB_ARGS(db_i64(second)), NULL, e);
}

static int cross(struct db_conn *c, const struct due *due, void *arg, struct error *e)
{
	int r = raise_both(c, 1, 2, e);
	return r < 0 ? r : effect(c, due, arg, e);
}

static int effect_and_again(struct db_conn *c, const struct due *due, void *arg, struct error *e)
{
	int r = effect(c, due, arg, e);
	return r < 0 ? r : due_in(c, due->kind, due->subject_id, INT64_C(3600) * 1000000, e);
}

static const struct due_kind count = {.number = COUNT, DUE_NAME("count"), .run = effect, .together = 64};
static const struct due_kind alone = {.number = ALONE, DUE_NAME("alone"), .run = effect};
static const struct due_kind fail = {
	.number = FAIL, DUE_NAME("fail"), .run = effect_and_fail, .together = 64};
static const struct due_kind hanging = {.number = HANG, DUE_NAME("hang"), .run = hang};
static const struct due_kind over = {.number = OVER, DUE_NAME("over"), .run = effect, .every_us = 100000};
static const struct due_kind again = {.number = AGAIN, DUE_NAME("again"), .run = effect_and_again};
static const struct due_kind napping = {.number = NAP, DUE_NAME("nap"), .run = doze};
static const struct due_kind crossing = {.number = CROSS, DUE_NAME("cross"), .run = cross, .together = 4};
static const struct job all_jobs[] = {{&count, NULL},   {&alone, NULL}, {&fail, NULL},    {&over, NULL},
				      {&hanging, NULL}, {&again, NULL}, {&napping, NULL}, {&crossing, NULL}};

static struct jobs *start_with(unsigned threads, int time_ms)
{
	const struct jobs_config config = {
		.db = &guarded,
		.stmts = lists,
		.jobs = all_jobs,
		.n_jobs = ARRAY_SIZE(all_jobs),
		.threads = threads,
		.time_ms = time_ms,
	};
	struct jobs *j = NULL;
	if (jobs_start(&config, &j, &err) < 0)
		fail_msg("%s", err.message);
	return j;
}

static struct jobs *start(void)
{
	return start_with(2, 0);
}

static int64_t number(const char *sql)
{
	return testdb_number(db, sql);
}

/* Repeats the question until it has this answer; how long that took, in milliseconds. */
static int await(const char *sql, int64_t wanted, int most_ms)
{
	int64_t began_us = monotonic_us();
	for (;;) {
		int64_t got = number(sql);
		int ms = (int)((monotonic_us() - began_us) / 1000);
		if (got == wanted)
			return ms;
		if (ms > most_ms)
			fail_msg("%s is %lld and not %lld after %d ms", sql, (long long)got,
				 (long long)wanted, ms);
		usleep(5000);
	}
}

#define EFFECTS_OF(kind) "SELECT COUNT(*) FROM effect WHERE kind = " #kind
#define ROWS_OF(kind) "SELECT COUNT(*) FROM due WHERE kind = " #kind

/* Rows `from` to `to`, all due now. */
static void put(int kind, int from, int to)
{
	char sql[256];
	snprintf(sql, sizeof(sql), "INSERT INTO due SELECT %d, seq, " DB_NOW_US " - 1, 0 FROM seq_%d_to_%d",
		 kind, from, to);
	testdb_run(conn, sql);
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
	if (db_guard_start(&db->config, &guard, &err) < 0)
		fail_msg("%s", err.message);
	guarded = db->config;
	guarded.guard = guard;
	struct db_conn *bare = testdb_connect(db, NULL);
	testdb_run(
		bare,
		"CREATE TABLE effect (effect_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, kind INT NOT NULL, "
		"subject_id BIGINT NOT NULL, KEY effect_subject (kind, subject_id))");
	testdb_run(bare, "CREATE TABLE pair (id INT NOT NULL PRIMARY KEY, n INT NOT NULL)");
	testdb_run(bare, "INSERT INTO pair VALUES (1, 0), (2, 0)");
	db_close(bare);
	conn = testdb_connect(db, lists);
	return 0;
}

static int teardown(void **state)
{
	db_close(conn);
	db_guard_stop(guard);
	return testdb_teardown(state);
}

/* MariaDB takes up to two seconds for a KILL of who sleeps. */
enum { STOP_US = 5000000 };

/* --- when --- */

static void test_a_row_is_done_when_it_is_due_and_not_before(void **state)
{
	struct jobs *j = start();
	usleep(300000); /* idle by now */
	assert_int_equal(due_in(conn, COUNT, 1, 0, &err), 0);
	int took = await(EFFECTS_OF(1), 1, 5000);
	print_message("done %d ms after it was put on an idle server\n", took);
	assert_in_range(took, 0, 1000);
	assert_int_equal(due_in(conn, COUNT, 2, 900000, &err), 0);
	usleep(600000);
	assert_int_equal(number(EFFECTS_OF(1)), 1);
	await(EFFECTS_OF(1), 2, 5000);
	assert_int_equal(number("SELECT COUNT(*) FROM due WHERE kind = 1"), 0);
	jobs_stop(j);
}

static void test_a_row_is_moved_and_dropped(void **state)
{
	assert_int_equal(due_in(conn, COUNT, 1, 0, &err), 0);
	assert_int_equal(due_in(conn, COUNT, 1, INT64_C(3600) * 1000000, &err), 0);
	assert_int_equal(due_at(conn, COUNT, 2, 1, &err), 0);
	assert_int_equal(due_at(conn, COUNT, 2, INT64_MAX, &err), 0);
	assert_int_equal(due_in(conn, COUNT, 3, 0, &err), 0);
	assert_int_equal(due_drop(conn, COUNT, 3, &err), 0);
	assert_int_equal(due_drop(conn, COUNT, 3, &err), 0);
	assert_int_equal(due_at(conn, COUNT, 4, 1, &err), 0);
	assert_int_equal(due_at(conn, COUNT, 5, INT64_MIN, &err), 0);
	struct jobs *j = start();
	await(EFFECTS_OF(1), 2, 5000);
	usleep(700000);
	jobs_stop(j);
	assert_int_equal(number("SELECT COUNT(*) * 100 + SUM(subject_id) FROM effect WHERE kind = 1"), 209);
	assert_int_equal(number("SELECT COUNT(*) * 100 + SUM(subject_id) FROM due WHERE kind = 1"), 203);
}

static void test_what_is_put_while_it_is_done_is_done_once_more(void **state)
{
	struct jobs *j = start();
	assert_int_equal(due_in(conn, NAP, 1, 0, &err), 0);
	await("SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'SELECT SLEEP(0.5)%'",
	      1, 5000);
	assert_int_equal(due_in(conn, NAP, 1, 0, &err), 0); /* waits */
	assert_int_equal(number(EFFECTS_OF(8)), 1);
	await(EFFECTS_OF(8), 2, 5000);
	jobs_stop(j);
	assert_int_equal(number(ROWS_OF(8)), 0);
}

static void test_what_recurs_begins_by_itself_and_what_puts_itself_stands(void **state)
{
	assert_int_equal(due_in(conn, AGAIN, 7, 0, &err), 0);
	struct jobs *j = start();
	await("SELECT COUNT(*) >= 4 FROM effect WHERE kind = 6 AND subject_id = 0", 1, 5000);
	await(EFFECTS_OF(7), 1, 5000);
	jobs_stop(j);
	assert_int_equal(number(ROWS_OF(6)), 1);
	assert_int_equal(number("SELECT due_time > " DB_NOW_US " + 3500000000 FROM due WHERE kind = 7"), 1);
}

static void test_a_server_starts_while_another_does_what_recurs(void **state)
{
	struct db_conn *other = testdb_connect(db, NULL);
	put(OVER, 0, 0);
	testdb_run(other, "BEGIN");
	testdb_run(other, "UPDATE due SET attempts = 1");
	jobs_stop(start());
	testdb_run(other, "ROLLBACK");
	db_close(other);
}

/* --- how many --- */

static int all_of(int kind, int rows, const char *effects)
{
	put(kind, 1, rows);
	struct jobs *j = start();
	int took = await(effects, rows, 60000);
	jobs_stop(j);
	return took;
}

static void test_ten_thousand_at_once_are_done_in_ten_seconds(void **state)
{
	int took = all_of(COUNT, 10000, EFFECTS_OF(1));
	print_message("10,000 rows, 64 together: %d ms\n", took);
	assert_in_range(took, 0, 10000);
	took = all_of(ALONE, 2000, EFFECTS_OF(2));
	print_message("2,000 rows, each in a transaction of its own: %d ms\n", took);
	assert_int_equal(number("SELECT COUNT(DISTINCT kind, subject_id) FROM effect WHERE kind <= 2"),
			 12000);
}

static void test_several_servers_do_each_row_once(void **state)
{
	struct jobs *servers[3];
	for (unsigned i = 0; i < ARRAY_SIZE(servers); i++)
		servers[i] = start();
	put(COUNT, 1, 5000);
	put(ALONE, 1, 500);
	await("SELECT COUNT(*) FROM due WHERE kind <= 2", 0, 60000);
	for (unsigned i = 0; i < ARRAY_SIZE(servers); i++)
		jobs_stop(servers[i]);
	assert_int_equal(number("SELECT COUNT(*) FROM effect WHERE kind <= 2"), 5500);
	assert_int_equal(number("SELECT COUNT(DISTINCT kind, subject_id) FROM effect WHERE kind <= 2"), 5500);
}

/* --- what fails --- */

static void test_what_fails_keeps_nobody_and_waits_longer_each_time(void **state)
{
	char sql[200];
	int64_t before = 0;
	struct metric *failed = metric_counter("edu_due_failed_total", "", fail.labels);
	put(FAIL, 1, 3);
	put(FAIL, 1000, 2999);
	put(COUNT, 1, 500);
	struct jobs *j = start();
	await("SELECT COUNT(*) FROM effect WHERE kind IN (1, 3)", 2500, 20000);
	/* On a slow machine they have been tried more than once by then. */
	int attempt = (int)number("SELECT GREATEST(MAX(attempts), 1) FROM due WHERE kind = 3");
	for (; attempt <= 6; attempt++) {
		snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM due WHERE kind = 3 AND attempts = %d",
			 attempt);
		await(sql, 3, 5000);
		while (metric_value(failed) < 3 * attempt)
			usleep(1000);
		int64_t wait_us = number("SELECT MIN(due_time) - " DB_NOW_US " FROM due WHERE kind = 3");
		print_message("after attempt %d: %.2f s\n", attempt, (double)wait_us / 1e6);
		assert_true(wait_us < INT64_C(1250000) << (attempt - 1));
		if (attempt >= 3) /* before, the asking takes as long as the waiting */
			assert_true(wait_us > before);
		before = wait_us;
		testdb_run(conn, "UPDATE due SET due_time = " DB_NOW_US " WHERE kind = 3 AND attempts < 6");
	}
	jobs_stop(j);
	assert_int_equal(number("SELECT COUNT(*) FROM effect WHERE kind = 3 AND subject_id < 1000"), 0);
	assert_int_equal(number("SELECT COUNT(DISTINCT subject_id) FROM effect WHERE kind = 3"), 2000);
	assert_int_equal(metric_value(failed), 18);
}

/* And its rows are done as soon as they can be. */
static void test_a_kind_whose_rows_cannot_be_taken_keeps_no_other(void **state)
{
	testdb_run(conn, "CREATE TRIGGER t BEFORE UPDATE ON due FOR EACH ROW"
			 " IF NEW.kind = 1 THEN SIGNAL SQLSTATE '45000'; END IF");
	put(COUNT, 1, 2);
	put(ALONE, 1, 100);
	testdb_run(conn, "UPDATE due SET attempts = 4294967295 WHERE kind = 2 AND subject_id = 1");
	struct jobs *j = start();
	await(EFFECTS_OF(2), 100, 5000);
	assert_int_equal(number(EFFECTS_OF(1)), 0);
	testdb_run(conn, "DROP TRIGGER t");
	await(EFFECTS_OF(1), 2, 5000);
	jobs_stop(j);
}

static void test_what_hangs_ends_and_keeps_no_other_kind(void **state)
{
	put(HANG, 1, 50);
	struct jobs *j = start_with(2, 500);
	usleep(1500000); /* both threads have met it */
	put(COUNT, 1, 2000);
	int took = await(EFFECTS_OF(1), 2000, 20000);
	print_message("2,000 rows beside 50 that hang: %d ms\n", took);
	assert_in_range(took, 0, 5000);
	await("SELECT COUNT(*) > 3 FROM due WHERE kind = 4 AND attempts > 0", 1, 20000);
	int64_t began_us = monotonic_us();
	jobs_stop(j);
	assert_in_range(monotonic_us() - began_us, 0, STOP_US);
	assert_int_equal(number(EFFECTS_OF(4)), 0);
	assert_int_equal(number(ROWS_OF(4)), 50);
}

static void test_it_stops_at_once_whatever_hangs(void **state)
{
	put(HANG, 1, 2);
	struct jobs *j = start_with(2, 60000);
	usleep(500000);
	int64_t began_us = monotonic_us();
	jobs_stop(j);
	print_message("stopped after %d ms\n", (int)((monotonic_us() - began_us) / 1000));
	assert_in_range(monotonic_us() - began_us, 0, STOP_US);
	assert_int_equal(number(ROWS_OF(4)), 2);
}

static void test_a_lost_connection_loses_and_doubles_nothing(void **state)
{
	struct jobs *j = start();
	put(COUNT, 1, 3000);
	for (int i = 0; i < 10; i++) {
		int64_t id = number(
			"SELECT IFNULL(MIN(id), 0) FROM information_schema.processlist WHERE db = DATABASE() "
			"AND command <> 'Sleep' AND id <> CONNECTION_ID()");
		char sql[64];
		snprintf(sql, sizeof(sql), "KILL CONNECTION %lld", (long long)id);
		if (id && db_run_text(conn, sql, &err) < 0)
			print_message("%s\n", err.message); /* it was gone already */
		usleep(10000);
	}
	await(ROWS_OF(1), 0, 30000);
	jobs_stop(j);
	assert_int_equal(number(EFFECTS_OF(1)), 3000);
	assert_int_equal(number("SELECT COUNT(DISTINCT subject_id) FROM effect WHERE kind = 1"), 3000);
}

static int cross_body(struct db_conn *c, void *arg, struct error *e)
{
	return raise_both(c, 2, 1, e);
}

static void test_who_locks_the_other_way_round_costs_nothing_but_time(void **state)
{
	struct metric *failed = metric_counter("edu_due_failed_total", "", crossing.labels);
	int others = 0;
	put(CROSS, 1, 400);
	struct jobs *j = start();
	do {
		if (db_transaction(conn, true, cross_body, NULL, &err) < 0)
			fail_msg("%s", err.message);
	} while (++others % 50 || number(ROWS_OF(9)) > 0);
	jobs_stop(j);
	assert_int_equal(number(EFFECTS_OF(9)), 400);
	assert_int_equal(number("SELECT COUNT(DISTINCT subject_id) FROM effect WHERE kind = 9"), 400);
	assert_int_equal(number("SELECT SUM(n) FROM pair"), 2 * (400 + others));
	print_message("400 rows beside %d others, %d failed for good\n", others, (int)metric_value(failed));
}

/* --- what it does not know --- */

static void test_an_unknown_kind_waits_and_keeps_nobody(void **state)
{
	put(STRANGE, 1, 20000);
	put(-7, 1, 2);
	put(COUNT, 1, 100);
	struct jobs *j = start();
	int took = await(EFFECTS_OF(1), 100, 5000);
	assert_in_range(took, 0, 2000);
	jobs_stop(j);
	assert_int_equal(metric_value(metric_gauge("edu_due_unknown_rows", "", NULL)), 20002);
	assert_int_equal(number("SELECT COUNT(*) FROM due WHERE attempts = 0 AND kind IN (5, -7)"), 20002);
}

static void test_two_kinds_with_one_number_are_refused(void **state)
{
	static const struct due_kind other = {.number = COUNT, DUE_NAME("other"), .run = effect};
	const struct job jobs[] = {{&count, NULL}, {&other, NULL}};
	const struct jobs_config config = {
		.db = &db->config, .stmts = lists, .jobs = jobs, .n_jobs = 2, .threads = 1};
	struct jobs *j = NULL;
	assert_true(jobs_start(&config, &j, &err) < 0);
	assert_null(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_row_is_done_when_it_is_due_and_not_before, clear),
		cmocka_unit_test_setup(test_a_row_is_moved_and_dropped, clear),
		cmocka_unit_test_setup(test_what_is_put_while_it_is_done_is_done_once_more, clear),
		cmocka_unit_test_setup(test_what_recurs_begins_by_itself_and_what_puts_itself_stands, clear),
		cmocka_unit_test_setup(test_a_server_starts_while_another_does_what_recurs, clear),
		cmocka_unit_test_setup(test_ten_thousand_at_once_are_done_in_ten_seconds, clear),
		cmocka_unit_test_setup(test_several_servers_do_each_row_once, clear),
		cmocka_unit_test_setup(test_what_fails_keeps_nobody_and_waits_longer_each_time, clear),
		cmocka_unit_test_setup(test_a_kind_whose_rows_cannot_be_taken_keeps_no_other, clear),
		cmocka_unit_test_setup(test_what_hangs_ends_and_keeps_no_other_kind, clear),
		cmocka_unit_test_setup(test_it_stops_at_once_whatever_hangs, clear),
		cmocka_unit_test_setup(test_a_lost_connection_loses_and_doubles_nothing, clear),
		cmocka_unit_test_setup(test_who_locks_the_other_way_round_costs_nothing_but_time, clear),
		cmocka_unit_test_setup(test_an_unknown_kind_waits_and_keeps_nobody, clear),
		cmocka_unit_test_setup(test_two_kinds_with_one_number_are_refused, clear),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
