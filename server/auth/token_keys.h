/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_TOKEN_KEYS_H
#define AUTH_TOKEN_KEYS_H

#include <openssl/evp.h>

#include "proto/runtime/error.h"
#include "server/base/clock.h"

/*
 * The P-256 keys that access tokens are signed with and verified by. Immutable once made, so any thread may
 * read it.
 *
 * A key is a PEM file of the key directory, named *.pem. All keys verify. The one whose name sorts last
 * signs, but for names that end in .next.pem, which only verify. So a key is rotated among replicas in two
 * steps: put the new key as es256-0002.next.pem and restart every replica, each of which now knows it; then
 * rename it to es256-0002.pem and restart again. The old file may go once the last token it signed has
 * expired. An empty directory gets a key named es256-0001.pem.
 */
enum {
	TOKEN_KEYS_MAX = 16,
	TOKEN_KID_SIZE = 44, /* 43 characters and the NUL */
	TOKEN_COORDINATE_SIZE = 44,
};

struct token_key {
	char kid[TOKEN_KID_SIZE];                                /* RFC 7638 thumbprint: SHA-256, base64url */
	char x[TOKEN_COORDINATE_SIZE], y[TOKEN_COORDINATE_SIZE]; /* of the public point, base64url */
	char *private_pem, *public_pem;                          /* as libjwt takes them */
	EVP_PKEY *parsed;                                        /* as OpenSSL does */
};

struct token_keys;

/* `dir` NULL makes one key that is kept in memory only, for tests and single runs. */
int token_keys_new(const char *dir, struct token_keys **ret, struct error *err)
	__attribute__((warn_unused_result));
void token_keys_free(struct token_keys *keys); /* wipes; NULL is fine */

const struct token_key *token_keys_signing(const struct token_keys *keys);
const struct token_key *token_keys_find(const struct token_keys *keys, const char *kid); /* NULL: not ours */

/* All public keys as a JWK set (RFC 7517); owned by `keys`. */
const char *token_keys_jwks(const struct token_keys *keys);

#endif
