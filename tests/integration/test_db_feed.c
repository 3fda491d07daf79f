/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/runtime/ids.h"
#include "server/base/metrics.h"
#include "server/db/event.h"
#include "server/db/sequencer.h"
#include "server/db/table.h"
#include "tests/lib/testdb.h"
#include "tests/lib/threads.h"

static const struct db_stmt_list *const lists[] = {&event_stmts, NULL};

enum { SEEN_MAX = 4096, PATIENCE_MS = 120000 };

static struct testdb *db;
static struct error err;
static struct id_maker ids;

/* What one feed has delivered. */
struct reader {
	struct event_feed *feed;
	struct sequencer *sequencer; /* if it has one too */
	pthread_mutex_t lock;
	int64_t seen[SEEN_MAX];
	unsigned n;
	atomic_uint lost;
	struct event last;
	char last_kind[64];
};

static void on_event(void *arg, const struct event *e)
{
	struct reader *r = arg;
	pthread_mutex_lock(&r->lock);
	r->seen[r->n++ % SEEN_MAX] = e->event_id;
	r->last = *e;
	strncpy(r->last_kind, e->kind, sizeof(r->last_kind) - 1);
	pthread_mutex_unlock(&r->lock);
}

static void on_lost(void *arg)
{
	struct reader *r = arg;
	atomic_fetch_add(&r->lost, 1);
}

static void start_sequencer(struct reader *r, int poll_ms)
{
	const struct sequencer_config config = {.db = &db->config, .poll_ms = poll_ms};
	assert_int_equal(sequencer_start(&config, &r->sequencer, &err), 0);
}

