/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_ERRORS_H
#define DB_ERRORS_H

#include "server/db/conn_state.h"

/* What an error number, of the server or of the client library, means. */
enum db_failure db_failure_of(unsigned number) __attribute__((const));

/* Classes a server or client error number, notes it in conn, raises what the caller gets. */
int conn_fail(struct db_conn *conn, unsigned number, const char *message, const char *what, struct error *err)
	__attribute__((cold));

#endif
