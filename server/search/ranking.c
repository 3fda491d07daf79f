/* SPDX-License-Identifier: Apache-2.0 */
#include "server/search/ranking.h"

#include <stdlib.h>
#include <string.h>

enum {
	BLOCK_MIN = 128,
	/* So many are looked at one by one, when they are no more than one in so many, rather than looked for
	 * in the order. */
	FEW = 1024,
	SPARSE = 32,
};

struct entry {
	int64_t key;
	uint32_t slot;
};

struct rank_block {
	roaring_bitmap_t *before; /* all that stand in earlier blocks */
	struct entry *entries;    /* block_max of them, n in use */
	uint32_t n;
};

/* --- places --- */

static int compare_bytes(struct span a, struct span b)
{
	size_t least = a.len < b.len ? a.len : b.len;
	int r = least ? memcmp(a.data, b.data, least) : 0;
	return r ? r : (a.len > b.len) - (a.len < b.len);
}

static int compare_keys(const struct rank_key *a, const struct rank_key *b)
{
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	int r = compare_bytes(a->text, b->text);
	return r ? r : (a->id > b->id) - (a->id < b->id);
}

/* How an entry stands to a place; what only its key must tell is not looked up. */
static int compare_entry(const struct ranking *r, const struct entry *e, const struct rank_key *key)
{
	if (e->key != key->key)
		return e->key < key->key ? -1 : 1;
	const struct rank_key own = r->key_of(r->arg, e->slot);
	return compare_keys(&own, key);
}

