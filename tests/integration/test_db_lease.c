/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/db/lease.h"
#include "tests/lib/testdb.h"
#include "tests/lib/threads.h"

static const struct db_stmt_list *const lists[] = {&lease_stmts, NULL};

enum { THREADS = 16, TTL = 1000, NOW = 5000 };

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
	testdb_run(conn, "DELETE FROM lease");
	testdb_run(conn, "DELETE FROM node");
	return 0;
}

static int take(const char *holder, int64_t now_us)
{
	return lease_take(conn, "janitor", holder, now_us, TTL, &err);
}

static void test_a_lease_is_held_by_one(void **state)
{
	assert_int_equal(take("a", NOW), 1);
	assert_int_equal(take("b", NOW), 0);
	assert_int_equal(take("b", NOW + TTL - 1), 0);
	assert_int_equal(lease_take(conn, "another", "b", NOW, TTL, &err), 1);
}

static void test_a_lease_ends_unless_renewed(void **state)
{
	assert_int_equal(take("a", NOW), 1);
	assert_int_equal(take("a", NOW + 900), 1);
	assert_int_equal(take("b", NOW + TTL + 500), 0);
	assert_int_equal(take("b", NOW + 900 + TTL), 1);
	assert_int_equal(take("a", NOW + 900 + TTL), 0);
}

static void test_a_refused_taker_does_not_prolong_it(void **state)
{
	assert_int_equal(take("a", NOW), 1);
	assert_int_equal(take("b", NOW + 999), 0);
	assert_int_equal(take("c", NOW + 1000), 1);
}

static void test_a_lease_is_given_back_by_its_holder_only(void **state)
{
	assert_int_equal(take("a", NOW), 1);
	assert_int_equal(lease_release(conn, "janitor", "b", &err), 0);
	assert_int_equal(take("b", NOW), 0);
	assert_int_equal(lease_release(conn, "janitor", "a", &err), 0);
	assert_int_equal(take("b", NOW), 1);
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
	for (int64_t round = 0; round < 50; round++) {
		int r = lease_take(t->conn, "round", t->holder, round, 1, &e);
		t->won += r == 1;
		t->errors += r < 0;
	}
	return NULL;
}

static void test_of_many_takers_one_wins(void **state)
{
	static struct taker takers[THREADS];
	int first_round_winners = 0;
	for (int i = 0; i < THREADS; i++) {
		takers[i].conn = testdb_connect(db, lists);
		lease_holder(takers[i].holder);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(takers[i].holder, takers[j].holder);
	}
	threads_run(THREADS, take_many, takers, sizeof(*takers));
	int won = 0;
	for (int i = 0; i < THREADS; i++) {
		won += takers[i].won;
		assert_int_equal(takers[i].errors, 0);
		first_round_winners += takers[i].won > 0;
		db_close(takers[i].conn);
	}
	/* A round is won once; slow threads find it past. */
	assert_in_range(won, 1, 50 + 1);
	assert_true(first_round_winners >= 1);
}

static void test_nodes_differ_and_rest_before_they_are_leased_again(void **state)
{
	struct node_lease *a, *b, *c;
	unsigned node_a, node_b, node_c;
	struct clock_fixed clock;
	clock_fixed_init(&clock, INT64_C(1000000000000));
	assert_int_equal(node_lease_start(&db->config, &clock.clock, &a, &node_a, &err), 0);
	assert_int_equal(node_lease_start(&db->config, &clock.clock, &b, &node_b, &err), 0);
	assert_int_equal(node_a, 0);
	assert_int_equal(node_b, 1);
	assert_false(node_lease_lost(a));
	node_lease_stop(a);
	assert_int_equal(node_lease_start(&db->config, &clock.clock, &c, &node_c, &err), 0);
	assert_int_equal(node_c, 2);
	node_lease_stop(c);
	clock_fixed_init(&clock, clock.us + 61 * INT64_C(1000000));
	assert_int_equal(node_lease_start(&db->config, &clock.clock, &c, &node_c, &err), 0);
	assert_int_equal(node_c, 0);
	node_lease_stop(c);
	node_lease_stop(b);
}

static void test_all_nodes_leased_is_an_error(void **state)
{
	struct node_lease *l = NULL;
	unsigned node;
	testdb_run(conn, "INSERT INTO node (node_id, holder, expire_time) "
			 "SELECT seq, 'x', 9000000000000000000 FROM seq_0_to_1023");
	assert_int_equal(node_lease_start(&db->config, &clock_system, &l, &node, &err), -STATUS_INTERNAL);
	assert_null(l);
	testdb_run(conn, "DELETE FROM node WHERE node_id = 1023");
	assert_int_equal(node_lease_start(&db->config, &clock_system, &l, &node, &err), 0);
	assert_int_equal(node, 1023);
	node_lease_stop(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_lease_is_held_by_one, clear),
		cmocka_unit_test_setup(test_a_lease_ends_unless_renewed, clear),
		cmocka_unit_test_setup(test_a_refused_taker_does_not_prolong_it, clear),
		cmocka_unit_test_setup(test_a_lease_is_given_back_by_its_holder_only, clear),
		cmocka_unit_test_setup(test_of_many_takers_one_wins, clear),
		cmocka_unit_test_setup(test_nodes_differ_and_rest_before_they_are_leased_again, clear),
		cmocka_unit_test_setup(test_all_nodes_leased_is_an_error, clear),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
