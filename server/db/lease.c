/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/lease.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/db/table.h"

/* A statement's time is that of its begin: who waited for the row may find an end set later, by as much. */
#define FURTHEST_US MINUTE_US

struct held {
	char by[LEASE_HOLDER_MAX];
};
#define HELD_COLUMNS(F, C, R) F(R, "holder", CODE, by)
DB_ROW(held_row, struct held, HELD_COLUMNS);

struct old {
	char name[65];
};
#define OLD_COLUMNS(F, C, R) F(R, "name", CODE, name)
DB_ROW(old_row, struct old, OLD_COLUMNS);

enum { LEASE_TAKE, LEASE_RELEASE, LEASE_PICK_OLD, LEASE_REMOVE, LEASE_AGE, LEASE_STATEMENTS };

static const struct db_stmt stmts[LEASE_STATEMENTS] = {
	/* Assignments run left to right: the expiry moves only for the one who is the holder by then. */
	[LEASE_TAKE] = {"lease_take", "ssii", &held_row,
			"INSERT INTO lease (name, holder, expire_time) VALUES (?, ?, " DB_NOW_US " + ?) "
			"ON DUPLICATE KEY UPDATE "
			"holder = IF(expire_time > " DB_NOW_US " AND expire_time <= " DB_NOW_US
			" + ?, holder, VALUES(holder)), "
			"expire_time = IF(holder = VALUES(holder), VALUES(expire_time), expire_time) "
			"RETURNING " DB_NAMES(HELD_COLUMNS)},
	[LEASE_RELEASE] = {"lease_release", "ss", NULL, "DELETE FROM lease WHERE name = ? AND holder = ?"},
	[LEASE_PICK_OLD] = {"lease_pick_old", "ii", &old_row,
			    RETENTION_PICK_SQL(OLD_COLUMNS, "lease", "PRIMARY",
					       "expire_time")}, /* a few rows */
	[LEASE_REMOVE] = {"lease_remove", DB_LETTERS(OLD_COLUMNS), NULL, "DELETE FROM lease WHERE name = ?"},
	[LEASE_AGE] = {"lease_age", "", &db_row_i64, RETENTION_AGE_SQL("lease", "expire_time")},
};
const struct db_stmt_list lease_stmts = {"lease", stmts, LEASE_STATEMENTS};
const struct retention lease_retention = {
	.pick = &stmts[LEASE_PICK_OLD],
	.remove = &stmts[LEASE_REMOVE],
	.age = &stmts[LEASE_AGE],
};

void lease_holder(char out[LEASE_HOLDER_MAX])
{
	char host[33] = "";
	uint64_t random = 0;
	gethostname(host, sizeof(host) - 1);
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (uint64_t)monotonic_us();
	snprintf(out, LEASE_HOLDER_MAX, "%s:%d:%08x", host, (int)getpid(), (unsigned)random);
}

int lease_take(struct db_conn *conn, const char *name, const char *holder, int64_t ttl_us, struct error *err)
{
	struct held held;
	int r = db_read(conn, &stmts[LEASE_TAKE],
			DB_ARGS(db_str(name), db_str(holder), db_i64(ttl_us), db_i64(ttl_us + FURTHEST_US)),
			NULL, &held, err);
	return r > 0 ? strcmp(held.by, holder) == 0 : r;
}

int lease_release(struct db_conn *conn, const char *name, const char *holder, struct error *err)
{
	return db_exec(conn, &stmts[LEASE_RELEASE], DB_ARGS(db_str(name), db_str(holder)), NULL, err);
}
