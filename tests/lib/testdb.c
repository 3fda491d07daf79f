/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/testdb.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "server/db/migrate.h"
#include "server/db/table.h"

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "testdb: %s: %s\n", what, why);
	exit(1);
}

/* Started through a shell that outlives this program by as long as it takes to stop the server: its input
 * ends when we do. */
static void *start_reaper(const char *dir)
{
	char command[512];
	snprintf(command, sizeof(command),
		 "trap '' INT TERM HUP; cat >/dev/null; exec >/dev/null 2>&1; '%s' stop --dir '%s'; rm -rf "
		 "'%s'",
		 EDU_DEVDB, dir, dir);
	return popen(command, "we");
}

static void start_private_server(struct testdb *t)
{
	char command[256];
	snprintf(t->dir, sizeof(t->dir), "%s/edu-testdb-XXXXXX", P_tmpdir);
	if (!mkdtemp(t->dir))
		fail("cannot make a directory", t->dir);
	t->reaper = start_reaper(t->dir);
	snprintf(command, sizeof(command), "'%s' start --dir '%s'", EDU_DEVDB, t->dir);
	FILE *out = popen(command, "re");
	if (!t->reaper || !out || !fgets(t->socket, sizeof(t->socket), out) || pclose(out) != 0)
		fail("cannot start a database", command);
	t->socket[strcspn(t->socket, "\n")] = '\0';
}

static void find_server(struct testdb *t)
{
	const char *socket = getenv("EDU_TEST_DB_SOCKET");
	if (socket && *socket)
		snprintf(t->socket, sizeof(t->socket), "%s", socket);
	else
		start_private_server(t);
}

/* `rest` follows the database's name. */
static void run_on_server(struct testdb *t, const char *verb, const char *rest)
{
	struct error err;
	char sql[160];
	struct db_config config = t->config;
	struct db_conn *conn = NULL;
	config.database = NULL;
	snprintf(sql, sizeof(sql), "%s DATABASE %s%s", verb, t->name, rest);
	if (db_open(&config, NULL, &conn, &err) < 0 || db_run_text(conn, sql, &err) < 0)
		fail(sql, err.message);
	db_close(conn);
}

struct testdb *testdb_new_empty(void)
{
	struct testdb *t = calloc(1, sizeof(*t));
	uint32_t random = 0;
	if (!t || getrandom(&random, sizeof(random), 0) != sizeof(random))
		fail("cannot begin", "out of memory or entropy");
	find_server(t);
	snprintf(t->name, sizeof(t->name), "edu_test_%d_%08x", (int)getpid(), random);
	t->config = (struct db_config){.socket = t->socket, .user = "root", .database = t->name};
	run_on_server(t, "CREATE", " CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin");
	return t;
}

struct testdb *testdb_new(void)
{
	struct error err;
	struct testdb *t = testdb_new_empty();
	if (migrate_apply(&t->config, NULL, NULL, &err) < 0)
		fail("cannot migrate", err.message);
	return t;
}

void testdb_free(struct testdb *t)
{
	run_on_server(t, "DROP", "");
	if (t->reaper)
		pclose(t->reaper);
	free(t);
}

int testdb_setup(void **state)
{
	*state = testdb_new();
	return 0;
}

int testdb_teardown(void **state)
{
	testdb_free(*state);
	return 0;
}

struct db_conn *testdb_connect(const struct testdb *t, const struct db_stmt_list *const *lists)
{
	struct error err;
	struct db_conn *conn = NULL;
	if (db_open(&t->config, lists, &conn, &err) < 0)
		fail("cannot connect", err.message);
	return conn;
}

void testdb_run(struct db_conn *conn, const char *sql)
{
	struct error err;
	if (db_run_text(conn, sql, &err) < 0)
		fail(sql, err.message);
}

int64_t testdb_number(const struct testdb *t, const char *sql)
{
	struct error err;
	const struct db_stmt stmt = {"testdb_number", "", &db_row_i64, sql};
	const struct db_stmt_list list = {"testdb", &stmt, 1};
	const struct db_stmt_list *const lists[] = {&list, NULL};
	struct db_conn *conn = testdb_connect(t, lists);
	int64_t number = 0;
	if (db_read(conn, &stmt, DB_NO_ARGS, NULL, &number, &err) != 1)
		fail(sql, "no row");
	db_close(conn);
	return number;
}

/* --- the same of a text put together --- */

struct text {
	char sql[4096];
};

static __attribute__((format(printf, 1, 0))) struct text put_together(const char *format, va_list args)
{
	struct text text;
	if ((size_t)vsnprintf(text.sql, sizeof(text.sql), format, args) >= sizeof(text.sql))
		fail(format, "too long");
	return text;
}

void testdb_runf(struct db_conn *conn, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const struct text text = put_together(format, args);
	va_end(args);
	testdb_run(conn, text.sql);
}

void testdb_do(const struct testdb *t, const char *format, ...)
{
	struct db_conn *conn = testdb_connect(t, NULL);
	va_list args;
	va_start(args, format);
	const struct text text = put_together(format, args);
	va_end(args);
	testdb_run(conn, text.sql);
	db_close(conn);
}

int64_t testdb_numberf(const struct testdb *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const struct text text = put_together(format, args);
	va_end(args);
	return testdb_number(t, text.sql);
}
