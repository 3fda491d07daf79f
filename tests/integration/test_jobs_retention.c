/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/app/due_kinds.h"
#include "server/base/clock.h"
#include "server/base/metrics.h"
#include "server/db/event.h"
#include "server/db/idem.h"
#include "server/jobs/retention.h"
#include "server/progress/progress_store.h"
#include "tests/lib/testserver.h"
#include "tests/lib/threads.h"

/* What is dropped when: of each table rows on both sides of the limit, in a running service; and how it is
 * dropped. */

enum { ROWS = 2500 };

static struct error err;

static int64_t number(struct testdb *db, const char *sql)
{
	return testdb_number(db, sql);
}

static void await(struct testdb *db, const char *sql, int64_t wanted)
{
	for (int64_t until_us = monotonic_us() + 30 * SECOND_US; number(db, sql) != wanted; usleep(10000))
		if (monotonic_us() > until_us)
			fail_msg("%s is %lld and not %lld", sql, (long long)number(db, sql),
				 (long long)wanted);
}

/* Rows of a table by number, over since SINCE; where their numbers are found again. */
struct table {
	const char *name;
	int due;
	int64_t keep_us;
	const char *insert;
	const char *numbers;
};

#define SINCE "(" DB_NOW_US " - @over + seq * 1000)"
static const struct table tables[] = {
	{"idempotency", DUE_RETENTION_IDEMPOTENCY, 24 * HOUR_US,
	 "INSERT INTO idempotency SELECT 7, 1, UNHEX(LPAD(HEX(seq), 32, '0')), REPEAT('b', 32), 'reply', " SINCE
	 " - 1000, " SINCE,
	 "CONV(HEX(request_id), 16, 10)"},
	{"session", DUE_RETENTION_SESSION, 30 * 24 * HOUR_US,
	 "INSERT INTO session (session_id, user_id, create_time, expire_time, source, session_hash, token_hash, "
	 "token_nonce, token_time, token_expire_time) SELECT seq, 7, 1, 9000000000000000, '', "
	 "REPEAT('f', 32), REPEAT('s', 32), REPEAT('n', 16), 1, " SINCE,
	 "session_id"},
	{"event", DUE_RETENTION_EVENT, 90 * 24 * HOUR_US,
	 "INSERT INTO event (event_id, kind, subject_id, user_id, course_id, organization_id, create_time, payload) "
	 "SELECT (" SINCE " DIV 1000 - 1704067200000) * 4194304, 'test.happened', seq, seq, 0, 0, " SINCE
	 ", ''",
	 "subject_id"},
	{"progress_session", DUE_RETENTION_PROGRESS_SESSION, 35 * 24 * HOUR_US,
	 "INSERT INTO progress_session (user_id, course_id, epoch, lesson_id, session_id, start_time, last_time, "
	 "learning_seconds, interactions, questions) SELECT seq, 1, 0, 1, REPEAT('s', 16), " SINCE
	 ", 1, 0, 0, 0",
	 "user_id"},
	{"content", DUE_RETENTION_CONTENT, 7 * 24 * HOUR_US,
	 "INSERT INTO content (content_id, course_id, lesson_id, role, language, file_name, content_type, size_bytes, "
	 "sha256, creator_id, create_time, unused_time) SELECT seq, 1, 1, 1, '', '', 'video/mp4', 1, REPEAT('s', 32), "
	 "1, 1, " SINCE,
	 "content_id"},
	{"download", DUE_RETENTION_DOWNLOAD, 24 * HOUR_US,
	 "INSERT INTO download (user_id, device_name, lesson_id, start_time, expire_time) SELECT seq, 'phone', 1, 1, " SINCE,
	 "user_id"},
	{"lease", DUE_RETENTION_LEASE, 7 * 24 * HOUR_US, "INSERT INTO lease SELECT seq, 'nobody', " SINCE,
	 "name"},
	{"search_miss", DUE_RETENTION_SEARCH_MISS, 90 * 24 * HOUR_US,
	 "INSERT INTO search_miss SELECT " SINCE ", seq, 1", "query"},
};

