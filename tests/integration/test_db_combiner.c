/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/clock.h"
#include "server/db/combiner.h"
#include "server/db/table.h"
#include "tests/lib/testdb.h"
#include "tests/lib/threads.h"

struct item {
	int64_t id;
	uint64_t bits;       /* 0: one the table refuses */
	int64_t deadline_us; /* 0: none */
	uint64_t merged;
	int result;
	bool seen_committed;
	unsigned finished, order;
	pthread_t lane;
};

#define ITEM_COLUMNS(F, C, R) F(R, "id", I64, id) C(R, "bits", U64, bits)
#define MERGED_COLUMNS(F, C, R) F(R, "bits", U64, merged)
DB_ROW(item_row, struct item, ITEM_COLUMNS);
DB_ROW(merged_row, struct item, MERGED_COLUMNS);

#define MERGE                                                                                                \
	"INSERT INTO item (id, bits) VALUES (?, NULLIF(?, 0)) "                                              \
	"ON DUPLICATE KEY UPDATE bits = bits | VALUES(bits)"

enum { ITEM_MERGE, ITEM_MERGE_BLIND, ITEM_GET, ITEM_STMTS };

static const struct db_stmt stmts[ITEM_STMTS] = {
	[ITEM_MERGE] = {"item_merge", DB_LETTERS(ITEM_COLUMNS), &merged_row, MERGE " RETURNING bits"},
	[ITEM_MERGE_BLIND] = {"item_merge_blind", DB_LETTERS(ITEM_COLUMNS), NULL, MERGE},
	[ITEM_GET] = {"item_get", "i", &merged_row, "SELECT bits FROM item WHERE id = ?"},
};
static const struct db_stmt_list item_stmts = {"item", stmts, ITEM_STMTS};
static const struct db_stmt_list *const lists[] = {&item_stmts, NULL};

enum { BATCH_MAX = 256, QUEUE = 4096 };

static struct testdb *db;
static struct error err;
static struct db_conn *observer; /* of the finishing threads: sees what is committed */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t some_finished = PTHREAD_COND_INITIALIZER;
static unsigned n_finished;
static atomic_uint n_writes;

static int compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

static int write_with_rows(void *arg, struct db_conn *conn, void *const *items, unsigned n, unsigned *ret_bad,
			   struct error *e)
{
	struct item batch[BATCH_MAX], merged[BATCH_MAX];
	atomic_fetch_add(&n_writes, 1);
	for (unsigned i = 0; i < n; i++)
		batch[i] = *(const struct item *)items[i];
	if (arg)
		return db_write_all(conn, &stmts[ITEM_MERGE_BLIND], &item_row, batch, n, NULL, NULL, e);
	int r = db_write_all(conn, &stmts[ITEM_MERGE], &item_row, batch, n, merged, ret_bad, e);
	for (unsigned i = 0; r == 0 && i < n; i++)
		((struct item *)items[i])->merged = merged[i].merged;
	return r;
}

static void finish(void *arg, void *p, int r, const struct error *e)
{
	struct item *item = p;
	struct item stored;
	struct error ignored;
	pthread_mutex_lock(&lock);
	item->lane = pthread_self();
	item->seen_committed = db_read(observer, &stmts[ITEM_GET], DB_ARGS(db_i64(item->id)), NULL, &stored,
				       &ignored) == 1 &&
			       (stored.merged & item->bits) == item->bits;
	item->result = r;
	item->finished++;
	item->order = n_finished++;
	pthread_cond_broadcast(&some_finished);
	pthread_mutex_unlock(&lock);
}

static void wait_for(unsigned n)
{
	pthread_mutex_lock(&lock);
	while (n_finished < n)
		pthread_cond_wait(&some_finished, &lock);
	pthread_mutex_unlock(&lock);
}

static int setup(void **state)
{
	testdb_setup(state);
	db = *state;
	db->config.lock_wait_s = 1;
	struct db_conn *c = testdb_connect(db, NULL);
	testdb_run(c, "CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, bits BIGINT UNSIGNED NOT NULL) "
		      "ENGINE=InnoDB");
	db_close(c);
	observer = testdb_connect(db, lists);
	return 0;
}

static int teardown(void **state)
{
	db_close(observer);
	return testdb_teardown(state);
}

static int clear(void **state)
{
	struct db_conn *c = testdb_connect(db, NULL);
	testdb_run(c, "DELETE FROM item");
	db_close(c);
	n_finished = 0;
	atomic_store(&n_writes, 0);
	return 0;
}

static unsigned lane(const void *p)
{
	return (unsigned)((const struct item *)p)->id;
}

static int64_t deadline_us(const void *p)
{
	const struct item *item = p;
	return item->deadline_us ? item->deadline_us : INT64_MAX;
}

