/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/base/clock.h"
#include "server/db/table.h"
#include "tests/lib/testdb.h"

struct item {
	int64_t id;
	uint64_t bits;
	const char *name;
	struct span data;
};
#define MERGED_COLUMNS(F, C, R) F(R, "id", I64, id) C(R, "bits", U64, bits)
#define ITEM_COLUMNS(F, C, R)                                                                                \
	MERGED_COLUMNS(F, C, R) C(R, "name", TEXT_OR_NULL, name) C(R, "data", BYTES, data)
#define MADE_COLUMNS(F, C, R) F(R, "bits", U64, bits) C(R, "name", TEXT, name)
#define EMPTY_COLUMNS(F, C, R) F(R, "''", TEXT_OR_NULL, name)
DB_ROW(item_row, struct item, ITEM_COLUMNS);
DB_ROW(merged_row, struct item, MERGED_COLUMNS);
DB_ROW(made_row, struct item, MADE_COLUMNS);
DB_ROW(empty_row, struct item, EMPTY_COLUMNS);

struct covered {
	int64_t fresh;
	uint64_t bits;
};
#define COVERED_COLUMNS(F, C, R) F(R, "BIT_COUNT(bits) - prev", I64, fresh) C(R, "bits", U64, bits)
DB_ROW(covered_row, struct covered, COVERED_COLUMNS);

struct session {
	const char *sql_mode, *time_zone, *isolation, *client, *results;
	int64_t list_max;
};
#define SESSION_COLUMNS(F, C, R)                                                                             \
	F(R, "@@sql_mode", TEXT, sql_mode)                                                                   \
	C(R, "@@time_zone", TEXT, time_zone)                                                                 \
	C(R, "@@tx_isolation", TEXT, isolation)                                                              \
	C(R, "@@character_set_client", TEXT, client)                                                         \
	C(R, "@@character_set_results", TEXT, results)                                                       \
	C(R, "@@group_concat_max_len", I64, list_max)
DB_ROW(session_row, struct session, SESSION_COLUMNS);

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
	[ITEM_INSERT] = {"item_insert", DB_LETTERS(ITEM_COLUMNS), NULL, DB_INSERT("item", ITEM_COLUMNS)},
	[ITEM_GET] = {"item_get", "i", &item_row, DB_SELECT(ITEM_COLUMNS, " FROM item WHERE id = ?")},
	[ITEM_ALL] = {"item_all", "", &db_row_i64, "SELECT id FROM item ORDER BY id"},
	[ITEM_UPSERT] = {"item_upsert", DB_LETTERS(ITEM_COLUMNS), &merged_row,
			 "INSERT INTO item (id, bits, name, data) VALUES (?, NULLIF(?, 0), ?, ?) "
			 "ON DUPLICATE KEY UPDATE bits = bits | VALUES(bits) RETURNING id, bits"},
	[ITEM_COVER] = {"item_cover", DB_LETTERS(MERGED_COLUMNS), &covered_row,
			DB_UPSERT("item", MERGED_COLUMNS,
				  " prev = BIT_COUNT(bits), bits = bits | VALUES(bits) "
				  "RETURNING " DB_NAMES(COVERED_COLUMNS))},
	[ITEM_UPDATE] = {"item_update", "ui", NULL, "UPDATE item SET bits = ? WHERE id = ?"},
	[ITEM_CLEAR] = {"item_clear", "", NULL, "DELETE FROM item"},
	[ITEM_SUM] = {"item_sum", "", &db_row_i64, "SELECT SUM(id) FROM item"},
	[ITEM_EMPTY] = {"item_empty", "", &empty_row, DB_SELECT(EMPTY_COLUMNS, "")},
	[ITEM_COMPOUND] = {"item_compound", "ii", &made_row,
			   "BEGIN NOT ATOMIC "
			   "  DECLARE v_id BIGINT DEFAULT ?; "
			   "  START TRANSACTION; "
			   "  SELECT 'not the answer'; "
			   "  INSERT INTO item (id, bits, name) VALUES (v_id, 1, 'made'); "
			   "  UPDATE item SET bits = bits + ? WHERE id = v_id; "
			   "  COMMIT; "
			   "  SELECT " DB_NAMES(MADE_COLUMNS) " FROM item WHERE id = v_id; "
							      "END"},
	[ITEM_COMPOUND_LATE_ERROR] = {"item_compound_late_error", "i", &db_row_i64,
				      "BEGIN NOT ATOMIC "
				      "  START TRANSACTION; "
				      "  INSERT INTO item (id, bits, name) VALUES (77, 1, 'left open'); "
				      "  SELECT 1; "
				      "  INSERT INTO item (id, bits, name) VALUES (?, 1, 'twice'); "
				      "  COMMIT; "
				      "END"},
	[ITEM_IN_TRANSACTION] = {"item_in_transaction", "", &db_row_i64, "SELECT @@in_transaction"},
	[ITEM_SLEEP] = {"item_sleep", "i", &db_row_i64, "SELECT SLEEP(?)"},
	[SESSION_GET] = {"session_get", "", &session_row, DB_SELECT(SESSION_COLUMNS, "")},
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

