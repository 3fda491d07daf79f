/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/db/event.h"
#include "server/db/sequencer.h"
#include "tests/lib/testdb.h"
#include "tests/lib/threads.h"

static const struct db_stmt_list *const lists[] = {&event_stmts, NULL};

enum { SEQUENCERS = 4, EVENTS = 1200 };

static struct testdb *db;
static struct error err;
static atomic_bool writing;

static int setup(void **state)
{
	testdb_setup(state);
	db = *state;
	return 0;
}

static int clear(void **state)
{
	struct db_conn *c = testdb_connect(db, NULL);
	testdb_run(c, "DELETE FROM event");
	testdb_run(c, "DELETE FROM lease");
	testdb_run(c, "UPDATE event_sequence SET position = 0");
	db_close(c);
	return 0;
}

struct worker {
	struct db_conn *conn;
	struct sequencer sequencer;
	int r;
	bool writes;
};

static int write_events(struct worker *w)
{
	struct error e;
	int r = 0;
	for (int64_t id = 1; r == 0 && id <= EVENTS; id++) {
		const struct event event = {.event_id = id, .kind = "thing.added"};
		r = event_append(w->conn, &event, &e);
	}
	atomic_store(&writing, false);
	return r;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct error e;
	if (w->writes) {
		w->r = write_events(w);
		return NULL;
	}
	bool more;
	do {
		more = atomic_load(&writing);
		w->r = sequencer_run(&w->sequencer, &e);
	} while (more && w->r == 0);
	return NULL;
}

static void test_two_who_believe_to_lead_leave_no_gap(void **state)
{
	static struct worker workers[SEQUENCERS + 1];
	atomic_store(&writing, true);
	for (int i = 0; i <= SEQUENCERS; i++) {
		workers[i].conn = testdb_connect(db, lists);
		workers[i].writes = i == 0;
		assert_int_equal(sequencer_open(&workers[i].sequencer, &db->config, &err), 0);
		workers[i].sequencer.held = true;
		workers[i].sequencer.next_take_us = INT64_MAX;
	}
	threads_run(SEQUENCERS + 1, work, workers, sizeof(*workers));
	for (int i = 0; i <= SEQUENCERS; i++) {
		assert_int_equal(workers[i].r, 0);
		db_close(workers[i].conn);
		sequencer_close(&workers[i].sequencer);
	}
	assert_int_equal(testdb_number(db, "SELECT position FROM event_sequence"), EVENTS);
	assert_int_equal(testdb_number(db, "SELECT COUNT(DISTINCT position) FROM event"), EVENTS);
	assert_int_equal(testdb_number(db, "SELECT MAX(position) FROM event"), EVENTS);
}

static void test_only_the_leader_sequences(void **state)
{
	struct db_conn *conn = testdb_connect(db, lists);
	struct sequencer leader, other;
	const struct event event = {.event_id = 1, .kind = "thing.added"};
	assert_int_equal(sequencer_open(&leader, &db->config, &err), 0);
	assert_int_equal(sequencer_open(&other, &db->config, &err), 0);
	assert_int_equal(sequencer_lead(&leader, &err), 0);
	assert_int_equal(sequencer_lead(&other, &err), 0);
	assert_true(leader.held);
	assert_false(other.held);
	assert_int_equal(event_append(conn, &event, &err), 0);
	assert_int_equal(sequencer_run(&other, &err), 0);
	assert_int_equal(testdb_number(db, "SELECT position FROM event_sequence"), 0);
	assert_int_equal(sequencer_run(&leader, &err), 0);
	assert_int_equal(testdb_number(db, "SELECT position FROM event_sequence"), 1);
	sequencer_resign(&leader);
	other.next_take_us = 0;
	assert_int_equal(sequencer_lead(&other, &err), 0);
	assert_true(other.held);
	sequencer_resign(&other);
	sequencer_close(&leader);
	sequencer_close(&other);
	db_close(conn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_two_who_believe_to_lead_leave_no_gap, clear),
		cmocka_unit_test_setup(test_only_the_leader_sequences, clear),
	};
	return cmocka_run_group_tests(tests, setup, testdb_teardown);
}
