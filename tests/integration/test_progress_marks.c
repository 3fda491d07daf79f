/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/db/lease.h"
#include "server/progress/progress_day_store.h"
#include "server/progress/progress_marks.h"
#include "tests/lib/testdb.h"
#include "tests/lib/threads.h"

/* What becomes of marks; that none is missing while reports come is the merge test's. */

enum { DAY = 20784 }; /* 2026-11-27 */

static const int64_t now_us = INT64_C(1795766400000000);

struct fixture {
	struct testdb *db;
	struct clock_fixed clock;
	struct app app;
	struct db_conn *conn;
};

static struct db_conn *connect_taker(const struct fixture *f)
{
	static const struct db_stmt_list *const lists[] = {&progress_day_stmts, &event_stmts, NULL};

	return testdb_connect(f->db, lists);
}

#define sql(f, ...) testdb_runf((f)->conn, __VA_ARGS__)

static int64_t number(const struct fixture *f, const char *text)
{
	return testdb_number(f->db, text);
}

/* A membership that lasts, or one that has ended. */
static void member(const struct fixture *f, int user_id, int organization_id, bool live)
{
	static int serial;

	sql(f,
	    "INSERT INTO organization_member (member_id, organization_id, user_id, live, version, create_time,"
	    " end_time) VALUES (%d, %d, %d, %s, 1, 1, %s)",
	    ++serial + 1000000, organization_id, user_id, live ? "1" : "NULL", live ? "NULL" : "2");
}

/* Days of `n` learners, members all, user_id 1 and so on; each marked a microsecond after the one before it,
 * up to `now_us`. */
static void mark(const struct fixture *f, int n)
{
	sql(f,
	    "INSERT INTO progress_day (user_id, day, course_id, credited_seconds, interactions, questions)"
	    " SELECT seq, %d, 7, 60, 0, 0 FROM seq_1_to_%d",
	    DAY, n);
	sql(f,
	    "INSERT INTO progress_mark (mark_time, user_id, day, course_id) SELECT %" PRId64
	    " - %d + seq, seq,"
	    " %d, 7 FROM seq_1_to_%d",
	    now_us, n, DAY, n);
	sql(f,
	    "INSERT INTO organization_member (member_id, organization_id, user_id, live, version, create_time)"
	    " SELECT seq, 5, seq, 1, 1, 1 FROM seq_1_to_%d",
	    n);
}

static int take(struct fixture *f, int64_t until_us)
{
	struct error err;
	int n = progress_marks_take(&f->app, f->conn, until_us, &err);

	if (n < 0)
		print_error("%s\n", err.message);
	return n;
}

static int clear(void **state)
{
	struct fixture *f = *state;

	sql(f, "DELETE FROM progress_day");
	sql(f, "DELETE FROM progress_mark");
	sql(f, "DELETE FROM event");
	sql(f, "DELETE FROM organization_member");
	return 0;
}

/* An event says whose day it was, in which course. */
static void test_a_mark_becomes_an_event_when_it_is_old_enough(void **state)
{
	struct fixture *f = *state;

	mark(f, 1);
	assert_int_equal(take(f, now_us - 1), 0);
	assert_int_equal(number(f, "SELECT COUNT(*) FROM progress_mark"), 1);
	assert_int_equal(take(f, now_us), 1);
	assert_int_equal(number(f, "SELECT COUNT(*) FROM progress_mark"), 0);
	assert_int_equal(number(f, "SELECT marked FROM progress_day"), 0);
	assert_int_equal(
		number(f, "SELECT COUNT(*) FROM event WHERE kind = 'progress.recorded' AND subject_id = 7"
			  " AND user_id = 1 AND course_id = 7 AND organization_id = 0 AND position = 0"
			  " AND create_time = 1795766400000000"
			  " AND payload = '{\"day\":\"2026-11-27\"}'"),
		1);
	assert_int_equal(take(f, now_us), 0);
	assert_int_equal(number(f, "SELECT COUNT(*) FROM event"), 1);
}

/* The oldest come first, so many at a time and so many in a turn. */
static void test_a_turn_takes_a_bounded_number(void **state)
{
	struct fixture *f = *state;
	struct error err;

	mark(f, PROGRESS_MARKS_BATCH + PROGRESS_MARKS_TURN + 3);
	assert_int_equal(take(f, now_us), PROGRESS_MARKS_BATCH);
	assert_int_equal(number(f, "SELECT MAX(user_id) FROM event"), PROGRESS_MARKS_BATCH);
	assert_int_equal(progress_marks_turn(&f->app, f->conn, now_us, &err), 0);
	assert_int_equal(number(f, "SELECT COUNT(*) FROM progress_mark"), 3);
	assert_int_equal(progress_marks_turn(&f->app, f->conn, now_us - 1, &err), 0);
	assert_int_equal(number(f, "SELECT COUNT(*) FROM progress_mark"), 1);
	assert_int_equal(number(f, "SELECT COUNT(DISTINCT user_id) FROM event"),
			 PROGRESS_MARKS_BATCH + PROGRESS_MARKS_TURN + 2);
	assert_int_equal(number(f, "SELECT COUNT(*) FROM progress_day WHERE marked <> 0"), 1);
}

