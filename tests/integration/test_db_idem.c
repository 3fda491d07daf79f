/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/db/idem.h"
#include "server/db/table.h"
#include "tests/lib/testdb.h"
#include "tests/lib/threads.h"

struct outcome {
	int repeated;
	struct span reply;
};
#define OUTCOME_COLUMNS(F, C, R) F(R, "v_outcome", INT, repeated) C(R, "v_stored_reply", BYTES, reply)
DB_ROW(outcome_row, struct outcome, OUTCOME_COLUMNS);

enum { EFFECT_ADD, EFFECT_COMPOUND, EFFECT_STMTS };

static const struct db_stmt stmts[EFFECT_STMTS] = {
	[EFFECT_ADD] = {"effect_add", "i", NULL, "INSERT INTO effect (id) VALUES (?)"},
	/* Outcome: 0 done now, 1 done before, 2 another body. */
	[EFFECT_COMPOUND] =
		{"effect_compound", "iubbiiib", &outcome_row,
		 "BEGIN NOT ATOMIC "
		 "  DECLARE v_principal_id BIGINT DEFAULT ?; "
		 "  DECLARE v_method INT UNSIGNED DEFAULT ?; "
		 "  DECLARE v_request_id BINARY(16) DEFAULT ?; "
		 "  DECLARE v_body_hash BINARY(32) DEFAULT ?; "
		 "  DECLARE v_now BIGINT DEFAULT ?; "
		 "  DECLARE v_outcome INT DEFAULT 0; "
		 "  DECLARE v_stored_hash BINARY(32) DEFAULT NULL; "
		 "  DECLARE v_stored_reply MEDIUMBLOB DEFAULT NULL; "
		 "  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END; "
		 "  START TRANSACTION; " IDEM_CLAIM_SQL_OF(
			 "v_principal_id", "v_method", "v_request_id", "v_body_hash", "v_now",
			 "v_now + ?") "; "
				      "  SELECT body_hash, reply INTO v_stored_hash, v_stored_reply FROM "
				      "idempotency "
				      "    WHERE principal_id = v_principal_id AND method = v_method "
				      "    AND request_id = v_request_id; "
				      "  IF v_stored_hash <> v_body_hash THEN SET v_outcome = 2; "
				      "  ELSEIF v_stored_reply IS NOT NULL THEN SET v_outcome = 1; "
				      "  ELSE "
				      "    INSERT INTO effect (id) VALUES (?); "
				      "    UPDATE idempotency SET reply = ? WHERE principal_id = "
				      "v_principal_id "
				      "      AND method = v_method AND request_id = v_request_id; "
				      "  END IF; "
				      "  COMMIT; "
				      "  SELECT " DB_NAMES(OUTCOME_COLUMNS) "; "
									    "END"},
};
static const struct db_stmt_list effect_stmts = {"effect", stmts, EFFECT_STMTS};
static const struct db_stmt_list *const lists[] = {&effect_stmts, &idem_stmts, NULL};

enum { THREADS = 50, NOW = 1000000, KEEP = 5000 };

static struct testdb *db;
static struct request_key key;
static atomic_int refusals; /* so many runs refuse after their claim */

static int setup(void **state)
{
	testdb_setup(state);
	db = *state;
	struct db_conn *c = testdb_connect(db, NULL);
	testdb_run(c, "CREATE TABLE effect (id BIGINT NOT NULL PRIMARY KEY) ENGINE=InnoDB");
	db_close(c);
	return 0;
}

static int clear(void **state)
{
	struct db_conn *c = testdb_connect(db, NULL);
	testdb_run(c, "DELETE FROM effect");
	testdb_run(c, "DELETE FROM idempotency");
	db_close(c);
	key = (struct request_key){.present = true, .principal_id = 7, .method = 0xfedcba98};
	memset(key.request_id, 0xab, sizeof(key.request_id));
	memset(key.body_hash, 0xcd, sizeof(key.body_hash));
	atomic_store(&refusals, 0);
	return 0;
}

struct caller {
	struct db_conn *conn;
	struct arena arena;
	struct request_key key;
	struct error err;
	int64_t now_us, effect;
	int r, repeated;
	char reply[16];
};

static int body(struct db_conn *conn, void *arg, struct error *err)
{
	struct caller *c = arg;
	struct span stored;
	int r = idem_claim(conn, &c->key, c->now_us, KEEP, &c->arena, &stored, err);
	c->repeated = r;
	if (r > 0) {
		memcpy(c->reply, stored.data, stored.len);
		return 0;
	}
	if (r == 0 && atomic_fetch_sub(&refusals, 1) > 0)
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "no");
	if (r == 0)
		r = db_exec(conn, &stmts[EFFECT_ADD], DB_ARGS(db_i64(c->effect)), NULL, err);
	snprintf(c->reply, sizeof(c->reply), "reply %d", (int)c->effect);
	return r < 0 ? r : idem_store(conn, &c->key, span_str(c->reply), err);
}

static void *call(void *arg)
{
	struct caller *c = arg;
	c->r = db_transaction(c->conn, true, body, c, &c->err);
	return NULL;
}

static void caller_init(struct caller *c, int64_t effect)
{
	*c = (struct caller){.conn = testdb_connect(db, lists), .key = key, .now_us = NOW, .effect = effect};
	arena_init(&c->arena, 1 << 20);
}

static void caller_done(struct caller *c)
{
	db_close(c->conn);
	arena_done(&c->arena);
}

/* Calls once on a connection of its own; the outcome is in *c. */
static void call_once(struct caller *c, int64_t effect, int64_t now_us)
{
	caller_init(c, effect);
	c->now_us = now_us;
	call(c);
	caller_done(c);
}

