/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A bounded queue of pointers, many producers, many consumers. Closing wakes every consumer; what is queued
 * is still handed out, then pops return false.
 */
struct queue;

struct queue *queue_new(size_t capacity);
void queue_free(struct queue *q); /* nobody may be inside; NULL is fine */

/* False when full or closed: the caller keeps the item. Never blocks. */
bool queue_push(struct queue *q, void *item) __attribute__((warn_unused_result));

/* The same for who would not stand behind `ahead_max` items or more. */
bool queue_push_within(struct queue *q, void *item, size_t ahead_max) __attribute__((warn_unused_result));

/* Blocks until there is an item; false when closed and empty. */
bool queue_pop(struct queue *q, void **ret) __attribute__((warn_unused_result));

/* Blocks until there is at least one item, then takes up to `max` at once; 0 when closed and empty. */
size_t queue_pop_many(struct queue *q, void **items, size_t max);

void queue_close(struct queue *q);
size_t queue_length(struct queue *q);

#endif
