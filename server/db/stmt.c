/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <ctype.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/db/conn.h"
#include "server/db/misfit.h"

/* Parameters and columns of one statement, at most; and what of a text column is fetched without asking
 * again. */
enum { STMT_VALUES_MAX = 64, STMT_INLINE_BYTES = 256 };

/* --- preparing --- */

static bool starts_with_word(const char *sql, const char *word)
{
	while (isspace((unsigned char)*sql) || *sql == '(')
		sql++;
	size_t n = strlen(word);
	return strncasecmp(sql, word, n) == 0 && !isalnum((unsigned char)sql[n]) && sql[n] != '_';
}

static int stmt_fail(struct db_conn *conn, const struct db_prepared *p, unsigned number, const char *message,
		     struct error *err)
{
	int r = conn_fail(conn, number, message, p->stmt->name, err);
	if (!conn->opened || !misfit_number(number))
		return r;
	conn->failure = DB_FAILURE_MISFIT;
	return misfit_raise(p->stmt, message, err);
}

static int prepare_failed(struct db_conn *conn, struct db_prepared *p, struct error *err)
{
	unsigned number = mysql_stmt_errno(p->handle);
	char message[256];
	snprintf(message, sizeof(message), "%s", mysql_stmt_error(p->handle));
	return stmt_fail(conn, p, number, message, err);
}

static int check_counts(const struct db_prepared *p, struct error *err)
{
	unsigned long params = mysql_stmt_param_count(p->handle);
	unsigned columns = mysql_stmt_field_count(p->handle);
	if (params != p->n_in)
		return error_internal(err, "statement %s declares %u parameters, its text has %lu",
				      p->stmt->name, p->n_in, params);
	/* What a compound statement or one with RETURNING answers is told only when it has run; read_rows()
	 * looks. */
	bool told = p->reads_only || columns > 0 || p->n_out == 0;
	if (!p->compound && told && columns != p->n_out)
		return error_internal(err, "statement %s declares %u columns, the schema gives %u",
				      p->stmt->name, p->n_out, columns);
	return 0;
}

static int check_letters(const struct db_stmt *stmt, const char *letters, struct error *err)
{
	if (strlen(letters) > STMT_VALUES_MAX)
		return error_internal(err, "statement %s has more than %d values", stmt->name,
				      STMT_VALUES_MAX);
	if (letters[strspn(letters, "iusb")] != '\0')
		return error_internal(err, "statement %s declares a type that is none of i u s b",
				      stmt->name);
	return 0;
}

int stmt_prepare(struct db_conn *conn, struct db_prepared *p, struct error *err)
{
	const struct db_stmt *stmt = p->stmt;
	const char *in = stmt->in ? stmt->in : "", *out = stmt->out ? stmt->out : "";
	int r = check_letters(stmt, in, err);
	if (r == 0)
		r = check_letters(stmt, out, err);
	if (r < 0)
		return r;
	p->n_in = (unsigned)strlen(in);
	p->n_out = (unsigned)strlen(out);
	p->compound = starts_with_word(stmt->sql, "BEGIN");
	p->reads_only = starts_with_word(stmt->sql, "SELECT") || starts_with_word(stmt->sql, "WITH");
	p->bounded = strstr(stmt->sql, " ROWS EXAMINED ") != NULL;
	p->handle = mysql_stmt_init(conn->mysql);
	if (!p->handle)
		return error_internal(err, "out of memory for statement %s", stmt->name);
	guard_asks(conn, conn_time_ms(conn));
	r = mysql_stmt_prepare(p->handle, stmt->sql, strlen(stmt->sql));
	guard_answered(conn);
	if (r)
		r = prepare_failed(conn, p, err);
	else
		r = check_counts(p, err);
	if (r < 0)
		stmt_close(p);
	else
		misfit_over(p->stmt);
	return r;
}

void stmt_close(struct db_prepared *p)
{
	if (p->handle)
		mysql_stmt_close(p->handle);
	p->handle = NULL;
}

/* --- parameters --- */

/* Whatever the client library or the connection knows of a failure: for some, only one of them does. */
static bool is_unwanted(const struct db_conn *conn)
{
	return conn->unwanted && atomic_load(conn->unwanted);
}

static int unwanted(struct db_conn *conn, struct error *err)
{
	conn->failure = DB_FAILURE_UNWANTED;
	return error_raise(err, &RPC_REASON_CALL_CANCELLED, "Nobody waits for the answer any more.");
}

