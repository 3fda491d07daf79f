/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/stmt.h"

#include <mysqld_error.h>
#include <stdio.h>

#include "server/db/bind.h"
#include "server/db/conn.h"
#include "server/db/prepare.h"

static bool is_unwanted(const struct db_conn *conn)
{
	return conn->unwanted && atomic_load(conn->unwanted);
}

static int unwanted(struct db_conn *conn, struct error *err)
{
	conn->failure = DB_FAILURE_UNWANTED;
	return error_raise(err, &RPC_REASON_CALL_CANCELLED, "Nobody waits for the answer any more.");
}

/* Whatever the client library or the connection knows of a failure: for some, only one of them does. */
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

/* --- its answer --- */

/* Reads a result set to its end. After the last row may come an error that only the connection knows. */
static int read_rows(struct db_conn *conn, struct db_prepared *p, bool array, struct error *err)
{
	struct columns cs;
	rowset_start(&p->rows, p->n_out);
	if (mysql_stmt_field_count(p->handle) != p->n_out)
		return error_internal(err, "statement %s declares %u columns, its answer has %u",
				      p->stmt->name, p->n_out, mysql_stmt_field_count(p->handle));
	stmt_bind_columns(p, &cs);
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
		r = stmt_keep_row(p, &cs, err);
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
	guard_asks(conn);
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
	stmt_bind_row(p->stmt, args, n_args, &ps);
	if (n_args && mysql_stmt_bind_param(p->handle, ps.binds))
		return run_failed(conn, p, err);
	return execute(conn, p, false, ret_affected, err);
}

static int run_array(struct db_conn *conn, struct db_prepared *p, const struct db_value *args,
		     unsigned n_args, unsigned n_rows, uint64_t *ret_affected, struct error *err)
{
	struct array_params ps = {0};
	unsigned none = 0;
	int r = stmt_bind_array(p->stmt, args, n_args, n_rows, &ps, err);
	if (r == 0) {
		mysql_stmt_attr_set(p->handle, STMT_ATTR_ARRAY_SIZE, &n_rows);
		r = mysql_stmt_bind_param(p->handle, ps.binds) ? run_failed(conn, p, err)
							       : execute(conn, p, true, ret_affected, err);
		mysql_stmt_attr_set(p->handle, STMT_ATTR_ARRAY_SIZE, &none);
	}
	array_params_done(&ps);
	return r;
}

/* A failed statement leaves nothing behind: no half-read rows, no transaction that a compound one opened. */
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
	int r = stmt_check_args(p, args, n_args, n_rows ? n_rows : 1, err);
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
	rowset_start(&(*ret)->rows, (*ret)->n_out);
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

bool db_cut_short(struct db_conn *conn, const struct db_stmt *stmt)
{
	const struct db_prepared *p = conn_find(conn, stmt);
	return p && p->cut_short;
}

int stmt_query(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args, unsigned n_args,
	       struct db_prepared **ret, struct error *err)
{
	uint64_t affected = 0;
	int r = find(conn, stmt, ret, err);
	return r < 0 ? r : run(conn, *ret, args, n_args, 0, &affected, err);
}

int stmt_query_array(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args,
		     unsigned n_args, unsigned n_rows, struct db_prepared **ret, unsigned *ret_bad,
		     struct error *err)
{
	uint64_t affected = 0;
	*ret_bad = n_rows;
	int r = find(conn, stmt, ret, err);
	if (r < 0 || n_rows == 0)
		return r;
	r = run(conn, *ret, args, n_args, n_rows, &affected, err);
	/* As many rows as there are: each was written, so none of them is the bad one. */
	unsigned count = rowset_count(&(*ret)->rows);
	if (r < 0 && (*ret)->n_out && count < n_rows &&
	    (conn->failure == DB_FAILURE_DUPLICATE || conn->failure == DB_FAILURE_OTHER))
		*ret_bad = count;
	return r;
}
