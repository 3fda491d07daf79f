/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/base/clock.h"
#include "tests/lib/testdb.h"

enum {
	ITEM_INSERT,
	ITEM_GET,
	ITEM_ALL,
	ITEM_UPSERT,
	ITEM_COVER,
	ITEM_UPDATE,
	ITEM_CLEAR,
	ITEM_SUM,
	ITEM_EMPTY,
	ITEM_COMPOUND,
	ITEM_COMPOUND_LATE_ERROR,
	ITEM_IN_TRANSACTION,
	ITEM_SLEEP,
	SESSION_GET,
	ITEM_STMTS
};

static const struct db_stmt stmts[ITEM_STMTS] = {
	[ITEM_INSERT] = {"item_insert", "iusb", NULL,
			 "INSERT INTO item (id, bits, name, data) VALUES (?, ?, ?, ?)"},
	[ITEM_GET] = {"item_get", "i", DB_CELLS("iusb"),
		      "SELECT id, bits, name, data FROM item WHERE id = ?"},
	[ITEM_ALL] = {"item_all", "", DB_CELLS("i"), "SELECT id FROM item ORDER BY id"},
	[ITEM_UPSERT] = {"item_upsert", "iusb", DB_CELLS("iu"),
			 "INSERT INTO item (id, bits, name, data) VALUES (?, ?, ?, ?) "
			 "ON DUPLICATE KEY UPDATE bits = bits | VALUES(bits) RETURNING id, bits"},
	[ITEM_COVER] = {"item_cover", "iu", DB_CELLS("iu"),
			"INSERT INTO item (id, bits, name) VALUES (?, ?, NULL) "
			"ON DUPLICATE KEY UPDATE prev = BIT_COUNT(bits), bits = bits | VALUES(bits) "
			"RETURNING BIT_COUNT(bits) - prev, bits"},
	[ITEM_UPDATE] = {"item_update", "ui", NULL, "UPDATE item SET bits = ? WHERE id = ?"},
	[ITEM_CLEAR] = {"item_clear", "", NULL, "DELETE FROM item"},
	[ITEM_SUM] = {"item_sum", "", DB_CELLS("i"), "SELECT SUM(id) FROM item"},
	[ITEM_EMPTY] = {"item_empty", "", DB_CELLS("s"), "SELECT ''"},
	[ITEM_COMPOUND] = {"item_compound", "ii", DB_CELLS("is"),
			   "BEGIN NOT ATOMIC "
			   "  DECLARE v_id BIGINT DEFAULT ?; "
			   "  START TRANSACTION; "
			   "  SELECT 'not the answer'; "
			   "  INSERT INTO item (id, bits, name) VALUES (v_id, 1, 'made'); "
			   "  UPDATE item SET bits = bits + ? WHERE id = v_id; "
			   "  COMMIT; "
			   "  SELECT bits, name FROM item WHERE id = v_id; "
			   "END"},
	[ITEM_COMPOUND_LATE_ERROR] = {"item_compound_late_error", "i", DB_CELLS("i"),
				      "BEGIN NOT ATOMIC "
				      "  START TRANSACTION; "
				      "  INSERT INTO item (id, bits, name) VALUES (77, 1, 'left open'); "
				      "  SELECT 1; "
				      "  INSERT INTO item (id, bits, name) VALUES (?, 1, 'twice'); "
				      "  COMMIT; "
				      "END"},
	[ITEM_IN_TRANSACTION] = {"item_in_transaction", "", DB_CELLS("i"), "SELECT @@in_transaction"},
	[ITEM_SLEEP] = {"item_sleep", "i", DB_CELLS("i"), "SELECT SLEEP(?)"},
	[SESSION_GET] = {"session_get", "", DB_CELLS("sssss"),
			 "SELECT @@sql_mode, @@time_zone, @@tx_isolation, @@character_set_client, "
			 "@@character_set_results"},
};
static const struct db_stmt_list item_stmts = {"item", stmts, ITEM_STMTS};
static const struct db_stmt_list *const lists[] = {&item_stmts, NULL};

