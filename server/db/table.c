/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/table.h"

#include <stdlib.h>
#include <string.h>

#include "server/db/stmt.h"

static const struct db_column i64_column[] = {{NULL, DB_I64, 0, sizeof(int64_t)}};
const struct db_row db_row_i64 = {"i", i64_column, sizeof(int64_t)};

/* --- values of a record --- */

static struct db_value value_of(const struct db_column *column, const void *record)
{
	const void *member = (const char *)record + column->offset;
	switch (column->type) {
	case DB_I64:
		return db_i64(*(const int64_t *)member);
	case DB_I64_OR_NULL:
		return *(const int64_t *)member ? db_i64(*(const int64_t *)member) : db_null();
	case DB_INT:
		return db_i64(*(const int *)member);
	case DB_U32:
		return db_i64(*(const uint32_t *)member);
	case DB_BOOL:
		return db_i64(*(const bool *)member);
	case DB_U64:
		return db_u64(*(const uint64_t *)member);
	case DB_TEXT:
	case DB_TEXT_OR_NULL:
		return db_str(*(const char *const *)member);
	case DB_CODE:
		return db_str(member);
	case DB_BYTES:
		return db_bytes(*(const struct span *)member);
	case DB_FIXED:
		return db_bytes(span_of(member, column->size));
	}
	return db_null();
}

void db_row_values(const struct db_row *row, const void *record, struct db_value *ret)
{
	for (unsigned i = 0; row->letters[i]; i++)
		ret[i] = value_of(&row->columns[i], record);
}

/* --- a record of values --- */

static void take_span(struct span s, const struct rowset_cell *cell, const struct db_column *column,
		      struct arena *arena, void *member)
{
	switch (column->type) {
	case DB_TEXT:
	case DB_TEXT_OR_NULL:
		if (!cell->null || column->type == DB_TEXT)
			*(char **)member = arena_strndup(arena, s.len ? (const char *)s.data : "", s.len);
		break;
	case DB_CODE: /* what follows is zero */
		if (s.len)
			memcpy(member, s.data, s.len < column->size ? s.len : column->size - 1);
		break;
	case DB_BYTES:
		if (!cell->null)
			*(struct span *)member =
				span_of(s.len ? arena_memdup(arena, s.data, s.len) : "", s.len);
		break;
	default:
		if (s.data && s.len == column->size)
			memcpy(member, s.data, s.len);
	}
}

static void take_number(const struct rowset_cell *cell, const struct db_column *column, void *member)
{
	switch (column->type) {
	case DB_INT:
	case DB_U32:
		*(uint32_t *)member = (uint32_t)cell->i;
		break;
	case DB_BOOL:
		*(bool *)member = cell->i != 0;
		break;
	default:
		memcpy(member, &cell->i, sizeof(cell->i));
	}
}

/* The row `index` of what the statement has read. */
static void take_row(const struct db_prepared *p, unsigned index, struct arena *arena, void *ret)
{
	const struct db_row *row = p->stmt->out;
	const struct rowset_cell *cells = rowset_at(&p->rows, index, 0);
	memset(ret, 0, row->size);
	for (unsigned i = 0; i < p->n_out; i++) {
		void *member = (char *)ret + row->columns[i].offset;
		char letter = row->letters[i];
		if (letter == 's' || letter == 'b')
			take_span(cells[i].null ? (struct span){0} : rowset_bytes(&p->rows, &cells[i]),
				  &cells[i], &row->columns[i], arena, member);
		else /* 0 for NULL */
			take_number(&cells[i], &row->columns[i], member);
	}
}

/* --- reading --- */

int db_read(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args, unsigned n_args,
	    struct arena *arena, void *ret, struct error *err)
{
	struct db_prepared *p;
	int r = stmt_query(conn, stmt, args, n_args, &p, err);
	if (r < 0 || rowset_count(&p->rows) == 0)
		return r;
	take_row(p, 0, arena, ret);
	r = arena ? arena_check(arena, err) : 0;
	return r < 0 ? r : 1;
}

int db_read_one(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args,
		unsigned n_args, struct arena *arena, void *ret, struct error *err)
{
	int r = db_read(conn, stmt, args, n_args, arena, ret, err);
	if (r == 0)
		return error_internal(err, "statement %s has no row", stmt->name);
	return r < 0 ? r : 0;
}

int db_found(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args, unsigned n_args,
	     struct error *err)
{
	struct db_prepared *p;
	int r = stmt_query(conn, stmt, args, n_args, &p, err);
	return r < 0 ? r : rowset_count(&p->rows) > 0;
}

int db_read_all(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args,
		unsigned n_args, struct arena *arena, void *ret, unsigned *ret_n, struct error *err)
{
	struct db_prepared *p;
	int r = stmt_query(conn, stmt, args, n_args, &p, err);
	if (r < 0)
		return r;
	unsigned n = rowset_count(&p->rows);
	char *items = arena_alloc(arena, n * stmt->out->size);
	for (unsigned i = 0; items && i < n; i++)
		take_row(p, i, arena, items + i * stmt->out->size);
	memcpy(ret, &items, sizeof(items));
	*ret_n = n;
	return arena_check(arena, err);
}

/* --- writing --- */

int db_write(struct db_conn *conn, const struct db_stmt *stmt, const struct db_row *row, const void *record,
	     const struct db_value *more, unsigned n_more, struct error *err)
{
	struct db_value args[STMT_VALUES_MAX];
	unsigned n = (unsigned)strlen(row->letters);
	if (n + n_more > STMT_VALUES_MAX)
		return error_internal(err, "statement %s has more than %d values", stmt->name,
				      STMT_VALUES_MAX);
	db_row_values(row, record, args);
	if (n_more)
		memcpy(args + n, more, n_more * sizeof(*more));
	return db_exec(conn, stmt, args, n + n_more, NULL, err);
}

int db_write_all(struct db_conn *conn, const struct db_stmt *stmt, const struct db_row *row,
		 const void *records, unsigned n, void *ret, unsigned *ret_bad, struct error *err)
{
	struct db_prepared *p;
	unsigned n_args = (unsigned)strlen(row->letters), bad;
	struct db_value *args = calloc((size_t)n * n_args, sizeof(*args));
	if (!args && n)
		return error_internal(err, "out of memory for %u rows of statement %s", n, stmt->name);
	for (unsigned i = 0; i < n; i++)
		db_row_values(row, (const char *)records + i * row->size, args + (size_t)i * n_args);
	int r = stmt_query_array(conn, stmt, args, n_args, n, &p, ret_bad ? ret_bad : &bad, err);
	free(args);
	for (unsigned i = 0; r == 0 && ret && i < rowset_count(&p->rows); i++)
		take_row(p, i, NULL, (char *)ret + i * stmt->out->size);
	return r;
}