static int wait_ms; /* of the next combiner */

static struct combiner *start_lanes(void *blind, unsigned lanes)
{
	struct combiner *c = NULL;
	const struct combiner_config config = {.db = &db->config,
					       .stmts = lists,
					       .lanes = lanes,
					       .lane = lane,
					       .queue = QUEUE,
					       .batch_max = BATCH_MAX,
					       .wait_ms = wait_ms,
					       .deadline_us = deadline_us,
					       .compare = compare,
					       .write = write_with_rows,
					       .finish = finish,
					       .arg = blind};
	assert_int_equal(combiner_start(&config, &c, &err), 0);
	return c;
}

static struct combiner *start(void *blind)
{
	return start_lanes(blind, 0);
}

/* --- many threads --- */

enum { THREADS = 8, EACH = 200, KEYS = 16 };

struct submitter {
	struct combiner *c;
	unsigned number;
	struct item items[EACH];
};

static void *submit(void *arg)
{
	struct submitter *s = arg;
	for (unsigned i = 0; i < EACH; i++) {
		unsigned serial = s->number * EACH + i;
		s->items[i] = (struct item){.id = serial % KEYS, .bits = UINT64_C(1) << (serial / KEYS % 64)};
		while (!combiner_submit(s->c, &s->items[i]))
			usleep(1000);
	}
	return NULL;
}

static struct submitter submitters[THREADS];

static void run_submitters(unsigned lanes)
{
	struct combiner *c = start_lanes(NULL, lanes);
	for (unsigned i = 0; i < THREADS; i++)
		submitters[i] = (struct submitter){.c = c, .number = i};
	threads_run(THREADS, submit, submitters, sizeof(*submitters));
	wait_for(THREADS * EACH);
	struct combiner_counters counters = combiner_counters(c);
	combiner_stop(c);
	for (unsigned i = 0; i < THREADS; i++)
		for (unsigned j = 0; j < EACH; j++) {
			const struct item *item = &submitters[i].items[j];
			assert_int_equal(item->finished, 1);
			assert_int_equal(item->result, 0);
			assert_true(item->seen_committed);
			assert_true((item->merged & item->bits) == item->bits);
		}
	assert_int_equal(counters.items, THREADS * EACH);
	assert_true(counters.batches < THREADS * EACH);
	assert_int_equal(counters.bad, 0);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM item WHERE bits = 18446744073709551615"),
			 KEYS);
}

static void test_every_item_is_finished_once_after_its_commit(void **state)
{
	run_submitters(1);
}

/* Key k is lane k's, so that 16 keys over 4 lanes keep each lane to itself. */
static void test_a_key_keeps_to_its_lane(void **state)
{
	enum { LANES = 4 };
	pthread_t lanes[LANES];
	run_submitters(LANES);
	for (unsigned i = 0; i < LANES; i++)
		lanes[i] = submitters[0].items[i].lane; /* whose ids are 0, 1, 2 ... */
	for (unsigned i = 0; i < LANES; i++)
		for (unsigned j = 0; j < i; j++)
			assert_false(pthread_equal(lanes[i], lanes[j]));
	for (unsigned i = 0; i < THREADS * EACH; i++) {
		const struct item *item = &submitters[i / EACH].items[i % EACH];
		assert_true(pthread_equal(item->lane, lanes[item->id % LANES]));
	}
}

/* --- one batch of known content: queued while the thread waits for a lock --- */

enum { N = 100 };

static struct item items[N + 1];

static struct db_conn *lock_item_zero(void)
{
	struct db_conn *c = testdb_connect(db, NULL);
	testdb_run(c, "INSERT INTO item (id, bits) VALUES (0, 0)");
	testdb_run(c, "START TRANSACTION");
	testdb_run(c, "UPDATE item SET bits = 0 WHERE id = 0");
	return c;
}

/* Item N writes the locked row first and holds the thread up while the others queue behind it. */
static struct combiner *run_one_batch(void *blind, unsigned hold_us)
{
	struct combiner *c = start(blind);
	struct db_conn *holder = lock_item_zero();
	items[N] = (struct item){.id = 0, .bits = 2};
	assert_true(combiner_submit(c, &items[N]));
	while (atomic_load(&n_writes) == 0)
		usleep(1000);
	for (unsigned i = 0; i < N; i++)
		assert_true(combiner_submit(c, &items[i]));
	usleep(hold_us);
	testdb_run(holder, "COMMIT");
	db_close(holder);
	wait_for(N + 1);
	return c;
}

