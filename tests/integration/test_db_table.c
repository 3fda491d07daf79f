/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/db/table.h"
#include "tests/lib/testdb.h"

/* --- a table with a column of each type --- */

enum kind { KIND_NONE, KIND_LAST = INT32_MAX };
enum side { SIDE_LEFT = -1, SIDE_RIGHT = 1 };

struct thing {
	int64_t id, whole, maybe;
	int small;
	uint32_t wide;
	enum kind kind;
	enum side side;
	bool flag;
	uint64_t bits;
	const char *text, *note;
	char code[12];
	struct span bytes;
	uint8_t fixed[4];
	int64_t beside; /* no column */
};

#define NUMBER_COLUMNS(F, C, R)                                                                              \
	F(R, "whole", I64, whole)                                                                            \
	C(R, "maybe", I64_OR_NULL, maybe)                                                                    \
	C(R, "small", INT, small)                                                                            \
	C(R, "wide", INT, wide)                                                                              \
	C(R, "kind", INT, kind)                                                                              \
	C(R, "side", INT, side)                                                                              \
	C(R, "flag", BOOL, flag)                                                                             \
	C(R, "bits", U64, bits)
#define TEXT_COLUMNS(F, C, R)                                                                                \
	F(R, "text", TEXT, text)                                                                             \
	C(R, "note", TEXT_OR_NULL, note)                                                                     \
	C(R, "code", CODE, code)                                                                             \
	C(R, "bytes", BYTES, bytes)                                                                          \
	C(R, "fixed", FIXED, fixed)
#define THING_COLUMNS(F, C, R) F(R, "id", I64, id) NUMBER_COLUMNS(C, C, R) TEXT_COLUMNS(C, C, R)
#define BITS_COLUMNS(F, C, R) F(R, "id", I64, id) C(R, "bits", U64, bits)
/* Parameters of a compound statement, as declarations. */
#define PARAMETERS(F, C, R)                                                                                  \
	F(R, "v_id BIGINT", I64, id) C(R, "v_text TEXT", TEXT, text) C(R, "v_fixed BINARY(4)", FIXED, fixed)
#define ANSWER(F, C, R) F(R, "v_text", TEXT, text) C(R, "v_fixed", FIXED, fixed) C(R, "v_id + 1", I64, id)

DB_ROW(thing_row, struct thing, THING_COLUMNS);
DB_ROW(text_row, struct thing, TEXT_COLUMNS);
DB_ROW(bits_row, struct thing, BITS_COLUMNS);
DB_ROW(parameter_row, struct thing, PARAMETERS);
DB_ROW(answer_row, struct thing, ANSWER);

enum {
	THING_ADD,
	THING_GET,
	THING_TEXTS,
	THING_LIST,
	THING_LOOK,
	THING_SET,
	THING_MERGE,
	THING_ADD_BITS,
	THING_REMOVE,
	THING_SUM,
	THING_COMPOUND,
	THING_STATEMENTS
};