static int get(int64_t id, struct item *ret)
{
	return db_read(conn, &stmts[ITEM_GET], DB_ARGS(db_i64(id)), &arena, ret, &err);
}

static struct item comes_back(const struct item *i)
{
	struct item got;
	assert_int_equal(db_write(conn, &stmts[ITEM_INSERT], &item_row, i, DB_NO_ARGS, &err), 0);
	assert_int_equal(get(i->id, &got), 1);
	assert_true(got.id == i->id && got.bits == i->bits);
	assert_int_equal(got.data.len, i->data.len);
	if (i->data.len)
		assert_memory_equal(got.data.data, i->data.data, i->data.len);
	return got;
}

static void test_values_come_back_as_they_were_written(void **state)
{
	const uint8_t data[] = {0, 1, 0xff, 0, '\'', '\\'};
	const struct item i = {INT64_MIN, UINT64_C(1) << 63, "课程 'x' \xf0\x9f\x8e\x93",
			       span_of(data, sizeof(data))};
	assert_string_equal(comes_back(&i).name, i.name);
}

static void test_null_is_told_from_empty(void **state)
{
	struct item got;
	insert(1, 0, NULL);
	assert_int_equal(get(1, &got), 1);
	assert_null(got.name);
	assert_null(got.data.data);
	got = comes_back(&(struct item){.id = 2, .name = ""});
	assert_string_equal(got.name, "");
	assert_non_null(got.data.data);
}

static void test_empty_text_needs_no_other(void **state)
{
	struct item got;
	assert_int_equal(db_read(conn, &stmts[ITEM_EMPTY], DB_NO_ARGS, &arena, &got, &err), 1);
	assert_string_equal(got.name, "");
}

static void test_text_of_any_length(void **state)
{
	static const size_t lengths[] = {1, 255, 256, 257, 65535, 3000000};
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		uint8_t *data = malloc(lengths[i]);
		for (size_t j = 0; j < lengths[i]; j++)
			data[j] = (uint8_t)(j * 31 + i);
		comes_back(&(struct item){.id = (int64_t)i, .data = span_of(data, lengths[i])});
		free(data);
	}
}

static const int64_t *two_ids(void)
{
	const int64_t *ids;
	unsigned n;
	assert_int_equal(db_read_all(conn, &stmts[ITEM_ALL], DB_NO_ARGS, &arena, &ids, &n, &err), 0);
	assert_int_equal(n, 2);
	return ids;
}

static void test_rows_outlive_what_runs_after_them(void **state)
{
	struct item got;
	assert_int_equal(get(404, &got), 0);
	insert(1, 10, "a");
	insert(2, 20, "b");
	const int64_t *ids = two_ids(), *again = two_ids();
	assert_memory_equal(ids, again, 2 * sizeof(*ids));
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(get(ids[i], &got), 1);
		assert_int_equal(got.bits, 10 * (i + 1));
	}
}

