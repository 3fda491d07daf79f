/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/misfit.h"

#include <mysqld_error.h>
#include <pthread.h>
#include <stdatomic.h>

#include "server/base/log.h"

enum { KNOWN_MAX = 256, RETRY_MS = 10000 };

enum {
	NO_SUCH_KEY = 1176
}; /* its name in the client's headers is spelt differently from release to release */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct db_stmt *known[KNOWN_MAX];
static atomic_uint n_known;

bool misfit_number(unsigned number)
{
	return number == ER_BAD_FIELD_ERROR || number == ER_NO_SUCH_TABLE || number == ER_UNKNOWN_TABLE ||
	       number == ER_WRONG_VALUE_COUNT_ON_ROW || number == ER_TABLEACCESS_DENIED_ERROR ||
	       number == ER_COLUMNACCESS_DENIED_ERROR || number == NO_SUCH_KEY ||
	       number == ER_MAX_PREPARED_STMT_COUNT_REACHED;
}

/* Its place among the known; n_known when it is not there. */
static unsigned place_of(const struct db_stmt *stmt)
{
	unsigned i = 0;
	while (i < n_known && known[i] != stmt)
		i++;
	return i;
}

static bool note(const struct db_stmt *stmt)
{
	pthread_mutex_lock(&lock);
	bool fresh = place_of(stmt) == n_known && n_known < KNOWN_MAX;
	if (fresh)
		known[n_known++] = stmt;
	pthread_mutex_unlock(&lock);
	return fresh;
}

static bool forget(const struct db_stmt *stmt)
{
	if (n_known == 0)
		return false;
	pthread_mutex_lock(&lock);
	unsigned at = place_of(stmt);
	bool found = at < n_known;
	if (found)
		known[at] = known[--n_known];
	pthread_mutex_unlock(&lock);
	return found;
}

int misfit_raise(const struct db_stmt *stmt, const char *why, struct error *err)
{
	if (note(stmt))
		log_error("statement %s does not fit the database, its callers are refused: %s", stmt->name,
			  why);
	error_raise(
		err, &RPC_REASON_DATABASE_UNAVAILABLE,
		"The database does not fit this server, as its log says. Nothing was done; repeat the call "
		"later.");
	return error_set_retry(err, RETRY_MS);
}

void misfit_over(const struct db_stmt *stmt)
{
	if (forget(stmt))
		log_info("statement %s fits the database again", stmt->name);
}
