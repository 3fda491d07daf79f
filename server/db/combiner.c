/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/combiner.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/array.h"
#include "server/base/clock.h"
#include "server/base/queue.h"

/* One batch, its retries included. Callers with less time left have been answered by then. */
#define BATCH_TIME_US (15 * SECOND_US)

enum {
	MEAN_WEIGHT = 16, /* of a batch in the mean time of batches: one part of so many */
	LATE_RETRY_MS = 250,
};

/*
 * How long a batch waits for a row that somebody else has locked: there are others in it. When that was in
 * vain the lane waits for no lock at all for a while, so that one locked row does not hold up each batch that
 * has a use for it.
 */
enum { LOCK_WAIT_S = 1 };
#define SHY_US (10 * SECOND_US)

/* A thread with its connection, and what it works on. */
struct lane {
	struct combiner *c;
	struct db_conn *conn;
	struct queue *queue;
	pthread_t thread;
	bool running;
	int64_t shy_until_us;                          /* until then it waits for no lock */
	_Atomic int64_t batch_began_us, batch_mean_us; /* 0: none is under way; none was yet */
	void **taken;                                  /* batch_max, as they came */
	struct entry {
		void *item;
		unsigned order;
	} * entries;   /* the same, sorted */
	void **sorted; /* their items */
};

struct combiner {
	struct combiner_config config;
	struct db_config db;
	_Atomic uint64_t items, batches, retries, bad;
	unsigned n_lanes;
	struct lane lanes[];
};

/* --- writing --- */

struct batch {
	struct combiner *c;
	void **items;
	unsigned n, bad, runs;
};

static int batch_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct batch *b = arg;
	b->bad = b->n;
	if (b->runs++ > 0)
		atomic_fetch_add(&b->c->retries, 1);
	return b->c->config.write(b->c->config.arg, conn, b->items, b->n, &b->bad, err);
}

static void finish_all(struct combiner *c, void *const *items, unsigned n, int r, const struct error *err)
{
	for (unsigned i = 0; i < n; i++)
		c->config.finish(c->config.arg, items[i], r, err);
}

/* A fault of the data or a locked row, which another batch may not have; the others concern whatever is
 * written. */
static bool fault_of_an_item(int r)
{
	return r != -STATUS_UNAVAILABLE && r != -STATUS_DEADLINE_EXCEEDED;
}

static int write_batch(struct lane *l, struct batch *b, struct error *err)
{
	int64_t now_us = monotonic_us();
	db_set_deadline(l->conn, now_us + BATCH_TIME_US);
	db_set_lock_wait(l->conn, now_us < l->shy_until_us ? 0 : LOCK_WAIT_S);
	int r = db_transaction(l->conn, true, batch_body, b, err);
	if (r == -STATUS_ABORTED) {
		l->shy_until_us = monotonic_us() + SHY_US;
		b->bad = b->n;
	}
	atomic_fetch_add(&l->c->batches, 1);
	return r;
}

/*
 * Writes items in key order until each is committed or failed. Those a bad one was in the way of are written
 * again, without it; when nobody can say which is bad, halves are, until it stands alone. One whose row is
 * locked fails as a bad one does, with CONFLICT.
 */
static void write_items(struct lane *l, void **items, unsigned n)
{
	struct combiner *c = l->c;
	struct error err;
	while (n > 0) {
		struct batch b = {.c = c, .items = items, .n = n, .bad = n};
		int r = write_batch(l, &b, &err);
		if (r == 0 || !fault_of_an_item(r)) {
			finish_all(c, items, n, r, &err);
			return;
		}
		if (b.bad >= n && n > 1) {
			write_items(l, items, n / 2);
			items += n / 2;
			n -= n / 2;
			continue;
		}
		unsigned bad = n == 1 ? 0 : b.bad;
		void *item = items[bad];
		memmove(&items[bad], &items[bad + 1], (n - bad - 1) * sizeof(*items));
		n--;
		atomic_fetch_add(&c->bad, 1);
		c->config.finish(c->config.arg, item, r, &err);
	}
}

/* --- taking --- */

static int compare_entries(const void *a, const void *b, void *arg)
{
	const struct combiner *c = arg;
	const struct entry *x = a, *y = b;
	int order = c->config.compare(x->item, y->item);
	return order ? order : ORDER(x->order, y->order);
}

static void sort_taken(struct lane *l, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		l->entries[i] = (struct entry){l->taken[i], i};
	qsort_r(l->entries, n, sizeof(*l->entries), compare_entries, l->c);
	for (unsigned i = 0; i < n; i++)
		l->sorted[i] = l->entries[i].item;
}

static int64_t deadline_of(const struct combiner *c, const void *item)
{
	return c->config.deadline_us ? c->config.deadline_us(item) : INT64_MAX;
}

static int too_late(int64_t left_us, struct error *err)
{
	if (left_us <= 0)
		return error_raise(err, &RPC_REASON_DEADLINE_PASSED,
				   "The deadline passed before it could be written; nothing was done.");
	error_raise(err, &RPC_REASON_OVERLOADED,
		    "It cannot be written before its deadline. Nothing was done; wait and repeat.");
	return error_set_retry(err, LATE_RETRY_MS);
}