static void reader_start(struct reader *r, bool sequences, struct event_feed_config config)
{
	memset(r, 0, sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	config.db = &db->config;
	config.poll_ms = config.poll_ms ? config.poll_ms : 20;
	config.listener = on_event;
	config.lost = on_lost;
	config.arg = r;
	assert_int_equal(event_feed_start(&config, &r->feed, &err), 0);
	if (sequences)
		start_sequencer(r, config.poll_ms);
}

static void reader_stop(struct reader *r)
{
	event_feed_stop(r->feed);
	sequencer_stop(r->sequencer);
	pthread_mutex_destroy(&r->lock);
}

static unsigned reader_count(struct reader *r)
{
	pthread_mutex_lock(&r->lock);
	unsigned n = r->n;
	pthread_mutex_unlock(&r->lock);
	return n;
}

static void wait_until_read(struct reader *r, unsigned n)
{
	for (int ms = 0; reader_count(r) < n && ms < PATIENCE_MS; ms += 5)
		usleep(5000);
	usleep(100000); /* time for what should not come */
	assert_int_equal(reader_count(r), n);
}

static void wait_until_sequenced(int64_t n)
{
	for (int ms = 0; ms < PATIENCE_MS; ms += 20) {
		if (testdb_number(db, "SELECT position FROM event_sequence") >= n)
			break;
		usleep(20000);
	}
	assert_int_equal(testdb_number(db, "SELECT position FROM event_sequence"), n);
}

static int64_t new_id(void)
{
	return id_make(&ids, clock_now_ms(&clock_system));
}

static void append(struct db_conn *conn, int64_t id)
{
	const struct event e = {.event_id = id,
				.kind = "thing.changed",
				.subject_id = 11,
				.user_id = 12,
				.course_id = 13,
				.organization_id = 14,
				.create_us = 15,
				.payload = span_str("{\"a\":1}")};
	if (event_append(conn, &e, &err) < 0)
		fail_msg("%s", err.message);
}

static int64_t position_of(int64_t id)
{
	char sql[96];
	snprintf(sql, sizeof(sql), "SELECT position FROM event WHERE event_id = %lld", (long long)id);
	return testdb_number(db, sql);
}

static int setup(void **state)
{
	testdb_setup(state);
	db = *state;
	id_maker_lease(&ids, 1, 0, INT64_MAX);
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

static void test_an_event_is_delivered_whole_and_once(void **state)
{
	static struct reader r;
	struct db_conn *c = testdb_connect(db, lists);
	reader_start(&r, true, (struct event_feed_config){0});
	int64_t id = new_id();
	append(c, id);
	wait_until_read(&r, 1);
	wait_until_sequenced(1);
	usleep(100000);
	assert_int_equal(reader_count(&r), 1);
	assert_int_equal(r.last.event_id, id);
	assert_string_equal(r.last_kind, "thing.changed");
	assert_int_equal(r.last.subject_id, 11);
	assert_int_equal(r.last.user_id, 12);
	assert_int_equal(r.last.course_id, 13);
	assert_int_equal(r.last.organization_id, 14);
	assert_int_equal(r.last.create_us, 15);
	assert_true(event_feed_age_us(r.feed) < 2000000);
	assert_int_equal(atomic_load(&r.lost), 0);
	reader_stop(&r);
	db_close(c);
}

static void test_a_late_commit_with_an_older_id_is_seen(void **state)
{
	static struct reader r;
	struct db_conn *late = testdb_connect(db, lists), *early = testdb_connect(db, lists);
	int64_t older = new_id(), newer = new_id();
	reader_start(&r, true, (struct event_feed_config){0});
	testdb_run(late, "START TRANSACTION");
	append(late, older);
	append(early, newer);
	wait_until_sequenced(1);
	wait_until_read(&r, 1);
	assert_int_equal(position_of(newer), 1);
	testdb_run(late, "COMMIT");
	wait_until_sequenced(2);
	wait_until_read(&r, 2);
	assert_int_equal(position_of(older), 2);
	assert_int_equal(r.seen[1], older);
	reader_stop(&r);
	db_close(late);
	db_close(early);
}

static void test_a_rolled_back_event_is_never_seen(void **state)
{
	static struct reader r;
	struct db_conn *c = testdb_connect(db, lists);
	reader_start(&r, true, (struct event_feed_config){0});
	testdb_run(c, "START TRANSACTION");
	append(c, new_id());
	usleep(100000);
	testdb_run(c, "ROLLBACK");
	append(c, new_id());
	wait_until_read(&r, 1);
	wait_until_sequenced(1);
	reader_stop(&r);
	db_close(c);
}

static void test_events_are_delivered_while_nobody_sequences(void **state)
{
	static struct reader r;
	struct db_conn *c = testdb_connect(db, lists);
	reader_start(&r, false, (struct event_feed_config){0});
	append(c, new_id());
	append(c, new_id());
	wait_until_read(&r, 2);
	assert_int_equal(testdb_number(db, "SELECT position FROM event_sequence"), 0);
	int64_t age_ms = metric_value(metric_gauge("edu_events_pending_age_milliseconds", "", NULL));
	assert_int_equal(metric_value(metric_gauge("edu_events_pending", "", NULL)), 2);
	assert_in_range(age_ms, 50, PATIENCE_MS);
	start_sequencer(&r, 20);
	wait_until_sequenced(2);
	usleep(100000);
	assert_int_equal(metric_value(metric_gauge("edu_events_pending", "", NULL)), 0);
	assert_int_equal(metric_value(metric_gauge("edu_events_pending_age_milliseconds", "", NULL)), 0);
	reader_stop(&r);
	db_close(c);
}

enum { WRITERS = 8, EACH = 100 };

static void *write_events(void *arg)
{
	struct db_conn *c = *(struct db_conn **)arg;
	for (int i = 0; i < EACH; i++) {
		testdb_run(c, "START TRANSACTION");
		append(c, new_id());
		if (i % 7 == 0)
			usleep(3000);
		testdb_run(c, "COMMIT");
	}
	return NULL;
}

static int compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void expect_each_once(struct reader *r)
{
	wait_until_read(r, WRITERS * EACH);
	qsort(r->seen, r->n, sizeof(*r->seen), compare_ids);
	for (unsigned i = 1; i < r->n; i++)
		assert_true(r->seen[i - 1] < r->seen[i]);
	assert_int_equal(atomic_load(&r->lost), 0);
}

static void test_many_writers_two_replicas_no_gaps(void **state)
{
	static struct reader readers[3];
	struct db_conn *conns[WRITERS];
	for (int i = 0; i < 3; i++)
		reader_start(&readers[i], i < 2, (struct event_feed_config){.poll_ms = 3 + i});
	for (int i = 0; i < WRITERS; i++)
		conns[i] = testdb_connect(db, lists);
	threads_run(WRITERS, write_events, conns, sizeof(*conns));
	wait_until_sequenced(WRITERS * EACH);
	for (int i = 0; i < 3; i++)
		expect_each_once(&readers[i]);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM event WHERE position = 0"), 0);
	assert_int_equal(testdb_number(db, "SELECT COUNT(DISTINCT position) FROM event"), WRITERS * EACH);
	assert_int_equal(testdb_number(db, "SELECT MAX(position) FROM event"), WRITERS * EACH);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM lease"), 1);
	for (int i = 0; i < 3; i++)
		reader_stop(&readers[i]);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM lease"), 0);
	for (int i = 0; i < WRITERS; i++)
		db_close(conns[i]);
}

static void test_a_page_is_not_the_end(void **state)
{
	static struct reader r;
	struct db_conn *c = testdb_connect(db, lists);
	reader_start(&r, true, (struct event_feed_config){0});
	testdb_run(c, "START TRANSACTION");
	for (int i = 0; i < 2500; i++)
		append(c, new_id());
	testdb_run(c, "COMMIT");
	wait_until_read(&r, 2500);
	wait_until_sequenced(2500);
	usleep(100000);
	assert_int_equal(reader_count(&r), 2500);
	reader_stop(&r);
	db_close(c);
}

/* However much there is of them: a feed that fails keeps everybody who is signed in out of the replica. */
static void test_payloads_are_not_read(void **state)
{
	static struct reader r;
	struct db_conn *c = testdb_connect(db, lists);
	reader_start(&r, true, (struct event_feed_config){0});
	testdb_run(c, "INSERT INTO event (" DB_NAMES(
			      EVENT_COLUMNS) ") SELECT 1 + seq, 'thing.large', 11, 0, 12, 13, "
					     "14, 15, REPEAT('x', 2000000) FROM seq_1_to_40");
	wait_until_read(&r, 40);
	wait_until_sequenced(40);
	assert_true(event_feed_age_us(r.feed) < 2000000);
	reader_stop(&r);
	db_close(c);
}

/* What came before, a new replica asks the database about when it needs it. */
static void test_a_new_replica_begins_with_what_comes(void **state)
{
	static struct reader first, second;
	struct db_conn *c = testdb_connect(db, lists);
	reader_start(&first, true, (struct event_feed_config){0});
	append(c, new_id());
	append(c, new_id());
	wait_until_sequenced(2);
	reader_stop(&first);
	int64_t late = new_id();
	append(c, new_id());
	reader_start(&second, false, (struct event_feed_config){0});
	append(c, late);
	wait_until_read(&second, 1);
	assert_int_equal(second.seen[0], late);
	start_sequencer(&second, 20);
	wait_until_sequenced(4);
	wait_until_read(&second, 1);
	reader_stop(&second);
	db_close(c);
}

static void give(struct db_conn *c, int64_t id, int64_t position)
{
	char sql[96];
	snprintf(sql, sizeof(sql), "UPDATE event SET position = %lld WHERE event_id = %lld",
		 (long long)position, (long long)id);
	testdb_run(c, sql);
	snprintf(sql, sizeof(sql), "UPDATE event_sequence SET position = %lld", (long long)position);
	testdb_run(c, sql);
}

/* A database that crashes may lose a commit that others have seen, though nobody's that was answered. */
static void test_a_position_that_a_crash_takes_back_misleads_nobody(void **state)
{
	static struct reader r;
	struct db_conn *c = testdb_connect(db, lists);
	int64_t first = new_id(), second = new_id(), lost = new_id();
	reader_start(&r, false, (struct event_feed_config){0});
	append(c, first);
	append(c, lost);
	wait_until_read(&r, 2);
	give(c, first, 1);
	wait_until_read(&r, 2); /* the position, too, is read */
	testdb_run(c, "UPDATE event SET position = 0");
	testdb_run(c, "UPDATE event_sequence SET position = 0");
	append(c, second);
	testdb_run(c, "DELETE FROM event WHERE event_id = (SELECT MAX(event_id) FROM event)");
	give(c, second, 1);
	wait_until_read(&r, 3);
	give(c, first, 2);
	testdb_run(c, "UPDATE event_sequence SET durable_position = 2");
	wait_until_read(&r, 3);
	assert_int_equal(r.seen[2], second);
	assert_int_equal(metric_value(metric_gauge("edu_events_pending", "", NULL)), 0);
	assert_int_equal(atomic_load(&r.lost), 0);
	reader_stop(&r);
	db_close(c);
}

static void test_events_removed_before_they_were_read_are_noticed(void **state)
{
	static struct reader r;
	struct db_conn *c = testdb_connect(db, lists);
	reader_start(&r, false, (struct event_feed_config){0});
	testdb_run(c, "START TRANSACTION");
	append(c, new_id());
	testdb_run(c, "UPDATE event SET position = 5");
	testdb_run(c, "UPDATE event_sequence SET position = 5, durable_position = 5");
	testdb_run(c, "COMMIT");
	wait_until_read(&r, 1);
	assert_int_equal(atomic_load(&r.lost), 1);
	reader_stop(&r);
	db_close(c);
}

static void test_an_absence_is_noticed(void **state)
{
	static struct reader r;
	reader_start(&r, false, (struct event_feed_config){.lost_ms = 10, .poll_ms = 50});
	for (int ms = 0; ms < 10000 && !atomic_load(&r.lost); ms += 10)
		usleep(10000);
	assert_true(atomic_load(&r.lost) >= 1);
	reader_stop(&r);
}

static void test_a_feed_survives_its_connection(void **state)
{
	static struct reader r;
	struct db_conn *c = testdb_connect(db, lists), *admin = testdb_connect(db, NULL);
	testdb_run(admin, "CREATE USER IF NOT EXISTS feed@localhost");
	testdb_run(admin, "GRANT ALL ON *.* TO feed@localhost");
	db->config.user = "feed";
	reader_start(&r, true, (struct event_feed_config){0});
	db->config.user = "root";
	for (unsigned i = 1; i <= 5; i++) {
		testdb_run(admin, "KILL USER feed");
		append(c, new_id());
		wait_until_read(&r, i);
		wait_until_sequenced(i);
	}
	reader_stop(&r);
	testdb_run(admin, "DROP USER feed@localhost");
	db_close(admin);
	db_close(c);
}

enum { BACKLOG = 150000 };

static void append_backlog(struct db_conn *c, int64_t first_id)
{
	char sql[384];
	snprintf(sql, sizeof(sql),
		 "INSERT INTO event (" DB_NAMES(
			 EVENT_COLUMNS) ")"
					" SELECT %lld + seq, 'course.updated', 11, 0, 12, 13, 14, 15, '' "
					"FROM seq_1_to_%d",
		 (long long)first_id, BACKLOG);
	testdb_run(c, sql);
}

/* Writes one event, and says how long it took to be delivered. */
static int64_t delivery_us(struct reader *r, struct db_conn *c)
{
	int64_t id = new_id(), began_us = monotonic_us(), last = 0;
	append(c, id);
	while (last != id) {
		assert_true(monotonic_us() - began_us < PATIENCE_MS * INT64_C(1000));
		usleep(1000);
		pthread_mutex_lock(&r->lock);
		for (unsigned i = r->n > SEEN_MAX ? r->n - SEEN_MAX : 0; i < r->n && last != id; i++)
			last = r->seen[i % SEEN_MAX];
		pthread_mutex_unlock(&r->lock);
	}
	return monotonic_us() - began_us;
}

/* Whoever starts, and what happens now, does not wait for what nobody gave a position yet. */
static void start_on_backlog(struct reader *r, struct db_conn *c, int64_t first_id)
{
	int64_t slowest_us = 0, oldest_us = 0;
	append_backlog(c, first_id);
	int64_t began_us = monotonic_us();
	reader_start(r, true, (struct event_feed_config){.poll_ms = 250});
	int64_t start_us = monotonic_us() - began_us;
	for (int i = 0; i < 8; i++) {
		int64_t us = delivery_us(r, c), age_us = event_feed_age_us(r->feed);
		slowest_us = us > slowest_us ? us : slowest_us;
		oldest_us = age_us > oldest_us ? age_us : oldest_us;
	}
	print_message(
		"a backlog of %d: started after %d ms, slowest delivery %d ms, feed at most %d ms old\n",
		BACKLOG, (int)(start_us / 1000), (int)(slowest_us / 1000), (int)(oldest_us / 1000));
	assert_true(start_us < 20000000 && slowest_us < 5000000 && oldest_us < 5000000);
}

static void test_a_backlog_of_old_events_delays_nothing(void **state)
{
	static struct reader r;
	struct db_conn *c = testdb_connect(db, lists);
	start_on_backlog(&r, c, new_id() - (INT64_C(3600000) << 22));
	wait_until_sequenced(BACKLOG + 8);
	wait_until_read(&r, 8);
	assert_int_equal(testdb_number(db, "SELECT COUNT(DISTINCT position) FROM event"), BACKLOG + 8);
	assert_int_equal(atomic_load(&r.lost), 0);
	reader_stop(&r);
	db_close(c);
}

static void test_a_backlog_of_young_events_delays_nothing(void **state)
{
	static struct reader r;
	struct db_conn *c = testdb_connect(db, lists);
	start_on_backlog(&r, c, new_id() - (INT64_C(3000) << 22));
	assert_int_equal(reader_count(&r), 8);
	reader_stop(&r);
	db_close(c);
}

/* Committed after younger ones were read, and without anybody to give them positions. */
static void test_many_late_events_are_delivered_once(void **state)
{
	static struct reader r;
	struct db_conn *c = testdb_connect(db, lists);
	reader_start(&r, false, (struct event_feed_config){0});
	append(c, new_id());
	wait_until_read(&r, 1);
	append_backlog(c, new_id() - (INT64_C(3000) << 22));
	wait_until_read(&r, 1 + BACKLOG);
	(void)delivery_us(&r, c);
	assert_int_equal(reader_count(&r), 2 + BACKLOG);
	reader_stop(&r);
	db_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_an_event_is_delivered_whole_and_once, clear),
		cmocka_unit_test_setup(test_a_late_commit_with_an_older_id_is_seen, clear),
		cmocka_unit_test_setup(test_a_rolled_back_event_is_never_seen, clear),
		cmocka_unit_test_setup(test_events_are_delivered_while_nobody_sequences, clear),
		cmocka_unit_test_setup(test_many_writers_two_replicas_no_gaps, clear),
		cmocka_unit_test_setup(test_a_page_is_not_the_end, clear),
		cmocka_unit_test_setup(test_payloads_are_not_read, clear),
		cmocka_unit_test_setup(test_a_new_replica_begins_with_what_comes, clear),
		cmocka_unit_test_setup(test_a_position_that_a_crash_takes_back_misleads_nobody, clear),
		cmocka_unit_test_setup(test_events_removed_before_they_were_read_are_noticed, clear),
		cmocka_unit_test_setup(test_an_absence_is_noticed, clear),
		cmocka_unit_test_setup(test_a_feed_survives_its_connection, clear),
		cmocka_unit_test_setup(test_a_backlog_of_old_events_delays_nothing, clear),
		cmocka_unit_test_setup(test_a_backlog_of_young_events_delays_nothing, clear),
		cmocka_unit_test_setup(test_many_late_events_are_delivered_once, clear),
	};
	return cmocka_run_group_tests(tests, setup, testdb_teardown);
}
