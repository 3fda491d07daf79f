/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_CONN_STATE_H
#define DB_CONN_STATE_H

#include <mysql.h>
#include <stdatomic.h>

#include "server/db/db.h"
#include "server/db/guarded.h"
#include "server/db/rowset.h"

/* Inside of a connection; for this room only. */

/* Parameters and columns of one statement, at most. */
enum { STMT_VALUES_MAX = 64 };

/* How the last statement failed, as far as retrying goes. */
enum db_failure {
	DB_FAILURE_NONE,
	DB_FAILURE_CONFLICT, /* the server gave the transaction up for another's sake: run it again */
	DB_FAILURE_LOCKED,   /* the same, after waiting for a lock */
	DB_FAILURE_LOST,     /* the connection broke after something may have been sent */
	DB_FAILURE_AWAY,     /* no connection, or a server that refuses work: nothing was executed */
	DB_FAILURE_DEADLINE,
	DB_FAILURE_UNWANTED, /* not sent, or stopped: nobody waits for it */
	DB_FAILURE_DUPLICATE,
	DB_FAILURE_MISFIT, /* the schema is not the one it was when the server started; see misfit.h */
	DB_FAILURE_OTHER,
};

struct db_prepared {
	const struct db_stmt *stmt;
	MYSQL_STMT *handle; /* NULL: to be prepared (again) before its next run */
	unsigned n_in, n_out;
	bool compound, reads_only;
	bool bounded, cut_short; /* it has a LIMIT ... ROWS EXAMINED; its last run met it */
	struct rowset rows;      /* of its last run */
};

struct db_conn {
	struct guarded guarded;
	const struct db_config *config;
	const struct db_stmt_list *const *lists;
	MYSQL *mysql; /* NULL: not connected */
	bool broken;  /* connected once, useless now; opened anew before the next statement */
	bool opened;  /* it was connected with all its statements once */
	bool connecting;
	bool patient; /* statements may take as long as they like: no read timeout, no limits */
	struct db_prepared *prepared;
	unsigned n_prepared;

	int64_t deadline_us;               /* monotonic */
	const _Atomic bool *unwanted;      /* see db_set_unwanted() */
	int64_t limit_ms;                  /* max_statement_time in force; 0: none */
	int lock_wait, lock_wait_in_force; /* seconds, or DB_LOCK_WAIT_USUAL */

	bool in_transaction; /* between BEGIN and COMMIT of db_transaction() */
	bool retried;        /* inside db_transaction() or db_retry(): those repeat, not the statement */
	bool doomed;         /* the transaction is rolled back already: no statement may run outside of it */
	bool sent;           /* something may have reached the server since this was last cleared */
	enum db_failure failure;
	char duplicate_key[65];
	struct db_counters counters;
};

/* How long making it may take. */
static inline unsigned conn_connect_timeout_s(const struct db_conn *conn)
{
	return conn->config->connect_timeout_s ? conn->config->connect_timeout_s : 5;
}

#endif
