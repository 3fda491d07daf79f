/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_BIND_H
#define DB_BIND_H

#include "server/db/conn_state.h"

/*
 * Values between our types and the client library's: a statement's parameters out, its columns in. What is
 * bound here is lent to the library and lives on its caller's stack.
 */

/* What of a text column is fetched without asking again. */
enum { STMT_INLINE_BYTES = 256 };

struct params {
	MYSQL_BIND binds[STMT_VALUES_MAX];
	long long numbers[STMT_VALUES_MAX];
	unsigned long lengths[STMT_VALUES_MAX];
	my_bool nulls[STMT_VALUES_MAX];
};

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

/* INTERNAL when the values are not those the statement declares. */
int stmt_check_args(const struct db_prepared *p, const struct db_value *args, unsigned n_args,
		    unsigned n_rows, struct error *err) __attribute__((warn_unused_result));

void stmt_bind_row(const struct db_stmt *stmt, const struct db_value *args, unsigned n, struct params *ps);

/* array_params_done() follows, also after a failure. */
int stmt_bind_array(const struct db_stmt *stmt, const struct db_value *args, unsigned n_args, unsigned n_rows,
		    struct array_params *ps, struct error *err) __attribute__((warn_unused_result));
void array_params_done(struct array_params *ps);

struct columns {
	MYSQL_BIND binds[STMT_VALUES_MAX];
	long long numbers[STMT_VALUES_MAX];
	unsigned long lengths[STMT_VALUES_MAX];
	my_bool nulls[STMT_VALUES_MAX], errors[STMT_VALUES_MAX];
	char texts[STMT_VALUES_MAX][STMT_INLINE_BYTES];
};

void stmt_bind_columns(const struct db_prepared *p, struct columns *cs);

/* Adds the row that was fetched into `cs` to the statement's rows. */
int stmt_keep_row(struct db_prepared *p, struct columns *cs, struct error *err)
	__attribute__((warn_unused_result));

#endif
