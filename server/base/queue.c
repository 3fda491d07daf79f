/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/queue.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t not_empty;
	size_t capacity, head, length;
	unsigned waiting; /* consumers asleep; a push wakes one only if there is one */
	bool closed;
	void *items[];
};

struct queue *queue_new(size_t capacity)
{
	struct queue *q;
	size_t bytes;

	if (capacity == 0 || __builtin_mul_overflow(capacity, sizeof(void *), &bytes) ||
	    __builtin_add_overflow(bytes, sizeof(*q), &bytes))
		return NULL;
	q = calloc(1, bytes);
	if (!q)
		return NULL;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->not_empty, NULL);
	q->capacity = capacity;
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	pthread_cond_destroy(&q->not_empty);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

bool queue_push(struct queue *q, void *item)
{
	return queue_push_within(q, item, SIZE_MAX);
}

bool queue_push_within(struct queue *q, void *item, size_t ahead_max)
{
	bool wake = false;

	pthread_mutex_lock(&q->lock);
	bool ok = !q->closed && q->length < q->capacity && q->length < ahead_max;
	if (ok) {
		size_t at = q->head + q->length;

		q->items[at < q->capacity ? at : at - q->capacity] = item;
		q->length++;
		wake = q->waiting > 0;
	}
	pthread_mutex_unlock(&q->lock);
	if (wake)
		pthread_cond_signal(&q->not_empty);
	return ok;
}

bool queue_pop(struct queue *q, void **ret)
{
	return queue_pop_many(q, ret, 1) == 1;
}

size_t queue_pop_many(struct queue *q, void **items, size_t max)
{
	pthread_mutex_lock(&q->lock);
	while (q->length == 0 && !q->closed) {
		q->waiting++;
		pthread_cond_wait(&q->not_empty, &q->lock);
		q->waiting--;
	}
	size_t n = q->length < max ? q->length : max;
	for (size_t i = 0; i < n; i++) {
		items[i] = q->items[q->head];
		if (++q->head == q->capacity)
			q->head = 0;
	}
	q->length -= n;
	pthread_mutex_unlock(&q->lock);
	return n;
}

void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_mutex_unlock(&q->lock);
	pthread_cond_broadcast(&q->not_empty);
}

size_t queue_length(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	size_t n = q->length;
	pthread_mutex_unlock(&q->lock);
	return n;
}