static void test_a_sum_is_a_number(void **state)
{
	int64_t sum;
	insert(INT64_MAX - 5, 0, "a");
	insert(5, 0, "b");
	assert_int_equal(db_read(conn, &stmts[ITEM_SUM], DB_NO_ARGS, NULL, &sum, &err), 1);
	assert_true(sum == INT64_MAX);
	insert(6, 0, "c");
	assert_int_equal(db_read(conn, &stmts[ITEM_SUM], DB_NO_ARGS, NULL, &sum, &err), -STATUS_INTERNAL);
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
	assert_int_equal(db_found(conn, &stmts[ITEM_GET], DB_NO_ARGS, &err), -STATUS_INTERNAL);
	assert_int_equal(db_found(conn, &stmts[ITEM_GET], DB_ARGS(db_u64(1)), &err), -STATUS_INTERNAL);
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
	expect_open_to_fail(*state, (struct db_stmt){"gone_table", "", &db_row_i64, "SELECT id FROM gone"});
	expect_open_to_fail(*state,
			    (struct db_stmt){"gone_column", "", &db_row_i64, "SELECT gone FROM item"});
	expect_open_to_fail(*state,
			    (struct db_stmt){"few_columns", "", &db_row_i64, "SELECT id, bits FROM item"});
	expect_open_to_fail(*state, (struct db_stmt){"few_params", "i", &db_row_i64,
						     "SELECT id FROM item WHERE id = ? OR id = ?"});
	expect_open_to_fail(
		*state, (struct db_stmt){"bad_letter", "x", &db_row_i64, "SELECT id FROM item WHERE id = ?"});
}

static void test_the_session_is_set_up(void **state)
{
	struct session session;
	assert_int_equal(db_read(conn, &stmts[SESSION_GET], DB_NO_ARGS, &arena, &session, &err), 1);
	assert_non_null(strstr(session.sql_mode, "STRICT_ALL_TABLES"));
	assert_null(strstr(session.sql_mode, "SIMULTANEOUS_ASSIGNMENT"));
	assert_string_equal(session.time_zone, "+00:00");
	assert_string_equal(session.isolation, "READ-COMMITTED");
	assert_string_equal(session.client, "utf8mb4");
	assert_string_equal(session.results, "utf8mb4");
	assert_int_equal(session.list_max, 4 * 1024 * 1024);
}

/* --- arrays --- */

enum { ROWS = 300 };

/* The table refuses the row `bad`, if there is one. */
static int upsert(unsigned n, int bad, struct item ret[ROWS], unsigned *ret_bad)
{
	struct item items[ROWS];
	char names[ROWS][16];
	for (unsigned i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "name %u", i);
		items[i] = (struct item){.id = i,
					 .bits = (int)i == bad ? 0 : UINT64_C(1) << (i % 64),
					 .name = i % 3 ? names[i] : NULL,
					 .data = span_str(i % 3 ? "xyz" : "")};
	}
	return db_write_all(conn, &stmts[ITEM_UPSERT], &item_row, items, n, ret, ret_bad, &err);
}

static void test_an_array_answers_in_input_order(void **state)
{
	struct item ret[ROWS], got;
	assert_int_equal(upsert(ROWS, -1, ret, NULL), 0);
	for (unsigned i = 0; i < ROWS; i++)
		assert_true(ret[i].id == i && ret[i].bits == UINT64_C(1) << (i % 64));
	assert_int_equal(get(4, &got), 1);
	assert_string_equal(got.name, "name 4");
	assert_int_equal(got.data.len, 3);
	assert_int_equal(get(6, &got), 1);
	assert_null(got.name);
	assert_int_equal(got.data.len, 0);
	assert_int_equal(upsert(1, -1, ret, NULL), 0);
	assert_int_equal(upsert(0, -1, ret, NULL), 0);
}

