/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_LEASE_H
#define DB_LEASE_H

#include "server/base/clock.h"
#include "server/db/db.h"

/*
 * Leases in the database: who may do what only one process may do at a time. The holders write the times and
 * compare them, so clocks must agree to well within the lease's length; what a lease guards must be safe, if
 * slow, when two hold it.
 */
enum { LEASE_HOLDER_MAX = 65 /* with the NUL */ };

/* A name no other process or thread has: host, process, chance. */
void lease_holder(char out[LEASE_HOLDER_MAX]);

/* Takes or renews a named lease. 1: held until now + ttl; 0: somebody else holds it. `holder` is unique per
 * process. */
int lease_take(struct db_conn *conn, const char *name, const char *holder, int64_t now_us, int64_t ttl_us,
	       struct error *err) __attribute__((warn_unused_result));

/* Gives it back early; fine when not held. */
int lease_release(struct db_conn *conn, const char *name, const char *holder, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list lease_stmts;

/*
 * A node id (0 to 1023) for the id maker, leased at boot for a minute and renewed by a thread until stopped.
 * A node id rests for a minute after its lease before it is leased again. Once node_lease_lost() is true (any
 * thread may ask) the process must make no more ids.
 */
struct node_lease;
int node_lease_start(const struct db_config *db, const struct clock *clock, struct node_lease **ret,
		     unsigned *ret_node, struct error *err) __attribute__((warn_unused_result));
bool node_lease_lost(const struct node_lease *l);
void node_lease_stop(struct node_lease *l); /* NULL is fine */

#endif
