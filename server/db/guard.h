/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_GUARD_H
#define DB_GUARD_H

#include "server/db/db.h"

/*
 * What may be done to connections from outside, while their threads wait in them for the database: a read
 * that nobody waits for any more is stopped; one whose question or answer a network swallowed is cut off
 * within seconds, since the server, asked on another connection, knows of nothing to do for it; what is not
 * answered a second after the limit that the server was given is cut off as well (a server that hangs); and
 * at the end all of them are cut. A connection that is cut is lost as if it had broken. A connection is under
 * the guard of its config (db_config.guard) from db_open() to db_close().
 */
struct db_guard;

/* `config` says how to connect; its strings outlive the guard, its guard is not read. It connects when there
 * is something to stop. */
int db_guard_start(const struct db_config *config, struct db_guard **ret, struct error *err)
	__attribute__((warn_unused_result));

/* All connections under it must be closed. NULL is fine. */
void db_guard_stop(struct db_guard *g);

/*
 * Has the read that runs on the connection stopped in the database (KILL QUERY); what writes runs to its end,
 * so that no outcome becomes unknown. Nothing happens when no read runs. Returns at once. Any thread, while
 * the connection is open.
 */
void db_interrupt(struct db_conn *conn);

/*
 * At that time (monotonic) every connection is cut: who waits in one gets DATABASE_UNAVAILABLE, or
 * OUTCOME_UNKNOWN when he was committing, and none is opened any more, but for one that is being connected
 * just then, for its connect timeout at most. For the end of a process whose database does not answer.
 */
void db_guard_cut_at(struct db_guard *g, int64_t us);

#endif
