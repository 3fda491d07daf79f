/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CACHE_H
#define BASE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/runtime/span.h"

/*
 * A bounded map from bytes to a reference-counted blob, sharded, thread-safe, evicting the entry not used for
 * longest (approximately). Values are immutable.
 *
 * A fill is dropped if its key was invalidated while it was being loaded: take the generation before loading,
 * hand it to cache_put().
 */
struct cache;
struct cache_value; /* holds a reference */

/* `capacity` in bytes of keys and values. Under `labels`, as metrics take them, /metrics counts how often
 * cache_get() found what was asked for; NULL: it does not. */
struct cache *cache_new(size_t capacity, const char *labels);
void cache_free(struct cache *c);

/* The value, with a reference the caller gives back; NULL when absent or past its expiry (now_us). */
struct cache_value *cache_get(struct cache *c, struct span key, int64_t now_us);
void cache_value_release(struct cache_value *v);
struct span cache_value_span(const struct cache_value *v);

/* What cache_put() must be given; taken before the value is loaded. */
uint64_t cache_generation(struct cache *c, struct span key);

/* Copies key and value. expire_us 0: never. Returns false when the fill is stale or cannot be held. */
bool cache_put(struct cache *c, struct span key, struct span value, int64_t expire_us, uint64_t generation);

/* Removes the key and moves its generation on, so that a fill under way is dropped. */
void cache_invalidate(struct cache *c, struct span key);

/* The same for every key: after the event feed lost its place. */
void cache_clear(struct cache *c);

#endif
