/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"
#include "proto/runtime/span.h"

/*
 * A connection to MariaDB, owned by one thread. Statements are declared in lists, typed, and all tried by
 * db_open(): a statement the schema does not fit fails the start, not a caller. Each is prepared when it is
 * first run. A broken connection is opened anew, session settings included, before the next statement. READ
 * COMMITTED, utf8mb4, UTC, strict sql_mode, always.
 */
struct db_conn;

struct db_config {
	const char *socket; /* unix socket path; or NULL and: */
	const char *host;
	unsigned port;
	const char *user, *password, *database;
	const char *ca_file; /* who may have signed the server's certificate; NULL asks for no TLS */
	unsigned connect_timeout_s;
	unsigned read_timeout_s; /* for a server that hangs or a network that swallows; 0: 120, longer than
				    any statement may run, so that max_statement_time speaks first */
	unsigned lock_wait_s;   /* innodb_lock_wait_timeout, when the call's deadline does not ask for less */
	struct db_guard *guard; /* db/guard.h; NULL: none */
};

/* What a row is: a letter for each column, and the members that hold them; see table.h. */
struct db_row {
	const char *letters;
	const struct db_column *columns;
	size_t size; /* of the struct */
};

/*
 * One statement. `in` and `out` have a letter per parameter and per result column: i signed, u unsigned
 * 64-bit, s text, b bytes; any of them may be NULL. A compound statement (BEGIN NOT ATOMIC ... END) answers
 * in its last result set; `out` describes that one.
 */
struct db_stmt {
	const char *name;         /* for logs and metrics: "course_get" */
	const char *in;           /* NULL or "": none */
	const struct db_row *out; /* NULL: none */
	const char *sql;
};

/* A store's statements: an array indexed by the store's enum. */
struct db_stmt_list {
	const char *area; /* "course" */
	const struct db_stmt *stmts;
	unsigned n;
};

/* `lists` is NULL-terminated and outlives the connection; so does `config`. */
int db_open(const struct db_config *config, const struct db_stmt_list *const *lists, struct db_conn **ret,
	    struct error *err) __attribute__((warn_unused_result));
void db_close(struct db_conn *conn); /* NULL is fine */

/*
 * What the next statements may take: a deadline on the monotonic clock (base/clock.h), INT64_MAX for none.
 * Sets max_statement_time and the lock wait from what is left, one budget across retries. Costs a round trip
 * only when the limit in force would be wrong by much.
 */
void db_set_deadline(struct db_conn *conn, int64_t deadline_us);

/*
 * Whom the next statements serve: once `*unwanted` is true, no read begins any more (CALL_CANCELLED); what
 * writes does. For what runs then already see db_interrupt() in guard.h: set it first, interrupt afterwards.
 * NULL, as at the start, is nobody. Read until it is set anew.
 */
void db_set_unwanted(struct db_conn *conn, const _Atomic bool *unwanted);

/*
 * How long the next statements wait for a row that somebody else has locked, 0 for not at all (which then
 * holds for tables too, and fails SKIP LOCKED with error 1180); a transaction that waited in vain is not run
 * again. DB_LOCK_WAIT_USUAL is as the config says, and with repeats.
 */
enum { DB_LOCK_WAIT_USUAL = -1 };
void db_set_lock_wait(struct db_conn *conn, int seconds);

/* Statements and commits sent on this connection; for tests and the bench. */
struct db_counters {
	uint64_t round_trips, commits;
};
struct db_counters db_counters(const struct db_conn *conn);

/* --- values --- */

struct db_value {
	char type; /* i u s b, or 0 for NULL */
	union {
		int64_t i;
		uint64_t u;
		struct span s;
	};
};

static inline struct db_value db_i64(int64_t v)
{
	return (struct db_value){.type = 'i', .i = v};
}
static inline struct db_value db_u64(uint64_t v)
{
	return (struct db_value){.type = 'u', .u = v};
}
/* NULL text is SQL NULL. The bytes must live until the statement has run. */
static inline struct db_value db_str(const char *s)
{
	return s ? (struct db_value){.type = 's', .s = span_str(s)} : (struct db_value){0};
}
static inline struct db_value db_bytes(struct span s)
{
	return (struct db_value){.type = 'b', .s = s};
}
static inline struct db_value db_null(void)
{
	return (struct db_value){0};
}

#define DB_ARGS(...)                                                                                         \
	(const struct db_value[]){__VA_ARGS__},                                                              \
		sizeof((struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)
#define DB_NO_ARGS NULL, 0

/* --- running; for statements with rows see table.h ---
 *
 * Failures: CONFLICT (deadlock, lock wait, record changed: db_transaction repeats it), DEADLINE_PASSED,
 * DATABASE_UNAVAILABLE, -STATUS_ALREADY_EXISTS without a reason for a duplicate key (db_duplicate_key() tells
 * which; the store raises what it means), INTERNAL for the rest.
 */

/* Runs a statement that returns no rows. `ret_affected` may be NULL; it counts rows changed, not rows
 * matched: an UPDATE to the values a row has already counts 0, INSERT ... ON DUPLICATE KEY UPDATE 1 for a new
 * row and 2 or 0 for an old. */
int db_exec(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args, unsigned n_args,
	    uint64_t *ret_affected, struct error *err) __attribute__((warn_unused_result));

/* Array binding without rows: `n_rows` rows of parameters (row-major, n_args each), one round trip. INSERT,
 * and inside a transaction UPDATE and DELETE. On failure which row is unknown. */
int db_exec_array(struct db_conn *conn, const struct db_stmt *stmt, const struct db_value *args,
		  unsigned n_args, unsigned n_rows, uint64_t *ret_affected, struct error *err)
	__attribute__((warn_unused_result));

/* Runs text as it is: one statement without parameters or rows. For tools and tests, never with a caller's
 * data. */
int db_run_text(struct db_conn *conn, const char *sql, struct error *err) __attribute__((warn_unused_result));

/* Whether the last run of a statement met its LIMIT ... ROWS EXAMINED: more rows may fit, and the last one
 * may be made of subqueries that were cut short too. */
bool db_cut_short(struct db_conn *conn, const struct db_stmt *stmt);

/* The name of the unique key the last statement violated ("user_name_key"), or "". Valid until the next
 * statement. */
const char *db_duplicate_key(const struct db_conn *conn);

/* --- transactions --- */

/*
 * Runs `body` between BEGIN and COMMIT; rolls back when it fails. On CONFLICT, and on a connection lost
 * before COMMIT, runs the whole of it again, with jitter, within the deadline. When the connection is lost
 * during COMMIT the outcome is unknown: `rerunnable` bodies (those that claim an idempotency key, or meet
 * their own ids) are run again and so settle it; others fail with OUTCOME_UNKNOWN. `body` must therefore read
 * everything anew and make its ids before.
 */
typedef int (*db_body)(struct db_conn *conn, void *arg, struct error *err);
int db_transaction(struct db_conn *conn, bool rerunnable, db_body body, void *arg, struct error *err)
	__attribute__((warn_unused_result));

/* The same retries around a body that is its own transaction: one compound statement. Always rerunnable. */
int db_retry(struct db_conn *conn, db_body body, void *arg, struct error *err)
	__attribute__((warn_unused_result));

#endif