static const struct db_stmt stmts[THING_STATEMENTS] = {
	[THING_ADD] = {"thing_add", DB_LETTERS(THING_COLUMNS), NULL, DB_INSERT("thing", THING_COLUMNS)},
	[THING_GET] = {"thing_get", "i", &thing_row, DB_SELECT(THING_COLUMNS, " FROM thing WHERE id = ?")},
	[THING_TEXTS] = {"thing_texts", "i", &text_row, DB_SELECT(TEXT_COLUMNS, " FROM thing WHERE id = ?")},
	[THING_LIST] = {"thing_list", NULL, &thing_row, DB_SELECT(THING_COLUMNS, " FROM thing ORDER BY id")},
	[THING_LOOK] = {"thing_look", "i", &bits_row,
			DB_SELECT(BITS_COLUMNS, " FROM thing WHERE bits >= ? LIMIT 100 ROWS EXAMINED 10")},
	[THING_SET] = {"thing_set", DB_LETTERS(TEXT_COLUMNS) "ii", NULL,
		       DB_UPDATE("thing", TEXT_COLUMNS, ", whole = ? WHERE id = ?")},
	[THING_MERGE] = {"thing_merge", DB_LETTERS(BITS_COLUMNS), &bits_row,
			 DB_UPSERT("thing", BITS_COLUMNS,
				   " bits = bits | VALUES(bits) RETURNING " DB_NAMES(BITS_COLUMNS))},
	[THING_ADD_BITS] = {"thing_add_bits", DB_LETTERS(BITS_COLUMNS), NULL,
			    DB_INSERT("thing", BITS_COLUMNS)},
	[THING_REMOVE] = {"thing_remove", DB_LETTERS(BITS_COLUMNS), NULL,
			  "DELETE FROM thing WHERE id = ? AND bits = ?"},
	[THING_SUM] = {"thing_sum", NULL, &db_row_i64, "SELECT SUM(whole) FROM thing"},
	[THING_COMPOUND] = {"thing_compound", DB_LETTERS(PARAMETERS) "i", &answer_row,
			    "BEGIN NOT ATOMIC" DB_DECLARES(PARAMETERS) " SET v_id = v_id + ?; " DB_SELECT(
				    ANSWER, "; END")},
};
static const struct db_stmt_list thing_stmts = {"thing", stmts, THING_STATEMENTS};
static const struct db_stmt_list *const lists[] = {&thing_stmts, NULL};

#define TABLE                                                                                                \
	"CREATE TABLE thing (id BIGINT NOT NULL PRIMARY KEY, whole BIGINT, maybe BIGINT, small INT, "        \
	"wide INT UNSIGNED, kind INT, side INT, flag BOOLEAN, bits BIGINT UNSIGNED CHECK (bits <> 13), "     \
	"text MEDIUMTEXT, note TEXT, code VARCHAR(20), bytes MEDIUMBLOB, fixed VARBINARY(8), "               \
	"UNIQUE KEY thing_code_key (code)) ENGINE=InnoDB"

static struct testdb *db;
static struct db_conn *conn;
static struct arena arena;
static struct error err;

static int setup(void **state)
{
	testdb_setup(state);
	db = *state;
	struct db_conn *c = testdb_connect(db, NULL);
	testdb_run(c, TABLE);
	db_close(c);
	conn = testdb_connect(db, lists);
	arena_init(&arena, 4 << 20);
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
	testdb_run(conn, "DELETE FROM thing");
	arena_reset(&arena);
	return 0;
}

static void add(const struct thing *t)
{
	assert_int_equal(db_write(conn, &stmts[THING_ADD], &thing_row, t, DB_NO_ARGS, &err), 0);
}

/* Everything in `*ret` is set by the reading: what it had before is of no matter. */
static int get(int statement, int64_t id, struct thing *ret)
{
	memset(ret, 0x5a, sizeof(*ret));
	return db_read(conn, &stmts[statement], DB_ARGS(db_i64(id)), &arena, ret, &err);
}

