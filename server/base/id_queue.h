/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ID_QUEUE_H
#define BASE_ID_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Ids that wait for somebody to look at them again, in the order they came. They stay until he says that he
 * has, so that whoever finds the queue empty knows that all is done. Thread-safe; nothing blocks for longer
 * than a copy.
 */
struct id_queue;

struct id_queue *id_queue_new(unsigned capacity); /* NULL when memory is out */
void id_queue_free(struct id_queue *q);           /* NULL is fine */

/* When it is full, the id is lost, and id_queue_lost() says so once. A NULL queue takes everything to no
 * effect. */
void id_queue_add(struct id_queue *q, int64_t id);

/* The first ids, `max` at most, which stay; returns how many. *ret_upto is for id_queue_drop(). */
unsigned id_queue_copy(struct id_queue *q, int64_t *ret, unsigned max, uint64_t *ret_upto);
void id_queue_drop(struct id_queue *q, uint64_t upto);

/* Everything that was added before has been looked at. */
bool id_queue_empty(const struct id_queue *q);
bool id_queue_lost(struct id_queue *q);

#endif
