/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_RETENTION_H
#define DB_RETENTION_H

#include "server/db/table.h"

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

/* `pick` and `age` of a table whose rows are over from a time on that a column has: KEY lists the primary
 * key, `index` begins with the column. */
#define RETENTION_PICK_SQL(KEY, table, index, time)                                                          \
	DB_SELECT(KEY, " FROM " table " FORCE INDEX (" index ") WHERE " time " <= " DB_NOW_US " - ?"         \
		       " ORDER BY " time " LIMIT ? FOR UPDATE SKIP LOCKED")
#define RETENTION_AGE_SQL(table, time) "SELECT " DB_NOW_US " - MIN(" time ") FROM " table

#endif