static bool same(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static void comes_back(const struct thing *t)
{
	struct thing got;
	add(t);
	assert_int_equal(get(THING_GET, t->id, &got), 1);
	assert_true(got.id == t->id && got.whole == t->whole && got.maybe == t->maybe);
	assert_true(got.small == t->small && got.wide == t->wide && got.kind == t->kind);
	assert_true(got.side == t->side && got.flag == t->flag && got.bits == t->bits);
	assert_string_equal(got.text, t->text);
	assert_int_equal(got.note != NULL, t->note != NULL);
	if (t->note)
		assert_string_equal(got.note, t->note);
	assert_string_equal(got.code, t->code);
	assert_non_null(got.bytes.data);
	assert_true(same(got.bytes, t->bytes));
	assert_memory_equal(got.fixed, t->fixed, sizeof(t->fixed));
	assert_int_equal(got.beside, 0);
}

static int64_t count(const char *where)
{
	char sql[512];
	snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM thing WHERE %s", where);
	return testdb_number(db, sql);
}

/* --- values --- */

static void test_the_least_of_each_type(void **state)
{
	comes_back(&(struct thing){.id = INT64_MIN,
				   .whole = INT64_MIN,
				   .maybe = INT64_MIN,
				   .small = INT32_MIN,
				   .side = SIDE_LEFT,
				   .text = "",
				   .note = "",
				   .bytes = span_of("", 0)});
	/* Each value is in the column of its name. */
	assert_int_equal(count("id = -9223372036854775808 AND whole = id AND maybe = id AND small = "
			       "-2147483648 AND wide = 0 AND kind = 0 AND side = -1 AND flag = 0 AND "
			       "bits = 0 AND text = '' AND note = '' AND code = '' AND bytes = '' AND "
			       "fixed = X'00000000'"),
			 1);
}

static void test_the_greatest_of_each_type(void **state)
{
	static char text[100000], bytes[70000];
	memset(text, 'x', sizeof(text) - 1);
	memset(bytes, 0xff, sizeof(bytes));
	memset(bytes + 300, 0, 2);
	comes_back(&(struct thing){.id = INT64_MAX,
				   .whole = INT64_MAX - 1,
				   .maybe = INT64_MAX - 2,
				   .small = INT32_MAX,
				   .wide = UINT32_MAX,
				   .kind = KIND_LAST,
				   .side = SIDE_RIGHT,
				   .flag = true,
				   .bits = UINT64_MAX,
				   .text = text,
				   .note = "note",
				   .code = "12345678901",
				   .bytes = span_of(bytes, sizeof(bytes)),
				   .fixed = {0, 0xff, '\'', 0}});
	assert_int_equal(count("id = 9223372036854775807 AND whole = id - 1 AND maybe = id - 2 AND small = "
			       "2147483647 AND wide = 4294967295 AND kind = small AND side = 1 AND flag = 1 "
			       "AND bits = 18446744073709551615 AND LENGTH(text) = 99999 AND note = 'note' "
			       "AND code = '12345678901' AND LENGTH(bytes) = 70000 AND fixed = X'00ff2700'"),
			 1);
}

static void test_text_of_any_length_and_script(void **state)
{
	static const unsigned lengths[] = {1, 255, 256, 257, 1000};
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		char text[4 * 1000 + 1];
		for (unsigned j = 0; j < lengths[i]; j++)
			memcpy(text + 4 * j, "\xf0\x9f\x8e\x93", 5);
		char code[12];
		snprintf(code, sizeof(code), "课%u", i);
		struct thing t = {.id = i,
				  .text = text,
				  .note = text + 4 * lengths[i] - 4,
				  .bytes = span_of(text, lengths[i])};
		memcpy(t.code, code, sizeof(code));
		comes_back(&t);
	}
	assert_int_equal(count("CHAR_LENGTH(text) = 1000 AND CHAR_LENGTH(code) = 2"), 1);
}

static void test_a_high_bit_alone(void **state)
{
	comes_back(&(struct thing){.id = 1, .bits = UINT64_C(1) << 63, .wide = 1U << 31, .text = "'\"\\"});
}

static void test_nothing_is_null_where_the_type_says_so(void **state)
{
	comes_back(&(struct thing){.id = 1, .text = "", .maybe = 0});
	assert_int_equal(count("maybe IS NULL AND note IS NULL AND whole = 0 AND bytes = ''"), 1);
}

static void test_null_reads_as_nothing(void **state)
{
	struct thing got;
	testdb_run(conn, "INSERT INTO thing (id) VALUES (1)");
	assert_int_equal(get(THING_GET, 1, &got), 1);
	const struct thing nothing = {.id = 1, .text = got.text};
	assert_string_equal(got.text, "");
	assert_memory_equal(&got, &nothing, sizeof(got));
}

