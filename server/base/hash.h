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

#endif