#define TABLE                                                                                                \
	"CREATE TABLE IF NOT EXISTS item (id BIGINT NOT NULL PRIMARY KEY, bits BIGINT UNSIGNED NOT NULL, "   \
	"prev INT NOT NULL DEFAULT 0, name TEXT NULL, data MEDIUMBLOB NULL, "                                \
	"UNIQUE KEY item_name_key (name(64))) ENGINE=InnoDB"

static struct db_conn *conn;
static struct arena arena;
static struct error err;

static int setup(void **state)
{
	testdb_setup(state);
	struct db_conn *c = testdb_connect(*state, NULL);
	testdb_run(c, TABLE);
	db_close(c);
	conn = testdb_connect(*state, lists);
	arena_init(&arena, 64 << 20);
	return 0;
}

static int teardown(void **state)
{
	db_close(conn);
	arena_done(&arena);
	return testdb_teardown(state);
}

static int clear(void **state)
{
	db_set_deadline(conn, INT64_MAX);
	assert_int_equal(db_exec(conn, &stmts[ITEM_CLEAR], DB_NO_ARGS, NULL, &err), 0);
	arena_reset(&arena);
	return 0;
}

static void insert(int64_t id, uint64_t bits, const char *name)
{
	uint64_t affected = 0;
	assert_int_equal(db_exec(conn, &stmts[ITEM_INSERT],
				 DB_ARGS(db_i64(id), db_u64(bits), db_str(name), db_null()), &affected, &err),
			 0);
	assert_int_equal(affected, 1);
}

static int get(int64_t id, struct db_rows *rows)
{
	return db_query_row(conn, &stmts[ITEM_GET], DB_ARGS(db_i64(id)), rows, &err);
}

static void test_values_come_back_as_they_were_written(void **state)
{
	const uint8_t data[] = {0, 1, 0xff, 0, '\'', '\\'};
	struct db_rows rows = {0};
	assert_int_equal(
		db_exec(conn, &stmts[ITEM_INSERT],
			DB_ARGS(db_i64(INT64_MIN), db_u64(UINT64_C(1) << 63),
				db_str("课程 'x' \xf0\x9f\x8e\x93"), db_bytes(span_of(data, sizeof(data)))),
			NULL, &err),
		0);
	assert_int_equal(get(INT64_MIN, &rows), 1);
	assert_true(db_col_i64(&rows, 0) == INT64_MIN);
	assert_true(db_col_u64(&rows, 1) == UINT64_C(1) << 63);
	assert_string_equal(db_col_str(&rows, 2, &arena), "课程 'x' \xf0\x9f\x8e\x93");
	struct span got = db_col_bytes(&rows, 3, &arena);
	assert_int_equal(got.len, sizeof(data));
	assert_memory_equal(got.data, data, sizeof(data));
	assert_int_equal(db_next(&rows, &err), 0);
}

static void test_null_is_told_from_empty(void **state)
{
	struct db_rows rows = {0};
	insert(1, 0, NULL);
	assert_int_equal(get(1, &rows), 1);
	assert_true(db_is_null(&rows, 2));
	assert_string_equal(db_col_str(&rows, 2, &arena), "");
	assert_null(db_col_bytes(&rows, 3, &arena).data);
	assert_int_equal(db_exec(conn, &stmts[ITEM_INSERT],
				 DB_ARGS(db_i64(2), db_u64(0), db_str(""), db_bytes(span_of(NULL, 0))), NULL,
				 &err),
			 0);
	assert_int_equal(get(2, &rows), 1);
	assert_false(db_is_null(&rows, 2));
	assert_non_null(db_col_bytes(&rows, 3, &arena).data);
	assert_int_equal(db_col_bytes(&rows, 3, &arena).len, 0);
}