/* Finishes those that a batch could not write in time; returns how many are left of those taken. */
static size_t drop_late(struct lane *l, size_t n, int64_t now_us, int64_t mean_us)
{
	struct error err;
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		int64_t left_us = deadline_of(l->c, l->taken[i]) - now_us;
		if (left_us > mean_us)
			l->taken[kept++] = l->taken[i];
		else
			l->c->config.finish(l->c->config.arg, l->taken[i], too_late(left_us, &err), &err);
	}
	return kept;
}

static void run_batch(struct lane *l, size_t n, bool waited)
{
	int64_t mean_us = atomic_load(&l->batch_mean_us), us = monotonic_us();
	atomic_store(&l->batch_began_us, us);
	/* What did not have to wait is tried whatever the mean says: it may be of a bad hour. */
	n = drop_late(l, n, us, waited ? mean_us : 0);
	sort_taken(l, (unsigned)n);
	atomic_fetch_add(&l->c->items, n);
	write_items(l, l->sorted, (unsigned)n);
	/* An empty batch counts as well: a mean that drops items sinks until some are tried again. */
	us = monotonic_us() - us;
	atomic_store(&l->batch_mean_us, mean_us ? mean_us + (us - mean_us) / MEAN_WEIGHT : us);
	atomic_store(&l->batch_began_us, 0);
}

static void *run(void *arg)
{
	struct lane *l = arg;
	size_t n;
	for (;;) {
		bool waited = queue_length(l->queue) > 0;
		n = queue_pop_many(l->queue, l->taken, l->c->config.batch_max);
		if (n == 0)
			break;
		run_batch(l, n, waited);
	}
	return NULL;
}

/* --- from outside --- */

static void lane_stop(struct lane *l)
{
	if (l->running) {
		queue_close(l->queue);
		pthread_join(l->thread, NULL);
	}
	db_close(l->conn);
	queue_free(l->queue);
	free(l->taken);
	free(l->entries);
	free(l->sorted);
}

static int lane_allocate(struct lane *l, struct error *err)
{
	const struct combiner_config *config = &l->c->config;
	unsigned n = config->batch_max;
	l->queue = queue_new((config->queue + l->c->n_lanes - 1) / l->c->n_lanes);
	l->taken = calloc(n, sizeof(*l->taken));
	l->entries = calloc(n, sizeof(*l->entries));
	l->sorted = calloc(n, sizeof(*l->sorted));
	if (!l->queue || !l->taken || !l->entries || !l->sorted)
		return error_internal(err, "out of memory for a combiner of %u items", config->queue);
	return 0;
}

static int lane_start(struct lane *l, struct error *err)
{
	int r = lane_allocate(l, err);
	if (r == 0)
		r = db_open(&l->c->db, l->c->config.stmts, &l->conn, err);
	if (r == 0 && pthread_create(&l->thread, NULL, run, l) != 0)
		r = error_internal(err, "cannot start a combiner's thread");
	l->running = r == 0;
	if (l->running)
		pthread_setname_np(l->thread, "combiner");
	return r;
}

int combiner_start(const struct combiner_config *config, struct combiner **ret, struct error *err)
{
	unsigned n = config->lanes ? config->lanes : 1;
	struct combiner *c = calloc(1, sizeof(*c) + n * sizeof(c->lanes[0]));
	int r = 0;
	if (!c)
		return error_internal(err, "out of memory for a combiner");
	c->config = *config;
	c->db = *config->db;
	c->n_lanes = n;
	for (unsigned i = 0; i < n; i++)
		c->lanes[i].c = c;
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = lane_start(&c->lanes[i], err);
	if (r < 0) {
		combiner_stop(c);
		return r;
	}
	*ret = c;
	return 0;
}

/* How many may wait before one that may wait so long; at least a batch, since an idle lane takes any. Before
 * the first batch is over nobody knows. */
static size_t lane_room(const struct lane *l, int64_t may_us, int64_t now_us)
{
	const int64_t began_us = atomic_load(&l->batch_began_us), mean_us = atomic_load(&l->batch_mean_us);
	if (began_us && now_us - began_us > may_us)
		return 0;
	if (mean_us == 0)
		return SIZE_MAX;
	return mean_us < may_us ? (size_t)(may_us / mean_us) * l->c->config.batch_max
				: l->c->config.batch_max;
}

bool combiner_submit(struct combiner *c, void *item)
{
	struct lane *l = &c->lanes[c->n_lanes > 1 ? c->config.lane(item) % c->n_lanes : 0];
	if (!c->config.wait_ms)
		return queue_push(l->queue, item);
	int64_t now_us = monotonic_us();
	int64_t left_us = deadline_of(c, item) - now_us;
	if (left_us > 2 * c->config.wait_ms * INT64_C(1000))
		left_us = 2 * c->config.wait_ms * INT64_C(1000);
	return queue_push_within(l->queue, item, lane_room(l, left_us / 2, now_us));
}

void combiner_stop(struct combiner *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->n_lanes; i++)
		lane_stop(&c->lanes[i]);
	free(c);
}

struct combiner_counters combiner_counters(const struct combiner *c)
{
	return (struct combiner_counters){.items = atomic_load(&c->items),
					  .batches = atomic_load(&c->batches),
					  .retries = atomic_load(&c->retries),
					  .bad = atomic_load(&c->bad)};
}