static void test_what_has_no_column_becomes_zero(void **state)
{
	struct thing got;
	add(&(struct thing){.id = 1,
			    .whole = 5,
			    .maybe = 6,
			    .bits = 7,
			    .flag = true,
			    .text = "t",
			    .note = "n",
			    .code = "c"});
	assert_int_equal(get(THING_TEXTS, 1, &got), 1);
	const struct thing expected = {.text = got.text, .note = got.note, .code = "c", .bytes = got.bytes};
	assert_string_equal(got.text, "t");
	assert_string_equal(got.note, "n");
	assert_memory_equal(&got, &expected, sizeof(got));
}

static void test_a_code_that_is_too_long_is_cut(void **state)
{
	struct thing got;
	testdb_run(conn, "INSERT INTO thing (id, code) VALUES (1, '12345678901'), (2, '123456789012'), (3, "
			 "'12345678901234')");
	for (int64_t id = 1; id <= 3; id++) {
		assert_int_equal(get(THING_GET, id, &got), 1);
		assert_string_equal(got.code, "12345678901");
		assert_int_equal(got.bytes.len, 0);
	}
}

static void test_fixed_bytes_of_another_length_are_none(void **state)
{
	static const char none[4];
	struct thing got;
	testdb_run(conn,
		   "INSERT INTO thing (id, fixed) VALUES (1, 'abcd'), (2, 'abc'), (3, 'abcde'), (4, '')");
	assert_int_equal(get(THING_GET, 1, &got), 1);
	assert_memory_equal(got.fixed, "abcd", 4);
	for (int64_t id = 2; id <= 4; id++) {
		assert_int_equal(get(THING_GET, id, &got), 1);
		assert_memory_equal(got.fixed, none, 4);
	}
}

static void test_a_number_that_does_not_fit_is_refused(void **state)
{
	testdb_run(conn, "INSERT INTO thing (id, whole) VALUES (1, 9223372036854775807), (2, 1)");
	int64_t sum = 5;
	assert_int_equal(db_read(conn, &stmts[THING_SUM], DB_NO_ARGS, NULL, &sum, &err), -STATUS_INTERNAL);
	testdb_run(conn, "DELETE FROM thing WHERE id = 2");
	assert_int_equal(db_read(conn, &stmts[THING_SUM], DB_NO_ARGS, NULL, &sum, &err), 1);
	assert_true(sum == INT64_MAX);
}

/* --- reading --- */

static void test_a_row_none_and_an_error_are_three_values(void **state)
{
	struct thing got;
	add(&(struct thing){.id = 1, .text = "t"});
	assert_int_equal(get(THING_GET, 1, &got), 1);
	memset(&got, 0x5a, sizeof(got));
	struct thing before = got;
	assert_int_equal(db_read(conn, &stmts[THING_GET], DB_ARGS(db_i64(2)), &arena, &got, &err), 0);
	assert_int_equal(db_read(conn, &stmts[THING_GET], DB_NO_ARGS, &arena, &got, &err), -STATUS_INTERNAL);
	assert_memory_equal(&got, &before, sizeof(got));
	assert_int_equal(db_read_one(conn, &stmts[THING_GET], DB_ARGS(db_i64(2)), &arena, &got, &err),
			 -STATUS_INTERNAL);
	assert_memory_equal(&got, &before, sizeof(got));
	assert_int_equal(db_read_one(conn, &stmts[THING_GET], DB_ARGS(db_i64(1)), &arena, &got, &err), 0);
	assert_int_equal(got.id, 1);
	assert_int_equal(db_found(conn, &stmts[THING_GET], DB_ARGS(db_i64(1)), &err), 1);
	assert_int_equal(db_found(conn, &stmts[THING_GET], DB_ARGS(db_i64(2)), &err), 0);
	assert_int_equal(db_found(conn, &stmts[THING_GET], DB_ARGS(db_u64(1)), &err), -STATUS_INTERNAL);
}

