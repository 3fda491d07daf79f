/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/conn.h"

#include <mysqld_error.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/hash.h"
#include "server/base/log.h"
#include "server/db/errors.h"
#include "server/db/prepare.h"

enum { READ_TIMEOUT_S = 120 };

/* Statement limits are powers of two of this, up to the second one; a call with more time left has none. */
enum { LIMIT_MIN_MS = 125, LIMIT_MAX_MS = 64000 };

/* How often the log says why there is no connection. */
#define LOG_AWAY_US (10 * SECOND_US)

#define SQL_MODE "TRADITIONAL,NO_ENGINE_SUBSTITUTION"

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void library_init(void)
{
	mysql_library_init(0, NULL, NULL);
}

/* --- opening --- */

/* Whatever it was, nothing of a caller's was sent. */
static int conn_failed_to_open(struct db_conn *conn, struct error *err)
{
	conn->failure = DB_FAILURE_AWAY;
	error_raise(err, &RPC_REASON_DATABASE_UNAVAILABLE, "The database is not available: %s",
		    mysql_error(conn->mysql));
	return error_set_retry(err, 1000);
}

static int connect_to_server(struct db_conn *conn, struct error *err)
{
	const struct db_config *c = conn->config;
	conn->mysql = mysql_init(NULL);
	if (!conn->mysql)
		return error_internal(err, "out of memory for a database connection");
	const unsigned connect_timeout = conn_connect_timeout_s(conn);
	unsigned read_timeout = conn->patient ? 0 : c->read_timeout_s ? c->read_timeout_s : READ_TIMEOUT_S;
	my_bool reconnect = 0; /* a silent reconnect would lose the transaction and every session setting */
	mysql_options(conn->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
	mysql_options(conn->mysql, MYSQL_OPT_READ_TIMEOUT, &read_timeout);
	mysql_options(conn->mysql, MYSQL_OPT_WRITE_TIMEOUT, &read_timeout);
	mysql_options(conn->mysql, MYSQL_OPT_RECONNECT, &reconnect);
	mysql_options(conn->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	/* Said both ways: Connector/C 3.4 verifies by itself, against what nobody named. */
	my_bool verify = c->ca_file != NULL;
	mysql_options(conn->mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
	/* Without it "localhost" means a socket of the library's choice, whatever the port and the
	 * certificate. */
	const unsigned tcp = MYSQL_PROTOCOL_TCP;
	if (!c->socket)
		mysql_options(conn->mysql, MYSQL_OPT_PROTOCOL, &tcp);
	if (c->ca_file)
		mysql_ssl_set(conn->mysql, NULL, NULL, c->ca_file, NULL, NULL);
	if (!mysql_real_connect(conn->mysql, c->socket ? NULL : c->host, c->user, c->password, c->database,
				c->port, c->socket, 0))
		return conn_failed_to_open(conn, err);
	guard_connected(conn);
	return 0;
}

int conn_send(struct db_conn *conn, const char *sql)
{
	conn->counters.round_trips++;
	conn->sent = true;
	guard_asks(conn);
	int r = mysql_query(conn->mysql, sql);
	guard_answered(conn);
	return r;
}

static unsigned usual_lock_wait(const struct db_conn *conn)
{
	return conn->config->lock_wait_s ? conn->config->lock_wait_s : 10;
}

/* Which server answered: guard.c asks and tells only that one. */
static int ask_server(struct db_conn *conn, struct error *err)
{
	struct db_server server = {0};
	if (conn_send(conn, "SELECT CONCAT_WS(' ', @@hostname, @@port, @@server_id), UNIX_TIMESTAMP() - "
			    "variable_value"
			    " FROM information_schema.global_status WHERE variable_name = 'UPTIME'"))
		return conn_failed_to_open(conn, err);
	MYSQL_RES *result = mysql_store_result(conn->mysql);
	MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
	if (row && row[0] && row[1]) {
		server.hash = hash_bytes(&(struct hash_key){0}, span_str(row[0]));
		server.start_s = strtoll(row[1], NULL, 10);
	}
	mysql_free_result(result);
	guard_knows_server(conn, &server);
	return 0;
}

/* What a server is told to, it cuts a list in a column to, prices among them, with a warning at most. */
enum { LIST_MAX = 4 * 1024 * 1024 };

/* Between a transaction's statements only this process works, for less than a millisecond. One that stands
 * still, stopped or its machine paused, must not keep from others what it has locked. */
enum { IDLE_TRANSACTION_S = 10 };

static int session_set_up(struct db_conn *conn, struct error *err)
{
	char settings[500];
	unsigned lock_wait = usual_lock_wait(conn);
	snprintf(settings, sizeof(settings),
		 "SET SESSION sql_mode='" SQL_MODE "', time_zone='+00:00', autocommit=1,"
		 " collation_connection='utf8mb4_nopad_bin', innodb_lock_wait_timeout=%u,"
		 " lock_wait_timeout=%u, group_concat_max_len=%d, max_statement_time=0,"
		 " idle_transaction_timeout=%d",
		 lock_wait, conn->patient ? 3600 : lock_wait, LIST_MAX,
		 conn->patient ? 0 : IDLE_TRANSACTION_S);
	if (conn_send(conn, settings) ||
	    conn_send(conn, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"))
		return conn_failed_to_open(conn, err);
	/* With it READ COMMITTED is the same, but a later setting of the server's must not surprise us. */
	if (conn_send(conn, "SET SESSION innodb_snapshot_isolation=OFF") &&
	    mysql_errno(conn->mysql) != ER_UNKNOWN_SYSTEM_VARIABLE)
		return conn_failed_to_open(conn, err);
	conn->limit_ms = 0;
	conn->lock_wait_in_force = DB_LOCK_WAIT_USUAL;
	return ask_server(conn, err);
}

static void conn_disconnect(struct db_conn *conn)
{
	guard_disconnecting(conn);
	/* The connection goes first: closing a statement of a live one may wait for the server. */
	if (conn->mysql)
		mysql_close(conn->mysql);
	conn->mysql = NULL;
	conn->broken = false;
	for (unsigned i = 0; i < conn->n_prepared; i++)
		stmt_close(&conn->prepared[i]);
}

/*
 * Each statement is prepared, so that one that does not fit the schema fails the start, and closed again:
 * what a connection has prepared costs 10 KiB here, and a place among MariaDB's max_prepared_stmt_count, and
 * each thread only ever runs some. They are prepared for good when they are first run.
 */
static int check_statements(struct db_conn *conn, struct error *err)
{
	int r = 0;
	for (unsigned i = 0; r == 0 && i < conn->n_prepared; i++) {
		r = stmt_prepare(conn, &conn->prepared[i], err);
		stmt_close(&conn->prepared[i]);
	}
	return r;
}

static int conn_connect(struct db_conn *conn, struct error *err)
{
	conn->connecting = true;
	int r = connect_to_server(conn, err);
	if (r == 0)
		r = session_set_up(conn, err);
	if (r == 0 && !conn->opened)
		r = check_statements(conn, err);
	conn->connecting = false;
	if (r < 0) {
		conn_disconnect(conn);
		return r;
	}
	conn->failure = DB_FAILURE_NONE;
	conn->opened = true;
	return 0;
}

static int conn_allocate(const struct db_config *config, const struct db_stmt_list *const *lists,
			 struct db_conn **ret, struct error *err)
{
	unsigned n = 0;
	for (unsigned i = 0; lists && lists[i]; i++)
		n += lists[i]->n;
	struct db_conn *conn = calloc(1, sizeof(*conn));
	if (!conn)
		return error_internal(err, "out of memory for a database connection");
	conn->config = config;
	conn->lists = lists;
	conn->deadline_us = INT64_MAX;
	conn->lock_wait = DB_LOCK_WAIT_USUAL;
	conn->prepared = calloc(n ? n : 1, sizeof(*conn->prepared));
	if (!conn->prepared) {
		free(conn);
		return error_internal(err, "out of memory for %u statements", n);
	}
	for (unsigned i = 0; lists && lists[i]; i++)
		for (unsigned j = 0; j < lists[i]->n; j++)
			conn->prepared[conn->n_prepared++].stmt = &lists[i]->stmts[j];
	guard_join(conn, config->guard);
	*ret = conn;
	return 0;
}

static int conn_open(const struct db_config *config, const struct db_stmt_list *const *lists, bool patient,
		     struct db_conn **ret, struct error *err)
{
	pthread_once(&library_once, library_init);
	struct db_conn *conn = NULL;
	int r = conn_allocate(config, lists, &conn, err);
	if (r < 0)
		return r;
	conn->patient = patient;
	r = conn_connect(conn, err);
	if (r < 0) {
		db_close(conn);
		return r;
	}
	*ret = conn;
	return 0;
}

int db_open(const struct db_config *config, const struct db_stmt_list *const *lists, struct db_conn **ret,
	    struct error *err)
{
	return conn_open(config, lists, false, ret, err);
}

int conn_open_patient(const struct db_config *config, const struct db_stmt_list *const *lists,
		      struct db_conn **ret, struct error *err)
{
	return conn_open(config, lists, true, ret, err);
}

int db_run_text(struct db_conn *conn, const char *sql, struct error *err)
{
	return conn_text(conn, sql, err);
}

void db_close(struct db_conn *conn)
{
	if (!conn)
		return;
	conn_disconnect(conn);
	guard_leave(conn);
	for (unsigned i = 0; i < conn->n_prepared; i++)
		rowset_done(&conn->prepared[i].rows);
	free(conn->prepared);
	free(conn);
}

/* --- before each statement --- */

void db_set_deadline(struct db_conn *conn, int64_t deadline_us)
{
	conn->deadline_us = deadline_us;
}

void db_set_unwanted(struct db_conn *conn, const _Atomic bool *unwanted)
{
	conn->unwanted = unwanted;
}

void db_set_lock_wait(struct db_conn *conn, int seconds)
{
	conn->lock_wait = seconds;
}

static int conn_limit_lock_wait(struct db_conn *conn, struct error *err)
{
	if (conn->lock_wait == conn->lock_wait_in_force)
		return 0;
	unsigned usual = usual_lock_wait(conn);
	char sql[96];
	snprintf(sql, sizeof(sql), "SET SESSION innodb_lock_wait_timeout=%u, lock_wait_timeout=%u",
		 conn->lock_wait < 0 ? usual : (unsigned)conn->lock_wait, conn->lock_wait == 0 ? 0 : usual);
	if (conn_send(conn, sql))
		return conn_fail(conn, mysql_errno(conn->mysql), mysql_error(conn->mysql),
				 "setting the lock wait", err);
	conn->lock_wait_in_force = conn->lock_wait;
	return 0;
}

/* The smallest limit that is not shorter than what is left: a statement may overrun its call by as much
 * again. */
static int64_t limit_for(int64_t left_ms)
{
	if (left_ms > LIMIT_MAX_MS)
		return 0;
	int64_t limit = LIMIT_MIN_MS;
	while (limit < left_ms)
		limit *= 2;
	return limit;
}

static int conn_limit_time(struct db_conn *conn, struct error *err)
{
	int64_t limit = 0;
	if (conn->deadline_us != INT64_MAX) {
		int64_t left_us = conn->deadline_us - monotonic_us();
		if (left_us <= 0) {
			conn->failure = DB_FAILURE_DEADLINE;
			return error_raise(err, &RPC_REASON_DEADLINE_PASSED, "The deadline has passed.");
		}
		limit = limit_for(left_us / 1000 + 1);
	}
	if (limit == conn->limit_ms || conn->patient)
		return 0;
	char sql[64];
	snprintf(sql, sizeof(sql), "SET SESSION max_statement_time=%d.%03d", (int)(limit / 1000),
		 (int)(limit % 1000));
	if (conn_send(conn, sql))
		return conn_fail(conn, mysql_errno(conn->mysql), mysql_error(conn->mysql),
				 "setting the deadline", err);
	conn->limit_ms = limit;
	return 0;
}

/* A caller is told that the database is away and the log why, now and then: every call meets it. */
static int conn_tell_away(struct error *err)
{
	static _Atomic int64_t next_us;
	int64_t now_us = monotonic_us(), due_us = atomic_load(&next_us);
	if (now_us >= due_us && atomic_compare_exchange_strong(&next_us, &due_us, now_us + LOG_AWAY_US))
		log_warning("cannot connect: %s", err->message);
	return error_set_message(err, "The database is not available; repeat the call.");
}

static int conn_cut(struct db_conn *conn, struct error *err)
{
	conn->failure = DB_FAILURE_AWAY;
	error_raise(err, &RPC_REASON_DATABASE_UNAVAILABLE, "The server is stopping; repeat the call.");
	return error_set_retry(err, 1000);
}

static int conn_revive(struct db_conn *conn, struct error *err)
{
	if (conn->mysql && !conn->broken)
		return 0;
	conn_disconnect(conn);
	if (guard_is_cut(conn))
		return conn_cut(conn, err);
	int r = conn_connect(conn, err);
	return r < 0 && conn->failure == DB_FAILURE_AWAY ? conn_tell_away(err) : r;
}

int conn_ready(struct db_conn *conn, struct error *err)
{
	if (conn->doomed)
		return error_raise(err, &RPC_REASON_CONFLICT,
				   "The transaction was given up; repeat the call.");
	conn->failure = DB_FAILURE_NONE;
	conn->duplicate_key[0] = '\0';
	int r = conn_revive(conn, err);
	if (r == 0)
		r = conn_limit_lock_wait(conn, err);
	return r < 0 ? r : conn_limit_time(conn, err);
}

int conn_text(struct db_conn *conn, const char *sql, struct error *err)
{
	int r = conn_ready(conn, err);
	if (r < 0)
		return r;
	if (conn_send(conn, sql))
		return conn_fail(conn, mysql_errno(conn->mysql), mysql_error(conn->mysql), sql, err);
	return 0;
}

void conn_rollback(struct db_conn *conn)
{
	if (!conn->mysql || conn->broken)
		return;
	if (conn_send(conn, "ROLLBACK"))
		conn->broken = true;
}

/* --- questions --- */

struct db_prepared *conn_find(struct db_conn *conn, const struct db_stmt *stmt)
{
	struct db_prepared *p = conn->prepared;
	for (unsigned i = 0; conn->lists && conn->lists[i]; i++) {
		const struct db_stmt_list *list = conn->lists[i];
		uintptr_t at = (uintptr_t)stmt, first = (uintptr_t)list->stmts;
		if (at >= first && at < first + list->n * sizeof(*stmt))
			return p + (stmt - list->stmts);
		p += list->n;
	}
	return NULL;
}

struct db_counters db_counters(const struct db_conn *conn)
{
	return conn->counters;
}

const char *db_duplicate_key(const struct db_conn *conn)
{
	return conn->duplicate_key;
}
