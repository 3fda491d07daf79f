/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/cache.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "server/base/hash.h"
#include "server/base/metrics.h"

/*
 * Each shard is a chained hash table under one mutex, held for the look-up only. Entries stand in a line from
 * the oldest to the newest; a hit only marks its entry (CLOCK, the second chance), so that reading moves
 * nothing. An entry is one allocation with a count of references: one is the table's, the others are
 * readers'.
 *
 * Generations are kept per slot of a small table and not per key: an invalidation may drop the fill of
 * another key of the same slot, which costs a reload; it never misses its own.
 */
enum {
	SHARDS = 16,
	SHARDED_FROM =
		1024 * 1024, /* a smaller cache is one shard: its parts would be too small to hold much */
	GENERATION_SLOTS = 1024,
	BYTES_PER_BUCKET = 512,
	BUCKETS_MIN = 64,
};

struct cache_value {
	struct cache_value *chain;       /* next in the bucket */
	struct cache_value *prev, *next; /* in the line */
	uint64_t hash;
	int64_t expire_us;
	size_t value_len, key_len;
	_Atomic unsigned references;
	bool used;
	alignas(max_align_t) uint8_t data[]; /* the value, then the key */
};

struct shard {
	alignas(64) pthread_mutex_t lock;
	struct cache_value **buckets;
	struct cache_value *oldest, *newest;
	size_t bytes, capacity, mask;
	uint64_t cleared; /* added to every generation */
	uint64_t generations[GENERATION_SLOTS];
};

struct cache {
	struct hash_key key;
	struct metric *hits, *misses;
	unsigned n_shards;
	struct shard shards[];
};

static int shard_init(struct shard *s, size_t capacity)
{
	size_t buckets = BUCKETS_MIN;

	while (buckets < capacity / BYTES_PER_BUCKET)
		buckets *= 2;
	s->buckets = calloc(buckets, sizeof(*s->buckets));
	if (!s->buckets)
		return -1;
	s->mask = buckets - 1;
	s->capacity = capacity;
	pthread_mutex_init(&s->lock, NULL);
	return 0;
}

static void make_counters(struct cache *c, const char *labels)
{
	if (!labels)
		return;
	c->hits = metric_counter("edu_cache_hits_total", "Look-ups that found what they sought in memory.",
				 labels);
	c->misses = metric_counter("edu_cache_misses_total",
				   "Look-ups that did not find what they sought in memory.", labels);
}

struct cache *cache_new(size_t capacity, const char *labels)
{
	unsigned n = capacity < SHARDED_FROM ? 1 : SHARDS;
	size_t size = sizeof(struct cache) + n * sizeof(struct shard);
	struct cache *c = aligned_alloc(alignof(struct cache), size);

	if (!c)
		return NULL;
	memset(c, 0, size);
	c->key = hash_key_random();
	make_counters(c, labels);
	for (; c->n_shards < n; c->n_shards++) {
		if (shard_init(&c->shards[c->n_shards], capacity / n) < 0) {
			cache_free(c);
			return NULL;
		}
	}
	return c;
}

void cache_value_release(struct cache_value *v)
{
	if (v && atomic_fetch_sub_explicit(&v->references, 1, memory_order_acq_rel) == 1)
		free(v);
}

struct span cache_value_span(const struct cache_value *v)
{
	return span_of(v->data, v->value_len);
}

static size_t entry_size(size_t key_len, size_t value_len)
{
	return sizeof(struct cache_value) + key_len + value_len;
}

static struct shard *shard_of(struct cache *c, uint64_t hash)
{
	return &c->shards[(hash >> 56) & (c->n_shards - 1)];
}

static uint64_t *generation_slot(struct shard *s, uint64_t hash)
{
	return &s->generations[(hash >> 40) % GENERATION_SLOTS];
}

/* The place that points to the entry, or the end of its chain. */
static struct cache_value **entry_place(struct shard *s, uint64_t hash, struct span key)
{
	struct cache_value **at = &s->buckets[hash & s->mask];

	for (; *at; at = &(*at)->chain) {
		struct cache_value *v = *at;

		if (v->hash == hash && v->key_len == key.len &&
		    (key.len == 0 || memcmp(v->data + v->value_len, key.data, key.len) == 0))
			break;
	}
	return at;
}

static void line_remove(struct shard *s, struct cache_value *v)
{
	*(v->prev ? &v->prev->next : &s->oldest) = v->next;
	*(v->next ? &v->next->prev : &s->newest) = v->prev;
}

static void line_append(struct shard *s, struct cache_value *v)
{
	v->prev = s->newest;
	v->next = NULL;
	*(s->newest ? &s->newest->next : &s->oldest) = v;
	s->newest = v;
}

