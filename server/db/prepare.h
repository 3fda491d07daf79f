/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_PREPARE_H
#define DB_PREPARE_H

#include "server/db/conn_state.h"

/* Prepares a statement on its connection and holds it against its declaration: letters, counts. */
int stmt_prepare(struct db_conn *conn, struct db_prepared *p, struct error *err)
	__attribute__((warn_unused_result));
void stmt_close(struct db_prepared *p);

/* conn_fail() for a statement: one that no longer fits the schema is a misfit. */
int stmt_fail(struct db_conn *conn, const struct db_prepared *p, unsigned number, const char *message,
	      struct error *err) __attribute__((cold, warn_unused_result));

#endif