static void test_the_first_of_many_rows(void **state)
{
	struct thing got;
	add(&(struct thing){.id = 2, .text = "second"});
	add(&(struct thing){.id = 1, .text = "first", .code = "another"});
	assert_int_equal(db_read(conn, &stmts[THING_LIST], DB_NO_ARGS, &arena, &got, &err), 1);
	assert_string_equal(got.text, "first");
}

/* `n` rows: with text in all of them, and a number that tells them apart. */
static void add_many(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct thing t = {.id = i, .whole = -(int64_t)i, .text = "some text", .note = "a note"};
		snprintf(t.code, sizeof(t.code), "%u", i);
		t.bytes = span_str(t.code);
		add(&t);
	}
}

static void check_many(const struct thing *things, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char code[12];
		snprintf(code, sizeof(code), "%u", i);
		assert_true(things[i].id == i && things[i].whole == -(int64_t)i && things[i].beside == 0);
		assert_string_equal(things[i].text, "some text");
		assert_string_equal(things[i].note, "a note");
		assert_string_equal(things[i].code, code);
		assert_true(same(things[i].bytes, span_str(code)));
	}
}

static void test_all_rows_however_many(void **state)
{
	static const unsigned sizes[] = {0, 1, 2, 300};
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct thing *things;
		unsigned n = 99;
		clear(state);
		add_many(sizes[i]);
		assert_int_equal(db_read_all(conn, &stmts[THING_LIST], DB_NO_ARGS, &arena, &things, &n, &err),
				 0);
		assert_int_equal(n, sizes[i]);
		assert_false(db_cut_short(conn, &stmts[THING_LIST]));
		check_many(things, n);
	}
	struct thing *things;
	unsigned n;
	assert_int_equal(db_read_all(conn, &stmts[THING_GET], DB_NO_ARGS, &arena, &things, &n, &err),
			 -STATUS_INTERNAL);
}

static void test_a_look_that_met_its_limit_says_so(void **state)
{
	struct thing *things;
	unsigned n;
	assert_false(db_cut_short(conn, &stmts[THING_LOOK]));
	add_many(3);
	assert_int_equal(db_read_all(conn, &stmts[THING_LOOK], DB_ARGS(db_i64(0)), &arena, &things, &n, &err),
			 0);
	assert_int_equal(n, 3);
	assert_false(db_cut_short(conn, &stmts[THING_LOOK]));
	clear(state);
	add_many(40);
	assert_int_equal(db_read_all(conn, &stmts[THING_LOOK], DB_ARGS(db_i64(0)), &arena, &things, &n, &err),
			 0);
	assert_true(n < 40);
	assert_true(db_cut_short(conn, &stmts[THING_LOOK]));
}

/* Reads rows 0 to 2, all or the first, into as much memory as `cap`. */
static int read_into(struct arena *a, bool all)
{
	struct thing first, *things = &first;
	unsigned n = 1;
	int r = all ? db_read_all(conn, &stmts[THING_LIST], DB_NO_ARGS, a, &things, &n, &err)
		    : db_read(conn, &stmts[THING_LIST], DB_NO_ARGS, a, &first, &err);
	if (r >= 0) {
		assert_int_equal(n, all ? 3 : 1);
		check_many(things, n);
	}
	return r;
}

static void test_a_full_arena_is_refused_whole(void **state)
{
	add_many(3);
	for (int all = 0; all <= 1; all++) {
		unsigned refused = 0;
		int r = -1;
		for (size_t cap = 0; r < 0; cap++, refused++) {
			struct arena a;
			arena_init(&a, cap);
			r = read_into(&a, all);
			arena_done(&a);
			if (r < 0)
				assert_ptr_equal(err.reason, &RPC_REASON_MESSAGE_TOO_LARGE);
		}
		/* "some text", "a note" and the bytes of a row; a list is at least its structs. */
		assert_in_range(refused, all ? 3 * sizeof(struct thing) : 3, 1 << 12);
	}
}

