/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/migrate.h"

#include <inttypes.h>
#include <mysqld_error.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/clock.h"
#include "server/db/conn.h"
#include "server/db/script.h"
#include "server/db/table.h"

enum { CHECKSUM_SIZE = 32, LOCK_WAIT_S = 600, ARENA_CAP = 1 << 20 };

struct applied {
	unsigned number, compatible_with, statements;
	char name[65];
	uint8_t checksum[CHECKSUM_SIZE];
	bool finished;
};

#define APPLIED_COLUMNS(F, C, R)                                                                             \
	F(R, "number", INT, number)                                                                          \
	C(R, "name", CODE, name)                                                                             \
	C(R, "checksum", FIXED, checksum)                                                                    \
	C(R, "compatible_with", INT, compatible_with)                                                        \
	C(R, "statements_applied", INT, statements)                                                          \
	C(R, "finish_time IS NOT NULL", BOOL, finished)
DB_ROW(applied_row, struct applied, APPLIED_COLUMNS);

enum { MIGRATE_LIST, MIGRATE_LOCK, MIGRATE_BEGIN, MIGRATE_STEP, MIGRATE_FINISH, MIGRATE_STATEMENTS };

static const struct db_stmt stmts[MIGRATE_STATEMENTS] = {
	[MIGRATE_LIST] = {"migrate_list", "", &applied_row,
			  DB_SELECT(APPLIED_COLUMNS,
				    " FROM schema_migration WHERE number > 0 ORDER BY number")},
	[MIGRATE_LOCK] = {"migrate_lock", "", &db_row_i64,
			  "SELECT number FROM schema_migration WHERE number = 0 FOR UPDATE"},
	[MIGRATE_BEGIN] =
		{"migrate_begin", "usbu", NULL,
		 "INSERT INTO schema_migration (number, name, checksum, compatible_with, statements_applied) "
		 "VALUES (?, ?, ?, ?, 0)"},
	[MIGRATE_STEP] = {"migrate_step", "uu", NULL,
			  "UPDATE schema_migration SET statements_applied = ? WHERE number = ?"},
	[MIGRATE_FINISH] = {"migrate_finish", "iu", NULL,
			    "UPDATE schema_migration SET finish_time = ? WHERE number = ?"},
};
static const struct db_stmt_list migrate_stmts = {"migrate", stmts, MIGRATE_STATEMENTS};
static const struct db_stmt_list *const migrate_lists[] = {&migrate_stmts, NULL};

/* --- what a migration's text says --- */

static int checksum_of(const struct migration *m, uint8_t ret[CHECKSUM_SIZE], struct error *err)
{
	if (EVP_Digest(m->text.data, m->text.len, ret, NULL, EVP_sha256(), NULL) != 1)
		return error_internal(err, "cannot compute the checksum of migration %s", m->name);
	return 0;
}

static int compatible_with_of(const struct migration *m, unsigned *ret, struct error *err)
{
	char line[64];
	snprintf(line, sizeof(line), "%.*s", (int)(m->text.len < 63 ? m->text.len : 63),
		 (const char *)m->text.data);
	if (sscanf(line, "-- compatible-with: %u\n", ret) != 1 || *ret == 0 || *ret > m->number)
		return error_internal(
			err, "migration %s does not start with \"-- compatible-with: N\", N up to %u",
			m->name, m->number);
	return 0;
}

/* --- what is applied --- */

struct applied_list {
	struct arena arena;
	const struct applied *items;
	unsigned n;
};

static void applied_list_done(struct applied_list *list)
{
	arena_done(&list->arena);
}
#define _cleanup_applied_ __attribute__((cleanup(applied_list_done)))

static int applied_read(struct db_conn *conn, struct applied_list *list, struct error *err)
{
	arena_init(&list->arena, ARENA_CAP);
	return db_read_all(conn, &stmts[MIGRATE_LIST], DB_NO_ARGS, &list->arena, &list->items, &list->n, err);
}

static const struct applied *applied_find(const struct applied_list *list, unsigned number)
{
	for (unsigned i = 0; i < list->n; i++)
		if (list->items[i].number == number)
			return &list->items[i];
	return NULL;
}

