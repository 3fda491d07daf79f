/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_SEQUENCER_H
#define DB_SEQUENCER_H

#include "server/db/db.h"
#include "server/db/lease.h"

/*
 * Gives committed events their feed positions, without gaps. The lease keeps replicas from doing it all at
 * once; the lock on the sequence's row keeps two who both believe they hold the lease from harm. One thread.
 */
struct sequencer {
	char holder[LEASE_HOLDER_MAX];
	bool held;
	int64_t next_take_us; /* monotonic: when to renew, or to try again */
};

void sequencer_init(struct sequencer *s);

/* Takes or renews the lease when it is time to. */
int sequencer_lead(struct sequencer *s, struct db_conn *conn, struct error *err)
	__attribute__((warn_unused_result));

/* While leading: positions for what has none, in small batches, until nothing is left. */
int sequencer_run(struct sequencer *s, struct db_conn *conn, struct error *err)
	__attribute__((warn_unused_result));

void sequencer_resign(struct sequencer *s, struct db_conn *conn);

extern const struct db_stmt_list sequencer_stmts;

#endif
