/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/prepare.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/db/bind.h"
#include "server/db/errors.h"
#include "server/db/misfit.h"

static bool starts_with_word(const char *sql, const char *word)
{
	while (isspace((unsigned char)*sql) || *sql == '(')
		sql++;
	size_t n = strlen(word);
	return strncasecmp(sql, word, n) == 0 && !isalnum((unsigned char)sql[n]) && sql[n] != '_';
}

int stmt_fail(struct db_conn *conn, const struct db_prepared *p, unsigned number, const char *message,
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
	const char *in = stmt->in ? stmt->in : "", *out = stmt->out ? stmt->out->letters : "";
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
	guard_asks(conn);
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