static int run_failed(struct db_conn *conn, struct db_prepared *p, struct error *err)
{
	unsigned number = mysql_stmt_errno(p->handle);
	const char *text = mysql_stmt_error(p->handle);
	if (!number) {
		number = mysql_errno(conn->mysql);
		text = mysql_error(conn->mysql);
	}
	if (number == ER_QUERY_INTERRUPTED && is_unwanted(conn))
		return unwanted(conn, err);
	char message[512];
	snprintf(message, sizeof(message), "%s", text);
	return stmt_fail(conn, p, number, message, err);
}

static int check_args(const struct db_prepared *p, const struct db_value *args, unsigned n_args,
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

struct params {
	MYSQL_BIND binds[STMT_VALUES_MAX];
	long long numbers[STMT_VALUES_MAX];
	unsigned long lengths[STMT_VALUES_MAX];
	my_bool nulls[STMT_VALUES_MAX];
};

static void bind_one_row(const struct db_stmt *stmt, const struct db_value *args, unsigned n,
			 struct params *ps)
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

/* Column-wise arrays: for column c and row r the element c * n_rows + r. One allocation for all of them. */
struct array_params {
	MYSQL_BIND binds[STMT_VALUES_MAX];
	union array_cell {
		long long number;
		const void *data;
	} * cells;
	unsigned long *lengths;
	char *indicators;
};

static void array_params_done(struct array_params *ps)
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

static int bind_array(const struct db_stmt *stmt, const struct db_value *args, unsigned n_args,
		      unsigned n_rows, struct array_params *ps, struct error *err)
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

/* --- rows --- */

struct columns {
	MYSQL_BIND binds[STMT_VALUES_MAX];
	long long numbers[STMT_VALUES_MAX];
	unsigned long lengths[STMT_VALUES_MAX];
	my_bool nulls[STMT_VALUES_MAX], errors[STMT_VALUES_MAX];
	char texts[STMT_VALUES_MAX][STMT_INLINE_BYTES];
};

static void bind_columns(const struct db_prepared *p, struct columns *cs)
{
	memset(cs->binds, 0, p->n_out * sizeof(*cs->binds));
	for (unsigned i = 0; i < p->n_out; i++) {
		MYSQL_BIND *b = &cs->binds[i];
		char letter = p->stmt->out[i];
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
	MYSQL_BIND whole = {.buffer_type = field_type(p->stmt->out[i]),
			    .buffer = to,
			    .buffer_length = len,
			    .length = &whole_len,
			    .is_null = &null,
			    .error = &error};
	return mysql_stmt_fetch_column(p->handle, &whole, i, 0) ? -1 : 0;
}

static int keep_row(struct db_prepared *p, struct columns *cs, struct error *err)
{
	struct rowset_cell *row = rowset_add(&p->rows);
	if (!row)
		return error_internal(err, "out of memory for the rows of statement %s", p->stmt->name);
	for (unsigned i = 0; i < p->n_out; i++) {
		char letter = p->stmt->out[i];
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

/* Reads a result set to its end. The last row may be followed by an error that only the connection knows of.
 */
static int read_rows(struct db_conn *conn, struct db_prepared *p, bool array, struct error *err)
{
	struct columns cs;
	rowset_start(&p->rows, p->n_out, ++conn->runs);
	if (mysql_stmt_field_count(p->handle) != p->n_out)
		return error_internal(err, "statement %s declares %u columns, its answer has %u",
				      p->stmt->name, p->n_out, mysql_stmt_field_count(p->handle));
	bind_columns(p, &cs);
	if (mysql_stmt_bind_result(p->handle, cs.binds))
		return run_failed(conn, p, err);
	/* An array statement's rows are read one by one: the number before an error is the index of the bad
	 * row. */
	if (!array && mysql_stmt_store_result(p->handle))
		return run_failed(conn, p, err);
	for (;;) {
		int r = mysql_stmt_fetch(p->handle);
		if (r == MYSQL_NO_DATA)
			break;
		if (r != 0 && r != MYSQL_DATA_TRUNCATED)
			return run_failed(conn, p, err);
		r = keep_row(p, &cs, err);
		if (r < 0)
			return r;
	}
	p->cut_short = p->bounded && mysql_warning_count(conn->mysql) > 0;
	return mysql_errno(conn->mysql) ? run_failed(conn, p, err) : 0;
}

/* Skips a result set that is not the answer. */
static int skip_rows(struct db_conn *conn, struct db_prepared *p, struct error *err)
{
	if (mysql_stmt_field_count(p->handle) > 0 && mysql_stmt_store_result(p->handle))
		return run_failed(conn, p, err);
	return 0;
}

/*
 * A compound statement answers with any number of result sets and a final status, and an error after the
 * first shows only when the next is asked for: it has succeeded when mysql_stmt_next_result() says -1, not
 * before.
 */
static int read_sets(struct db_conn *conn, struct db_prepared *p, struct error *err)
{
	bool answered = false;
	for (;;) {
		int r = 0;
		if (mysql_stmt_field_count(p->handle) == 0) {
			/* a status, not a result set */
		} else if (p->n_out && mysql_stmt_field_count(p->handle) == p->n_out) {
			r = read_rows(conn, p, false, err);
			answered = true;
		} else {
			r = skip_rows(conn, p, err);
			answered = false;
		}
		if (r < 0)
			return r;
		mysql_stmt_free_result(p->handle);
		r = mysql_stmt_next_result(p->handle);
		if (r > 0)
			return run_failed(conn, p, err);
		if (r < 0)
			break;
	}
	if (p->n_out && !answered)
		return error_internal(err, "statement %s did not end with %u columns", p->stmt->name,
				      p->n_out);
	return 0;
}

/* --- running --- */

static int ask(struct db_conn *conn, struct db_prepared *p, bool array, uint64_t *ret_affected,
	       struct error *err)
{
	if (mysql_stmt_execute(p->handle))
		return run_failed(conn, p, err);
	if (p->compound)
		return read_sets(conn, p, err);
	if (p->n_out)
		return read_rows(conn, p, array, err);
	if (mysql_errno(conn->mysql))
		return run_failed(conn, p, err);
	*ret_affected = mysql_stmt_affected_rows(p->handle);
	return 0;
}

static int execute_unguarded(struct db_conn *conn, struct db_prepared *p, bool array, uint64_t *ret_affected,
			     struct error *err)
{
	conn->counters.round_trips++;
	conn->sent = true;
	guard_asks(conn, conn_time_ms(conn));
	int r = ask(conn, p, array, ret_affected, err);
	guard_answered(conn);
	return r;
}

static int execute(struct db_conn *conn, struct db_prepared *p, bool array, uint64_t *ret_affected,
		   struct error *err)
{
	if (!p->reads_only)
		return execute_unguarded(conn, p, array, ret_affected, err);
	guard_read_begins(conn);
	/* Looked at once it can be interrupted: who goes away is seen here or interrupts. */
	int r = is_unwanted(conn) ? unwanted(conn, err)
				  : execute_unguarded(conn, p, array, ret_affected, err);
	guard_read_ends(conn);
	return r;
}

static int run_single(struct db_conn *conn, struct db_prepared *p, const struct db_value *args,
		      unsigned n_args, uint64_t *ret_affected, struct error *err)
{
	struct params ps;
	bind_one_row(p->stmt, args, n_args, &ps);
	if (n_args && mysql_stmt_bind_param(p->handle, ps.binds))
		return run_failed(conn, p, err);
	return execute(conn, p, false, ret_affected, err);
}

static int run_array(struct db_conn *conn, struct db_prepared *p, const struct db_value *args,
		     unsigned n_args, unsigned n_rows, uint64_t *ret_affected, struct error *err)
{
	struct array_params ps = {0};
	unsigned none = 0;
	int r = bind_array(p->stmt, args, n_args, n_rows, &ps, err);
	if (r == 0) {
		mysql_stmt_attr_set(p->handle, STMT_ATTR_ARRAY_SIZE, &n_rows);
		r = mysql_stmt_bind_param(p->handle, ps.binds) ? run_failed(conn, p, err)
							       : execute(conn, p, true, ret_affected, err);
		mysql_stmt_attr_set(p->handle, STMT_ATTR_ARRAY_SIZE, &none);
	}
	array_params_done(&ps);
	return r;
}

/* A failed statement leaves nothing behind: no half-read rows, no transaction that a compound one had opened.
 */
static void clean_up_after_failure(struct db_conn *conn, struct db_prepared *p)
{
	if (conn->broken || conn->failure == DB_FAILURE_UNWANTED)
		return;
	/* After some failures the handle of a statement with an answer is of no use: it is prepared again. So
	 * is what did not fit the schema, for misfit_over(). */
	if (p->n_out || p->compound || conn->failure == DB_FAILURE_MISFIT)
		stmt_close(p);
	if (p->compound && !conn->in_transaction)
		conn_rollback(conn);
}

static int run_once(struct db_conn *conn, struct db_prepared *p, const struct db_value *args, unsigned n_args,
		    unsigned n_rows, uint64_t *ret_affected, struct error *err)
{
	int r = conn_ready(conn, err);
	if (r == 0 && !p->handle)
		r = stmt_prepare(conn, p, err);
	if (r < 0)
		return r;
	if (n_rows)
		r = run_array(conn, p, args, n_args, n_rows, ret_affected, err);
	else
		r = run_single(conn, p, args, n_args, ret_affected, err);
	if (r < 0)
		clean_up_after_failure(conn, p);
	else if (p->compound && !conn->in_transaction)
		conn->counters.commits++;
	else
		mysql_stmt_free_result(p->handle);
	return r;
}

/*
 * n_rows 0: one row of parameters, not an array. Outside of a transaction a statement that met a connection
 * gone stale is sent again on a new one if it only reads; if it writes, nobody knows.
 */
static int run(struct db_conn *conn, struct db_prepared *p, const struct db_value *args, unsigned n_args,
	       unsigned n_rows, uint64_t *ret_affected, struct error *err)
{
	int r = check_args(p, args, n_args, n_rows ? n_rows : 1, err);
	if (r < 0)
		return r;
	r = run_once(conn, p, args, n_args, n_rows, ret_affected, err);
	if (r == 0 || conn->failure != DB_FAILURE_LOST || conn->retried)
		return r;
	if (p->reads_only)
		return run_once(conn, p, args, n_args, n_rows, ret_affected, err);
	return error_raise(err, &RPC_REASON_OUTCOME_UNKNOWN,
			   "The database went away; nobody knows whether it was done.");
}

static int find(struct db_conn *conn, const struct db_stmt *stmt, struct db_prepared **ret, struct error *err)
{
	*ret = conn_find(conn, stmt);
	if (!*ret)
		return error_internal(err, "statement %s is not in this connection's lists", stmt->name);
	rowset_start(&(*ret)->rows, (*ret)->n_out, ++conn->runs);
	return 0;
}

int db_exec(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args, unsigned n_args,
	    uint64_t *ret_affected, struct error *err)
{
	struct db_prepared *p;
	uint64_t affected = 0;
	int r = find(conn, stmt, &p, err);
	if (r == 0)
		r = run(conn, p, args, n_args, 0, &affected, err);
	if (r == 0 && ret_affected)
		*ret_affected = affected;
	return r;
}

int db_exec_array(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args,
		  unsigned n_args, unsigned n_rows, uint64_t *ret_affected, struct error *err)
{
	struct db_prepared *p;
	uint64_t affected = 0;
	int r = n_rows ? find(conn, stmt, &p, err) : 0;
	if (r == 0 && n_rows)
		r = run(conn, p, args, n_args, n_rows, &affected, err);
	if (r == 0 && ret_affected)
		*ret_affected = affected;
	return r;
}

static void rows_start(struct db_rows *rows, struct db_conn *conn, struct db_prepared *p)
{
	*rows = (struct db_rows){.conn = conn, .stmt = p->stmt, .handle = p, .run = p->rows.run};
}

int db_query(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args, unsigned n_args,
	     struct db_rows *rows, struct error *err)
{
	struct db_prepared *p;
	uint64_t affected = 0;
	*rows = (struct db_rows){0};
	int r = find(conn, stmt, &p, err);
	if (r == 0)
		r = run(conn, p, args, n_args, 0, &affected, err);
	if (r == 0)
		rows_start(rows, conn, p);
	return r;
}

int db_query_row(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args,
		 unsigned n_args, struct db_rows *rows, struct error *err)
{
	int r = db_query(conn, stmt, args, n_args, rows, err);
	return r < 0 ? r : db_next(rows, err);
}

int db_query_array(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args,
		   unsigned n_args, unsigned n_rows, struct db_rows *rows, struct error *err)
{
	struct db_prepared *p;
	uint64_t affected = 0;
	*rows = (struct db_rows){0};
	int r = find(conn, stmt, &p, err);
	if (r < 0 || n_rows == 0)
		return r;
	r = run(conn, p, args, n_args, n_rows, &affected, err);
	unsigned count = rowset_count(&p->rows);
	if (r < 0 && count >= n_rows)
		return r; /* every row was written, so none of them is the bad one */
	if (r < 0 && (conn->failure == DB_FAILURE_DUPLICATE || conn->failure == DB_FAILURE_OTHER)) {
		/* handed over by db_next() after the rows that came before it */
		conn->array_error = *err;
		rows_start(rows, conn, p);
		rows->failed = r;
		return 0;
	}
	if (r == 0)
		rows_start(rows, conn, p);
	return r;
}

/* --- reading --- */

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

bool db_rows_cut_short(const struct db_rows *rows)
{
	const struct db_prepared *p = rows->handle;
	return p && p->cut_short;
}

/* The cell of the current row; NULL for SQL NULL. Reading a column as what it is not is a bug of the store.
 */
static const struct rowset_cell *cell_of(const struct db_rows *rows, unsigned column, const char *types)
{
	const struct db_prepared *p = rows->handle;
	assert(p && rows->count > 0 && p->rows.run == rows->run && column < p->n_out);
	assert(strchr(types, rows->stmt->out[column]));
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
