/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "proto/runtime/ids.h"
#include "server/db/sequencer.h"
#include "server/db/table.h"
#include "server/organization/audience.h"
#include "server/organization/organization.h"
#include "server/organization/organization_names.h"
#include "tests/lib/audience_page.h"
#include "tests/lib/testdb.h"
#include "tests/lib/threads.h"

/* Users and organizations of the tests; neither is the id of the other, nor the platform's. */
enum { USERS = 6, ORGANIZATIONS = 4, FIRST_USER = 100, FIRST_ORGANIZATION = 200 };

#define KIND_SOLD "thing.sold" /* the platform reads it */
#define KIND_DONE "thing.done"

static const char *const platform_kinds[] = {KIND_SOLD, NULL};

static struct testdb *db;
static struct error err;
static struct id_maker ids;

static int setup(void **state)
{
	testdb_setup(state);
	db = *state;
	id_maker_lease(&ids, 1, 0, INT64_MAX);
	return 0;
}

static int clear(void **state)
{
	static const char *const tables[] = {"event", "event_audience", "organization_member",
					     "organization_member_span", "lease"};
	struct db_conn *c = testdb_connect(db, NULL);
	char sql[64];
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
		snprintf(sql, sizeof(sql), "DELETE FROM %s", tables[i]);
		testdb_run(c, sql);
	}
	testdb_run(c, "UPDATE event_sequence SET position = 0, durable_position = 0");
	db_close(c);
	return 0;
}

static int64_t new_id(void)
{
	return id_make(&ids, clock_now_ms(&clock_system));
}

/* --- the sequencer --- */

static int on_placed(void *arg, struct db_conn *conn, const struct event *events, unsigned n, struct error *e)
{
	return audience_write(conn, platform_kinds, events, n, e);
}

static struct sequencer *start_sequencer(void)
{
	static const struct db_stmt_list *const lists[] = {&audience_stmts, NULL};
	const struct sequencer_config config = {
		.db = &db->config, .poll_ms = 3, .stmts = lists, .placed = on_placed};
	struct sequencer *s;
	assert_int_equal(sequencer_start(&config, &s, &err), 0);
	return s;
}

static void await_positions(void)
{
	for (int ms = 0; ms < 60000; ms += 10, usleep(10000))
		if (testdb_number(db, "SELECT COUNT(*) FROM event WHERE position = 0") == 0)
			return;
	fail_msg("events without a position");
}

/* --- what happens --- */

enum { FIND_LIVE, JOIN, LEAVE };

static const struct db_stmt stmts[] = {
	[FIND_LIVE] = {"test_find_live", "ii", &db_row_i64,
		       "SELECT member_id FROM organization_member WHERE organization_id = ? AND user_id = ?"
		       " AND live = 1 FOR UPDATE"},
	[JOIN] = {"test_join", "iiis", NULL,
		  "INSERT INTO organization_member (member_id, organization_id, user_id, external_id, live,"
		  " version, create_time) VALUES (?, ?, ?, ?, 1, 1, 0)"},
	[LEAVE] = {"test_leave", "i", NULL,
		   "UPDATE organization_member SET live = NULL, end_time = 1, version = version + 1"
		   " WHERE member_id = ?"},
};
static const struct db_stmt_list test_stmts = {"test", stmts, ARRAY_SIZE(stmts)};
static const struct db_stmt_list *const lists[] = {&event_stmts, &test_stmts, NULL};

static int append(struct db_conn *conn, int64_t event_id, const char *kind, int64_t subject_id,
		  int64_t version, int64_t user_id, int64_t organization_id, struct error *e)
{
	const struct event event = {.event_id = event_id,
				    .kind = kind,
				    .subject_id = subject_id,
				    .version = version,
				    .user_id = user_id,
				    .organization_id = organization_id};
	return event_append(conn, &event, e);
}

/* A membership that begins, or the one there is that ends: row and event in one transaction. */
struct membership {
	int64_t event_id, member_id; /* made before */
	int64_t user_id, organization_id;
	const char *external_id;
	unsigned linger_us; /* before the commit */
};