/* Rows from a number on, over for so long, each by a millisecond less than the one before. */
static void insert(struct db_conn *conn, const struct table *t, int from, int64_t over_us)
{
	char sql[1000];
	snprintf(sql, sizeof(sql), "SET @over = %lld", (long long)over_us + from * INT64_C(1000));
	testdb_run(conn, sql);
	snprintf(sql, sizeof(sql), "%s FROM seq_%d_to_%d", t->insert, from, from + ROWS - 1);
	testdb_run(conn, sql);
}

static int64_t count(struct testdb *db, const struct table *t, int from)
{
	char sql[300];
	snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM %s WHERE %s BETWEEN %d AND %d", t->name, t->numbers,
		 from, from + ROWS - 1);
	return number(db, sql);
}

/* --- in a service --- */

enum { OVER = 100000000, NOT_YET = 200000000 };

/* Events go once whoever works through them has read them: here, by what is due too. */
static void await_readers(struct testserver *s, struct db_conn *conn)
{
	char sql[100];
	await(s->db, "SELECT COUNT(*) FROM event WHERE position = 0", 0);
	snprintf(sql, sizeof(sql), "UPDATE due SET due_time = " DB_NOW_US " WHERE kind = %d",
		 DUE_LEDGER_CHECKPOINT);
	testdb_run(conn, sql);
	await(s->db, "SELECT COUNT(*) FROM event e JOIN event_reader r ON e.position > r.position", 0);
}

static void both_sides(struct testserver *s, const struct table *t)
{
	struct db_conn *conn = testdb_connect(s->db, NULL);
	char sql[200];
	insert(conn, t, OVER, t->keep_us + 20 * SECOND_US);
	insert(conn, t, NOT_YET, t->keep_us - 60 * SECOND_US);
	assert_int_equal(count(s->db, t, OVER), ROWS);
	await_readers(s, conn);
	snprintf(sql, sizeof(sql), "UPDATE due SET due_time = " DB_NOW_US " WHERE kind = %d", t->due);
	testdb_run(conn, sql);
	for (int64_t until_us = monotonic_us() + 30 * SECOND_US; count(s->db, t, OVER) > 0; usleep(10000))
		assert_true(monotonic_us() < until_us);
	assert_int_equal(count(s->db, t, NOT_YET), ROWS);
	snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE %s BETWEEN %d AND %d", t->name, t->numbers, NOT_YET,
		 NOT_YET + ROWS - 1);
	testdb_run(conn, sql);
	db_close(conn);
}

static void test_each_table_loses_what_is_over_and_nothing_else(void **state)
{
	struct testserver *s = *state;
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		both_sides(s, &tables[i]);
	assert_int_equal(number(s->db,
				"SELECT COUNT(*) FROM event_audience LEFT JOIN event USING (event_id) WHERE "
				"event.event_id IS NULL AND audience_id < 200000000"),
			 0);
}

static void test_only_the_clock_of_the_database_counts(void **state)
{
	struct testserver *s = *state;
	const int64_t ahead_us[] = {HOUR_US, -HOUR_US};
	for (unsigned i = 0; i < ARRAY_SIZE(ahead_us); i++) {
		atomic_store(&s->clock.ahead_us, ahead_us[i]);
		for (unsigned k = 0; k < ARRAY_SIZE(tables); k++)
			both_sides(s, &tables[k]);
	}
	atomic_store(&s->clock.ahead_us, 0);
}

static const char password[] = "correct horse battery";

