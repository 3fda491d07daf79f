/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TESTDB_H
#define TESTS_TESTDB_H

#include "server/db/db.h"

/*
 * A database for one test program: on the MariaDB whose socket EDU_TEST_DB_SOCKET names, or on a private one
 * that ends with the program, however it ends. Empty and migrated; dropped at the end. A failure ends the
 * program.
 */
struct testdb {
	struct db_config config;
	char name[64];
	/* for what lies below only */
	char socket[108];
	char dir[64]; /* of the private server; empty when there is none */
	void *reaper;
};

/* testdb_new_empty() leaves the migrating to the test. */
struct testdb *testdb_new(void);
struct testdb *testdb_new_empty(void);
void testdb_free(struct testdb *t);

/* cmocka group fixtures: *state is the struct testdb. */
int testdb_setup(void **state);
int testdb_teardown(void **state);

/* A connection with these statements (NULL: none); SQL text on it. */
struct db_conn *testdb_connect(const struct testdb *t, const struct db_stmt_list *const *lists);
void testdb_run(struct db_conn *conn, const char *sql);

/* The number a query without parameters answers: one row, one column. */
int64_t testdb_number(const struct testdb *t, const char *sql);

/* The same of a text put together as by printf(), of at most 1,023 bytes; testdb_do() has a connection of its
 * own. */
void testdb_runf(struct db_conn *conn, const char *format, ...) __attribute__((format(printf, 2, 3)));
void testdb_do(const struct testdb *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
int64_t testdb_numberf(const struct testdb *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
