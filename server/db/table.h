/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_TABLE_H
#define DB_TABLE_H

#include <stddef.h>

#include "server/db/db.h"

/*
 * Rows as structs. A list names each column once, with its type and the member that holds it; the text of the
 * statements, their letters and the moving of values all follow from the list, so that no value is moved by
 * its position:
 *
 *     #define PRICE_COLUMNS(F, C, R)                          \
 *             F(R, "course_id", I64, course_id)               \
 *             C(R, "currency_code", CODE, currency_code)      \
 *             C(R, "minor_units", I64, minor_units)
 *     DB_ROW(price_row, struct price, PRICE_COLUMNS);
 *
 *     {"price_list", "i", &price_row, DB_SELECT(PRICE_COLUMNS, " FROM course_price WHERE course_id = ?")}
 *     {"price_add", DB_LETTERS(PRICE_COLUMNS), NULL, DB_INSERT("course_price", PRICE_COLUMNS)}
 *
 * F stands for the first column of a list, C for each other one, R for the struct. Lists are put together
 * from shorter ones: `SHORT(F, C, R) OTHER(C, C, R)`. Where a list is only read from, a column may be any
 * expression of SQL. A member that does not have the column's type does not compile.
 */

/* Types, with their members. What is NULL in the database reads as 0, false, "" or nothing. */
enum db_type {
	DB_I64,          /* int64_t */
	DB_I64_OR_NULL,  /* int64_t; 0 is stored as NULL */
	DB_INT,          /* int, uint32_t or an enum */
	DB_U32,          /* what INT is for a member without a sign */
	DB_BOOL,         /* bool */
	DB_U64,          /* uint64_t */
	DB_TEXT,         /* char *, in the arena */
	DB_TEXT_OR_NULL, /* char *; NULL is NULL */
	DB_CODE,         /* char[n]: text of less than n bytes */
	DB_BYTES,        /* struct span, in the arena; data is NULL for NULL, which is not written */
	DB_FIXED,        /* uint8_t[n]: exactly n bytes */
};

struct db_column {
	const char *name;
	enum db_type type;
	unsigned offset, size; /* of the member */
};

/* The row of a statement with one column, read into an int64_t. */
extern const struct db_row db_row_i64;

/* --- what a list gives --- */

#define DB_NAMES(LIST) LIST(DB_FIRST_NAME_, DB_NAME_, )       /* "a, b, c" */
#define DB_MARKS(LIST) LIST(DB_FIRST_MARK_, DB_MARK_, )       /* "?, ?, ?" */
#define DB_SETS(LIST) LIST(DB_FIRST_SET_, DB_SET_, )          /* "a = ?, b = ?, c = ?" */
#define DB_LETTERS(LIST) LIST(DB_LETTER_OF_, DB_LETTER_OF_, ) /* "isb" */
#define DB_COUNT(LIST) (sizeof(DB_LETTERS(LIST)) - 1)
#define DB_SELECT(LIST, rest) "SELECT " DB_NAMES(LIST) rest
#define DB_INSERT(table, LIST) "INSERT INTO " table " (" DB_NAMES(LIST) ") VALUES (" DB_MARKS(LIST) ")"
#define DB_UPSERT(table, LIST, sets) DB_INSERT(table, LIST) " ON DUPLICATE KEY UPDATE" sets
#define DB_UPDATE(table, LIST, rest) "UPDATE " table " SET " DB_SETS(LIST) rest
/* Of a list whose names are declarations ("v_total BIGINT"): the parameters of a compound statement. */
#define DB_DECLARES(LIST) LIST(DB_DECLARE_, DB_DECLARE_, )

/* The database's time, that of the statement's begin, as an expression. */
#define DB_NOW_US "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"