static void test_empty_text_needs_no_other(void **state)
{
	struct db_rows rows = {0};
	assert_int_equal(db_query_row(conn, &stmts[ITEM_EMPTY], DB_NO_ARGS, &rows, &err), 1);
	assert_false(db_is_null(&rows, 0));
	assert_string_equal(db_col_str(&rows, 0, &arena), "");
}

static void test_text_of_any_length(void **state)
{
	static const size_t lengths[] = {1, 255, 256, 257, 65535, 3000000};
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct db_rows rows = {0};
		uint8_t *data = malloc(lengths[i]);
		for (size_t j = 0; j < lengths[i]; j++)
			data[j] = (uint8_t)(j * 31 + i);
		assert_int_equal(db_exec(conn, &stmts[ITEM_INSERT],
					 DB_ARGS(db_i64((int64_t)i), db_u64(i), db_null(),
						 db_bytes(span_of(data, lengths[i]))),
					 NULL, &err),
				 0);
		assert_int_equal(get((int64_t)i, &rows), 1);
		struct span got = db_col_bytes(&rows, 3, &arena);
		assert_int_equal(got.len, lengths[i]);
		assert_memory_equal(got.data, data, lengths[i]);
		free(data);
	}
}

static void test_a_row_the_end_and_an_error_are_three_values(void **state)
{
	struct db_rows rows = {0};
	assert_int_equal(get(404, &rows), 0);
	insert(1, 0, "a");
	insert(2, 0, "b");
	assert_int_equal(db_query(conn, &stmts[ITEM_ALL], DB_NO_ARGS, &rows, &err), 0);
	assert_int_equal(db_next(&rows, &err), 1);
	assert_int_equal(db_next(&rows, &err), 1);
	assert_int_equal(db_col_i64(&rows, 0), 2);
	assert_int_equal(db_next(&rows, &err), 0);
	assert_int_equal(db_next(&rows, &err), 0);
	assert_int_equal(rows.count, 2);
	db_rows_done(&rows);
	db_rows_done(&rows);
}

static void test_other_statements_run_while_rows_are_read(void **state)
{
	struct db_rows all = {0}, one = {0};
	unsigned n = 0;
	insert(1, 10, "a");
	insert(2, 20, "b");
	assert_int_equal(db_query(conn, &stmts[ITEM_ALL], DB_NO_ARGS, &all, &err), 0);
	while (db_next(&all, &err) == 1) {
		assert_int_equal(get(db_col_i64(&all, 0), &one), 1);
		assert_int_equal(db_col_u64(&one, 1), 10 * ++n);
	}
	assert_int_equal(n, 2);
	assert_int_equal(db_query(conn, &stmts[ITEM_ALL], DB_NO_ARGS, &all, &err), 0);
	assert_int_equal(db_query(conn, &stmts[ITEM_ALL], DB_NO_ARGS, &one, &err), 0);
	assert_int_equal(db_next(&one, &err), 1);
	assert_int_equal(db_next(&all, &err), -STATUS_INTERNAL);
}

static void test_a_sum_is_a_number(void **state)
{
	struct db_rows rows = {0};
	insert(INT64_MAX - 5, 0, "a");
	insert(5, 0, "b");
	assert_int_equal(db_query_row(conn, &stmts[ITEM_SUM], DB_NO_ARGS, &rows, &err), 1);
	assert_true(db_col_i64(&rows, 0) == INT64_MAX);
	insert(6, 0, "c");
	assert_int_equal(db_query_row(conn, &stmts[ITEM_SUM], DB_NO_ARGS, &rows, &err), -STATUS_INTERNAL);
}

static void test_a_duplicate_names_its_key(void **state)
{
	insert(1, 0, "it's for key 'x'");
	assert_int_equal(db_exec(conn, &stmts[ITEM_INSERT],
				 DB_ARGS(db_i64(2), db_u64(0), db_str("it's for key 'x'"), db_null()), NULL,
				 &err),
			 -STATUS_ALREADY_EXISTS);
	assert_null(err.reason);
	assert_string_equal(db_duplicate_key(conn), "item_name_key");
	assert_int_equal(db_exec(conn, &stmts[ITEM_INSERT],
				 DB_ARGS(db_i64(1), db_u64(0), db_null(), db_null()), NULL, &err),
			 -STATUS_ALREADY_EXISTS);
	assert_string_equal(db_duplicate_key(conn), "PRIMARY");
	insert(3, 0, "c");
	assert_string_equal(db_duplicate_key(conn), "");
}

