/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/combiner.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/queue.h"

/* One batch, its retries included. Callers with less time left have been answered by then. */
#define BATCH_TIME_US (INT64_C(15) * 1000000)

struct combiner {
	struct combiner_config config;
	struct db_config db;
	struct db_conn *conn;
	struct queue *queue;
	pthread_t thread;
	void **taken; /* batch_max, as they came */
	struct entry {
		void *item;
		unsigned order;
	} * entries;   /* the same, sorted */
	void **sorted; /* their items */
	_Atomic uint64_t items, batches, retries, bad;
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

/* A fault of the data, which another batch may not have; the others concern whatever is written. */
static bool fault_of_an_item(int r)
{
	return r != -STATUS_UNAVAILABLE && r != -STATUS_DEADLINE_EXCEEDED && r != -STATUS_ABORTED;
}

/*
 * Writes items in key order until each is committed or failed. Those a bad one was in the way of are written
 * again, without it; when nobody can say which is bad, halves are, until it stands alone.
 */
static void write_items(struct combiner *c, void **items, unsigned n)
{
	struct error err;
	while (n > 0) {
		struct batch b = {.c = c, .items = items, .n = n, .bad = n};
		db_set_deadline(c->conn, monotonic_us() + BATCH_TIME_US);
		int r = db_transaction(c->conn, true, batch_body, &b, &err);
		atomic_fetch_add(&c->batches, 1);
		if (r == 0 || !fault_of_an_item(r)) {
			finish_all(c, items, n, r, &err);
			return;
		}
		if (b.bad >= n && n > 1) {
			write_items(c, items, n / 2);
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
	return order ? order : (x->order > y->order) - (x->order < y->order);
}

static void sort_taken(struct combiner *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		c->entries[i] = (struct entry){c->taken[i], i};
	qsort_r(c->entries, n, sizeof(*c->entries), compare_entries, c);
	for (unsigned i = 0; i < n; i++)
		c->sorted[i] = c->entries[i].item;
}

static void *run(void *arg)
{
	struct combiner *c = arg;
	size_t n;
	while ((n = queue_pop_many(c->queue, c->taken, c->config.batch_max)) > 0) {
		sort_taken(c, (unsigned)n);
		atomic_fetch_add(&c->items, n);
		write_items(c, c->sorted, (unsigned)n);
	}
	return NULL;
}

/* --- from outside --- */

static void combiner_free(struct combiner *c)
{
	db_close(c->conn);
	queue_free(c->queue);
	free(c->taken);
	free(c->entries);
	free(c->sorted);
	free(c);
}

static int combiner_allocate(struct combiner *c, struct error *err)
{
	unsigned n = c->config.batch_max;
	c->queue = queue_new(c->config.queue);
	c->taken = calloc(n, sizeof(*c->taken));
	c->entries = calloc(n, sizeof(*c->entries));
	c->sorted = calloc(n, sizeof(*c->sorted));
	if (!c->queue || !c->taken || !c->entries || !c->sorted)
		return error_internal(err, "out of memory for a combiner of %u items", c->config.queue);
	return 0;
}

int combiner_start(const struct combiner_config *config, struct combiner **ret, struct error *err)
{
	struct combiner *c = calloc(1, sizeof(*c));
	if (!c)
		return error_internal(err, "out of memory for a combiner");
	c->config = *config;
	c->db = *config->db;
	int r = combiner_allocate(c, err);
	if (r == 0)
		r = db_open(&c->db, config->stmts, &c->conn, err);
	if (r == 0 && pthread_create(&c->thread, NULL, run, c) != 0)
		r = error_internal(err, "cannot start the combiner's thread");
	if (r < 0) {
		combiner_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

bool combiner_submit(struct combiner *c, void *item)
{
	return queue_push(c->queue, item);
}

void combiner_stop(struct combiner *c)
{
	if (!c)
		return;
	queue_close(c->queue);
	pthread_join(c->thread, NULL);
	combiner_free(c);
}

struct combiner_counters combiner_counters(const struct combiner *c)
{
	return (struct combiner_counters){.items = atomic_load(&c->items),
					  .batches = atomic_load(&c->batches),
					  .retries = atomic_load(&c->retries),
					  .bad = atomic_load(&c->bad)};
}
