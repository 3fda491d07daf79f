/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "proto/runtime/ids.h"
#include "server/db/lease.h"
#include "tests/lib/testdb.h"
#include "tests/lib/threads.h"

static const struct db_stmt_list *const lists[] = {&lease_stmts, NULL};

enum { THREADS = 16, TTL = 1000, BASE_S = 1800000000, PATIENCE_MS = 20000 };

static struct testdb *db;
static struct db_conn *conn;
static struct error err;

static int setup(void **state)
{
	testdb_setup(state);
	db = *state;
	conn = testdb_connect(db, lists);
	return 0;
}

static int teardown(void **state)
{
	db_close(conn);
	return testdb_teardown(state);
}

static int clear(void **state)
{
	testdb_run(conn, "SET timestamp = DEFAULT");
	testdb_run(conn, "DELETE FROM lease");
	testdb_run(conn, "DELETE FROM node");
	return 0;
}

/* Leases end by the database's clock, which a session may set: nothing here waits. */
static void at(int64_t us)
{
	char sql[64];
	snprintf(sql, sizeof(sql), "SET timestamp = %lld.%06lld", (long long)(BASE_S + us / 1000000),
		 (long long)(us % 1000000));
	testdb_run(conn, sql);
}

static int take_at(const char *holder, int64_t us)
{
	at(us);
	return lease_take(conn, "janitor", holder, TTL, &err);
}

static void test_a_lease_is_held_by_one(void **state)
{
	assert_int_equal(take_at("a", 0), 1);
	assert_int_equal(take_at("b", 0), 0);
	assert_int_equal(take_at("b", TTL - 1), 0);
	assert_int_equal(lease_take(conn, "another", "b", TTL, &err), 1);
}

static void test_a_lease_ends_unless_renewed(void **state)
{
	assert_int_equal(take_at("a", 0), 1);
	assert_int_equal(take_at("a", 900), 1);
	assert_int_equal(take_at("b", TTL + 500), 0);
	assert_int_equal(take_at("b", 900 + TTL), 1);
	assert_int_equal(take_at("a", 900 + TTL), 0);
}

static void test_a_refused_taker_does_not_prolong_it(void **state)
{
	assert_int_equal(take_at("a", 0), 1);
	assert_int_equal(take_at("b", 999), 0);
	assert_int_equal(take_at("c", TTL), 1);
}

static void test_a_lease_is_given_back_by_its_holder_only(void **state)
{
	assert_int_equal(take_at("a", 0), 1);
	assert_int_equal(lease_release(conn, "janitor", "b", &err), 0);
	assert_int_equal(take_at("b", 0), 0);
	assert_int_equal(lease_release(conn, "janitor", "a", &err), 0);
	assert_int_equal(take_at("b", 0), 1);
}

/* Whoever took it while the clock was a day ahead does not hold it for a day. */
static void test_a_clock_put_back_ends_leases(void **state)
{
	assert_int_equal(take_at("a", DAY_US), 1);
	assert_int_equal(take_at("b", DAY_US), 0);
	assert_int_equal(take_at("b", 0), 1);
	assert_int_equal(take_at("a", 0), 0);
}

struct taker {
	struct db_conn *conn;
	char holder[LEASE_HOLDER_MAX];
	int won, errors;
};

static void *take_many(void *arg)
{
	struct taker *t = arg;
	struct error e;
	char name[16];
	for (int round = 0; round < 50; round++) {
		snprintf(name, sizeof(name), "round-%d", round);
		int r = lease_take(t->conn, name, t->holder, DAY_US, &e);
		t->won += r == 1;
		t->errors += r < 0;
	}
	return NULL;
}