/* Takes the entry out of the table and gives up the table's reference. */
static void entry_remove(struct shard *s, struct cache_value **place)
{
	struct cache_value *v = *place;

	*place = v->chain;
	line_remove(s, v);
	s->bytes -= entry_size(v->key_len, v->value_len);
	cache_value_release(v);
}

/* Ends: each turn either removes an entry or clears a mark. */
static void shard_make_room(struct shard *s, size_t need)
{
	while (s->oldest && s->bytes + need > s->capacity) {
		struct cache_value *v = s->oldest;

		if (v->used) {
			v->used = false;
			line_remove(s, v);
			line_append(s, v);
		} else {
			struct cache_value **place = &s->buckets[v->hash & s->mask];

			while (*place != v)
				place = &(*place)->chain;
			entry_remove(s, place);
		}
	}
}

static void shard_clear(struct shard *s)
{
	while (s->oldest) {
		struct cache_value *v = s->oldest;

		line_remove(s, v);
		cache_value_release(v);
	}
	memset(s->buckets, 0, (s->mask + 1) * sizeof(*s->buckets));
	s->bytes = 0;
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->n_shards; i++) {
		shard_clear(&c->shards[i]);
		pthread_mutex_destroy(&c->shards[i].lock);
		free(c->shards[i].buckets);
	}
	free(c);
}

struct cache_value *cache_get(struct cache *c, struct span key, int64_t now_us)
{
	uint64_t hash = hash_bytes(&c->key, key);
	struct shard *s = shard_of(c, hash);

	pthread_mutex_lock(&s->lock);
	struct cache_value **place = entry_place(s, hash, key);
	struct cache_value *v = *place;
	if (v && v->expire_us != 0 && v->expire_us <= now_us) {
		entry_remove(s, place);
		v = NULL;
	}
	if (v) {
		v->used = true;
		atomic_fetch_add_explicit(&v->references, 1, memory_order_relaxed);
	}
	pthread_mutex_unlock(&s->lock);
	metric_add(v ? c->hits : c->misses, 1);
	return v;
}

uint64_t cache_generation(struct cache *c, struct span key)
{
	uint64_t hash = hash_bytes(&c->key, key);
	struct shard *s = shard_of(c, hash);

	pthread_mutex_lock(&s->lock);
	uint64_t generation = *generation_slot(s, hash) + s->cleared;
	pthread_mutex_unlock(&s->lock);
	return generation;
}

static struct cache_value *entry_new(struct span key, struct span value, int64_t expire_us, uint64_t hash)
{
	struct cache_value *v = malloc(entry_size(key.len, value.len));

	if (!v)
		return NULL;
	*v = (struct cache_value){
		.hash = hash, .expire_us = expire_us, .value_len = value.len, .key_len = key.len};
	atomic_init(&v->references, 1);
	if (value.len > 0)
		memcpy(v->data, value.data, value.len);
	if (key.len > 0)
		memcpy(v->data + value.len, key.data, key.len);
	return v;
}

bool cache_put(struct cache *c, struct span key, struct span value, int64_t expire_us, uint64_t generation)
{
	uint64_t hash = hash_bytes(&c->key, key);
	struct shard *s = shard_of(c, hash);
	struct cache_value **place;
	size_t size = entry_size(key.len, value.len);

	if (size > s->capacity)
		return false;
	struct cache_value *v = entry_new(key, value, expire_us, hash);
	if (!v)
		return false;
	pthread_mutex_lock(&s->lock);
	bool fresh = *generation_slot(s, hash) + s->cleared == generation;
	if (fresh) {
		place = entry_place(s, hash, key);
		if (*place)
			entry_remove(s, place);
		shard_make_room(s, size);
		v->chain = s->buckets[hash & s->mask];
		s->buckets[hash & s->mask] = v;
		line_append(s, v);
		s->bytes += size;
	}
	pthread_mutex_unlock(&s->lock);
	if (!fresh)
		cache_value_release(v);
	return fresh;
}

void cache_invalidate(struct cache *c, struct span key)
{
	uint64_t hash = hash_bytes(&c->key, key);
	struct shard *s = shard_of(c, hash);

	pthread_mutex_lock(&s->lock);
	++*generation_slot(s, hash);
	struct cache_value **place = entry_place(s, hash, key);
	if (*place)
		entry_remove(s, place);
	pthread_mutex_unlock(&s->lock);
}

void cache_clear(struct cache *c)
{
	for (unsigned i = 0; i < c->n_shards; i++) {
		struct shard *s = &c->shards[i];

		pthread_mutex_lock(&s->lock);
		s->cleared++;
		shard_clear(s);
		pthread_mutex_unlock(&s->lock);
	}
}