static void run_callers(struct caller *callers)
{
	for (int i = 0; i < THREADS; i++)
		caller_init(&callers[i], i);
	threads_run(THREADS, call, callers, sizeof(*callers));
	for (int i = 0; i < THREADS; i++)
		caller_done(&callers[i]);
}

static void test_one_of_many_callers_wins(void **state)
{
	static struct caller callers[THREADS];
	int fresh = 0;
	run_callers(callers);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(callers[i].r, 0);
		assert_string_equal(callers[i].reply, callers[0].reply);
		fresh += !callers[i].repeated;
	}
	assert_int_equal(fresh, 1);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM effect"), 1);
}

static void test_those_who_wait_for_one_that_fails_go_on(void **state)
{
	static struct caller callers[THREADS];
	int fresh = 0, refused = 0;
	atomic_store(&refusals, 5);
	run_callers(callers);
	for (int i = 0; i < THREADS; i++) {
		refused += callers[i].r == -STATUS_INVALID_ARGUMENT;
		fresh += callers[i].r == 0 && !callers[i].repeated;
	}
	assert_int_equal(refused, 5);
	assert_int_equal(fresh, 1);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM effect"), 1);
}

static void test_another_body_is_refused(void **state)
{
	struct caller c;
	call_once(&c, 1, NOW);
	assert_int_equal(c.r, 0);
	key.body_hash[31] ^= 1;
	call_once(&c, 2, NOW);
	assert_int_equal(c.r, -STATUS_INVALID_ARGUMENT);
	assert_ptr_equal(c.err.reason, &RPC_REASON_REQUEST_ID_REUSED);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM effect"), 1);
}

static void test_a_key_is_of_its_principal_and_method(void **state)
{
	struct caller c;
	call_once(&c, 1, NOW);
	key.principal_id++;
	call_once(&c, 2, NOW);
	assert_int_equal(c.repeated, 0);
	key.method++;
	call_once(&c, 3, NOW);
	assert_int_equal(c.repeated, 0);
	call_once(&c, 4, NOW);
	assert_int_equal(c.repeated, 1);
	assert_string_equal(c.reply, "reply 3");
}

static void test_an_expired_key_is_free_again(void **state)
{
	struct caller c;
	call_once(&c, 1, NOW);
	call_once(&c, 2, NOW + KEEP - 1);
	assert_string_equal(c.reply, "reply 1");
	key.body_hash[0] ^= 1;
	call_once(&c, 3, NOW + KEEP);
	assert_int_equal(c.r, 0);
	assert_string_equal(c.reply, "reply 3");
	call_once(&c, 4, NOW + KEEP + 1);
	assert_int_equal(c.repeated, 1);
	assert_string_equal(c.reply, "reply 3");
	assert_int_equal(testdb_number(db, "SELECT CAST(MAX(expire_time) AS SIGNED) FROM idempotency"),
			 NOW + 2 * KEEP);
}

static void test_without_a_key_every_call_is_fresh(void **state)
{
	struct caller c;
	key.present = false;
	call_once(&c, 1, NOW);
	call_once(&c, 2, NOW);
	assert_int_equal(c.r, 0);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM effect"), 2);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM idempotency"), 0);
}

static int compound_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct caller *c = arg;
	struct outcome outcome;
	int r = db_read(conn, &stmts[EFFECT_COMPOUND],
			DB_ARGS(db_i64(c->key.principal_id), db_u64(c->key.method),
				db_bytes(span_of(c->key.request_id, 16)),
				db_bytes(span_of(c->key.body_hash, 32)), db_i64(c->now_us), db_i64(KEEP),
				db_i64(c->effect), db_bytes(span_str("the reply"))),
			&c->arena, &outcome, err);
	if (r <= 0)
		return r;
	c->repeated = outcome.repeated;
	if (outcome.reply.len)
		memcpy(c->reply, outcome.reply.data, outcome.reply.len);
	return 0;
}

static void *call_compound(void *arg)
{
	struct caller *c = arg;
	c->r = db_retry(c->conn, compound_body, c, &c->err);
	return NULL;
}

static void test_the_claim_works_inside_a_compound_statement(void **state)
{
	static struct caller callers[THREADS];
	int outcomes[3] = {0};
	for (int i = 0; i < THREADS; i++) {
		caller_init(&callers[i], i);
		callers[i].key.body_hash[0] ^= i == 0;
	}
	callers[0].now_us = NOW - 1; /* whoever wins, this one has another body than somebody */
	threads_run(THREADS, call_compound, callers, sizeof(*callers));
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(callers[i].r, 0);
		outcomes[callers[i].repeated]++;
		if (callers[i].repeated == 1)
			assert_string_equal(callers[i].reply, "the reply");
		caller_done(&callers[i]);
	}
	assert_int_equal(outcomes[0], 1);
	assert_true(outcomes[2] == 1 || outcomes[2] == THREADS - 1);
	assert_int_equal(testdb_number(db, "SELECT COUNT(*) FROM effect"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_of_many_callers_wins, clear),
		cmocka_unit_test_setup(test_those_who_wait_for_one_that_fails_go_on, clear),
		cmocka_unit_test_setup(test_another_body_is_refused, clear),
		cmocka_unit_test_setup(test_a_key_is_of_its_principal_and_method, clear),
		cmocka_unit_test_setup(test_an_expired_key_is_free_again, clear),
		cmocka_unit_test_setup(test_without_a_key_every_call_is_fresh, clear),
		cmocka_unit_test_setup(test_the_claim_works_inside_a_compound_statement, clear),
	};
	return cmocka_run_group_tests(tests, setup, testdb_teardown);
}
