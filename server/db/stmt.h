/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_STMT_H
#define DB_STMT_H

#include "server/db/conn_state.h"

/* Running a statement for its rows; for this room only, others get structs of table.h. Failures: see db.h. */

/* Sets (*ret)->rows, which last until it is run again. */
int stmt_query(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args, unsigned n_args,
	       struct db_prepared **ret, struct error *err) __attribute__((warn_unused_result));

/*
 * Array binding: one statement, `n_rows` rows of parameters (row-major, n_args each), one round trip. With
 * RETURNING the rows come back in input order. On failure *ret_bad is the index of the bad row, n_rows when
 * it is unknown, and nothing of the statement is applied.
 */
int stmt_query_array(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args,
		     unsigned n_args, unsigned n_rows, struct db_prepared **ret, unsigned *ret_bad,
		     struct error *err) __attribute__((warn_unused_result));

#endif
