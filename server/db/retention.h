/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_RETENTION_H
#define DB_RETENTION_H

#include "server/db/db.h"

/*
 * How rows of a table are let go once their time is over: what its owner says of it. How long that time is,
 * and when it is looked after, is said elsewhere (server/jobs/retention.h). Ages are by the database's clock.
 */
struct retention {
	/* Locks rows that are over for longer than so many microseconds ("i"), so many of them at most ("i"),
	 * the oldest first, and skips what somebody has locked: their primary keys. */
	const struct db_stmt *pick;
	/* Removes one of them, after what hangs on it; NULL when nothing does. */
	const struct db_stmt *remove_first, *remove;
	/* For how long the oldest is over, in microseconds; negative or nothing when none is. */
	const struct db_stmt *age;
};

#endif