static void test_of_many_takers_one_wins(void **state)
{
	static struct taker takers[THREADS];
	for (int i = 0; i < THREADS; i++) {
		takers[i] = (struct taker){.conn = testdb_connect(db, lists)};
		lease_holder(takers[i].holder);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(takers[i].holder, takers[j].holder);
	}
	threads_run(THREADS, take_many, takers, sizeof(*takers));
	int won = 0;
	for (int i = 0; i < THREADS; i++) {
		won += takers[i].won;
		assert_int_equal(takers[i].errors, 0);
		db_close(takers[i].conn);
	}
	assert_int_equal(won, 50);
}

/* --- nodes --- */

static struct node_lease *start_node(const struct db_config *config, int64_t lease_us)
{
	const struct node_lease_config c = {.db = config, .clock = &clock_system, .lease_us = lease_us};
	struct node_lease *l = NULL;
	if (node_lease_start(&c, &l, &err) < 0)
		fail_msg("%s", err.message);
	return l;
}

static int64_t make(struct node_lease *l)
{
	int64_t id;
	if (node_lease_new_id(l, &id, &err) == 0)
		return id;
	assert_string_equal(err.reason->name, "DATABASE_UNAVAILABLE");
	return 0;
}

static unsigned node_of(struct node_lease *l)
{
	int64_t id = make(l);
	assert_true(id > 0);
	return id_node(id);
}

static bool ready(const struct node_lease *l)
{
	const char *why;
	return node_lease_ready(l, &why);
}

static void wait_until(const struct node_lease *l, bool wanted)
{
	for (int ms = 0; ready(l) != wanted && ms < PATIENCE_MS; ms += 10)
		usleep(10000);
	assert_int_equal(ready(l), wanted);
}

static void test_nodes_differ_and_rest_before_they_are_leased_again(void **state)
{
	struct node_lease *a = start_node(&db->config, 0), *b = start_node(&db->config, 0), *c;
	assert_int_equal(node_of(a), 0);
	assert_int_equal(node_of(b), 1);
	assert_true(ready(a));
	node_lease_stop(a);
	c = start_node(&db->config, 0);
	assert_int_equal(node_of(c), 2);
	node_lease_stop(c);
	testdb_run(conn, "UPDATE node SET expire_time = expire_time - 61000000 WHERE node_id = 0");
	c = start_node(&db->config, 0);
	assert_int_equal(node_of(c), 0);
	node_lease_stop(c);
	node_lease_stop(b);
}

static void test_all_nodes_leased_is_an_error(void **state)
{
	const struct node_lease_config c = {.db = &db->config, .clock = &clock_system};
	struct node_lease *l = NULL;
	testdb_run(conn, "INSERT INTO node (node_id, holder, expire_time) "
			 "SELECT seq, 'x', 9000000000000000000 FROM seq_0_to_1023");
	assert_int_equal(node_lease_start(&c, &l, &err), -STATUS_INTERNAL);
	assert_null(l);
	testdb_run(conn, "DELETE FROM node WHERE node_id = 1023");
	l = start_node(&db->config, 0);
	assert_int_equal(node_of(l), 1023);
	node_lease_stop(l);
}

/* The ids' times are the database's, whatever ours is. */
static void test_ids_have_the_time_of_the_database(void **state)
{
	struct node_lease *l = start_node(&db->config, 0);
	int64_t before = testdb_number(db, "SELECT " DB_NOW_US) / 1000;
	int64_t ms = id_time_ms(make(l));
	assert_in_range(ms, before - 1000, testdb_number(db, "SELECT " DB_NOW_US) / 1000);
	node_lease_stop(l);
}

static void test_a_clock_that_is_off_does_no_harm(void **state)
{
	static const int64_t off_s[] = {-24 * 3600, -70, 70, 24 * 3600};
	struct node_lease *other = start_node(&db->config, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(off_s); i++) {
		struct clock_fixed clock;
		struct node_lease_config c = {.db = &db->config, .clock = &clock.clock};
		struct node_lease *l = NULL;
		clock_fixed_init(&clock, clock_now_us(&clock_system) + off_s[i] * 1000000);
		assert_true(node_lease_start(&c, &l, &err) < 0);
		assert_non_null(strstr(err.message, "clock"));
	}
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM node"), 1);
	assert_int_equal(node_of(other), 0);
	node_lease_stop(other);
}

