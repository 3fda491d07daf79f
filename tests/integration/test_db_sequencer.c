/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/db/event.h"
#include "server/db/sequencer.h"
#include "server/db/table.h"
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
	testdb_run(c, "UPDATE event_sequence SET position = 0, durable_position = 0");
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
	const struct sequencer_config config = {.db = &db->config};
	atomic_store(&writing, true);
	for (int i = 0; i <= SEQUENCERS; i++) {
		workers[i].conn = testdb_connect(db, lists);
		workers[i].writes = i == 0;
		assert_int_equal(sequencer_open(&workers[i].sequencer, &config, &err), 0);
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
	const struct sequencer_config config = {.db = &db->config};
	struct sequencer leader, other;
	const struct event event = {.event_id = 1, .kind = "thing.added"};
	assert_int_equal(sequencer_open(&leader, &config, &err), 0);
	assert_int_equal(sequencer_open(&other, &config, &err), 0);
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

/* --- what the sequencer is told to do besides --- */

enum { CALLS_MAX = 8 };

struct calls {
	struct db_conn *conn; /* appends an event at each turn, when there is one */
	int64_t next_id;
	bool fail_turn, fail_placed;
	unsigned turns, placed;
	int64_t first[CALLS_MAX], last[CALLS_MAX]; /* positions of what was placed */
};

static int on_turn(void *arg, struct db_conn *conn, struct error *e)
{
	struct calls *c = arg;
	const struct event event = {.event_id = c->next_id++, .kind = "thing.marked"};
	c->turns++;
	return c->fail_turn ? error_internal(e, "as told") : event_append(conn, &event, e);
}

static int on_placed(void *arg, struct db_conn *conn, const struct event *events, unsigned n, struct error *e)
{
	struct calls *c = arg;
	for (unsigned i = 1; i < n; i++)
		assert_int_equal(events[i].position, events[i - 1].position + 1);
	c->first[c->placed % CALLS_MAX] = events[0].position;
	c->last[c->placed++ % CALLS_MAX] = events[n - 1].position;
	return c->fail_placed ? error_internal(e, "as told") : 0;
}

static void append_one(int64_t id)
{
	const struct event event = {.event_id = id,
				    .kind = "thing.added",
				    .subject_id = 2,
				    .version = 3,
				    .user_id = 4,
				    .organization_id = 5};
	struct db_conn *conn = testdb_connect(db, lists);
	assert_int_equal(event_append(conn, &event, &err), 0);
	db_close(conn);
}

static struct sequencer_config config_of(struct calls *c)
{
	return (struct sequencer_config){.db = &db->config,
					 .poll_ms = 10,
					 .stmts = lists,
					 .turn = on_turn,
					 .placed = on_placed,
					 .arg = c};
}

static void await(const char *sql, int64_t wanted)
{
	for (int ms = 0; testdb_number(db, sql) < wanted && ms < 60000; ms += 10)
		usleep(10000);
	assert_true(testdb_number(db, sql) >= wanted);
}

#define LAST_POSITION "SELECT position FROM event_sequence"

static void test_what_a_turn_appends_is_placed_in_it(void **state)
{
	struct calls calls = {.next_id = 1};
	const struct sequencer_config config = config_of(&calls);
	struct sequencer *s;
	assert_int_equal(sequencer_start(&config, &s, &err), 0);
	await(LAST_POSITION, 3);
	sequencer_stop(s);
	assert_true(calls.turns >= 3);
	assert_int_equal(calls.placed, calls.turns);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM event WHERE position = 0"), 0);
}

static void test_a_turn_that_fails_holds_up_no_position(void **state)
{
	struct calls calls = {.fail_turn = true};
	const struct sequencer_config config = config_of(&calls);
	struct sequencer *s;
	assert_int_equal(sequencer_start(&config, &s, &err), 0);
	append_one(1);
	await(LAST_POSITION, 1);
	sequencer_stop(s);
}

static int hang(void *arg, struct db_conn *conn, struct error *e)
{
	return db_run_text(conn, "UPDATE node SET holder = 'b'", e);
}

static void test_a_turn_that_hangs_keeps_positions_waiting_for_two_seconds(void **state)
{
	struct calls calls = {0};
	struct sequencer_config config = config_of(&calls);
	struct sequencer *s;
	struct db_conn *holder = testdb_connect(db, NULL);
	testdb_run(holder, "INSERT INTO node VALUES (7, 'a', 0)");
	testdb_run(holder, "START TRANSACTION");
	testdb_run(holder, "UPDATE node SET holder = 'c'");
	config.turn = hang;
	append_one(1);
	int64_t began_us = monotonic_us();
	assert_int_equal(sequencer_start(&config, &s, &err), 0);
	await(LAST_POSITION, 1);
	assert_in_range(monotonic_us() - began_us, 500000, 8000000);
	db_close(holder);
	sequencer_stop(s);
}

static void test_only_who_leads_takes_turns(void **state)
{
	struct calls leads = {.next_id = 1}, waits = {.next_id = 1000};
	const struct sequencer_config first = config_of(&leads), second = config_of(&waits);
	struct sequencer *a, *b;
	assert_int_equal(sequencer_start(&first, &a, &err), 0);
	await(LAST_POSITION, 1);
	assert_int_equal(sequencer_start(&second, &b, &err), 0);
	await(LAST_POSITION, 10);
	sequencer_stop(b);
	sequencer_stop(a);
	assert_int_equal(waits.turns, 0);
}

static atomic_bool unfit;

static bool is_fit(void *arg)
{
	return !atomic_load(&unfit);
}

static void test_who_is_not_fit_to_lead_leaves_it_to_others(void **state)
{
	struct calls leads = {.next_id = 1}, waits = {.next_id = 1000000};
	struct sequencer_config first = config_of(&leads), second = config_of(&waits);
	struct sequencer *a, *b;
	first.fit = is_fit;
	atomic_store(&unfit, false);
	assert_int_equal(sequencer_start(&first, &a, &err), 0);
	await(LAST_POSITION, 1);
	assert_int_equal(sequencer_start(&second, &b, &err), 0);
	atomic_store(&unfit, true);
	await("SELECT COUNT(*) FROM event WHERE event_id >= 1000000", 1);
	const unsigned turns = leads.turns;
	await(LAST_POSITION, testdb_number(db, LAST_POSITION) + 10);
	assert_int_equal(leads.turns, turns);
	sequencer_stop(b);
	atomic_store(&unfit, false);
	await("SELECT COUNT(*) FROM event WHERE event_id < 1000000", turns + 1);
	sequencer_stop(a);
}

enum { FIT_IN_TIME = 100 };

static int too_slow_for_many(void *arg, struct db_conn *conn, const struct event *events, unsigned n,
			     struct error *e)
{
	return n > FIT_IN_TIME ? error_internal(e, "%u at once take too long", n) : 0;
}

static void test_what_cannot_be_done_at_once_is_done_in_parts(void **state)
{
	struct sequencer_config config = {.db = &db->config, .poll_ms = 10, .placed = too_slow_for_many};
	struct db_conn *conn = testdb_connect(db, NULL);
	struct sequencer *s;
	testdb_run(conn, "INSERT INTO event (" DB_NAMES(
				 EVENT_COLUMNS) ") SELECT seq, 'thing.added', 1, 0, 0, 0, 0, 1, ''"
						" FROM seq_1_to_2000");
	assert_int_equal(sequencer_start(&config, &s, &err), 0);
	await(LAST_POSITION, 2000);
	sequencer_stop(s);
	db_close(conn);
}

/* What could not be told of is not placed, and is told of again from the same position on. */
static void test_positions_and_what_follows_from_them_commit_together(void **state)
{
	struct calls calls = {.fail_placed = true};
	struct sequencer_config config = config_of(&calls);
	struct sequencer s;
	config.turn = NULL;
	append_one(7);
	append_one(8);
	assert_int_equal(sequencer_open(&s, &config, &err), 0);
	assert_int_equal(sequencer_lead(&s, &err), 0);
	assert_true(sequencer_run(&s, &err) < 0);
	assert_int_equal(testdb_number(db, LAST_POSITION), 0);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM event WHERE position = 0"), 2);
	calls.fail_placed = false;
	assert_int_equal(sequencer_run(&s, &err), 0);
	assert_int_equal(testdb_number(db, "SELECT position FROM event WHERE event_id = 8"), 2);
	assert_int_equal(calls.placed, 2);
	for (unsigned i = 0; i < calls.placed; i++)
		assert_true(calls.first[i] == 1 && calls.last[i] == 2);
	sequencer_resign(&s);
	sequencer_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_two_who_believe_to_lead_leave_no_gap, clear),
		cmocka_unit_test_setup(test_only_the_leader_sequences, clear),
		cmocka_unit_test_setup(test_what_a_turn_appends_is_placed_in_it, clear),
		cmocka_unit_test_setup(test_a_turn_that_fails_holds_up_no_position, clear),
		cmocka_unit_test_setup(test_a_turn_that_hangs_keeps_positions_waiting_for_two_seconds, clear),
		cmocka_unit_test_setup(test_only_who_leads_takes_turns, clear),
		cmocka_unit_test_setup(test_who_is_not_fit_to_lead_leaves_it_to_others, clear),
		cmocka_unit_test_setup(test_what_cannot_be_done_at_once_is_done_in_parts, clear),
		cmocka_unit_test_setup(test_positions_and_what_follows_from_them_commit_together, clear),
	};
	return cmocka_run_group_tests(tests, setup, testdb_teardown);
}