static void test_items_are_written_in_key_order_and_equal_ones_as_they_came(void **state)
{
	for (unsigned i = 0; i < N; i++)
		items[i] = (struct item){.id = 1 + (N - i) / 2, .bits = i < N / 2 ? 1 : 2};
	items[0].id = items[1].id = 1;
	items[0].bits = 4;
	items[1].bits = 8;
	struct combiner *c = run_one_batch(NULL, 100000);
	assert_int_equal(combiner_counters(c).batches, 2);
	combiner_stop(c);
	for (unsigned i = 1; i < N; i++)
		for (unsigned j = 0; j < i; j++)
			if (items[i].id == items[j].id)
				assert_true(items[j].order < items[i].order);
			else
				assert_int_equal(items[i].id < items[j].id, items[i].order < items[j].order);
	assert_true(items[0].merged == 4);
	assert_true(items[1].merged == (4 | 8));
}

static void expect_only_bad_ones_to_fail(void)
{
	unsigned bad = 0;
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(items[i].finished, 1);
		if (items[i].bits == 0) {
			assert_int_equal(items[i].result, -STATUS_INTERNAL);
			bad++;
		} else {
			assert_int_equal(items[i].result, 0);
			assert_true(items[i].seen_committed);
		}
	}
	assert_int_equal(bad, 3);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM item"), N - 3 + 1);
}

static void make_items_with_bad_ones(void)
{
	for (unsigned i = 0; i < N; i++)
		items[i] = (struct item){.id = 1 + i, .bits = i == 0 || i == 41 || i == N - 1 ? 0 : 5};
}

static void test_a_bad_item_fails_alone(void **state)
{
	make_items_with_bad_ones();
	struct combiner *c = run_one_batch(NULL, 100000);
	assert_int_equal(combiner_counters(c).bad, 3);
	assert_int_equal(combiner_counters(c).batches, 1 + 4);
	combiner_stop(c);
	expect_only_bad_ones_to_fail();
}

static void test_a_bad_item_nobody_can_name_fails_alone(void **state)
{
	make_items_with_bad_ones();
	struct combiner *c = run_one_batch(items, 100000);
	assert_int_equal(combiner_counters(c).bad, 3);
	combiner_stop(c);
	expect_only_bad_ones_to_fail();
}

static void submit_behind(struct combiner *c, struct item *item, int64_t id, int64_t deadline)
{
	*item = (struct item){.id = id, .bits = 1, .deadline_us = deadline};
	assert_true(combiner_submit(c, item));
}

/* Of a batch that has use for a locked row, all but those whose row it is are written, and the next one does
 * not wait for it any more. */
static void test_a_locked_row_fails_alone(void **state)
{
	enum { LEARNERS = 8, ROUNDS = 5 };
	struct combiner *c = start(NULL);
	struct db_conn *holder = lock_item_zero();
	submit_behind(c, &items[N], 0, 0); /* alone, so that those of the first round make one batch */
	while (atomic_load(&n_writes) == 0)
		usleep(1000);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct item *of_round = &items[round * LEARNERS];
		for (unsigned i = 0; i < LEARNERS; i++)
			submit_behind(c, &of_round[i], i, 0);
		wait_for(1 + (round + 1) * LEARNERS);
		assert_int_equal(of_round[0].result, -STATUS_ABORTED);
		for (unsigned i = 1; i < LEARNERS; i++)
			assert_int_equal(of_round[i].result, 0);
	}
	assert_int_equal(items[N].result, -STATUS_ABORTED);
	testdb_run(holder, "ROLLBACK");
	submit_behind(c, &items[N], 0, 0);
	wait_for(1 + ROUNDS * LEARNERS + 1);
	assert_int_equal(items[N].result, 0);
	db_close(holder);
	combiner_stop(c);
}

static void test_a_lost_connection_does_not_lose_an_item(void **state)
{
	db->config.user = "combiner";
	struct combiner *c = start(NULL);
	db->config.user = "root";
	for (unsigned i = 0; i < N; i++) {
		items[i] = (struct item){.id = 1 + i, .bits = 1};
		if (i % 10 == 0) {
			struct db_conn *admin = testdb_connect(db, NULL);
			testdb_run(admin, "KILL USER combiner");
			db_close(admin);
		}
		assert_true(combiner_submit(c, &items[i]));
		wait_for(i + 1);
		assert_int_equal(items[i].result, 0);
		assert_true(items[i].seen_committed);
	}
	combiner_stop(c);
}

/* The combiner connects as a user of its own, so that its connection can be killed and no other. */
static int lost_setup(void **state)
{
	clear(state);
	struct db_conn *admin = testdb_connect(db, NULL);
	testdb_run(admin, "CREATE USER IF NOT EXISTS combiner@localhost");
	testdb_run(admin, "GRANT ALL ON *.* TO combiner@localhost");
	db_close(admin);
	return 0;
}

static int lost_teardown(void **state)
{
	struct db_conn *admin = testdb_connect(db, NULL);
	testdb_run(admin, "DROP USER combiner@localhost");
	db_close(admin);
	return 0;
}

