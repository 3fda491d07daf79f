/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/id_queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct id_queue {
	pthread_mutex_t lock;
	_Atomic uint64_t first, last; /* how many were dropped, and how many came; changed under the lock */
	atomic_bool lost;
	unsigned capacity;
	int64_t ids[]; /* the one that came as number n lies at n % capacity */
};

struct id_queue *id_queue_new(unsigned capacity)
{
	struct id_queue *q = calloc(1, sizeof(*q) + capacity * sizeof(int64_t));
	if (!q)
		return NULL;
	pthread_mutex_init(&q->lock, NULL);
	q->capacity = capacity;
	return q;
}

void id_queue_free(struct id_queue *q)
{
	if (!q)
		return;
	pthread_mutex_destroy(&q->lock);
	free(q);
}

void id_queue_add(struct id_queue *q, int64_t id)
{
	if (!q)
		return;
	pthread_mutex_lock(&q->lock);
	const uint64_t last = atomic_load(&q->last);
	if (last - atomic_load(&q->first) < q->capacity) {
		q->ids[last % q->capacity] = id;
		atomic_store(&q->last, last + 1);
	} else {
		atomic_store(&q->lost, true);
	}
	pthread_mutex_unlock(&q->lock);
}

unsigned id_queue_copy(struct id_queue *q, int64_t *ret, unsigned max, uint64_t *ret_upto)
{
	unsigned n = 0;
	pthread_mutex_lock(&q->lock);
	uint64_t at = atomic_load(&q->first);
	for (const uint64_t last = atomic_load(&q->last); n < max && at < last; at++)
		ret[n++] = q->ids[at % q->capacity];
	pthread_mutex_unlock(&q->lock);
	*ret_upto = at;
	return n;
}

void id_queue_drop(struct id_queue *q, uint64_t upto)
{
	pthread_mutex_lock(&q->lock);
	if (atomic_load(&q->first) < upto)
		atomic_store(&q->first, upto);
	pthread_mutex_unlock(&q->lock);
}

bool id_queue_empty(const struct id_queue *q)
{
	return atomic_load(&q->first) == atomic_load(&q->last);
}

bool id_queue_lost(struct id_queue *q)
{
	return atomic_exchange(&q->lost, false);
}