static void test_numbers_need_no_memory(void **state)
{
	struct thing t = {0};
	const struct thing expected = {.id = 1, .bits = 3};
	assert_int_equal(db_write_all(conn, &stmts[THING_MERGE], &bits_row, &expected, 1, &t, NULL, &err), 0);
	assert_memory_equal(&t, &expected, sizeof(t));
}

/* --- writing --- */

static void test_more_follows_the_columns(void **state)
{
	struct thing t = {.id = 1, .text = "before"}, got;
	add(&t);
	add(&(struct thing){.id = 2, .text = "other", .code = "other"});
	t = (struct thing){.text = "after", .code = "c", .fixed = {1, 2, 3, 4}};
	assert_int_equal(
		db_write(conn, &stmts[THING_SET], &text_row, &t, DB_ARGS(db_i64(5), db_i64(1)), &err), 0);
	assert_int_equal(get(THING_GET, 1, &got), 1);
	assert_int_equal(got.whole, 5);
	assert_string_equal(got.text, "after");
	assert_memory_equal(got.fixed, t.fixed, sizeof(t.fixed));
	assert_int_equal(count("text = 'other' AND id = 2"), 1);
	assert_int_equal(db_write(conn, &stmts[THING_SET], &text_row, &t, DB_ARGS(db_i64(1)), &err),
			 -STATUS_INTERNAL);
	const struct db_value many[64] = {{0}};
	assert_int_equal(db_write(conn, &stmts[THING_SET], &text_row, &t, many, ARRAY_SIZE(many), &err),
			 -STATUS_INTERNAL);
}

static void test_a_duplicate_names_its_key(void **state)
{
	const struct thing t = {.id = 1, .text = "", .code = "same"},
			   u = {.id = 2, .text = "", .code = "same"};
	add(&t);
	assert_int_equal(db_write(conn, &stmts[THING_ADD], &thing_row, &u, DB_NO_ARGS, &err),
			 -STATUS_ALREADY_EXISTS);
	assert_string_equal(db_duplicate_key(conn), "thing_code_key");
}

enum { MANY = 300 };

/* Records whose ids go down, so that their order is not that of the key. */
static void make_many(struct thing records[MANY])
{
	memset(records, 0, MANY * sizeof(*records));
	for (unsigned i = 0; i < MANY; i++)
		records[i] = (struct thing){.id = MANY - (int64_t)i, .bits = i + 100, .text = ""};
}

static void test_an_array_answers_in_the_records_order(void **state)
{
	static const unsigned sizes[] = {0, 1, MANY};
	static struct thing records[MANY], ret[MANY];
	make_many(records);
	for (unsigned s = 0; s < ARRAY_SIZE(sizes); s++) {
		unsigned bad = 77;
		memset(ret, 0x5a, sizeof(ret));
		clear(state);
		assert_int_equal(db_write_all(conn, &stmts[THING_MERGE], &bits_row, records, sizes[s], ret,
					      &bad, &err),
				 0);
		assert_int_equal(bad, sizes[s]);
		assert_int_equal(count("TRUE"), sizes[s]);
		for (unsigned i = 0; i < sizes[s]; i++) {
			const struct thing expected = {.id = MANY - (int64_t)i, .bits = i + 100};
			assert_memory_equal(&ret[i], &expected, sizeof(expected));
		}
	}
	assert_int_equal(db_write_all(conn, &stmts[THING_MERGE], &bits_row, records, MANY, NULL, NULL, &err),
			 0);
}

static int remove_things(struct db_conn *c, void *arg, struct error *e)
{
	return db_write_all(c, &stmts[THING_REMOVE], &bits_row, arg, 2, NULL, NULL, e);
}