/* How many entries of a block come before the place; those at it too when `past`. */
static uint32_t place_in_block(const struct ranking *r, const struct rank_block *b,
			       const struct rank_key *key, bool past)
{
	uint32_t low = 0, high = b->n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (compare_entry(r, &b->entries[middle], key) < past)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The last block that begins before the place (or at it when `past`), or the first. */
static unsigned find_block(const struct ranking *r, const struct rank_key *key, bool past)
{
	unsigned low = 0, high = r->n_blocks;
	while (high - low > 1) {
		const unsigned middle = low + (high - low) / 2;
		unsigned at = middle;
		while (at < high && r->blocks[at].n == 0)
			at++;
		if (at < high && compare_entry(r, &r->blocks[at].entries[0], key) < past)
			low = at;
		else
			high = middle;
	}
	return low;
}

/* --- making --- */

static void blocks_free(struct rank_block *blocks, unsigned n)
{
	for (unsigned i = 0; blocks && i < n; i++) {
		if (blocks[i].before)
			roaring_bitmap_free(blocks[i].before);
		free(blocks[i].entries);
	}
	free(blocks);
}

void ranking_done(struct ranking *r)
{
	blocks_free(r->blocks, r->n_blocks);
	r->blocks = NULL;
	r->n_blocks = 0;
	r->n = 0;
}

static roaring_bitmap_t *set_behind(const struct rank_block *b)
{
	roaring_bitmap_t *set = roaring_bitmap_copy(b->before);
	for (uint32_t i = 0; set && i < b->n; i++)
		roaring_bitmap_add(set, b->entries[i].slot);
	return set;
}

static bool block_init(struct rank_block *b, const struct entry *entries, uint32_t n, uint32_t max)
{
	b->entries = malloc(max * sizeof(*b->entries));
	if (!b->entries || !b->before)
		return false;
	if (n > 0)
		memcpy(b->entries, entries, n * sizeof(*entries));
	b->n = n;
	return true;
}

/* Blocks of entries that are in order, each filled by half, in the place of those there are. */
static bool build(struct ranking *r, const struct entry *entries, uint32_t n)
{
	const uint32_t fill = n / r->parts < BLOCK_MIN ? BLOCK_MIN : n / r->parts + 1;
	const unsigned n_blocks = n ? (n + fill - 1) / fill : 1;
	struct rank_block *blocks = calloc(n_blocks, sizeof(*blocks));
	bool ok = blocks;

	for (unsigned i = 0; ok && i < n_blocks; i++) {
		uint32_t from = i * fill, count = n - from < fill ? n - from : fill;
		blocks[i].before = i ? set_behind(&blocks[i - 1]) : roaring_bitmap_create();
		ok = block_init(&blocks[i], entries ? entries + from : NULL, count, 2 * fill);
	}
	if (!ok) {
		blocks_free(blocks, n_blocks);
		return false;
	}
	blocks_free(r->blocks, r->n_blocks);
	r->blocks = blocks;
	r->n_blocks = n_blocks;
	r->block_max = 2 * fill;
	r->n = n;
	return true;
}

static int compare_entries(const void *a, const void *b, void *ranking)
{
	const struct ranking *r = ranking;
	const struct entry *x = a, *y = b;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	const struct rank_key key = r->key_of(r->arg, y->slot);
	return compare_entry(r, x, &key);
}

bool ranking_fill(struct ranking *r, const uint32_t *slots, uint32_t n)
{
	struct entry *entries = malloc((n + 1) * sizeof(*entries));
	if (!entries)
		return false;
	for (uint32_t i = 0; i < n; i++)
		entries[i] = (struct entry){r->key_of(r->arg, slots[i]).key, slots[i]};
	qsort_r(entries, n, sizeof(*entries), compare_entries, r);
	bool ok = build(r, entries, n);
	free(entries);
	return ok;
}

/* A block is full: all are made anew. */
static bool rebuild(struct ranking *r)
{
	struct entry *entries = malloc((r->n + 1) * sizeof(*entries));
	uint32_t n = 0;
	if (!entries)
		return false;
	for (unsigned i = 0; i < r->n_blocks; i++) {
		memcpy(entries + n, r->blocks[i].entries, r->blocks[i].n * sizeof(*entries));
		n += r->blocks[i].n;
	}
	bool ok = build(r, entries, n);
	free(entries);
	return ok;
}

bool ranking_add(struct ranking *r, uint32_t slot)
{
	const struct rank_key key = r->key_of(r->arg, slot);
	if (!r->blocks && !build(r, NULL, 0))
		return false;
	unsigned at = find_block(r, &key, false);
	if (r->blocks[at].n == r->block_max) {
		if (!rebuild(r))
			return false;
		at = find_block(r, &key, false);
	}
	struct rank_block *b = &r->blocks[at];
	uint32_t place = place_in_block(r, b, &key, false);
	memmove(b->entries + place + 1, b->entries + place, (b->n - place) * sizeof(*b->entries));
	b->entries[place] = (struct entry){key.key, slot};
	b->n++;
	r->n++;
	for (unsigned i = at + 1; i < r->n_blocks; i++)
		roaring_bitmap_add(r->blocks[i].before, slot);
	return true;
}

int64_t ranking_find(const struct ranking *r, const struct rank_key *key)
{
	if (!r->blocks)
		return -1;
	const struct rank_block *b = &r->blocks[find_block(r, key, true)];
	uint32_t place = place_in_block(r, b, key, false);
	return place < b->n && compare_entry(r, &b->entries[place], key) == 0
		       ? (int64_t)b->entries[place].slot
		       : -1;
}

void ranking_remove(struct ranking *r, uint32_t slot)
{
	const struct rank_key key = r->key_of(r->arg, slot);
	if (!r->blocks)
		return;
	unsigned at = find_block(r, &key, true);
	struct rank_block *b = &r->blocks[at];
	uint32_t place = place_in_block(r, b, &key, false);
	if (place == b->n || b->entries[place].slot != slot)
		return;
	memmove(b->entries + place, b->entries + place + 1, (b->n - place - 1) * sizeof(*b->entries));
	b->n--;
	r->n--;
	for (unsigned i = at + 1; i < r->n_blocks; i++)
		roaring_bitmap_remove(r->blocks[i].before, slot);
}

/* --- asking --- */

/* A few are put into order one by one: the least that come after the place stand in `ret`. */
static unsigned select_few(const struct ranking *r, const roaring_bitmap_t *among, uint32_t n,
			   const struct rank_key *after, unsigned max, uint32_t *ret)
{
	uint32_t slots[FEW];
	unsigned found = 0;
	struct rank_key keys[RANKING_PAGE_MAX];

	roaring_bitmap_to_uint32_array(among, slots);
	/* Later slots are newer courses mostly, which come first where it is asked for those. */
	for (uint32_t i = n; i-- > 0;) {
		const struct rank_key key = r->key_of(r->arg, slots[i]);
		if (after && compare_keys(&key, after) <= 0)
			continue;
		if (found == max && compare_keys(&key, &keys[max - 1]) >= 0)
			continue;
		unsigned at = found < max ? found++ : max - 1;
		for (; at > 0 && compare_keys(&key, &keys[at - 1]) < 0; at--) {
			keys[at] = keys[at - 1];
			ret[at] = ret[at - 1];
		}
		keys[at] = key;
		ret[at] = slots[i];
	}
	return found;
}

/* The first block from `from` on that holds a member of the set, of which none stands earlier; n_blocks when
 * there is none. */
static unsigned find_member(const struct ranking *r, const roaring_bitmap_t *rest, unsigned from)
{
	unsigned low = from, high = r->n_blocks;
	/* Before `low` stands no member, before `high` some do, if there is any. */
	while (high - low > 1) {
		unsigned middle = low + (high - low) / 2;
		if (roaring_bitmap_intersect(rest, r->blocks[middle].before))
			high = middle;
		else
			low = middle;
	}
	return low;
}

static unsigned next_block(const struct ranking *r, const roaring_bitmap_t *among, unsigned from)
{
	if (from >= r->n_blocks)
		return r->n_blocks;
	roaring_bitmap_t *rest = roaring_bitmap_andnot(among, r->blocks[from].before);
	const unsigned found = rest ? find_member(r, rest, from) : from;
	if (rest)
		roaring_bitmap_free(rest);
	return found;
}

/* What of a block is in the set, from a place on, beside the `n` that were found. */
static unsigned walk(const struct rank_block *b, uint32_t from, const roaring_bitmap_t *among, unsigned max,
		     unsigned n, uint32_t *ret)
{
	for (uint32_t i = from; n < max && i < b->n; i++)
		if (roaring_bitmap_contains(among, b->entries[i].slot))
			ret[n++] = b->entries[i].slot;
	return n;
}

unsigned ranking_select(const struct ranking *r, const roaring_bitmap_t *among, const struct rank_key *after,
			unsigned max, uint32_t *ret)
{
	const uint64_t members = roaring_bitmap_get_cardinality(among);
	if (!r->blocks || max == 0 || members == 0)
		return 0;
	if (max > RANKING_PAGE_MAX)
		max = RANKING_PAGE_MAX;
	if (members <= FEW && members <= r->n / SPARSE)
		return select_few(r, among, (uint32_t)members, after, max, ret);
	unsigned n = 0, at = after ? find_block(r, after, true) : find_member(r, among, 0);
	uint32_t i = after ? place_in_block(r, &r->blocks[at], after, true) : 0;
	while (at < r->n_blocks && n < max) {
		const unsigned found = n;
		n = walk(&r->blocks[at], i, among, max, n, ret);
		at = n > found ? at + 1 : next_block(r, among, at + 1);
		i = 0;
	}
	return n;
}

/* The members that stand from one place of a block to another, one by one. */
static void add_some(const struct rank_block *b, uint32_t from, uint32_t to, const roaring_bitmap_t *among,
		     roaring_bitmap_t *ret)
{
	uint32_t slots[FEW];
	unsigned n = 0;
	for (uint32_t i = from; i < to; i++) {
		if (roaring_bitmap_contains(among, b->entries[i].slot))
			slots[n++] = b->entries[i].slot;
		if (n == FEW || i + 1 == to) {
			roaring_bitmap_add_many(ret, n, slots);
			n = 0;
		}
	}
}

/* The members that stand in whole blocks, from one to before another. */
static roaring_bitmap_t *whole_blocks(const struct ranking *r, const roaring_bitmap_t *among, unsigned first,
				      unsigned end)
{
	roaring_bitmap_t *ret =
		first < end ? roaring_bitmap_and(among, r->blocks[end].before) : roaring_bitmap_create();
	if (ret && first > 0 && first < end)
		roaring_bitmap_andnot_inplace(ret, r->blocks[first].before);
	return ret;
}

/* What is of the first and the last block only in part is looked at one by one. */
roaring_bitmap_t *ranking_between(const struct ranking *r, const roaring_bitmap_t *among, int64_t least,
				  int64_t most)
{
	const struct rank_key low = {.key = least, .id = INT64_MIN}, high = {.key = most, .id = INT64_MAX};
	if (!r->blocks || least > most)
		return roaring_bitmap_create();
	const unsigned first = find_block(r, &low, false), last = find_block(r, &high, true);
	const struct rank_block *a = &r->blocks[first], *b = &r->blocks[last];
	const uint32_t from = place_in_block(r, a, &low, false), to = place_in_block(r, b, &high, true);
	const bool all_of_last = to == b->n && last + 1 < r->n_blocks;
	roaring_bitmap_t *ret =
		whole_blocks(r, among, from ? first + 1 : first, all_of_last ? last + 1 : last);
	if (!ret)
		return NULL;
	if (from > 0)
		add_some(a, from, first < last ? a->n : to, among, ret);
	if (!all_of_last && (first < last || from == 0))
		add_some(b, 0, to, among, ret);
	return ret;
}

size_t ranking_bytes(const struct ranking *r)
{
	size_t bytes = r->n_blocks * sizeof(*r->blocks);
	for (unsigned i = 0; i < r->n_blocks; i++)
		bytes += r->block_max * sizeof(struct entry) +
			 roaring_bitmap_portable_size_in_bytes(r->blocks[i].before);
	return bytes;
}
