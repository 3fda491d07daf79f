/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_TOKEN_TEXT_H
#define AUTH_TOKEN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/runtime/span.h"

/*
 * A signed token as text: three parts of base64url (RFC 4648 section 5, without padding) joined by dots. The
 * same token must not have two texts, or one stolen or own token could fill the cache of verified ones. Three
 * things would give it more: padding and white space, bits that base64url's last character leaves unused, and
 * (r, n - s), which ECDSA takes for (r, s). All are refused here.
 */
enum {
	TOKEN_TEXT_MAX = 2048,
	TOKEN_PART_MAX = TOKEN_TEXT_MAX * 3 / 4,
	TOKEN_SIGNATURE_LEN = 64, /* ES256: r and s, 32 bytes each */
};

struct token_text {
	char text[TOKEN_TEXT_MAX + 1]; /* with a NUL, as libjwt takes it */
	uint8_t header[TOKEN_PART_MAX], payload[TOKEN_PART_MAX];
	size_t header_len, payload_len;
	uint8_t signature[TOKEN_SIGNATURE_LEN];
};

/* Takes a token apart. False unless it is the one text of an ES256 token. The signature is not verified. */
bool token_text_parse(struct token_text *t, struct span token) __attribute__((warn_unused_result));

/*
 * Gives a freshly signed token its one text, in place: the smaller of s and n - s. False when it is no ES256
 * token.
 */
bool token_text_canonicalize(char *token) __attribute__((warn_unused_result));

/* base64url without padding; `out` has room for BASE64URL_SIZE(len). */
#define BASE64URL_SIZE(len) (((len)*4 + 2) / 3 + 1)
void base64url_encode(char *out, size_t size, const void *data, size_t len);

/* Exactly `len` characters; strict. False when malformed, not canonical or larger than `size`. */
bool base64url_decode(void *out, size_t size, const char *text, size_t len, size_t *ret_len)
	__attribute__((warn_unused_result));

#endif