static void test_arguments_must_match_the_declaration(void **state)
{
	struct db_rows rows = {0};
	assert_int_equal(db_query(conn, &stmts[ITEM_GET], DB_NO_ARGS, &rows, &err), -STATUS_INTERNAL);
	assert_int_equal(db_query(conn, &stmts[ITEM_GET], DB_ARGS(db_u64(1)), &rows, &err), -STATUS_INTERNAL);
}

static void expect_open_to_fail(const struct testdb *t, struct db_stmt stmt)
{
	const struct db_stmt_list list = {"drift", &stmt, 1};
	const struct db_stmt_list *const drift[] = {&item_stmts, &list, NULL};
	struct db_conn *c = NULL;
	assert_int_equal(db_open(&t->config, drift, &c, &err), -STATUS_INTERNAL);
	assert_null(c);
	assert_non_null(strstr(err.message, stmt.name));
}

static void test_drift_between_code_and_schema_fails_the_start(void **state)
{
	expect_open_to_fail(*state, (struct db_stmt){"gone_table", "", DB_CELLS("i"), "SELECT id FROM gone"});
	expect_open_to_fail(*state,
			    (struct db_stmt){"gone_column", "", DB_CELLS("i"), "SELECT gone FROM item"});
	expect_open_to_fail(*state,
			    (struct db_stmt){"few_columns", "", DB_CELLS("i"), "SELECT id, bits FROM item"});
	expect_open_to_fail(*state, (struct db_stmt){"few_params", "i", DB_CELLS("i"),
						     "SELECT id FROM item WHERE id = ? OR id = ?"});
	expect_open_to_fail(*state, (struct db_stmt){"bad_letter", "x", DB_CELLS("i"),
						     "SELECT id FROM item WHERE id = ?"});
}

static void test_the_session_is_set_up(void **state)
{
	struct db_rows rows = {0};
	assert_int_equal(db_query_row(conn, &stmts[SESSION_GET], DB_NO_ARGS, &rows, &err), 1);
	assert_non_null(strstr(db_col_str(&rows, 0, &arena), "STRICT_ALL_TABLES"));
	assert_null(strstr(db_col_str(&rows, 0, &arena), "SIMULTANEOUS_ASSIGNMENT"));
	assert_string_equal(db_col_str(&rows, 1, &arena), "+00:00");
	assert_string_equal(db_col_str(&rows, 2, &arena), "READ-COMMITTED");
	assert_string_equal(db_col_str(&rows, 3, &arena), "utf8mb4");
	assert_string_equal(db_col_str(&rows, 4, &arena), "utf8mb4");
}

/* --- arrays --- */

enum { ROWS = 300 };

static int upsert(unsigned n, int bad, struct db_rows *rows)
{
	struct db_value args[ROWS][4];
	for (unsigned i = 0; i < n; i++) {
		args[i][0] = db_i64(i);
		args[i][1] = (int)i == bad ? db_null() : db_u64(UINT64_C(1) << (i % 64));
		args[i][2] = db_null();
		args[i][3] = i % 3 ? db_bytes(span_str("xyz")) : db_null();
	}
	return db_query_array(conn, &stmts[ITEM_UPSERT], &args[0][0], 4, n, rows, &err);
}

