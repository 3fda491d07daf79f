/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_RANKING_H
#define SEARCH_RANKING_H

#include <roaring/roaring.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/runtime/span.h"

/*
 * Courses in an order, for which any set of them is asked: the first of the set behind a place, and those of
 * it between two. Courses are told by slots, which are small numbers.
 *
 * The order lies in blocks, and with each block is kept the set of all that stand before it. So it is known
 * in microseconds whether any of a set lies before a block, and a page costs a look at a few blocks, however
 * far the set's members stand from each other. Not thread-safe: many may read while nobody writes.
 */

/* A place in an order. */
struct rank_key {
	int64_t key;      /* least first */
	struct span text; /* and then by its bytes; empty where there is no such thing */
	int64_t id;       /* and then least first; no two of a ranking are the same */
};

/* What a slot's place is; the text lives as long as the slot. */
typedef struct rank_key (*rank_key_function)(const void *arg, uint32_t slot);

struct ranking {
	rank_key_function key_of;
	const void *arg;
	unsigned parts; /* blocks it should lie in: more for ranges, whose ends are looked at one by one */
	struct rank_block *blocks;
	unsigned n_blocks;
	uint32_t n, block_max;
};

/* An empty one is all zero but for the function, its argument and the parts. */
void ranking_done(struct ranking *r);

/* All of these at once, in whatever order; nothing was in it before. False when memory is out. */
bool ranking_fill(struct ranking *r, const uint32_t *slots, uint32_t n) __attribute__((warn_unused_result));

/* False when memory is out, and nothing has changed then. */
bool ranking_add(struct ranking *r, uint32_t slot) __attribute__((warn_unused_result));

/* The slot at exactly this place; -1 when there is none. */
int64_t ranking_find(const struct ranking *r, const struct rank_key *key);

/* One that is in it. */
void ranking_remove(struct ranking *r, uint32_t slot);

enum { RANKING_PAGE_MAX = 128 };

/* The first `max` members of the set, RANKING_PAGE_MAX at most, that come after a place, NULL being the
 * beginning; returns how many. What is in the set is in the ranking. */
unsigned ranking_select(const struct ranking *r, const roaring_bitmap_t *among, const struct rank_key *after,
			unsigned max, uint32_t *ret);

/* The members of the set with a key from `least` to `most`, both included; NULL when memory is out. */
roaring_bitmap_t *ranking_between(const struct ranking *r, const roaring_bitmap_t *among, int64_t least,
				  int64_t most) __attribute__((warn_unused_result));

size_t ranking_bytes(const struct ranking *r);

#endif
