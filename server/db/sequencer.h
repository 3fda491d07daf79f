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
struct event;

struct sequencer_config {
	const struct db_config *db;
	int poll_ms;                             /* 0: 250 */
	const struct db_stmt_list *const *stmts; /* what the callbacks run, ended by NULL; NULL: nothing */

	/* Whether this server is fit to lead, asked at each turn; NULL: it is. While it is not, the lease is
	 * left to others. */
	bool (*fit)(void *arg);

	/* At each turn of who leads, before positions are given; NULL: nothing. What it appends is placed in
	 * the same turn. It is outside of any transaction, and another server may lead by now: what it does
	 * must be right, if slow, when two do it at once. When it fails, positions are given all the same; it
	 * has two seconds for its statements. */
	int (*turn)(void *arg, struct db_conn *conn, struct error *err);

	/* In the transaction that gave these events their positions, which ascend without gaps; NULL:
	 * nothing. Of each its payload and its course are not read. May run again on other events with the
	 * same positions; when it fails they are given later. */
	int (*placed)(void *arg, struct db_conn *conn, const struct event *events, unsigned n,
		      struct error *err);
	void *arg;
};

struct sequencer;
int sequencer_start(const struct sequencer_config *config, struct sequencer **ret, struct error *err)
	__attribute__((warn_unused_result));

/* Ends after the batch under way, and gives the lease back. NULL is fine. */
void sequencer_stop(struct sequencer *s);

/* --- its parts, for tests and the bench --- */

enum { SEQUENCER_LISTS_MAX = 8 };

struct sequencer {
	struct sequencer_config config;
	struct db_config db;
	const struct db_stmt_list *lists[SEQUENCER_LISTS_MAX];
	struct db_conn *conn;
	struct ticker *ticker;
	atomic_bool stopping;
	bool in_trouble; /* the last turn failed, and the log says so */
	char holder[LEASE_HOLDER_MAX];
	bool held;
	int64_t next_take_us; /* monotonic: when to renew, or to try again */
	unsigned batch;       /* events in the next transaction, at most */
	int64_t seen;         /* last position when the lease was last renewed; 0: never */
};

int sequencer_open(struct sequencer *s, const struct sequencer_config *config, struct error *err)
	__attribute__((warn_unused_result));
void sequencer_close(struct sequencer *s);

/* Takes or renews the lease when it is time to. */
int sequencer_lead(struct sequencer *s, struct error *err) __attribute__((warn_unused_result));

/* While leading: positions for what has none, batch after batch, until nothing is left. */
int sequencer_run(struct sequencer *s, struct error *err) __attribute__((warn_unused_result));

void sequencer_resign(struct sequencer *s);

#endif