static void assert_told(const struct fixture *f, int user_id, int times)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "SELECT COUNT(*) FROM event WHERE kind = 'progress.recorded' AND user_id = %d", user_id);
	assert_int_equal(number(f, text), times);
}

/* An event is for organizations; it is one, whatever the number of these. */
static void test_what_no_organization_may_see_leaves_no_event(void **state)
{
	struct fixture *f = *state;

	mark(f, 4);
	sql(f, "DELETE FROM organization_member WHERE user_id < 4");
	member(f, 2, 5, false);
	member(f, 3, 5, false);
	member(f, 3, 5, true);
	member(f, 4, 6, true);
	assert_int_equal(take(f, now_us), 4);
	assert_int_equal(number(f, "SELECT COUNT(*) FROM progress_mark"), 0);
	assert_int_equal(number(f, "SELECT COUNT(*) FROM progress_day WHERE marked = 0"), 4);
	for (int user_id = 1; user_id <= 4; user_id++)
		assert_told(f, user_id, user_id >= 3);
	assert_int_equal(take(f, now_us), 0);
}

static void change(const struct fixture *f)
{
	sql(f,
	    "INSERT INTO progress_mark (mark_time, user_id, day, course_id) SELECT %" PRId64
	    ", 1, %d, 7 FROM progress_day WHERE user_id = 1 AND marked = 0",
	    now_us, DAY);
	sql(f, "UPDATE progress_day SET marked = 2, questions = questions + 1 WHERE user_id = 1");
}

/* What counts is whether there is a membership when the mark is taken: every change after joining is. */
static void test_who_joins_is_told_of_from_then_on(void **state)
{
	static const struct {
		const char *sql;
		int told;
	} steps[] = {
		{"DO 0", 0},
		{"INSERT INTO organization_member (member_id, organization_id, user_id, live, version,"
		 " create_time) VALUES (8, 5, 1, 1, 1, 1)",
		 1},
		{"DO 0", 1},
		{"UPDATE organization_member SET live = NULL, end_time = 2", 0},
		{"INSERT INTO organization_member (member_id, organization_id, user_id, live, version,"
		 " create_time) VALUES (9, 5, 1, 1, 1, 1)",
		 1},
	};
	struct fixture *f = *state;

	mark(f, 1);
	sql(f, "DELETE FROM organization_member");
	for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
		change(f); /* and then who joins has a mark from before */
		testdb_run(f->conn, steps[i].sql);
		change(f);
		assert_int_equal(take(f, now_us), 1);
		assert_told(f, 1, steps[i].told);
		sql(f, "DELETE FROM event");
	}
}

/* Nobody who holds a membership keeps marks waiting; one that is being made is not there yet. */
static void test_memberships_are_not_waited_for(void **state)
{
	struct fixture *f = *state;
	struct db_conn *writer = testdb_connect(f->db, NULL);

	mark(f, 3);
	sql(f, "DELETE FROM organization_member WHERE user_id = 1");
	testdb_run(writer, "START TRANSACTION");
	testdb_run(writer,
		   "INSERT INTO organization_member (member_id, organization_id, user_id, live, version,"
		   " create_time) VALUES (8, 5, 1, 1, 1, 1)");
	testdb_run(writer, "UPDATE organization_member SET live = NULL, end_time = 2 WHERE user_id = 2");
	testdb_run(writer, "UPDATE organization_member SET version = 2 WHERE user_id = 3");
	db_set_lock_wait(f->conn, 1); /* who waits fails */
	assert_int_equal(take(f, now_us), 3);
	assert_told(f, 1, 0);
	assert_told(f, 2, 1);
	assert_told(f, 3, 1);
	testdb_run(writer, "COMMIT");
	db_close(writer);
	change(f);
	assert_int_equal(take(f, now_us), 1);
	assert_told(f, 1, 1);
	db_set_lock_wait(f->conn, DB_LOCK_WAIT_USUAL);
}