/* Defines `id`, the row of a list in a struct. */
#define DB_ROW(id, record, LIST)                                                                             \
	static const struct db_column id##_columns[] = {LIST(DB_COLUMN_, DB_COLUMN_, record)};               \
	static const struct db_row id = {DB_LETTERS(LIST), id##_columns, sizeof(record)}

#define DB_FIRST_NAME_(R, name, type, member) name
#define DB_NAME_(R, name, type, member) ", " name
#define DB_FIRST_MARK_(R, name, type, member) "?"
#define DB_MARK_(R, name, type, member) ", ?"
#define DB_FIRST_SET_(R, name, type, member) name " = ?"
#define DB_SET_(R, name, type, member) ", " name " = ?"
#define DB_DECLARE_(R, name, type, member) " DECLARE " name " DEFAULT ?;"
#define DB_LETTER_OF_(R, name, type, member) DB_LETTER_##type
#define DB_COLUMN_(R, name, type, member)                                                                    \
	{name, DB_TYPE_##type(((R *)0)->member), offsetof(R, member),                                        \
	 sizeof(((R *)0)->member) + 0 * sizeof(char[DB_FITS_##type(((R *)0)->member) ? 1 : -1])},

#define DB_TYPE_I64(m) DB_I64
#define DB_TYPE_I64_OR_NULL(m) DB_I64_OR_NULL
#define DB_TYPE_INT(m) _Generic((m), unsigned : DB_U32, default : DB_INT)
#define DB_TYPE_BOOL(m) DB_BOOL
#define DB_TYPE_U64(m) DB_U64
#define DB_TYPE_TEXT(m) DB_TEXT
#define DB_TYPE_TEXT_OR_NULL(m) DB_TEXT_OR_NULL
#define DB_TYPE_CODE(m) DB_CODE
#define DB_TYPE_BYTES(m) DB_BYTES
#define DB_TYPE_FIXED(m) DB_FIXED

#define DB_LETTER_I64 "i"
#define DB_LETTER_I64_OR_NULL "i"
#define DB_LETTER_INT "i"
#define DB_LETTER_BOOL "i"
#define DB_LETTER_U64 "u"
#define DB_LETTER_TEXT "s"
#define DB_LETTER_TEXT_OR_NULL "s"
#define DB_LETTER_CODE "s"
#define DB_LETTER_BYTES "b"
#define DB_LETTER_FIXED "b"

#define DB_FITS_I64(m) _Generic((m), int64_t : 1, default : 0)
#define DB_FITS_I64_OR_NULL(m) DB_FITS_I64(m)
#define DB_FITS_INT(m) _Generic((m), int : 1, unsigned : 1, default : 0)
#define DB_FITS_BOOL(m) _Generic((m), bool : 1, default : 0)
#define DB_FITS_U64(m) _Generic((m), uint64_t : 1, default : 0)
#define DB_FITS_TEXT(m) _Generic(&(m), char ** : 1, const char ** : 1, default : 0)
#define DB_FITS_TEXT_OR_NULL(m) DB_FITS_TEXT(m)
#define DB_FITS_CODE(m)                                                                                      \
	_Generic(&(m), char ** : 0, const char ** : 0, default : _Generic(&(m)[0], char * : 1, default : 0))
#define DB_FITS_BYTES(m) _Generic((m), struct span : 1, default : 0)
#define DB_FITS_FIXED(m)                                                                                     \
	_Generic(&(m), uint8_t * * : 0, default : _Generic(&(m)[0], uint8_t * : 1, default : 0))

/* --- reading; for failures see db.h, and MESSAGE_TOO_LARGE when the arena is full --- */

/* Runs a statement of at most one row: 1 and *ret, a struct of the statement's row; 0 for none; negative.
 * What the row has no column for becomes zero. `arena` may be NULL where no column needs one. */
int db_read(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args, unsigned n_args,
	    struct arena *arena, void *ret, struct error *err) __attribute__((warn_unused_result));

/* The same of a statement that always has a row: 0 or negative; INTERNAL when there is none. */
int db_read_one(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args,
		unsigned n_args, struct arena *arena, void *ret, struct error *err)
	__attribute__((warn_unused_result));

/* The same where only it matters whether there is a row. */
int db_found(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args, unsigned n_args,
	     struct error *err) __attribute__((warn_unused_result));

/* Every row: `ret` is the address of a pointer to structs of the statement's row, which gets an array of them
 * in the arena. */
int db_read_all(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args,
		unsigned n_args, struct arena *arena, void *ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

/* --- writing --- */

/* Runs a statement whose parameters are the row's columns, with their values in `record`, and after them
 * `more`. */
int db_write(struct db_conn *conn, const struct db_stmt *stmt, const struct db_row *row, const void *record,
	     const struct db_value *more, unsigned n_more, struct error *err)
	__attribute__((warn_unused_result));

/*
 * The same for each of `n` records in one round trip: INSERT, REPLACE, INSERT ... ON DUPLICATE KEY UPDATE,
 * and inside a transaction UPDATE and DELETE. With RETURNING, `ret` is an array of `n` structs of the
 * statement's row, of numbers only, and is filled in the records' order. On failure *ret_bad is the index of
 * the record at fault, `n` when it is unknown, as it is without RETURNING; may be NULL.
 */
int db_write_all(struct db_conn *conn, const struct db_stmt *stmt, const struct db_row *row,
		 const void *records, unsigned n, void *ret, unsigned *ret_bad, struct error *err)
	__attribute__((warn_unused_result));

/* The values of a record, one for each column. */
void db_row_values(const struct db_row *row, const void *record, struct db_value *ret);

#endif
