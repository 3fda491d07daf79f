/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_REFRESH_H
#define AUTH_REFRESH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Refresh tokens: "rt_" and base64url of the session's id, a secret of the session and a secret of the token.
 * Shown once, stored only as hashes; with that much randomness a fast hash is enough.
 *
 * A token's successor is derived from it and from a nonce that is stored. So who shows the token again can be
 * given the same successor, though it is stored nowhere; one of both alone gives nothing. The secret of the
 * session tells an old token of it, which somebody kept, from what somebody made up: no list of used tokens
 * is kept. What each means is the caller's.
 */
enum {
	REFRESH_TOKEN_SIZE = 79, /* "rt_", 75 characters, the NUL */
	REFRESH_HASH_LEN = 32,
	REFRESH_NONCE_LEN = 16,
	REFRESH_SECRET_LEN = 32,
};

struct refresh_token {
	int64_t session_id;
	uint8_t session_secret[REFRESH_SECRET_LEN / 2], secret[REFRESH_SECRET_LEN];
};

/* What is stored of a session's tokens. */
struct refresh_stored {
	uint8_t session_hash[REFRESH_HASH_LEN]; /* of the session's secret */
	uint8_t newest_hash[REFRESH_HASH_LEN];  /* of the newest token's */
	uint8_t nonce[REFRESH_NONCE_LEN];       /* from which and its predecessor the newest was derived */
};

/* The first token of a session. */
void refresh_token_begin(int64_t session_id, struct refresh_token *ret, struct refresh_stored *ret_stored);

/* Replaces the newest token by its successor, with a nonce of refresh_nonce_make(). */
void refresh_token_exchange(struct refresh_token *newest, const uint8_t nonce[REFRESH_NONCE_LEN],
			    struct refresh_stored *stored);

void refresh_nonce_make(uint8_t ret[REFRESH_NONCE_LEN]);

enum refresh_kind {
	REFRESH_UNKNOWN,  /* none of the session's */
	REFRESH_NEWEST,   /* not exchanged yet */
	REFRESH_PREVIOUS, /* exchanged for the newest, which refresh_token_successor() gives */
	REFRESH_OLDER,
};

/* What a token is to its session. Compares in constant time. */
enum refresh_kind refresh_token_kind(const struct refresh_token *shown, const struct refresh_stored *stored);

/* What the token was exchanged for, when it is REFRESH_PREVIOUS. */
void refresh_token_successor(const struct refresh_token *previous, const struct refresh_stored *stored,
			     struct refresh_token *ret);

void refresh_token_format(const struct refresh_token *token, char ret[REFRESH_TOKEN_SIZE]);

/* False when the text is none that refresh_token_format() writes. */
bool refresh_token_parse(const char *text, struct refresh_token *ret) __attribute__((warn_unused_result));

#endif