static void test_an_array_removes_the_rows_it_names(void **state)
{
	static struct thing records[MANY];
	make_many(records);
	assert_int_equal(
		db_write_all(conn, &stmts[THING_ADD_BITS], &bits_row, records, MANY, NULL, NULL, &err), 0);
	records[1].bits++; /* another one */
	assert_int_equal(db_transaction(conn, true, remove_things, records, &err), 0);
	assert_int_equal(count("TRUE"), MANY - 1);
	assert_int_equal(count("bits = 100"), 0);
}

static void test_records_of_one_array_that_meet_see_each_other(void **state)
{
	const struct thing records[] = {{.id = 1, .bits = 1}, {.id = 1, .bits = UINT64_C(1) << 63}};
	struct thing ret[2];
	assert_int_equal(db_write_all(conn, &stmts[THING_MERGE], &bits_row, records, 2, ret, NULL, &err), 0);
	assert_true(ret[0].bits == 1);
	assert_true(ret[1].bits == ((UINT64_C(1) << 63) | 1));
}

static void test_the_bad_record_is_named_and_nothing_applied(void **state)
{
	static const unsigned bad[] = {0, 1, 255, MANY - 1};
	static struct thing records[MANY], ret[MANY];
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		unsigned found = 999;
		make_many(records);
		records[bad[i]].bits = 13; /* the table's CHECK */
		assert_int_equal(
			db_write_all(conn, &stmts[THING_MERGE], &bits_row, records, MANY, ret, &found, &err),
			-STATUS_INTERNAL);
		assert_int_equal(found, bad[i]);
		assert_int_equal(count("TRUE"), 0);
	}
}

static void test_a_duplicate_in_an_array(void **state)
{
	static struct thing records[MANY];
	unsigned bad = 5;
	make_many(records);
	records[200].id = records[100].id;
	assert_int_equal(
		db_write_all(conn, &stmts[THING_ADD_BITS], &bits_row, records, MANY, NULL, &bad, &err),
		-STATUS_ALREADY_EXISTS);
	assert_string_equal(db_duplicate_key(conn), "PRIMARY");
	assert_int_equal(bad, MANY); /* without RETURNING nobody knows */
	assert_int_equal(count("TRUE"), 0);
	records[200].id = 1000;
	assert_int_equal(
		db_write_all(conn, &stmts[THING_ADD_BITS], &bits_row, records, MANY, NULL, &bad, &err), 0);
	assert_int_equal(count("TRUE"), MANY);
}

/* --- lists --- */

static void test_what_a_list_gives(void **state)
{
	assert_string_equal(DB_NAMES(THING_COLUMNS), "id, whole, maybe, small, wide, kind, side, flag, bits, "
						     "text, note, code, bytes, fixed");
	assert_string_equal(DB_LETTERS(THING_COLUMNS), "iiiiiiiiusssbb");
	assert_int_equal(DB_COUNT(THING_COLUMNS), 14);
	assert_string_equal(DB_MARKS(BITS_COLUMNS), "?, ?");
	assert_string_equal(DB_SETS(BITS_COLUMNS), "id = ?, bits = ?");
	assert_string_equal(DB_INSERT("thing", BITS_COLUMNS), "INSERT INTO thing (id, bits) VALUES (?, ?)");
	assert_string_equal(DB_SELECT(BITS_COLUMNS, " FROM thing"), "SELECT id, bits FROM thing");
	assert_string_equal(DB_UPSERT("thing", BITS_COLUMNS, " bits = 1"),
			    "INSERT INTO thing (id, bits) VALUES (?, ?) ON DUPLICATE KEY UPDATE bits = 1");
	assert_string_equal(DB_UPDATE("thing", BITS_COLUMNS, " WHERE id = 1"),
			    "UPDATE thing SET id = ?, bits = ? WHERE id = 1");
	assert_string_equal(DB_DECLARES(BITS_COLUMNS), " DECLARE id DEFAULT ?; DECLARE bits DEFAULT ?;");
}