static Session *sign_in(struct testserver *s)
{
	RegisterUserRequest user = REGISTER_USER_REQUEST_INIT;
	RegisterUserResponse *registered;
	LoginRequest login = LOGIN_REQUEST_INIT;
	LoginResponse *reply;
	struct client_call_options options = as(NULL);
	user.user_name = login.login = (char *)"ada";
	user.password = login.password = (char *)password;
	int r = edu_service_register_user_call(s->channel, &user, &options, &s->arena, &registered, &err);
	assert_ok(r, &err);
	r = edu_service_login_call(s->channel, &login, &options, &s->arena, &reply, &err);
	assert_ok(r, &err);
	return reply->session;
}

static int refresh(struct testserver *s, const char *token, Session **ret)
{
	RefreshSessionRequest req = REFRESH_SESSION_REQUEST_INIT;
	RefreshSessionResponse *reply;
	struct client_call_options options = as(NULL);
	req.refresh_token = (char *)token;
	int r = edu_service_refresh_session_call(s->channel, &req, &options, &s->arena, &reply, &err);
	if (r >= 0)
		*ret = reply->session;
	return r;
}

static void test_no_token_of_a_removed_session_is_accepted(void **state)
{
	struct testserver *s = *state;
	struct db_conn *conn = testdb_connect(s->db, NULL);
	const Session *first = sign_in(s);
	Session *second, *none;
	int r = refresh(s, first->refresh_token, &second);
	assert_ok(r, &err);
	testdb_run(
		conn,
		"UPDATE session SET create_time = 1, token_time = 1, token_expire_time = 2 WHERE user_id = "
		"(SELECT user_id FROM user WHERE user_name = 'ada')");
	testdb_run(conn, "UPDATE due SET due_time = 0 WHERE kind = 2");
	await(s->db, "SELECT COUNT(*) FROM session WHERE token_expire_time = 2", 0);
	r = refresh(s, second->refresh_token, &none);
	assert_reason(r, &err, "REFRESH_TOKEN_INVALID");
	r = refresh(s, first->refresh_token, &none);
	assert_reason(r, &err, "REFRESH_TOKEN_INVALID");
	db_close(conn);
}

/* --- one batch after the other --- */

static const struct db_stmt_list *const lists[] = {&due_stmts, &idem_stmts, &event_stmts, NULL};
static const struct due_kind idem_kind = RETENTION_KIND(DUE_RETENTION_IDEMPOTENCY, "idempotency");
static const struct due_kind event_kind = RETENTION_KIND(DUE_RETENTION_EVENT, "event");

static int batch_body(struct db_conn *conn, void *arg, struct error *e)
{
	struct retention_job *job = arg;
	const struct due due = {.kind = job->kind->number};
	return retention_run(conn, &due, job, e);
}

static void run_batch(struct db_conn *conn, struct retention_job *job)
{
	if (db_transaction(conn, true, batch_body, job, &err) < 0)
		fail_msg("%s", err.message);
}

static void test_a_transaction_removes_a_thousand_and_another_follows(void **state)
{
	struct testdb *db = testdb_new();
	struct db_conn *conn = testdb_connect(db, lists);
	struct retention_job job = {
		.kind = &idem_kind, .table = &idem_retention, .keep_us = tables[0].keep_us};
	retention_init(&job);
	int64_t removed = metric_value(job.removed);
	insert(conn, &tables[0], OVER, tables[0].keep_us + 100 * SECOND_US);
	assert_int_equal(retention_measure(&job, conn, &err), 0);
	assert_in_range(metric_value(job.lag), 99, 110);
	for (int left = ROWS - RETENTION_BATCH; left > 0; left -= RETENTION_BATCH) {
		run_batch(conn, &job);
		assert_int_equal(count(db, &tables[0], OVER), left);
		assert_int_equal(number(db, "SELECT due_time BETWEEN " DB_NOW_US " - 5000000 AND " DB_NOW_US
					    " + 200000 FROM due WHERE kind = 1"),
				 1);
		testdb_run(conn, "DELETE FROM due");
	}
	run_batch(conn, &job); /* not a full one: no other follows */
	assert_int_equal(count(db, &tables[0], OVER), 0);
	assert_int_equal(number(db, "SELECT COUNT(*) FROM due"), 0);
	assert_int_equal(metric_value(job.removed) - removed, ROWS);
	assert_int_equal(retention_measure(&job, conn, &err), 0);
	assert_int_equal(metric_value(job.lag), 0);
	db_close(conn);
	testdb_free(db);
}