static int check_unchanged(const struct migration *m, const struct applied *a, struct error *err)
{
	uint8_t checksum[CHECKSUM_SIZE];
	int r = checksum_of(m, checksum, err);
	if (r < 0)
		return r;
	if (memcmp(checksum, a->checksum, CHECKSUM_SIZE) != 0)
		return error_internal(
			err,
			"migration %s was applied to this database with another text (as %s): restore the "
			"file, and change the schema with a new migration",
			m->name, a->name);
	return 0;
}

static int check_not_too_new(const struct applied_list *list, struct error *err)
{
	for (unsigned i = 0; i < list->n; i++)
		if (list->items[i].number > schema_n_migrations &&
		    list->items[i].compatible_with > schema_n_migrations)
			return error_internal(
				err,
				"the schema has %s, which needs a server that knows migration %u; "
				"this one knows %u: run a newer server",
				list->items[i].name, list->items[i].compatible_with, schema_n_migrations);
	return 0;
}

/* --- applying --- */

struct migrating {
	struct db_conn *conn;
	void (*report)(void *arg, const char *line);
	void *arg;
};

static void report(const struct migrating *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void report(const struct migrating *m, const char *format, ...)
{
	char line[160];
	va_list args;
	if (!m->report)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	m->report(m->arg, line);
}

static int apply_statement(struct db_conn *conn, const struct migration *m, unsigned index, struct span text,
			   struct error *err)
{
	char *sql = strndup((const char *)text.data, text.len);
	if (!sql)
		return error_internal(err, "out of memory for migration %s", m->name);
	int r = conn_text(conn, sql, err);
	free(sql);
	if (r < 0 && conn->failure == DB_FAILURE_OTHER) {
		char why[ERROR_MESSAGE_MAX];
		snprintf(why, sizeof(why), "%s", mysql_error(conn->mysql));
		return error_internal(err, "migration %s, statement %u: %s", m->name, index, why);
	}
	if (r < 0)
		return r;
	/* DDL commits by itself, so this cannot be one transaction with it. */
	return db_exec(conn, &stmts[MIGRATE_STEP], DB_ARGS(db_u64(index), db_u64(m->number)), NULL, err);
}

static int apply_statements(struct db_conn *conn, const struct migration *m, unsigned done, struct error *err)
{
	struct span rest = m->text, text;
	unsigned index = 0;
	while (script_next(&rest, &text)) {
		if (++index <= done)
			continue;
		int r = apply_statement(conn, m, index, text, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int record_begin(struct db_conn *conn, const struct migration *m, struct error *err)
{
	uint8_t checksum[CHECKSUM_SIZE];
	unsigned compatible_with = 0;
	int r = checksum_of(m, checksum, err);
	if (r == 0)
		r = compatible_with_of(m, &compatible_with, err);
	if (r < 0)
		return r;
	return db_exec(conn, &stmts[MIGRATE_BEGIN],
		       DB_ARGS(db_u64(m->number), db_str(m->name),
			       db_bytes(span_of(checksum, sizeof(checksum))), db_u64(compatible_with)),
		       NULL, err);
}

static int apply_one(const struct migrating *to, const struct migration *m, const struct applied *a,
		     struct error *err)
{
	int64_t start = monotonic_us();
	int r = a ? check_unchanged(m, a, err) : record_begin(to->conn, m, err);
	if (r < 0 || (a && a->finished))
		return r;
	r = apply_statements(to->conn, m, a ? a->statements : 0, err);
	if (r < 0)
		return r;
	r = db_exec(to->conn, &stmts[MIGRATE_FINISH],
		    DB_ARGS(db_i64(clock_now_us(&clock_system)), db_u64(m->number)), NULL, err);
	if (r == 0)
		report(to, "%s applied in %" PRId64 " ms", m->name, (monotonic_us() - start) / 1000);
	return r;
}

static int apply_missing(const struct migrating *to, struct error *err)
{
	_cleanup_applied_ struct applied_list list = {0};
	int r = applied_read(to->conn, &list, err);
	if (r == 0)
		r = check_not_too_new(&list, err);
	for (unsigned i = 0; r == 0 && i < schema_n_migrations; i++)
		r = apply_one(to, &schema_migrations[i], applied_find(&list, schema_migrations[i].number),
			      err);
	return r;
}

/* The usual slip: the user that serves may not change a table. */
static int tell_whose_work(struct db_conn *conn, const struct db_config *db, struct error *err)
{
	const unsigned number = mysql_errno(conn->mysql);
	if (number != ER_TABLEACCESS_DENIED_ERROR && number != ER_DBACCESS_DENIED_ERROR)
		return -err->code;
	return error_internal(
		err, "the database's user \"%s\" may not change tables: name its owner with --db-user",
		db->user);
}

/* Makes the table migrations are recorded in, and the row that keeps two migrating processes apart. */
static int prepare_to_record(const struct db_config *db, struct error *err)
{
	struct db_conn *conn = NULL;
	struct span rest = schema_migrations[0].text, text;
	if (!script_next(&rest, &text))
		return error_internal(err, "migration %s is empty", schema_migrations[0].name);
	char *sql = strndup((const char *)text.data, text.len);
	if (!sql)
		return error_internal(err, "out of memory for migration %s", schema_migrations[0].name);
	int r = conn_open_patient(db, NULL, &conn, err);
	if (r == 0 && conn_text(conn, sql, err) < 0)
		r = tell_whose_work(conn, db, err);
	if (r == 0)
		r = conn_text(conn,
			      "INSERT IGNORE INTO schema_migration (number, name, checksum, compatible_with, "
			      "statements_applied) VALUES (0, 'lock', REPEAT('0', 32), 0, 0)",
			      err);
	db_close(conn);
	free(sql);
	return r;
}

/* A transaction of a connection of its own holds the lock row, and lets go when the process dies. */
static int lock_schema(const struct db_config *db, struct db_conn **ret, struct error *err)
{
	struct db_conn *conn = NULL;
	int r = conn_open_patient(db, migrate_lists, &conn, err);
	if (r == 0)
		r = conn_text(conn, "START TRANSACTION", err);
	if (r == 0)
		r = db_found(conn, &stmts[MIGRATE_LOCK], DB_NO_ARGS, err);
	if (r < 0) {
		db_close(conn);
		return r;
	}
	*ret = conn;
	return 0;
}

int migrate_apply(const struct db_config *db, void (*report_line)(void *arg, const char *line), void *arg,
		  struct error *err)
{
	struct db_config config = *db;
	struct db_conn *lock = NULL;
	struct migrating to = {.report = report_line, .arg = arg};
	config.lock_wait_s = LOCK_WAIT_S;
	int r = prepare_to_record(&config, err);
	if (r == 0)
		r = lock_schema(&config, &lock, err);
	if (r == 0)
		r = conn_open_patient(&config, migrate_lists, &to.conn, err);
	if (r == 0)
		r = apply_missing(&to, err);
	db_close(to.conn);
	db_close(lock);
	return r;
}

/* --- checking --- */

static int check_applied(const struct applied_list *list, struct error *err)
{
	for (unsigned i = 0; i < schema_n_migrations; i++) {
		const struct migration *m = &schema_migrations[i];
		const struct applied *a = applied_find(list, m->number);
		if (!a || !a->finished)
			return error_internal(err,
					      "the schema lacks migration %s: migrate the database first "
					      "(edu-server migrate)",
					      m->name);
		int r = check_unchanged(m, a, err);
		if (r < 0)
			return r;
	}
	return check_not_too_new(list, err);
}

int migrate_check(const struct db_config *db, struct error *err)
{
	_cleanup_applied_ struct applied_list list = {0};
	struct db_conn *conn = NULL;
	int r = db_open(db, migrate_lists, &conn, err);
	if (r == -STATUS_INTERNAL && strstr(err->message, "schema_migration"))
		return error_internal(err,
				      "the database has no schema: migrate it first (edu-server migrate)");
	if (r == 0)
		r = applied_read(conn, &list, err);
	db_close(conn);
	return r < 0 ? r : check_applied(&list, err);
}