static void test_an_array_answers_in_input_order(void **state)
{
	struct db_rows rows = {0};
	assert_int_equal(upsert(ROWS, -1, &rows), 0);
	for (unsigned i = 0; i < ROWS; i++) {
		assert_int_equal(db_next(&rows, &err), 1);
		assert_int_equal(db_col_i64(&rows, 0), i);
		assert_true(db_col_u64(&rows, 1) == UINT64_C(1) << (i % 64));
	}
	assert_int_equal(db_next(&rows, &err), 0);
	assert_int_equal(get(4, &rows), 1);
	assert_string_equal(db_col_str(&rows, 3, &arena), "xyz");
	assert_int_equal(get(6, &rows), 1);
	assert_true(db_is_null(&rows, 3));
	assert_int_equal(upsert(1, -1, &rows), 0);
	assert_int_equal(db_next(&rows, &err), 1);
	assert_int_equal(db_next(&rows, &err), 0);
	assert_int_equal(upsert(0, -1, &rows), 0);
	assert_int_equal(db_next(&rows, &err), 0);
}

static void test_the_bad_row_of_an_array_is_named_and_nothing_applied(void **state)
{
	static const int bad[] = {0, 1, 17, 255, 298, 299};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct db_rows rows = {0};
		int r = upsert(ROWS, bad[i], &rows);
		assert_int_equal(r, 0);
		while ((r = db_next(&rows, &err)) > 0)
			;
		assert_int_equal(r, -STATUS_INTERNAL);
		assert_int_equal(db_next(&rows, &err), -STATUS_INTERNAL);
		assert_int_equal(rows.count, bad[i]);
		assert_int_equal(testdb_number(*state, "SELECT COUNT(*) FROM item"), 0);
	}
	struct db_rows rows = {0};
	assert_int_equal(upsert(ROWS, -1, &rows), 0);
	assert_int_equal(testdb_number(*state, "SELECT COUNT(*) FROM item"), ROWS);
}

static void test_rows_of_one_array_that_meet_get_their_own_merged_state(void **state)
{
	struct db_rows rows = {0};
	const struct db_value args[] = {db_i64(9), db_u64(1), db_i64(9),
					db_u64(2), db_i64(9), db_u64(UINT64_C(1) << 63)};
	static const uint64_t merged[] = {1, 3, (UINT64_C(1) << 63) | 3};
	assert_int_equal(db_query_array(conn, &stmts[ITEM_COVER], args, 2, 3, &rows, &err), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(db_next(&rows, &err), 1);
		assert_int_equal(db_col_i64(&rows, 0), 1);
		assert_true(db_col_u64(&rows, 1) == merged[i]);
	}
}

static int update_all(struct db_conn *c, void *arg, struct error *e)
{
	const struct db_value args[] = {db_u64(7), db_i64(1), db_u64(8), db_i64(2), db_u64(8), db_i64(3)};
	return db_exec_array(c, &stmts[ITEM_UPDATE], args, 2, 3, arg, e);
}

static void test_an_array_without_rows_updates_inside_a_transaction(void **state)
{
	uint64_t affected = 0;
	insert(1, 1, "a");
	insert(2, 1, "b");
	assert_int_equal(db_transaction(conn, true, update_all, &affected, &err), 0);
	assert_int_equal(affected, 2);
	assert_int_equal(testdb_number(*state, "SELECT SUM(bits) FROM item"), 15);
}

/* --- compound statements --- */

static void test_a_compound_statement_answers_with_its_last_rows(void **state)
{
	struct db_rows rows = {0};
	uint64_t before = db_counters(conn).round_trips;
	for (int64_t i = 0; i < 3; i++) {
		assert_int_equal(db_exec(conn, &stmts[ITEM_CLEAR], DB_NO_ARGS, NULL, &err), 0);
		assert_int_equal(db_query_row(conn, &stmts[ITEM_COMPOUND], DB_ARGS(db_i64(i), db_i64(41)),
					      &rows, &err),
				 1);
		assert_int_equal(db_col_i64(&rows, 0), 42);
		assert_string_equal(db_col_str(&rows, 1, &arena), "made");
		assert_int_equal(db_next(&rows, &err), 0);
	}
	assert_int_equal(db_counters(conn).round_trips - before, 6);
}