static int join_or_leave(struct db_conn *conn, void *arg, struct error *e)
{
	const struct membership *m = arg;
	int64_t live = 0;
	int r = db_read(conn, &stmts[FIND_LIVE], DB_ARGS(db_i64(m->organization_id), db_i64(m->user_id)),
			NULL, &live, e);
	if (r > 0)
		r = db_exec(conn, &stmts[LEAVE], DB_ARGS(db_i64(live)), NULL, e);
	else if (r == 0)
		r = db_exec(conn, &stmts[JOIN],
			    DB_ARGS(db_i64(m->member_id), db_i64(m->organization_id), db_i64(m->user_id),
				    db_str(m->external_id)),
			    NULL, e);
	if (r == 0)
		r = append(conn, m->event_id, live ? EVENT_MEMBER_LEFT : EVENT_MEMBER_JOINED,
			   live ? live : m->member_id, live ? 2 : 1, m->user_id, m->organization_id, e);
	usleep(m->linger_us);
	return r;
}

/* -STATUS_ALREADY_EXISTS when somebody else made him a member meanwhile. */
static int toggle(struct db_conn *conn, int64_t user_id, int64_t organization_id, const char *external_id,
		  unsigned linger_us, struct error *e)
{
	struct membership m = {
		.event_id = new_id(),
		.member_id = new_id(),
		.user_id = user_id,
		.organization_id = organization_id,
		.external_id = external_id,
		.linger_us = linger_us,
	};
	return db_transaction(conn, false, join_or_leave, &m, e);
}

static void must_toggle(struct db_conn *conn, int64_t user_id, int64_t organization_id,
			const char *external_id)
{
	if (toggle(conn, user_id, organization_id, external_id, 0, &err) < 0)
		fail_msg("%s", err.message);
}

static void must_append(struct db_conn *conn, const char *kind, int64_t user_id)
{
	if (append(conn, new_id(), kind, 1, 0, user_id, 0, &err) < 0)
		fail_msg("%s", err.message);
}

/* --- memberships --- */

static void test_one_leaves_and_joins_again(void **state)
{
	struct db_conn *c = testdb_connect(db, lists);
	must_toggle(c, 100, 200, "pupil-1");
	must_toggle(c, 100, 200, NULL);
	must_toggle(c, 100, 200, "pupil-1");
	must_toggle(c, 100, 200, NULL);
	must_toggle(c, 101, 200, "pupil-1"); /* what he was called is free again */
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM organization_member WHERE user_id = 100"),
			 2);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM organization_member WHERE live = 1"), 1);
	db_close(c);
}

static int insert_member(struct db_conn *c, int64_t user_id, const char *external_id)
{
	return db_exec(c, &stmts[JOIN],
		       DB_ARGS(db_i64(new_id()), db_i64(200), db_i64(user_id), db_str(external_id)), NULL,
		       &err);
}

static void test_one_live_membership_and_one_live_external_id(void **state)
{
	struct db_conn *c = testdb_connect(db, lists);
	assert_int_equal(insert_member(c, 100, "pupil-1"), 0);
	assert_int_equal(insert_member(c, 100, "pupil-2"), -STATUS_ALREADY_EXISTS);
	assert_string_equal(db_duplicate_key(c), "organization_member_live_key");
	assert_int_equal(insert_member(c, 101, "pupil-1"), -STATUS_ALREADY_EXISTS);
	assert_string_equal(db_duplicate_key(c), "organization_member_external_key");
	assert_int_equal(insert_member(c, 101, NULL), 0);
	assert_int_equal(insert_member(c, 102, NULL), 0);
	db_close(c);
}

static void test_a_membership_that_ended_is_not_live(void **state)
{
	struct db_conn *c = testdb_connect(db, lists);
	assert_int_equal(insert_member(c, 100, NULL), 0);
	assert_true(db_run_text(c, "UPDATE organization_member SET end_time = 1", &err) < 0);
	assert_true(db_run_text(c, "UPDATE organization_member SET live = NULL", &err) < 0);
	assert_true(db_run_text(c, "UPDATE organization_member SET live = 2", &err) < 0);
	assert_int_equal(db_run_text(c, "UPDATE organization_member SET live = NULL, end_time = 1", &err), 0);
	db_close(c);
}

