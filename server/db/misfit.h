/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_MISFIT_H
#define DB_MISFIT_H

#include "server/db/db.h"

/*
 * Statements that a running server's database no longer fits: a column was renamed, a right taken. Their
 * callers are refused, the others served; the log says it once for each statement, and once when it is over.
 * At its start a server refuses such a database instead. Any thread.
 */

/* Whether a server's error number says that. */
bool misfit_number(unsigned number);

/* Raises DATABASE_UNAVAILABLE. */
int misfit_raise(const struct db_stmt *stmt, const char *why, struct error *err)
	__attribute__((warn_unused_result, cold));

/* It could be prepared. */
void misfit_over(const struct db_stmt *stmt);

#endif