static void test_a_full_queue_refuses(void **state)
{
	static struct item many[QUEUE + BATCH_MAX + 1];
	struct combiner *c = start(NULL);
	struct db_conn *holder = lock_item_zero();
	unsigned n = 0;
	while (n < QUEUE + BATCH_MAX + 1) {
		many[n] = (struct item){.id = 0, .bits = 1};
		if (!combiner_submit(c, &many[n]))
			break;
		n++;
	}
	assert_in_range(n, QUEUE, QUEUE + BATCH_MAX);
	testdb_run(holder, "ROLLBACK");
	db_close(holder);
	combiner_stop(c); /* writes what is queued */
	assert_int_equal(n_finished, n);
}

static void test_what_is_late_joins_no_batch(void **state)
{
	struct combiner *c = start(NULL);
	struct db_conn *holder = lock_item_zero();
	submit_behind(c, &items[0], 0, 0);
	usleep(50000);
	for (unsigned i = 1; i < N; i++)
		submit_behind(c, &items[i], i, i % 2 ? monotonic_us() + 100000 : 0);
	usleep(400000);
	testdb_run(holder, "ROLLBACK");
	db_close(holder);
	combiner_stop(c);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(items[i].finished, 1);
		assert_int_equal(items[i].result, i % 2 ? -STATUS_DEADLINE_EXCEEDED : 0);
	}
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM item WHERE id % 2 = 1"), 0);
}

/* A batch that was slow says nothing to who comes when nobody waits. */
static void test_what_need_not_wait_is_tried(void **state)
{
	struct combiner *c = start(NULL);
	struct db_conn *holder = lock_item_zero();
	submit_behind(c, &items[0], 0, 0);
	usleep(900000);
	testdb_run(holder, "ROLLBACK");
	db_close(holder);
	wait_for(1);
	usleep(50000);
	submit_behind(c, &items[1], 1, monotonic_us() + 600000);
	wait_for(2);
	assert_int_equal(items[1].result, 0);
	combiner_stop(c);
}

/* Room for thousands, but none for who would wait behind a batch that does not end. */
static void test_a_batch_that_stands_refuses(void **state)
{
	wait_ms = 100;
	struct combiner *c = start(NULL);
	wait_ms = 0;
	struct db_conn *holder = lock_item_zero();
	submit_behind(c, &items[0], 0, 0);
	usleep(50000);
	submit_behind(c, &items[1], 1, 0);
	usleep(200000);
	items[2] = (struct item){.id = 2, .bits = 1};
	assert_false(combiner_submit(c, &items[2]));
	testdb_run(holder, "ROLLBACK");
	db_close(holder);
	wait_for(2);
	while (!combiner_submit(c, &items[2]))
		usleep(1000);
	combiner_stop(c);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(items[i].result, 0);
}

/* A server that has just started refuses nobody for what it does not know yet: how long a batch takes. */
static void test_a_first_batch_refuses_nobody(void **state)
{
	static struct item many[2 * BATCH_MAX + 1];

	wait_ms = 60000;
	struct combiner *c = start(NULL);
	wait_ms = 0;
	struct db_conn *holder = lock_item_zero();
	submit_behind(c, &many[0], 0, 0);
	while (atomic_load(&n_writes) == 0)
		usleep(1000);
	for (unsigned i = 1; i <= 2 * BATCH_MAX; i++)
		submit_behind(c, &many[i], i, 0);
	testdb_run(holder, "ROLLBACK");
	db_close(holder);
	combiner_stop(c);
	assert_int_equal(n_finished, 2 * BATCH_MAX + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_every_item_is_finished_once_after_its_commit, clear),
		cmocka_unit_test_setup(test_a_key_keeps_to_its_lane, clear),
		cmocka_unit_test_setup(test_items_are_written_in_key_order_and_equal_ones_as_they_came,
				       clear),
		cmocka_unit_test_setup(test_a_bad_item_fails_alone, clear),
		cmocka_unit_test_setup(test_a_bad_item_nobody_can_name_fails_alone, clear),
		cmocka_unit_test_setup(test_a_locked_row_fails_alone, clear),
		cmocka_unit_test_setup(test_a_full_queue_refuses, clear),
		cmocka_unit_test_setup(test_what_is_late_joins_no_batch, clear),
		cmocka_unit_test_setup(test_what_need_not_wait_is_tried, clear),
		cmocka_unit_test_setup(test_a_batch_that_stands_refuses, clear),
		cmocka_unit_test_setup(test_a_first_batch_refuses_nobody, clear),
		cmocka_unit_test_setup_teardown(test_a_lost_connection_does_not_lose_an_item, lost_setup,
						lost_teardown),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
