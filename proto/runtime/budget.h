/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_BUDGET_H
#define RUNTIME_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Bytes that many share, on any threads: what all calls of a server hold together. It counts and does not
 * allocate. All zero but `max` is a budget nobody has taken of.
 */
struct budget {
	size_t max;
	_Atomic size_t used;
};

/* Takes so many bytes; false, and nothing is taken, when they would pass the budget. */
static inline bool budget_take(struct budget *b, size_t bytes)
{
	if (atomic_fetch_add_explicit(&b->used, bytes, memory_order_relaxed) + bytes <= b->max)
		return true;
	atomic_fetch_sub_explicit(&b->used, bytes, memory_order_relaxed);
	return false;
}

/* Counts bytes that are held already, and may not be refused any more. */
static inline void budget_charge(struct budget *b, size_t bytes)
{
	atomic_fetch_add_explicit(&b->used, bytes, memory_order_relaxed);
}

static inline void budget_give(struct budget *b, size_t bytes)
{
	atomic_fetch_sub_explicit(&b->used, bytes, memory_order_relaxed);
}

/* Is nothing left? */
static inline bool budget_spent(const struct budget *b)
{
	return atomic_load_explicit(&b->used, memory_order_relaxed) >= b->max;
}

#endif
