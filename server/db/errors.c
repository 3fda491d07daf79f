/* SPDX-License-Identifier: Apache-2.0 */
#include <errmsg.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <string.h>

#include "proto/runtime/array.h"
#include "server/db/errors.h"

/* Numbers the client's headers of some release lack. */
enum { WSREP_NOT_READY = 1047, RECORD_CHANGED = 1020, STATEMENT_TIMEOUT = 1969, CONNECTION_KILLED = 1927 };

/*
 * The first range a number lies in says what it means; a number in none is a fault of the statement or of its
 * data. The client's own errors tell that the conversation broke, not where: over TLS an end of the stream in
 * the middle of a COMMIT is an "SSL connection error". So all of them are LOST but the few that are raised
 * before anything can have been sent.
 */
static const struct {
	unsigned first, last;
	enum db_failure failure;
} classes[] = {
	{0, 0, DB_FAILURE_LOST}, /* it failed, and neither the statement nor the connection knows why */

	{CR_SOCKET_CREATE_ERROR, CR_UNKNOWN_HOST, DB_FAILURE_AWAY}, /* raised while connecting only */
	{CR_NO_PREPARE_STMT, CR_PARAMS_NOT_BOUND, DB_FAILURE_OTHER},
	{CR_FUNCTION_NOT_SUPPORTED, CR_FUNCTION_NOT_SUPPORTED, DB_FAILURE_OTHER},
	{CR_BULK_WITHOUT_PARAMETERS, CR_BULK_WITHOUT_PARAMETERS, DB_FAILURE_OTHER},
	{CR_MIN_ERROR, CR_MAX_ERROR, DB_FAILURE_LOST},
	{CER_MIN_ERROR, CER_MAX_ERROR, DB_FAILURE_LOST},

	{ER_LOCK_DEADLOCK, ER_LOCK_DEADLOCK, DB_FAILURE_CONFLICT},
	{ER_LOCK_WAIT_TIMEOUT, ER_LOCK_WAIT_TIMEOUT, DB_FAILURE_LOCKED},
	{RECORD_CHANGED, RECORD_CHANGED, DB_FAILURE_CONFLICT},
	{WSREP_NOT_READY, WSREP_NOT_READY, DB_FAILURE_CONFLICT},

	{ER_SERVER_SHUTDOWN, ER_SERVER_SHUTDOWN, DB_FAILURE_LOST},
	{ER_NORMAL_SHUTDOWN, ER_SHUTDOWN_COMPLETE, DB_FAILURE_LOST},
	{ER_ABORTING_CONNECTION, ER_NET_WRITE_INTERRUPTED, DB_FAILURE_LOST},
	{ER_NEW_ABORTING_CONNECTION, ER_NEW_ABORTING_CONNECTION, DB_FAILURE_LOST},
	{CONNECTION_KILLED, CONNECTION_KILLED, DB_FAILURE_LOST},

	{ER_CON_COUNT_ERROR, ER_OUT_OF_RESOURCES, DB_FAILURE_AWAY},
	{ER_OUTOFMEMORY, ER_OUTOFMEMORY, DB_FAILURE_AWAY},
	{ER_TOO_MANY_USER_CONNECTIONS, ER_TOO_MANY_USER_CONNECTIONS, DB_FAILURE_AWAY},
	{ER_QUERY_INTERRUPTED, ER_QUERY_INTERRUPTED, DB_FAILURE_AWAY}, /* a person killed it */
	/* read_only: the server is no longer the one to write to */
	{ER_OPTION_PREVENTS_STATEMENT, ER_OPTION_PREVENTS_STATEMENT, DB_FAILURE_AWAY},
	{ER_DISK_FULL, ER_DISK_FULL, DB_FAILURE_AWAY},
	{ER_RECORD_FILE_FULL, ER_RECORD_FILE_FULL, DB_FAILURE_AWAY},

	{STATEMENT_TIMEOUT, STATEMENT_TIMEOUT, DB_FAILURE_DEADLINE},

	{ER_DUP_ENTRY, ER_DUP_ENTRY, DB_FAILURE_DUPLICATE},
	{ER_DUP_ENTRY_WITH_KEY_NAME, ER_DUP_ENTRY_WITH_KEY_NAME, DB_FAILURE_DUPLICATE},
};

enum db_failure db_failure_of(unsigned number)
{
	for (unsigned i = 0; i < ARRAY_SIZE(classes); i++)
		if (number >= classes[i].first && number <= classes[i].last)
			return classes[i].failure;
	return DB_FAILURE_OTHER;
}

/* "Duplicate entry 'ada' for key 'user_name_key'": the key is last, so a value that quotes the phrase does no
 * harm. */
static void note_duplicate_key(struct db_conn *conn, const char *message)
{
	static const char phrase[] = "for key '";
	const char *at = NULL;
	for (const char *p = strstr(message, phrase); p; p = strstr(p + 1, phrase))
		at = p + strlen(phrase);
	if (!at)
		return;
	size_t len = strcspn(at, "'");
	snprintf(conn->duplicate_key, sizeof(conn->duplicate_key), "%.*s", (int)len, at);
}

int conn_fail(struct db_conn *conn, unsigned number, const char *message, const char *what, struct error *err)
{
	conn->failure = db_failure_of(number);
	switch (conn->failure) {
	case DB_FAILURE_CONFLICT:
	case DB_FAILURE_LOCKED:
		conn->doomed = conn->in_transaction;
		return error_raise(err, &RPC_REASON_CONFLICT,
				   "Another change got in the way; repeat the call.");
	case DB_FAILURE_LOST:
		conn->broken = true;
		conn->doomed = conn->in_transaction;
		error_raise(err, &RPC_REASON_DATABASE_UNAVAILABLE,
			    "The database went away; repeat the call.");
		return error_set_retry(err, 1000);
	case DB_FAILURE_AWAY:
		error_raise(err, &RPC_REASON_DATABASE_UNAVAILABLE,
			    "The database is not available; repeat the call.");
		return error_set_retry(err, 1000);
	case DB_FAILURE_DEADLINE:
		return error_raise(err, &RPC_REASON_DEADLINE_PASSED,
				   "The deadline passed while the database worked.");
	case DB_FAILURE_DUPLICATE:
		note_duplicate_key(conn, message);
		error_clear(err);
		err->code = STATUS_ALREADY_EXISTS;
		snprintf(err->message, sizeof(err->message), "It exists already (%s).", conn->duplicate_key);
		return -STATUS_ALREADY_EXISTS;
	default:
		/* What was said comes first: a statement is long, and a message is cut. */
		return error_internal(err, "%s (error %u) in: %s", message, number, what);
	}
}
