/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_SEQUENCER_H
#define DB_SEQUENCER_H

#include <stdatomic.h>

#include "server/db/db.h"
#include "server/db/lease.h"

/*
 * Gives committed events their feed positions, without gaps, on a thread and a connection of its own. The
 * lease keeps replicas from doing it all at once; the lock on the sequence's row keeps two who both believe
 * they hold the lease from harm.
 */
struct ticker;

struct sequencer {
	struct db_config db;
	struct db_conn *conn;
	struct ticker *ticker;
	atomic_bool stopping;
	bool in_trouble; /* the last turn failed, and the log says so */
	char holder[LEASE_HOLDER_MAX];
	bool held;
	int64_t next_take_us; /* monotonic: when to renew, or to try again */
};

int sequencer_start(const struct db_config *db, int poll_ms, struct sequencer **ret, struct error *err)
	__attribute__((warn_unused_result));

/* Ends after the batch under way, and gives the lease back. NULL is fine. */
void sequencer_stop(struct sequencer *s);

/* Its parts, for tests. */
int sequencer_open(struct sequencer *s, const struct db_config *db, struct error *err)
	__attribute__((warn_unused_result));
void sequencer_close(struct sequencer *s);

/* Takes or renews the lease when it is time to. */
int sequencer_lead(struct sequencer *s, struct error *err) __attribute__((warn_unused_result));

/* While leading: positions for what has none, batch after batch, until nothing is left. */
int sequencer_run(struct sequencer *s, struct error *err) __attribute__((warn_unused_result));

void sequencer_resign(struct sequencer *s);

#endif
