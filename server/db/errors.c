/* SPDX-License-Identifier: Apache-2.0 */
#include <errmsg.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <string.h>

#include "server/db/conn.h"

/* Numbers the client's headers of some release lack. */
enum { WSREP_NOT_READY = 1047, RECORD_CHANGED = 1020, STATEMENT_TIMEOUT = 1969, CONNECTION_KILLED = 1927 };

static enum db_failure classify(unsigned number)
{
	switch (number) {
	case ER_LOCK_DEADLOCK:
	case ER_LOCK_WAIT_TIMEOUT:
	case RECORD_CHANGED:
	case WSREP_NOT_READY:
		return DB_FAILURE_CONFLICT;
	case CR_SERVER_GONE_ERROR:
	case CR_SERVER_LOST:
	case CR_SERVER_LOST_EXTENDED:
	case CR_COMMANDS_OUT_OF_SYNC: /* only after a reply was cut short; the connection is of no use */
	case CR_MALFORMED_PACKET:
	case ER_SERVER_SHUTDOWN:
	case ER_NORMAL_SHUTDOWN:
	case CONNECTION_KILLED:
		return DB_FAILURE_LOST;
	case CR_CONNECTION_ERROR:
	case CR_CONN_HOST_ERROR:
	case CR_UNKNOWN_HOST:
	case ER_CON_COUNT_ERROR:
	case ER_TOO_MANY_USER_CONNECTIONS:
	case ER_QUERY_INTERRUPTED:         /* a person killed it */
	case ER_OPTION_PREVENTS_STATEMENT: /* read_only: the server is no longer the one to write to */
	case ER_DISK_FULL:
	case ER_RECORD_FILE_FULL:
		return DB_FAILURE_AWAY;
	case STATEMENT_TIMEOUT:
		return DB_FAILURE_DEADLINE;
	case ER_DUP_ENTRY:
	case ER_DUP_ENTRY_WITH_KEY_NAME:
		return DB_FAILURE_DUPLICATE;
	default:
		return DB_FAILURE_OTHER;
	}
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
	conn->failure = classify(number);
	switch (conn->failure) {
	case DB_FAILURE_CONFLICT:
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
		return error_internal(err, "%s: %s (error %u)", what, message, number);
	}
}