/* Or a change could be read that came after a joining which is not. */
static void test_memberships_are_read_after_the_days_are_locked(void **state)
{
	struct fixture *f = *state;
	struct progress_mark *marks = NULL, *told = NULL;
	struct db_conn *other = testdb_connect(f->db, NULL);
	struct arena arena;
	struct error err;
	unsigned n = 0;

	mark(f, 3);
	sql(f, "DELETE FROM organization_member WHERE user_id < 3");
	arena_init(&arena, 65536);
	testdb_run(f->conn, "START TRANSACTION");
	assert_int_equal(progress_day_store_lock_marks(f->conn, &arena, now_us, 2, &marks, &n, &err), 0);
	assert_int_equal(n, 2);
	testdb_run(other,
		   "INSERT INTO organization_member (member_id, organization_id, user_id, live, version,"
		   " create_time) VALUES (8, 5, 2, 1, 1, 1)");
	assert_true(progress_day_store_unmark(f->conn, marks, n, &err) >= 0);
	assert_int_equal(progress_day_store_marks_to_tell(f->conn, &arena, marks, n, &told, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(told->user_id, 2);
	testdb_run(f->conn, "ROLLBACK");
	arena_done(&arena);
	db_close(other);
}

/* Neither waited for nor in the way: what a report has locked is taken once it is written. */
static void test_what_is_being_written_is_left_for_the_next_time(void **state)
{
	static const char *const locks[] = {
		"UPDATE progress_day SET questions = questions + 1 WHERE user_id = 2",
		"DELETE FROM progress_mark WHERE user_id = 2",
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(locks); i++) {
		struct db_conn *writer = testdb_connect(f->db, NULL);

		mark(f, 3);
		testdb_run(writer, "START TRANSACTION");
		testdb_run(writer, locks[i]);
		db_set_lock_wait(f->conn, 1); /* who waits fails */
		assert_int_equal(take(f, now_us), 2);
		assert_int_equal(number(f, "SELECT COUNT(*) FROM event WHERE user_id = 2"), 0);
		testdb_run(writer, "ROLLBACK");
		db_close(writer);
		assert_int_equal(take(f, now_us), 1);
		assert_int_equal(number(f, "SELECT COUNT(*) FROM event WHERE user_id = 2"), 1);
		db_set_lock_wait(f->conn, DB_LOCK_WAIT_USUAL);
		clear(state);
	}
}

/* Without events the marks stay. */
static void test_a_failure_leaves_the_marks(void **state)
{
	struct fixture *f = *state;
	struct error err;

	mark(f, 2);
	sql(f, "RENAME TABLE event TO event_away");
	assert_true(progress_marks_take(&f->app, f->conn, now_us, &err) < 0);
	sql(f, "RENAME TABLE event_away TO event");
	assert_int_equal(
		number(f,
		       "SELECT COUNT(*) FROM progress_mark JOIN progress_day USING (user_id, day, course_id)"
		       " WHERE marked = 1"),
		2);
	assert_int_equal(take(f, now_us), 2);
}

struct taker {
	struct fixture *f;
	int taken;
};

static void *run_taker(void *arg)
{
	struct taker *t = arg;
	struct db_conn *conn = connect_taker(t->f);
	struct error err;
	int n;

	do {
		n = progress_marks_take(&t->f->app, conn, now_us, &err);
		t->taken += n;
	} while (n > 0);
	db_close(conn);
	return NULL;
}

/* As when a server still believes that it leads. */
static void test_several_takers_take_each_once(void **state)
{
	struct fixture *f = *state;
	struct taker takers[4] = {{.f = f}, {.f = f}, {.f = f}, {.f = f}};
	int taken = 0;

	mark(f, 3000);
	threads_run(ARRAY_SIZE(takers), run_taker, takers, sizeof(*takers));
	for (unsigned i = 0; i < ARRAY_SIZE(takers); i++)
		taken += takers[i].taken;
	taken += take(f, now_us);
	while (number(f, "SELECT COUNT(*) FROM progress_mark"))
		taken += take(f, now_us);
	assert_int_equal(taken, 3000);
	assert_int_equal(
		number(f, "SELECT COUNT(*) = COUNT(DISTINCT user_id) AND COUNT(*) = 3000 FROM event"), 1);
}

static int setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = *state = &fixture;
	struct error err;

	f->db = testdb_new();
	clock_fixed_init(&f->clock, now_us);
	f->app.clock = &f->clock.clock;
	f->conn = connect_taker(f);
	const struct node_lease_config lease = {.db = &f->db->config, .clock = &clock_system};
	return node_lease_start(&lease, &f->app.node, &err);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	node_lease_stop(f->app.node);
	db_close(f->conn);
	testdb_free(f->db);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_a_mark_becomes_an_event_when_it_is_old_enough, clear),
		cmocka_unit_test_teardown(test_a_turn_takes_a_bounded_number, clear),
		cmocka_unit_test_teardown(test_what_no_organization_may_see_leaves_no_event, clear),
		cmocka_unit_test_teardown(test_who_joins_is_told_of_from_then_on, clear),
		cmocka_unit_test_teardown(test_memberships_are_not_waited_for, clear),
		cmocka_unit_test_teardown(test_memberships_are_read_after_the_days_are_locked, clear),
		cmocka_unit_test_teardown(test_what_is_being_written_is_left_for_the_next_time, clear),
		cmocka_unit_test_teardown(test_a_failure_leaves_the_marks, clear),
		cmocka_unit_test_teardown(test_several_takers_take_each_once, clear),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