static void test_the_bad_row_of_an_array_is_named_and_nothing_applied(void **state)
{
	static const int bad[] = {0, 1, 17, 255, 298, 299};
	struct item ret[ROWS];
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		unsigned found = 0;
		assert_int_equal(upsert(ROWS, bad[i], ret, &found), -STATUS_INTERNAL);
		assert_int_equal(found, bad[i]);
		assert_int_equal(testdb_number(*state, "SELECT COUNT(*) FROM item"), 0);
	}
	assert_int_equal(upsert(ROWS, -1, ret, NULL), 0);
	assert_int_equal(testdb_number(*state, "SELECT COUNT(*) FROM item"), ROWS);
}

static void test_rows_of_one_array_that_meet_get_their_own_merged_state(void **state)
{
	const struct item items[] = {
		{.id = 9, .bits = 1}, {.id = 9, .bits = 2}, {.id = 9, .bits = UINT64_C(1) << 63}};
	static const uint64_t merged[] = {1, 3, (UINT64_C(1) << 63) | 3};
	struct covered ret[3];
	assert_int_equal(db_write_all(conn, &stmts[ITEM_COVER], &merged_row, items, 3, ret, NULL, &err), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_true(ret[i].fresh == 1 && ret[i].bits == merged[i]);
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
	struct item made;
	uint64_t before = db_counters(conn).round_trips;
	for (int64_t i = 0; i < 3; i++) {
		assert_int_equal(db_exec(conn, &stmts[ITEM_CLEAR], DB_NO_ARGS, NULL, &err), 0);
		assert_int_equal(db_read(conn, &stmts[ITEM_COMPOUND], DB_ARGS(db_i64(i), db_i64(41)), &arena,
					 &made, &err),
				 1);
		assert_int_equal(made.bits, 42);
		assert_string_equal(made.name, "made");
	}
	assert_int_equal(db_counters(conn).round_trips - before, 6);
}

static void test_an_error_after_rows_of_a_compound_statement_is_seen_and_rolled_back(void **state)
{
	struct item got;
	int64_t open = 1;
	insert(5, 1, "five");
	assert_int_equal(db_found(conn, &stmts[ITEM_COMPOUND_LATE_ERROR], DB_ARGS(db_i64(5)), &err),
			 -STATUS_ALREADY_EXISTS);
	assert_int_equal(db_read(conn, &stmts[ITEM_IN_TRANSACTION], DB_NO_ARGS, NULL, &open, &err), 1);
	assert_int_equal(open, 0);
	assert_int_equal(get(77, &got), 0);
	assert_int_equal(db_found(conn, &stmts[ITEM_COMPOUND_LATE_ERROR], DB_ARGS(db_i64(6)), &err), 1);
	assert_int_equal(get(77, &got), 1);
}

/* --- deadlines --- */

static void test_the_deadline_stops_a_statement(void **state)
{
	struct item got;
	int64_t start = monotonic_us();
	db_set_deadline(conn, start + 200000);
	assert_int_equal(db_found(conn, &stmts[ITEM_SLEEP], DB_ARGS(db_i64(5)), &err),
			 -STATUS_DEADLINE_EXCEEDED);
	assert_ptr_equal(err.reason, &RPC_REASON_DEADLINE_PASSED);
	assert_in_range(monotonic_us() - start, 150000, 2000000);
	uint64_t sent = db_counters(conn).round_trips;
	db_set_deadline(conn, monotonic_us() - 1);
	assert_int_equal(get(1, &got), -STATUS_DEADLINE_EXCEEDED);
	assert_int_equal(db_counters(conn).round_trips, sent);
}

static void test_a_limit_about_right_is_not_sent_again(void **state)
{
	struct item got;
	db_set_deadline(conn, monotonic_us() + 3900000);
	assert_int_equal(get(1, &got), 0);
	uint64_t sent = db_counters(conn).round_trips;
	for (int i = 0; i < 10; i++) {
		db_set_deadline(conn, monotonic_us() + 3900000);
		assert_int_equal(get(1, &got), 0);
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
		cmocka_unit_test_setup(test_rows_outlive_what_runs_after_them, clear),
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