static void test_an_event_without_a_position_or_not_read_yet_stays(void **state)
{
	struct testdb *db = testdb_new();
	struct db_conn *conn = testdb_connect(db, lists);
	struct retention_job job = {
		.kind = &event_kind, .table = &event_retention, .keep_us = tables[2].keep_us};
	retention_init(&job);
	insert(conn, &tables[2], 1, tables[2].keep_us + 60 * SECOND_US);
	testdb_run(conn, "UPDATE event SET position = subject_id WHERE subject_id <= 15");
	testdb_run(conn, "UPDATE event_reader SET position = 10");
	testdb_run(
		conn,
		"INSERT INTO event_audience SELECT 4242, subject_id, event_id FROM event WHERE subject_id <= 20");
	run_batch(conn, &job);
	assert_int_equal(number(db, "SELECT MIN(subject_id) FROM event"), 11);
	assert_int_equal(number(db, "SELECT MIN(position) FROM event_audience"), 11);
	assert_int_equal(count(db, &tables[2], 1), ROWS - 10);
	/* A period from before there were ids. */
	testdb_run(conn, "UPDATE event SET position = subject_id");
	testdb_run(conn, "UPDATE event_reader SET position = 1000000");
	job.keep_us = 3650 * 24 * HOUR_US;
	run_batch(conn, &job);
	assert_int_equal(count(db, &tables[2], 1), ROWS - 10);
	db_close(conn);
	testdb_free(db);
}

/* Its reports may still be repeated: without the row they would count again. */
static void test_a_session_of_learning_that_goes_on_stays(void **state)
{
	static const struct db_stmt_list *const progress_lists[] = {&due_stmts, &progress_stmts, NULL};
	static const struct due_kind kind =
		RETENTION_KIND(DUE_RETENTION_PROGRESS_SESSION, "progress_session");
	struct testdb *db = testdb_new();
	struct db_conn *conn = testdb_connect(db, progress_lists);
	struct retention_job job = {
		.kind = &kind, .table = &progress_session_retention, .keep_us = 35 * 24 * HOUR_US};
	retention_init(&job);
	for (int last_days = 34; last_days <= 36; last_days += 2) {
		char sql[400];
		snprintf(
			sql, sizeof(sql),
			"INSERT INTO progress_session (user_id, course_id, epoch, lesson_id, session_id, start_time,"
			" last_time, learning_seconds, interactions, questions) SELECT %d, 1, 0, 1, REPEAT('s', 16),"
			" " DB_NOW_US " - 40 * 86400000000, " DB_NOW_US " - %d * 86400000000, 0, 0, 0",
			last_days, last_days);
		testdb_run(conn, sql);
	}
	metric_set(job.lag, 7);
	run_batch(conn, &job);
	assert_int_equal(number(db, "SELECT SUM(user_id) FROM progress_session"), 34);
	assert_int_equal(retention_measure(&job, conn, &err), 0);
	assert_int_equal(metric_value(job.lag), 0);
	db_close(conn);
	testdb_free(db);
}

/* --- beside those who use the rows --- */

enum { CALLERS = 4, KEYS = 400 };

struct caller {
	struct testdb *db;
	int first; /* number of its first key */
	int64_t longest_us;
};

struct claim {
	struct request_key key;
	struct arena arena;
	struct span reply;
	int replayed;
};

static int claim_body(struct db_conn *conn, void *arg, struct error *e)
{
	struct claim *c = arg;
	int64_t now_us = clock_now_us(&clock_system);
	int r = idem_claim(conn, &c->key, now_us, IDEM_CREATE_US, &c->arena, &c->reply, e);
	c->replayed = r;
	return r < 0 ? r : idem_store(conn, &c->key, span_str("new"), e);
}