static void test_a_clock_that_goes_wrong_stops_work_until_it_is_right(void **state)
{
	static struct clock_fixed clock;
	const struct node_lease_config c = {.db = &db->config, .clock = &clock.clock};
	struct node_lease *l = NULL;
	const char *why = NULL;
	clock_fixed_init(&clock, clock_now_us(&clock_system));
	assert_int_equal(node_lease_start(&c, &l, &err), 0);
	assert_true(make(l) > 0);
	atomic_store(&clock.us, clock_now_us(&clock_system) + DAY_US);
	wait_until(l, false);
	node_lease_ready(l, &why);
	assert_non_null(strstr(why, "clock"));
	assert_int_equal(make(l), 0);
	atomic_store(&clock.us, clock_now_us(&clock_system));
	wait_until(l, true);
	assert_true(make(l) > 0);
	assert_false(node_lease_stolen(l));
	node_lease_stop(l);
}

static void test_a_stolen_node_makes_no_more_ids(void **state)
{
	struct node_lease *l = start_node(&db->config, 0);
	testdb_run(conn, "UPDATE node SET holder = 'thief'");
	wait_until(l, false);
	assert_true(node_lease_stolen(l));
	assert_int_equal(make(l), 0);
	node_lease_stop(l);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM node WHERE holder = 'thief'"), 1);
}

/* --- the database is away --- */

enum { SHORT_US = 2000000 };

/* A lease through a user of its own, who can be locked out. */
static struct node_lease *start_guest(struct db_config *config)
{
	testdb_run(conn, "CREATE OR REPLACE USER guest@localhost");
	testdb_run(conn, "GRANT ALL ON *.* TO guest@localhost");
	*config = db->config;
	config->user = "guest";
	return start_node(config, SHORT_US);
}

static void lock_out(void)
{
	testdb_run(conn, "ALTER USER guest@localhost ACCOUNT LOCK");
	testdb_run(conn, "KILL USER guest");
}

static void wait_until_ended(struct node_lease *l)
{
	for (int ms = 0; make(l) && ms < PATIENCE_MS; ms += 10)
		usleep(10000);
	assert_int_equal(make(l), 0);
}

static void test_the_database_comes_back_and_so_does_the_node(void **state)
{
	struct db_config config;
	struct node_lease *l = start_guest(&config);
	const char *why = NULL;
	lock_out();
	wait_until(l, false);
	node_lease_ready(l, &why);
	assert_string_equal(why, "the database is away");
	wait_until_ended(l);
	testdb_run(conn, "ALTER USER guest@localhost ACCOUNT UNLOCK");
	wait_until(l, true);
	assert_int_equal(node_of(l), 0);
	assert_false(node_lease_stolen(l));
	node_lease_stop(l);
	testdb_run(conn, "DROP USER guest@localhost");
}

static void test_a_node_taken_meanwhile_is_replaced_by_another(void **state)
{
	struct db_config config;
	struct node_lease *l = start_guest(&config), *heir;
	int64_t last = make(l);
	lock_out();
	wait_until_ended(l);
	testdb_run(conn, "UPDATE node SET expire_time = expire_time - 61000000");
	heir = start_node(&db->config, 0);
	assert_int_equal(node_of(heir), 0);
	assert_int_equal(make(l), 0);
	testdb_run(conn, "ALTER USER guest@localhost ACCOUNT UNLOCK");
	wait_until(l, true);
	assert_int_equal(node_of(l), 1);
	assert_true(make(l) > last);
	assert_false(node_lease_stolen(l));
	node_lease_stop(l);
	node_lease_stop(heir);
	testdb_run(conn, "DROP USER guest@localhost");
}