static void test_a_list_declares_the_parameters_of_a_compound_statement(void **state)
{
	const struct thing t = {.id = 7, .text = "课", .fixed = {9, 0, 9, 0}};
	struct db_value args[DB_COUNT(PARAMETERS) + 1];
	struct thing got;
	db_row_values(&parameter_row, &t, args);
	args[DB_COUNT(PARAMETERS)] = db_i64(100);
	assert_int_equal(db_read(conn, &stmts[THING_COMPOUND], args, ARRAY_SIZE(args), &arena, &got, &err),
			 1);
	assert_int_equal(got.id, 108);
	assert_string_equal(got.text, "课");
	assert_memory_equal(got.fixed, t.fixed, sizeof(t.fixed));
}

static void fails_the_start(struct db_stmt stmt)
{
	const struct db_stmt_list list = {"drift", &stmt, 1};
	const struct db_stmt_list *const drift[] = {&thing_stmts, &list, NULL};
	struct db_conn *c = NULL;
	assert_int_equal(db_open(&db->config, drift, &c, &err), -STATUS_INTERNAL);
	assert_null(c);
	assert_non_null(strstr(err.message, stmt.name));
}

static void test_a_row_of_another_number_of_columns_fails_the_start(void **state)
{
	fails_the_start((struct db_stmt){"few", NULL, &thing_row, DB_SELECT(BITS_COLUMNS, " FROM thing")});
	fails_the_start((struct db_stmt){"many", NULL, &bits_row, DB_SELECT(THING_COLUMNS, " FROM thing")});
	fails_the_start((struct db_stmt){"none", NULL, NULL, DB_SELECT(BITS_COLUMNS, " FROM thing")});
	fails_the_start((struct db_stmt){"letters", DB_LETTERS(TEXT_COLUMNS), NULL,
					 DB_INSERT("thing", THING_COLUMNS)});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_least_of_each_type, clear),
		cmocka_unit_test_setup(test_the_greatest_of_each_type, clear),
		cmocka_unit_test_setup(test_text_of_any_length_and_script, clear),
		cmocka_unit_test_setup(test_a_high_bit_alone, clear),
		cmocka_unit_test_setup(test_nothing_is_null_where_the_type_says_so, clear),
		cmocka_unit_test_setup(test_null_reads_as_nothing, clear),
		cmocka_unit_test_setup(test_what_has_no_column_becomes_zero, clear),
		cmocka_unit_test_setup(test_a_code_that_is_too_long_is_cut, clear),
		cmocka_unit_test_setup(test_fixed_bytes_of_another_length_are_none, clear),
		cmocka_unit_test_setup(test_a_number_that_does_not_fit_is_refused, clear),
		cmocka_unit_test_setup(test_a_row_none_and_an_error_are_three_values, clear),
		cmocka_unit_test_setup(test_the_first_of_many_rows, clear),
		cmocka_unit_test_setup(test_all_rows_however_many, clear),
		cmocka_unit_test_setup(test_a_look_that_met_its_limit_says_so, clear),
		cmocka_unit_test_setup(test_a_full_arena_is_refused_whole, clear),
		cmocka_unit_test_setup(test_numbers_need_no_memory, clear),
		cmocka_unit_test_setup(test_more_follows_the_columns, clear),
		cmocka_unit_test_setup(test_a_duplicate_names_its_key, clear),
		cmocka_unit_test_setup(test_an_array_answers_in_the_records_order, clear),
		cmocka_unit_test_setup(test_an_array_removes_the_rows_it_names, clear),
		cmocka_unit_test_setup(test_records_of_one_array_that_meet_see_each_other, clear),
		cmocka_unit_test_setup(test_the_bad_record_is_named_and_nothing_applied, clear),
		cmocka_unit_test_setup(test_a_duplicate_in_an_array, clear),
		cmocka_unit_test_setup(test_what_a_list_gives, clear),
		cmocka_unit_test_setup(test_a_list_declares_the_parameters_of_a_compound_statement, clear),
		cmocka_unit_test_setup(test_a_row_of_another_number_of_columns_fails_the_start, clear),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
