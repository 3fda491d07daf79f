/* SPDX-License-Identifier: Apache-2.0 */
#include "server/search/postings.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/hash.h"

enum { BUCKETS_MIN = 1024, SWEPT_AT_ONCE = 512 /* buckets */ };

struct posting {
	struct posting *next; /* in the bucket */
	roaring_bitmap_t *slots;
	uint64_t hash;
	uint32_t len;
	uint8_t kind;
	uint8_t key[];
};

/* Hashed under a key of its own, since whoever writes a course chooses its words. */
struct postings {
	struct hash_key hash_key;
	struct posting **buckets;
	size_t mask, n;
};

struct postings *postings_new(void)
{
	struct postings *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->hash_key = hash_key_random();
	p->mask = BUCKETS_MIN - 1;
	p->buckets = calloc(BUCKETS_MIN, sizeof(*p->buckets));
	if (p->buckets)
		return p;
	free(p);
	return NULL;
}

static void posting_free(struct posting *e)
{
	roaring_bitmap_free(e->slots);
	free(e);
}

void postings_free(struct postings *p)
{
	if (!p)
		return;
	for (size_t i = 0; i <= p->mask; i++)
		for (struct posting *e = p->buckets[i], *next; e; e = next) {
			next = e->next;
			posting_free(e);
		}
	free(p->buckets);
	free(p);
}

static uint64_t hash_of(const struct postings *p, enum posting_kind kind, struct span key)
{
	return hash_bytes(&p->hash_key, key) + (uint64_t)kind * UINT64_C(0x9e3779b97f4a7c15);
}

static struct posting *find(const struct postings *p, uint64_t hash, enum posting_kind kind, struct span key)
{
	struct posting *e = p->buckets[hash & p->mask];
	while (e && !(e->hash == hash && e->kind == kind && e->len == key.len &&
		      (key.len == 0 || memcmp(e->key, key.data, key.len) == 0)))
		e = e->next;
	return e;
}

const roaring_bitmap_t *postings_find(const struct postings *p, enum posting_kind kind, struct span key)
{
	const struct posting *e = find(p, hash_of(p, kind, key), kind, key);
	return e ? e->slots : NULL;
}

/* When it cannot, chains grow. A key moves to no bucket before its own, so that a sweep misses none. */
static void grow(struct postings *p)
{
	size_t mask = p->mask * 2 + 1;
	struct posting **buckets = calloc(mask + 1, sizeof(*buckets));
	if (!buckets)
		return;
	for (size_t i = 0; i <= p->mask; i++)
		for (struct posting *e = p->buckets[i], *next; e; e = next) {
			next = e->next;
			e->next = buckets[e->hash & mask];
			buckets[e->hash & mask] = e;
		}
	free(p->buckets);
	p->buckets = buckets;
	p->mask = mask;
}

static struct posting *add_key(struct postings *p, uint64_t hash, enum posting_kind kind, struct span key)
{
	struct posting *e = malloc(sizeof(*e) + key.len);
	roaring_bitmap_t *slots = e ? roaring_bitmap_create_with_capacity(1) : NULL;
	if (!slots) {
		free(e);
		return NULL;
	}
	if (p->n > p->mask)
		grow(p);
	*e = (struct posting){.next = p->buckets[hash & p->mask],
			      .slots = slots,
			      .hash = hash,
			      .len = (uint32_t)key.len,
			      .kind = (uint8_t)kind};
	if (key.len > 0)
		memcpy(e->key, key.data, key.len);
	p->buckets[hash & p->mask] = e;
	p->n++;
	return e;
}

bool postings_add(struct postings *p, enum posting_kind kind, struct span key, uint32_t slot)
{
	const uint64_t hash = hash_of(p, kind, key);
	struct posting *e = find(p, hash, kind, key);
	if (!e)
		e = add_key(p, hash, kind, key);
	if (e)
		roaring_bitmap_add(e->slots, slot);
	return e;
}

static void sweep_bucket(struct postings *p, struct posting **at, const roaring_bitmap_t *slots)
{
	while (*at) {
		struct posting *e = *at;
		roaring_bitmap_andnot_inplace(e->slots, slots);
		if (!roaring_bitmap_is_empty(e->slots)) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		posting_free(e);
		p->n--;
	}
}

bool postings_sweep(struct postings *p, const roaring_bitmap_t *slots, size_t *at)
{
	for (unsigned n = 0; n < SWEPT_AT_ONCE && *at <= p->mask; n++, ++*at)
		sweep_bucket(p, &p->buckets[*at], slots);
	return *at <= p->mask;
}

size_t postings_count(const struct postings *p)
{
	return p->n;
}

size_t postings_bytes(const struct postings *p)
{
	size_t bytes = (p->mask + 1) * sizeof(*p->buckets);
	for (size_t i = 0; i <= p->mask; i++)
		for (const struct posting *e = p->buckets[i]; e; e = e->next)
			bytes += sizeof(*e) + e->len + sizeof(*e->slots) +
				 roaring_bitmap_portable_size_in_bytes(e->slots);
	return bytes;
}
