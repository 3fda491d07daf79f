/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

#include "proto/runtime/span.h"

/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash for tables whose keys callers choose. Without the
 * key nobody can make keys collide. Not for anything that is stored or sent.
 */
struct hash_key {
	uint64_t k0, k1;
};

/* A random key; from the kernel, never fails. */
struct hash_key hash_key_random(void);

uint64_t hash_bytes(const struct hash_key *key, struct span bytes);

/* Spreads ids evenly, of which neighbours differ in few bits: multiplied by 2^64 over the golden ratio
 * (Knuth, The Art of Computer Programming 3, 6.4). Unkeyed: for ids that we make ourselves. */
static inline uint32_t hash_id(int64_t id)
{
	return (uint32_t)((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

#endif