/* --- who sees what --- */

/* The positions an audience has, as a number: 1, 2 and 4 are 124. */
static int64_t seen_by(int64_t audience_id)
{
	char sql[160];
	snprintf(sql, sizeof(sql),
		 "SELECT CAST(GROUP_CONCAT(position ORDER BY position SEPARATOR '') AS INT)"
		 " FROM event_audience WHERE audience_id = %" PRId64,
		 audience_id);
	return testdb_number(db, sql);
}

static void test_an_organization_sees_from_joining_to_leaving(void **state)
{
	struct db_conn *c = testdb_connect(db, lists);
	must_append(c, KIND_DONE, 100); /* 1: before */
	must_toggle(c, 100, 200, NULL); /* 2: joins */
	must_append(c, KIND_DONE, 100); /* 3 */
	must_append(c, KIND_SOLD, 101); /* 4: somebody else's */
	must_toggle(c, 100, 200, NULL); /* 5: leaves */
	must_append(c, KIND_SOLD, 100); /* 6: after */
	must_append(c, KIND_DONE, 0);   /* 7: of no user */
	must_toggle(c, 100, 200, NULL); /* 8: joins again */
	must_toggle(c, 100, 201, NULL); /* 9: and another one */
	struct sequencer *s = start_sequencer();
	await_positions();
	sequencer_stop(s);
	assert_int_equal(seen_by(100), 1235689);
	assert_int_equal(seen_by(101), 4);
	assert_int_equal(seen_by(200), 23589);
	assert_int_equal(seen_by(201), 9);
	assert_int_equal(seen_by(ORGANIZATION_PLATFORM), 46);
	db_close(c);
}

/* The feed goes on while somebody holds the rows of members. */
static void test_whoever_holds_a_members_row_keeps_nobody_waiting(void **state)
{
	struct db_conn *c = testdb_connect(db, lists), *holder = testdb_connect(db, NULL);
	must_toggle(c, 100, 200, NULL);
	testdb_run(holder, "START TRANSACTION");
	testdb_run(holder, "UPDATE organization_member SET version = version + 1");
	must_append(c, KIND_DONE, 100);
	struct sequencer *s = start_sequencer();
	await_positions();
	sequencer_stop(s);
	assert_int_equal(seen_by(200), 12);
	testdb_run(holder, "ROLLBACK");
	db_close(holder);
	db_close(c);
}

/* Ids are made before transactions, so that the end may come to stand before the begin. */
static void test_an_end_that_stands_before_its_begin_is_all_that_is_seen(void **state)
{
	struct db_conn *c = testdb_connect(db, lists);
	assert_int_equal(append(c, 30, EVENT_MEMBER_JOINED, 7, 1, 100, 200, &err), 0);
	assert_int_equal(append(c, 10, EVENT_MEMBER_LEFT, 7, 2, 100, 200, &err), 0);
	assert_int_equal(append(c, 20, KIND_DONE, 1, 0, 100, 0, &err), 0);
	assert_int_equal(append(c, 40, KIND_DONE, 1, 0, 100, 0, &err), 0);
	struct sequencer *s = start_sequencer();
	await_positions();
	sequencer_stop(s);
	assert_int_equal(seen_by(100), 1234);
	assert_int_equal(seen_by(200), 1);
	db_close(c);
}

/* --- random histories, many writers, readers with a cursor, against a naive evaluator --- */

enum { WRITERS = 6, EACH = 150, READERS = USERS + ORGANIZATIONS + 1, PAGE = 7 };

static const int64_t audiences[READERS] = {
	100, 101, 102, 103, 104, 105, 200, 201, 202, 203, ORGANIZATION_PLATFORM};

static atomic_bool happening;

/* A thread of a history: a writer, a reader of one audience, or a sequencer that is stopped now and then. */
struct actor {
	enum { WRITES, READS, SEQUENCES } does;
	int64_t audience_id;
	unsigned seed;
	struct db_conn *conn;
	int failed;
	unsigned n_seen;
	int64_t *seen; /* positions, as they were read */
};

