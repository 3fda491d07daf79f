/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_COMBINER_H
#define DB_COMBINER_H

#include "server/db/db.h"

/*
 * Group commit for small durable writes. A thread with a connection of its own takes what queued while the
 * last batch was committing (there is no timer), sorts it stably by key, runs it in one transaction, commits,
 * and only then finishes each item. An item is acknowledged if and only if it is committed. There may be
 * several such lanes, each with the items of some keys: the database writes for one while another finishes.
 * An item whose row somebody else has locked for long fails alone, with CONFLICT.
 *
 * A lane is bounded in time, not only in items: what would wait longer than `wait_ms`, or than half of the
 * time it has left, is not taken, by the mean time of a batch and by how long the one under way takes
 * already. What cannot be written in time any more is finished before it joins a batch.
 */
struct combiner;

struct combiner_config {
	const struct db_config *db;
	const struct db_stmt_list *const *stmts;
	unsigned lanes;     /* threads, each with a connection; 0 is 1 */
	unsigned queue;     /* items that may wait, over all lanes */
	unsigned batch_max; /* items in one transaction */
	int wait_ms;        /* how long an item may wait for its batch; 0: as long as it has to */

	/* Until when an item is of use: monotonic, INT64_MAX for ever. NULL: all are. */
	int64_t (*deadline_us)(const void *item);

	/* The order rows are locked in. Items that compare equal keep the order they came in. */
	int (*compare)(const void *a, const void *b);

	/* What is equal here goes the same lane, in the order it came; not called when there is only one. */
	unsigned (*lane)(const void *item);

	/*
	 * Writes the items inside an open transaction. May be called again with the same items (retry) or
	 * with some of them (one was bad). On failure: *ret_bad is the index of the item at fault, or n when
	 * no single one is.
	 */
	int (*write)(void *arg, struct db_conn *conn, void *const *items, unsigned n, unsigned *ret_bad,
		     struct error *err);

	/* Once per item, on the lane's thread: r is 0 after COMMIT, or negative. The item is the caller's
	 * again. */
	void (*finish)(void *arg, void *item, int r, const struct error *err);
	void *arg;
};

int combiner_start(const struct combiner_config *config, struct combiner **ret, struct error *err)
	__attribute__((warn_unused_result));

/* False when the queue is full, too long for the item, or stopping; finish will not be called then. Never
 * blocks. Any thread. */
bool combiner_submit(struct combiner *c, void *item) __attribute__((warn_unused_result));

/* Writes what is queued, then ends the thread and frees the combiner. NULL is fine. Nobody may submit any
 * more. */
void combiner_stop(struct combiner *c);

struct combiner_counters {
	uint64_t items, batches, retries, bad;
};
struct combiner_counters combiner_counters(const struct combiner *c);

#endif