static void test_a_read_only_database_is_noticed(void **state)
{
	struct node_lease *l = start_node(&db->config, 0);
	const char *why = NULL;
	testdb_run(conn, "SET GLOBAL read_only = 1");
	wait_until(l, false);
	node_lease_ready(l, &why);
	testdb_run(conn, "SET GLOBAL read_only = 0");
	assert_string_equal(why, "the database is read-only");
	wait_until(l, true);
	node_lease_stop(l);
}

/* --- a process that is stopped --- */

/* What the paused process says of each id: made, or refused. */
static void run_maker(const struct db_config *config, int out)
{
	const struct node_lease_config c = {.db = config, .clock = &clock_system, .lease_us = SHORT_US};
	struct node_lease *l = NULL;
	struct error e;
	if (node_lease_start(&c, &l, &e) < 0)
		_exit(2);
	for (;;) {
		int64_t id = 0;
		if (node_lease_new_id(l, &id, &e) < 0)
			id = 0;
		if (write(out, &id, sizeof(id)) != sizeof(id))
			_exit(0);
		usleep(1000);
	}
}

static pid_t fork_maker(int *ret_in)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		run_maker(&db->config, ends[1]);
	}
	close(ends[1]);
	*ret_in = ends[0];
	return child;
}

/* Stopped for longer than its lease and continued, it makes nothing before it has renewed it: what it makes
 * then lies after the end that the database knew. */
static void test_a_paused_process_makes_no_ids(void **state)
{
	int in;
	pid_t child = fork_maker(&in);
	int64_t id, last = 0;
	unsigned refused = 0;
	for (int i = 0; i < 100 && read(in, &id, sizeof(id)) == sizeof(id); i++)
		last = id;
	assert_true(last > 0);
	kill(child, SIGSTOP);
	while (fcntl(in, F_SETFL, O_NONBLOCK) == 0 && read(in, &id, sizeof(id)) == sizeof(id))
		last = id;
	int64_t end_ms = testdb_number(db, "SELECT expire_time FROM node") / 1000;
	usleep(SHORT_US + 500000);
	/* Its row is held, so that it cannot renew before it was asked for an id. */
	testdb_run(conn, "START TRANSACTION");
	testdb_run(conn, "UPDATE node SET holder = holder");
	kill(child, SIGCONT);
	fcntl(in, F_SETFL, 0);
	do {
		assert_int_equal(read(in, &id, sizeof(id)), sizeof(id));
		if (id == 0 && refused++ == 0)
			testdb_run(conn, "ROLLBACK");
	} while (id == 0);
	assert_true(refused > 0);
	assert_true(id_time_ms(id) >= end_ms);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_lease_is_held_by_one, clear),
		cmocka_unit_test_setup(test_a_lease_ends_unless_renewed, clear),
		cmocka_unit_test_setup(test_a_refused_taker_does_not_prolong_it, clear),
		cmocka_unit_test_setup(test_a_lease_is_given_back_by_its_holder_only, clear),
		cmocka_unit_test_setup(test_a_clock_put_back_ends_leases, clear),
		cmocka_unit_test_setup(test_of_many_takers_one_wins, clear),
		cmocka_unit_test_setup(test_nodes_differ_and_rest_before_they_are_leased_again, clear),
		cmocka_unit_test_setup(test_all_nodes_leased_is_an_error, clear),
		cmocka_unit_test_setup(test_ids_have_the_time_of_the_database, clear),
		cmocka_unit_test_setup(test_a_clock_that_is_off_does_no_harm, clear),
		cmocka_unit_test_setup(test_a_clock_that_goes_wrong_stops_work_until_it_is_right, clear),
		cmocka_unit_test_setup(test_a_stolen_node_makes_no_more_ids, clear),
		cmocka_unit_test_setup(test_the_database_comes_back_and_so_does_the_node, clear),
		cmocka_unit_test_setup(test_a_node_taken_meanwhile_is_replaced_by_another, clear),
		cmocka_unit_test_setup(test_a_read_only_database_is_noticed, clear),
		cmocka_unit_test_setup(test_a_paused_process_makes_no_ids, clear),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