static void write_history(struct actor *a)
{
	struct error e;
	for (int i = 0; i < EACH && !a->failed; i++) {
		int64_t user_id = FIRST_USER + rand_r(&a->seed) % USERS;
		int64_t organization_id = FIRST_ORGANIZATION + rand_r(&a->seed) % ORGANIZATIONS;
		unsigned linger_us = rand_r(&a->seed) % 8 ? 0 : 4000;
		int r = 0;
		switch (rand_r(&a->seed) % 4) {
		case 0:
			r = toggle(a->conn, user_id, organization_id, NULL, linger_us, &e);
			break;
		case 1:
			r = append(a->conn, new_id(), KIND_SOLD, 1, 0, user_id, 0, &e);
			break;
		case 2:
			r = append(a->conn, new_id(), KIND_SOLD, 1, 0, 0, organization_id, &e);
			break;
		default:
			r = append(a->conn, new_id(), KIND_DONE, 1, 0, user_id, 0, &e);
			break;
		}
		a->failed = r < 0 && r != -STATUS_ALREADY_EXISTS;
	}
}

/* Goes on from the last position read, and once more when nothing happens any more. */
static void read_history(struct actor *a)
{
	enum { ARENA_CAP = 1 << 20 };
	struct arena arena;
	const struct event *events;
	unsigned n;
	struct error e;
	bool more;
	arena_init(&arena, ARENA_CAP);
	do {
		more = atomic_load(&happening);
		int64_t after = a->n_seen ? a->seen[a->n_seen - 1] : 0;
		arena_reset(&arena);
		a->failed = audience_page_read(a->conn, &arena, a->audience_id, after, PAGE, &events, &n, &e);
		for (unsigned i = 0; !a->failed && i < n; i++)
			a->seen[a->n_seen++] = events[i].position;
	} while (!a->failed && (more || n == PAGE));
	arena_done(&arena);
}

static void sequence_history(void)
{
	while (atomic_load(&happening)) {
		struct sequencer *s = start_sequencer();
		usleep(40000);
		sequencer_stop(s);
	}
}

static void *act(void *arg)
{
	struct actor *a = arg;
	if (a->does == WRITES)
		write_history(a);
	else if (a->does == READS)
		read_history(a);
	else
		sequence_history();
	return NULL;
}

static void *end_history(void *arg)
{
	struct actor *writers = arg;
	threads_run(WRITERS, act, writers, sizeof(*writers));
	for (int ms = 0; ms < 60000; ms += 10, usleep(10000))
		if (testdb_number(db, "SELECT COUNT(*) + (SELECT position <> durable_position FROM"
				      " event_sequence) FROM event WHERE position = 0") == 0)
			break;
	atomic_store(&happening, false);
	return NULL;
}

struct happened {
	int64_t position, subject_id, user_id, organization_id;
	char kind[49];
};
#define HAPPENED_COLUMNS(F, C, R)                                                                            \
	F(R, "position", I64, position)                                                                      \
	C(R, "subject_id", I64, subject_id)                                                                  \
	C(R, "user_id", I64, user_id)                                                                        \
	C(R, "organization_id", I64, organization_id)                                                        \
	C(R, "kind", CODE, kind)
DB_ROW(happened_row, struct happened, HAPPENED_COLUMNS);

struct row {
	int64_t audience_id, position;
};
#define ROW_COLUMNS(F, C, R) F(R, "audience_id", I64, audience_id) C(R, "position", I64, position)
DB_ROW(row_row, struct row, ROW_COLUMNS);

static const struct db_stmt evaluated[] = {
	{"test_happened", "", &happened_row, DB_SELECT(HAPPENED_COLUMNS, " FROM event ORDER BY position")},
	{"test_rows", "", &row_row,
	 DB_SELECT(ROW_COLUMNS, " FROM event_audience ORDER BY audience_id, position")},
};
static const struct db_stmt_list evaluated_list = {"evaluated", evaluated, ARRAY_SIZE(evaluated)};
static const struct db_stmt_list *const evaluated_lists[] = {&evaluated_list, NULL};

static bool is(const struct happened *h, const char *kind)
{
	return strcmp(h->kind, kind) == 0;
}

