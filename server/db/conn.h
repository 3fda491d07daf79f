/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_CONN_H
#define DB_CONN_H

#include "server/db/conn_state.h"

/* What this room asks of a connection beside db.h. */

/* Makes the connection fit for a statement: not doomed, time left, connected, the statement limit about
 * right. */
int conn_ready(struct db_conn *conn, struct error *err) __attribute__((warn_unused_result));

/* Sends a statement's text as it is; the failure, if any, is in conn->mysql. */
int conn_send(struct db_conn *conn, const char *sql) __attribute__((warn_unused_result));

/* A statement as text, without parameters or rows. */
int conn_text(struct db_conn *conn, const char *sql, struct error *err) __attribute__((warn_unused_result));

/* Rolls back whatever is open; a failure breaks the connection, which rolls back as well. */
void conn_rollback(struct db_conn *conn);

/* The prepared form of a statement of the connection's lists. */
struct db_prepared *conn_find(struct db_conn *conn, const struct db_stmt *stmt);

/* Opens a connection for migrations: no time limits. */
int conn_open_patient(const struct db_config *config, const struct db_stmt_list *const *lists,
		      struct db_conn **ret, struct error *err) __attribute__((warn_unused_result));

#endif
