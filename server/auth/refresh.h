/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_REFRESH_H
#define AUTH_REFRESH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Refresh tokens: 32 random bytes, shown once as "rt_" and base64url, stored only as a hash. With that much
 * randomness a fast hash is enough, and a look-up by it tells a thief nothing. Rotation and what reuse means
 * are the caller's.
 */
enum {
	REFRESH_TOKEN_SIZE = 47, /* "rt_", 43 characters, the NUL */
	REFRESH_HASH_LEN = 32,
};

/* A new token and what to store of it. */
void refresh_token_make(char ret_text[REFRESH_TOKEN_SIZE], uint8_t ret_hash[REFRESH_HASH_LEN]);

/* The hash of a token a caller sent. False when it is no text that refresh_token_make() writes. */
bool refresh_token_hash(const char *text, uint8_t ret_hash[REFRESH_HASH_LEN])
	__attribute__((warn_unused_result));

/* Compares in constant time. */
bool refresh_hash_equal(const uint8_t a[REFRESH_HASH_LEN], const uint8_t b[REFRESH_HASH_LEN]);

#endif