/* Whether the organization sees the event by the membership that this one began. */
static bool covers(const struct happened *joined, const struct happened *all, unsigned n,
		   const struct happened *h)
{
	int64_t begin = joined->position, end = INT64_MAX;
	for (unsigned i = 0; i < n; i++)
		if (is(&all[i], EVENT_MEMBER_LEFT) && all[i].subject_id == joined->subject_id)
			end = all[i].position;
	begin = begin < end ? begin : end;
	return h->user_id == joined->user_id && begin <= h->position && h->position <= end;
}

static bool is_read_by(int64_t audience_id, const struct happened *all, unsigned n, const struct happened *h)
{
	if (audience_id == ORGANIZATION_PLATFORM)
		return is(h, KIND_SOLD);
	if (audience_id == h->user_id)
		return true;
	for (unsigned i = 0; i < n; i++)
		if (is(&all[i], EVENT_MEMBER_JOINED) && all[i].organization_id == audience_id &&
		    covers(&all[i], all, n, h))
			return true;
	return false;
}

static unsigned evaluate(const struct happened *all, unsigned n, struct row *ret)
{
	unsigned n_rows = 0;
	static const int64_t sorted[READERS] = {
		ORGANIZATION_PLATFORM, 100, 101, 102, 103, 104, 105, 200, 201, 202, 203};
	for (unsigned a = 0; a < READERS; a++)
		for (unsigned i = 0; i < n; i++)
			if (is_read_by(sorted[a], all, n, &all[i]))
				ret[n_rows++] = (struct row){sorted[a], all[i].position};
	return n_rows;
}

static void expect_rows(struct arena *arena, struct row **ret, unsigned *ret_n)
{
	struct db_conn *c = testdb_connect(db, evaluated_lists);
	struct happened *all;
	unsigned n;
	assert_int_equal(db_read_all(c, &evaluated[0], DB_NO_ARGS, arena, &all, &n, &err), 0);
	assert_int_equal(db_read_all(c, &evaluated[1], DB_NO_ARGS, arena, ret, ret_n, &err), 0);
	struct row *expected = arena_array(arena, (size_t)n * READERS, sizeof(*expected));
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(all[i].position, i + 1);
	assert_int_equal(*ret_n, evaluate(all, n, expected));
	assert_memory_equal(*ret, expected, *ret_n * sizeof(*expected));
	print_message("%u events, %u rows of %d audiences\n", n, *ret_n, READERS);
	db_close(c);
}

static void expect_read(const struct actor *reader, const struct row *rows, unsigned n)
{
	unsigned n_seen = 0;
	for (unsigned i = 0; i < n; i++)
		if (rows[i].audience_id == reader->audience_id)
			assert_int_equal(rows[i].position, reader->seen[n_seen++]);
	assert_int_equal(n_seen, reader->n_seen);
}

static void *act_or_end(void *arg)
{
	struct actor **a = arg;
	return (*a)->does == WRITES ? end_history(*a) : act(*a);
}

static void test_random_histories(void **state)
{
	static const struct db_stmt_list *const reader_lists[] = {&audience_page_stmts, NULL};
	static struct actor writers[WRITERS], readers[READERS], sequencers[2];
	struct actor *all[READERS + 2 + 1];
	struct arena arena;
	struct row *rows;
	unsigned n = 0, n_rows;
	arena_init(&arena, 64 << 20);
	for (unsigned i = 0; i < WRITERS; i++)
		writers[i] = (struct actor){.does = WRITES, .seed = i, .conn = testdb_connect(db, lists)};
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = (struct actor){.does = READS,
					    .audience_id = audiences[i],
					    .conn = testdb_connect(db, reader_lists),
					    .seen = calloc(WRITERS * EACH, sizeof(int64_t))};
		all[n++] = &readers[i];
	}
	for (unsigned i = 0; i < 2; i++) {
		sequencers[i].does = SEQUENCES;
		all[n++] = &sequencers[i];
	}
	all[n++] = writers;
	atomic_store(&happening, true);
	threads_run(n, act_or_end, all, sizeof(*all));
	for (unsigned i = 0; i < WRITERS; i++) {
		assert_int_equal(writers[i].failed, 0);
		db_close(writers[i].conn);
	}
	expect_rows(&arena, &rows, &n_rows);
	for (unsigned i = 0; i < READERS; i++) {
		assert_int_equal(readers[i].failed, 0);
		expect_read(&readers[i], rows, n_rows);
		db_close(readers[i].conn);
		free(readers[i].seen);
	}
	arena_done(&arena);
}

