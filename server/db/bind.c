/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/bind.h"

#include <stdlib.h>
#include <string.h>

int stmt_check_args(const struct db_prepared *p, const struct db_value *args, unsigned n_args,
		    unsigned n_rows, struct error *err)
{
	if (n_args != p->n_in)
		return error_internal(err, "statement %s takes %u parameters, %u given", p->stmt->name,
				      p->n_in, n_args);
	for (size_t i = 0; i < (size_t)n_args * n_rows; i++)
		if (args[i].type && args[i].type != p->stmt->in[i % n_args])
			return error_internal(err, "statement %s takes '%c' as parameter %zu, '%c' given",
					      p->stmt->name, p->stmt->in[i % n_args], i % n_args,
					      args[i].type);
	return 0;
}

static enum enum_field_types field_type(char letter)
{
	switch (letter) {
	case 's':
		return MYSQL_TYPE_STRING;
	case 'b':
		return MYSQL_TYPE_BLOB;
	default:
		return MYSQL_TYPE_LONGLONG;
	}
}

/* The library takes a NULL buffer for SQL NULL, which an empty span is not. */
static const void *span_data(struct span s)
{
	static const uint8_t nothing;
	return s.data ? s.data : &nothing;
}

void stmt_bind_row(const struct db_stmt *stmt, const struct db_value *args, unsigned n, struct params *ps)
{
	memset(ps->binds, 0, n * sizeof(*ps->binds));
	for (unsigned i = 0; i < n; i++) {
		MYSQL_BIND *b = &ps->binds[i];
		const struct db_value *v = &args[i];
		b->buffer_type = field_type(stmt->in[i]);
		b->is_unsigned = stmt->in[i] == 'u';
		b->is_null = &ps->nulls[i];
		ps->nulls[i] = v->type == 0;
		if (v->type == 's' || v->type == 'b') {
			b->buffer = (void *)(uintptr_t)span_data(v->s);
			b->buffer_length = v->s.len;
			ps->lengths[i] = v->s.len;
			b->length = &ps->lengths[i];
		} else {
			ps->numbers[i] = v->type == 'u' ? (long long)v->u : v->type == 'i' ? v->i : 0;
			b->buffer = &ps->numbers[i];
		}
	}
}

void array_params_done(struct array_params *ps)
{
	free(ps->cells);
	free(ps->lengths);
	free(ps->indicators);
}

static void bind_array_cell(const struct db_value *v, struct array_params *ps, size_t at)
{
	ps->indicators[at] = v->type ? STMT_INDICATOR_NONE : STMT_INDICATOR_NULL;
	if (v->type == 's' || v->type == 'b') {
		ps->cells[at].data = span_data(v->s);
		ps->lengths[at] = v->s.len;
	} else {
		ps->cells[at].number = v->type == 'u' ? (long long)v->u : v->type == 'i' ? v->i : 0;
	}
}

int stmt_bind_array(const struct db_stmt *stmt, const struct db_value *args, unsigned n_args, unsigned n_rows,
		    struct array_params *ps, struct error *err)
{
	size_t n = (size_t)n_args * n_rows;
	ps->cells = calloc(n, sizeof(*ps->cells));
	ps->lengths = calloc(n, sizeof(*ps->lengths));
	ps->indicators = calloc(n, 1);
	if (!ps->cells || !ps->lengths || !ps->indicators)
		return error_internal(err, "out of memory for %u rows of statement %s", n_rows, stmt->name);
	memset(ps->binds, 0, n_args * sizeof(*ps->binds));
	for (unsigned c = 0; c < n_args; c++) {
		size_t at = (size_t)c * n_rows;
		for (unsigned r = 0; r < n_rows; r++)
			bind_array_cell(&args[(size_t)r * n_args + c], ps, at + r);
		ps->binds[c].buffer_type = field_type(stmt->in[c]);
		ps->binds[c].is_unsigned = stmt->in[c] == 'u';
		ps->binds[c].buffer = &ps->cells[at];
		ps->binds[c].length = &ps->lengths[at];
		ps->binds[c].u.indicator = &ps->indicators[at];
	}
	return 0;
}

void stmt_bind_columns(const struct db_prepared *p, struct columns *cs)
{
	memset(cs->binds, 0, p->n_out * sizeof(*cs->binds));
	for (unsigned i = 0; i < p->n_out; i++) {
		MYSQL_BIND *b = &cs->binds[i];
		char letter = p->stmt->out->letters[i];
		b->buffer_type = field_type(letter);
		b->is_unsigned = letter == 'u';
		b->is_null = &cs->nulls[i];
		b->length = &cs->lengths[i];
		b->error = &cs->errors[i];
		bool number = letter == 'i' || letter == 'u';
		b->buffer = number ? (void *)&cs->numbers[i] : cs->texts[i];
		b->buffer_length = number ? sizeof(cs->numbers[i]) : STMT_INLINE_BYTES;
	}
}

/* Copies a text column; what did not fit the inline buffer is fetched again, whole. */
static int keep_text(struct db_prepared *p, struct columns *cs, unsigned i, struct rowset_cell *cell)
{
	unsigned long len = cs->lengths[i];
	uint8_t *to = rowset_add_bytes(&p->rows, cell, len);
	if (!to)
		return -1;
	if (len <= STMT_INLINE_BYTES) {
		memcpy(to, cs->texts[i], len);
		return 0;
	}
	unsigned long whole_len = 0;
	my_bool null = 0, error = 0;
	MYSQL_BIND whole = {.buffer_type = field_type(p->stmt->out->letters[i]),
			    .buffer = to,
			    .buffer_length = len,
			    .length = &whole_len,
			    .is_null = &null,
			    .error = &error};
	return mysql_stmt_fetch_column(p->handle, &whole, i, 0) ? -1 : 0;
}

int stmt_keep_row(struct db_prepared *p, struct columns *cs, struct error *err)
{
	struct rowset_cell *row = rowset_add(&p->rows);
	if (!row)
		return error_internal(err, "out of memory for the rows of statement %s", p->stmt->name);
	for (unsigned i = 0; i < p->n_out; i++) {
		char letter = p->stmt->out->letters[i];
		row[i].null = cs->nulls[i];
		if (row[i].null)
			continue;
		if (letter == 's' || letter == 'b') {
			if (keep_text(p, cs, i, &row[i]) < 0)
				return error_internal(err, "cannot keep column %u of statement %s", i,
						      p->stmt->name);
		} else if (cs->errors[i]) {
			return error_internal(err, "column %u of statement %s does not fit type '%c'", i,
					      p->stmt->name, letter);
		} else {
			row[i].i = cs->numbers[i];
		}
	}
	return 0;
}
