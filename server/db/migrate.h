/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include "server/db/db.h"

/*
 * The schema is schema/NNNN_name.sql, embedded in the binary. Each file is applied once, in order, and
 * recorded with the SHA-256 of its text; a recorded file whose text changed is refused. The first line of
 * each file states the oldest server that can run on it: `-- compatible-with: N` (N is a schema number). A
 * server starts when every migration it knows is applied, and no applied one it does not know asks for a
 * newer server.
 */
struct migration {
	unsigned number;
	const char *name; /* "0001_platform" */
	struct span text;
};

extern const struct migration schema_migrations[];
extern const unsigned schema_n_migrations;

/* Applies what is missing, under a lease; `report` is told each step ("0003_course applied in 12 ms"). */
int migrate_apply(const struct db_config *db, void (*report)(void *arg, const char *line), void *arg,
		  struct error *err) __attribute__((warn_unused_result));

/* 0 when the server may run on this schema; FAILED_PRECONDITION-coded INTERNAL error that says what to do
 * otherwise. */
int migrate_check(const struct db_config *db, struct error *err) __attribute__((warn_unused_result));

#endif