/* --- what a page costs --- */

#define ONE_AUDIENCE INT64_C(100)
enum { PAGE_ROWS = 100, SMALL_FEED = 1000, LARGE_FEED = 50000 };

/* A feed with PAGE_ROWS events of ONE_AUDIENCE, evenly among those of others. */
static void make_feed(struct db_conn *c, int events)
{
	char sql[256];
	clear(NULL);
	snprintf(
		sql, sizeof(sql),
		"INSERT INTO event (event_id, kind, subject_id, user_id, course_id, organization_id, create_time,"
		" position, payload) SELECT seq, 'thing.done', 1, IF(seq %% %d = 0, 100, 100000 + seq), 0, 0, 0, seq, ''"
		" FROM seq_1_to_%d",
		events / PAGE_ROWS, events);
	testdb_run(c, sql);
	testdb_run(c, "INSERT INTO event_audience SELECT user_id, position, event_id FROM event");
	snprintf(sql, sizeof(sql), "UPDATE event_sequence SET position = %d, durable_position = %d", events,
		 events);
	testdb_run(c, sql);
}

static const struct db_stmt asked = {
	"test_asked", "", &db_row_i64,
	"SELECT CAST(SUM(variable_value) AS INT) FROM information_schema.session_status"
	" WHERE variable_name LIKE 'Handler_read%'"};
static const struct db_stmt_list asked_list = {"asked", &asked, 1};

/* How many rows the storage engine is asked for, of all kinds of asking. */
static int64_t page_handlers(struct db_conn *c)
{
	struct arena arena;
	const struct event *events;
	unsigned n;
	int64_t before, after;
	arena_init(&arena, 1 << 20);
	testdb_run(c, "FLUSH STATUS");
	assert_int_equal(db_read(c, &asked, DB_NO_ARGS, NULL, &before, &err), 1);
	assert_int_equal(audience_page_read(c, &arena, ONE_AUDIENCE, 0, PAGE_ROWS, &events, &n, &err), 0);
	assert_int_equal(n, PAGE_ROWS);
	assert_int_equal(db_read(c, &asked, DB_NO_ARGS, NULL, &after, &err), 1);
	arena_done(&arena);
	return after - before;
}

static void test_a_page_costs_the_same_in_a_long_feed(void **state)
{
	static const struct db_stmt_list *const page_lists[] = {&audience_page_stmts, &asked_list, NULL};
	struct db_conn *c = testdb_connect(db, page_lists);
	make_feed(c, SMALL_FEED);
	int64_t of_small = page_handlers(c);
	make_feed(c, LARGE_FEED);
	int64_t of_large = page_handlers(c);
	print_message("a page of %d: %d rows asked for in a feed of %d, %d in one of %d\n", PAGE_ROWS,
		      (int)of_small, SMALL_FEED, (int)of_large, LARGE_FEED);
	assert_int_equal(of_small, of_large);
	assert_true(of_large < 10 * PAGE_ROWS);
	db_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_leaves_and_joins_again, clear),
		cmocka_unit_test_setup(test_one_live_membership_and_one_live_external_id, clear),
		cmocka_unit_test_setup(test_a_membership_that_ended_is_not_live, clear),
		cmocka_unit_test_setup(test_an_organization_sees_from_joining_to_leaving, clear),
		cmocka_unit_test_setup(test_whoever_holds_a_members_row_keeps_nobody_waiting, clear),
		cmocka_unit_test_setup(test_an_end_that_stands_before_its_begin_is_all_that_is_seen, clear),
		cmocka_unit_test_setup(test_random_histories, clear),
		cmocka_unit_test_setup(test_a_page_costs_the_same_in_a_long_feed, clear),
	};
	return cmocka_run_group_tests(tests, setup, testdb_teardown);
}