static void test_an_error_after_rows_of_a_compound_statement_is_seen_and_rolled_back(void **state)
{
	struct db_rows rows = {0};
	insert(5, 1, "five");
	assert_int_equal(db_query(conn, &stmts[ITEM_COMPOUND_LATE_ERROR], DB_ARGS(db_i64(5)), &rows, &err),
			 -STATUS_ALREADY_EXISTS);
	assert_int_equal(db_query_row(conn, &stmts[ITEM_IN_TRANSACTION], DB_NO_ARGS, &rows, &err), 1);
	assert_int_equal(db_col_i64(&rows, 0), 0);
	assert_int_equal(get(77, &rows), 0);
	assert_int_equal(db_query(conn, &stmts[ITEM_COMPOUND_LATE_ERROR], DB_ARGS(db_i64(6)), &rows, &err),
			 0);
	assert_int_equal(get(77, &rows), 1);
}

/* --- deadlines --- */

static void test_the_deadline_stops_a_statement(void **state)
{
	struct db_rows rows = {0};
	int64_t start = monotonic_us();
	db_set_deadline(conn, start + 200000);
	assert_int_equal(db_query_row(conn, &stmts[ITEM_SLEEP], DB_ARGS(db_i64(5)), &rows, &err),
			 -STATUS_DEADLINE_EXCEEDED);
	assert_ptr_equal(err.reason, &RPC_REASON_DEADLINE_PASSED);
	assert_in_range(monotonic_us() - start, 150000, 2000000);
	uint64_t sent = db_counters(conn).round_trips;
	db_set_deadline(conn, monotonic_us() - 1);
	assert_int_equal(get(1, &rows), -STATUS_DEADLINE_EXCEEDED);
	assert_int_equal(db_counters(conn).round_trips, sent);
}

static void test_a_limit_about_right_is_not_sent_again(void **state)
{
	struct db_rows rows = {0};
	db_set_deadline(conn, monotonic_us() + 3900000);
	assert_int_equal(get(1, &rows), 0);
	uint64_t sent = db_counters(conn).round_trips;
	for (int i = 0; i < 10; i++) {
		db_set_deadline(conn, monotonic_us() + 3900000);
		assert_int_equal(get(1, &rows), 0);
	}
	assert_int_equal(db_counters(conn).round_trips, sent + 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_values_come_back_as_they_were_written, clear),
		cmocka_unit_test_setup(test_null_is_told_from_empty, clear),
		cmocka_unit_test_setup(test_empty_text_needs_no_other, clear),
		cmocka_unit_test_setup(test_text_of_any_length, clear),
		cmocka_unit_test_setup(test_a_row_the_end_and_an_error_are_three_values, clear),
		cmocka_unit_test_setup(test_other_statements_run_while_rows_are_read, clear),
		cmocka_unit_test_setup(test_a_sum_is_a_number, clear),
		cmocka_unit_test_setup(test_a_duplicate_names_its_key, clear),
		cmocka_unit_test_setup(test_arguments_must_match_the_declaration, clear),
		cmocka_unit_test_setup(test_drift_between_code_and_schema_fails_the_start, clear),
		cmocka_unit_test_setup(test_the_session_is_set_up, clear),
		cmocka_unit_test_setup(test_an_array_answers_in_input_order, clear),
		cmocka_unit_test_setup(test_the_bad_row_of_an_array_is_named_and_nothing_applied, clear),
		cmocka_unit_test_setup(test_rows_of_one_array_that_meet_get_their_own_merged_state, clear),
		cmocka_unit_test_setup(test_an_array_without_rows_updates_inside_a_transaction, clear),
		cmocka_unit_test_setup(test_a_compound_statement_answers_with_its_last_rows, clear),
		cmocka_unit_test_setup(
			test_an_error_after_rows_of_a_compound_statement_is_seen_and_rolled_back, clear),
		cmocka_unit_test_setup(test_the_deadline_stops_a_statement, clear),
		cmocka_unit_test_setup(test_a_limit_about_right_is_not_sent_again, clear),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
