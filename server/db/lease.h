/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_LEASE_H
#define DB_LEASE_H

#include "server/base/clock.h"
#include "server/db/db.h"
#include "server/db/retention.h"

/*
 * Leases in the database: who may do what only one process may do at a time. The database's clock alone says
 * when they end, inside the statements that take them, so that a replica with a wrong clock does no harm.
 */
enum { LEASE_HOLDER_MAX = 65 /* with the NUL */ };

/* A name no other process or thread has: host, process, chance. */
void lease_holder(char out[LEASE_HOLDER_MAX]);

/*
 * Takes or renews a named lease. 1: held until now + ttl; 0: somebody else holds it. `holder` is unique per
 * process. An end more than a minute further off than the ttl was set before the clock was put back, and does
 * not count: what a lease guards must be safe, if slow, when two hold it.
 */
int lease_take(struct db_conn *conn, const char *name, const char *holder, int64_t ttl_us, struct error *err)
	__attribute__((warn_unused_result));

/* Gives it back early; fine when not held. */
int lease_release(struct db_conn *conn, const char *name, const char *holder, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list lease_stmts;

/* A lease is over when it ends. That of a node is none of these, and stays: there are 1,024, and what the
 * last holder of each was promised keeps ids apart also when the database's clock is put back. */
extern const struct retention lease_retention;

/*
 * A node id (0 to 1023), leased for a minute and renewed by a thread, and the ids that are made with it.
 * Their times are the database's too, told by the lease and counted on from there, and lie within the lease.
 *
 * The thread looks at the database every second. It stays on whatever happens: when the lease ended because
 * the database was away, and once that is back, it takes the same node again, or another if the node is
 * somebody else's by then. Without a valid lease no ids are made. A clock that is off the database's by more
 * than NODE_CLOCK_MAX_US counts as no lease.
 */
#define NODE_CLOCK_MAX_US MINUTE_US

struct node_lease_config {
	const struct db_config *db;
	const struct clock *clock; /* compared with the database's */
	int64_t lease_us;          /* 0: a minute */
};

struct node_lease;
int node_lease_start(const struct node_lease_config *config, struct node_lease **ret, struct error *err)
	__attribute__((warn_unused_result));
void node_lease_stop(struct node_lease *l); /* NULL is fine */

/* A new id. DATABASE_UNAVAILABLE while there is no valid lease. Any thread. */
int node_lease_new_id(struct node_lease *l, int64_t *ret, struct error *err)
	__attribute__((warn_unused_result));

/* That the node is leased, the database is there and takes writes, and the clocks agree. Sets `why` when not.
 * Any thread. */
bool node_lease_ready(const struct node_lease *l, const char **ret_why);

/* Somebody else has the node although our lease had not ended: the process must end. Any thread. */
bool node_lease_stolen(const struct node_lease *l);

#endif
