/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "server/db/conn_state.h"

int db_next(struct db_rows *rows, struct error *err)
{
	if (!rows->handle)
		return 0;
	const struct db_prepared *p = rows->handle;
	if (p->rows.run != rows->run)
		return error_internal(err, "statement %s was run again while its rows were read",
				      rows->stmt->name);
	if (rows->count < rowset_count(&p->rows)) {
		rows->count++;
		return 1;
	}
	if (rows->failed) {
		*err = rows->conn->array_error;
		return rows->failed;
	}
	return 0;
}

void db_rows_done(struct db_rows *rows)
{
	rows->handle = NULL;
}

/* The cell of the current row; NULL for SQL NULL. Reading a column as what it is not is a bug of the store.
 */
static const struct rowset_cell *cell_of(const struct db_rows *rows, unsigned column, const char *types)
{
	const struct db_prepared *p = rows->handle;
	assert(p && rows->count > 0 && p->rows.run == rows->run && column < p->n_out);
	assert(strchr(types, rows->stmt->out->letters[column]));
	const struct rowset_cell *cell = rowset_at(&p->rows, rows->count - 1, column);
	return cell->null ? NULL : cell;
}

bool db_is_null(const struct db_rows *rows, unsigned column)
{
	return cell_of(rows, column, "iusb") == NULL;
}

int64_t db_col_i64(const struct db_rows *rows, unsigned column)
{
	const struct rowset_cell *cell = cell_of(rows, column, "i");
	return cell ? cell->i : 0;
}

uint64_t db_col_u64(const struct db_rows *rows, unsigned column)
{
	const struct rowset_cell *cell = cell_of(rows, column, "u");
	return cell ? cell->u : 0;
}

static struct span col_span(const struct db_rows *rows, unsigned column)
{
	const struct rowset_cell *cell = cell_of(rows, column, "sb");
	const struct db_prepared *p = rows->handle;
	return cell ? rowset_bytes(&p->rows, cell) : span_of(NULL, 0);
}

char *db_col_str(const struct db_rows *rows, unsigned column, struct arena *arena)
{
	struct span s = col_span(rows, column);
	return arena_strndup(arena, s.len ? (const char *)s.data : "", s.len);
}

struct span db_col_bytes(const struct db_rows *rows, unsigned column, struct arena *arena)
{
	struct span s = col_span(rows, column);
	if (s.len == 0)
		return span_of(db_is_null(rows, column) ? NULL : "", 0);
	return span_of(arena_memdup(arena, s.data, s.len), s.len);
}