/* Keys that are over and not removed yet, keys that were, and keys that never were are claimed alike. */
static void *call(void *arg)
{
	struct caller *caller = arg;
	struct db_conn *conn = testdb_connect(caller->db, lists);
	struct error e;
	for (int i = 0; i < KEYS; i++) {
		struct claim c = {.key = {.present = true, .principal_id = 7, .method = 1}};
		uint32_t n = (uint32_t)(caller->first + i);
		for (int b = 0; b < 4; b++)
			c.key.request_id[15 - b] = (uint8_t)(n >> 8 * b);
		arena_init(&c.arena, 4096);
		int64_t began_us = monotonic_us();
		if (db_transaction(conn, true, claim_body, &c, &e) < 0 || c.replayed)
			fail_msg("claim %u: %s", n, c.replayed ? "replayed" : e.message);
		int64_t took_us = monotonic_us() - began_us;
		if (took_us > caller->longest_us)
			caller->longest_us = took_us;
		arena_done(&c.arena);
	}
	db_close(conn);
	return NULL;
}

static void *remove_all(void *arg)
{
	struct caller *caller = arg;
	struct db_conn *conn = testdb_connect(caller->db, lists);
	struct retention_job job = {
		.kind = &idem_kind, .table = &idem_retention, .keep_us = tables[0].keep_us};
	retention_init(&job);
	for (int64_t until_us = monotonic_us() + SECOND_US; monotonic_us() < until_us;)
		run_batch(conn, &job);
	db_close(conn);
	return NULL;
}

static void *run_caller(void *arg)
{
	struct caller *caller = arg;
	return caller->first ? call(caller) : remove_all(caller);
}

static void test_who_claims_a_key_meanwhile_keeps_it_and_does_not_wait(void **state)
{
	struct testdb *db = testdb_new();
	struct db_conn *conn = testdb_connect(db, lists);
	struct caller callers[CALLERS + 1] = {{.db = db}};
	int64_t longest_us = 0;
	for (int batch = 0; batch < 8; batch++)
		insert(conn, &tables[0], OVER + batch * ROWS, tables[0].keep_us + 60 * SECOND_US);
	for (int i = 1; i <= CALLERS; i++)
		callers[i] = (struct caller){.db = db, .first = OVER + i * 4 * ROWS + 1 - KEYS / 2};
	threads_run(CALLERS + 1, run_caller, callers, sizeof(*callers));
	for (int i = 1; i <= CALLERS; i++)
		if (callers[i].longest_us > longest_us)
			longest_us = callers[i].longest_us;
	print_message("the longest claim beside the removal of 20,000 keys took %lld ms\n",
		      (long long)longest_us / 1000);
	assert_int_equal(number(db, "SELECT COUNT(*) FROM idempotency WHERE reply = 'new'"), CALLERS * KEYS);
	struct retention_job job = {.kind = &idem_kind, .table = &idem_retention};
	for (int batch = 0; batch < 8 * ROWS / RETENTION_BATCH;
	     batch++) /* those that there was no time for */
		run_batch(conn, &job);
	assert_int_equal(number(db, "SELECT COUNT(*) FROM idempotency"), CALLERS * KEYS);
	db_close(conn);
	testdb_free(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_table_loses_what_is_over_and_nothing_else),
		cmocka_unit_test(test_only_the_clock_of_the_database_counts),
		cmocka_unit_test(test_no_token_of_a_removed_session_is_accepted),
		cmocka_unit_test(test_a_transaction_removes_a_thousand_and_another_follows),
		cmocka_unit_test(test_an_event_without_a_position_or_not_read_yet_stays),
		cmocka_unit_test(test_a_session_of_learning_that_goes_on_stays),
		cmocka_unit_test(test_who_claims_a_key_meanwhile_keeps_it_and_does_not_wait),
	};
	return cmocka_run_group_tests(tests, testserver_setup, testserver_teardown);
}
