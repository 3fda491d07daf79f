/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/refresh.h"

#include <assert.h>
#include <endian.h>
#include <sodium.h>
#include <string.h>

#include "server/auth/token_text.h"

#define PREFIX "rt_"
enum {
	PREFIX_LEN = 3,
	SESSION_SECRET_LEN = REFRESH_SECRET_LEN / 2,
	RAW_LEN = 8 + SESSION_SECRET_LEN + REFRESH_SECRET_LEN,
	TEXT_LEN = BASE64URL_SIZE(RAW_LEN) - 1,
};

static_assert(REFRESH_TOKEN_SIZE == PREFIX_LEN + TEXT_LEN + 1, "the size of a token's text");

static void hash(uint8_t ret[REFRESH_HASH_LEN], const uint8_t *secret, size_t len)
{
	crypto_generichash(ret, REFRESH_HASH_LEN, secret, len, NULL, 0);
}

static bool hash_is(const uint8_t *secret, size_t len, const uint8_t expected[REFRESH_HASH_LEN])
{
	uint8_t got[REFRESH_HASH_LEN];

	hash(got, secret, len);
	return sodium_memcmp(got, expected, sizeof(got)) == 0;
}

/* A keyed hash, so that no successor is the hash of any secret that is stored. */
static void derive(const struct refresh_token *from, const uint8_t nonce[REFRESH_NONCE_LEN],
		   struct refresh_token *ret)
{
	struct refresh_token next = *from;

	crypto_generichash(next.secret, sizeof(next.secret), nonce, REFRESH_NONCE_LEN, from->secret,
			   sizeof(from->secret));
	*ret = next;
}

void refresh_nonce_make(uint8_t ret[REFRESH_NONCE_LEN])
{
	randombytes_buf(ret, REFRESH_NONCE_LEN);
}

void refresh_token_begin(int64_t session_id, struct refresh_token *ret, struct refresh_stored *ret_stored)
{
	ret->session_id = session_id;
	randombytes_buf(ret->session_secret, sizeof(ret->session_secret));
	randombytes_buf(ret->secret, sizeof(ret->secret));
	hash(ret_stored->session_hash, ret->session_secret, sizeof(ret->session_secret));
	hash(ret_stored->newest_hash, ret->secret, sizeof(ret->secret));
	refresh_nonce_make(ret_stored->nonce);
}

void refresh_token_exchange(struct refresh_token *newest, const uint8_t nonce[REFRESH_NONCE_LEN],
			    struct refresh_stored *stored)
{
	derive(newest, nonce, newest);
	hash(stored->newest_hash, newest->secret, sizeof(newest->secret));
	memcpy(stored->nonce, nonce, REFRESH_NONCE_LEN);
}

enum refresh_kind refresh_token_kind(const struct refresh_token *shown, const struct refresh_stored *stored)
{
	struct refresh_token successor;

	if (!hash_is(shown->session_secret, sizeof(shown->session_secret), stored->session_hash))
		return REFRESH_UNKNOWN;
	if (hash_is(shown->secret, sizeof(shown->secret), stored->newest_hash))
		return REFRESH_NEWEST;
	derive(shown, stored->nonce, &successor);
	return hash_is(successor.secret, sizeof(successor.secret), stored->newest_hash) ? REFRESH_PREVIOUS
											: REFRESH_OLDER;
}

void refresh_token_successor(const struct refresh_token *previous, const struct refresh_stored *stored,
			     struct refresh_token *ret)
{
	derive(previous, stored->nonce, ret);
}

void refresh_token_format(const struct refresh_token *token, char ret[REFRESH_TOKEN_SIZE])
{
	uint64_t id = htobe64((uint64_t)token->session_id);
	uint8_t raw[RAW_LEN];

	memcpy(raw, &id, 8);
	memcpy(raw + 8, token->session_secret, SESSION_SECRET_LEN);
	memcpy(raw + 8 + SESSION_SECRET_LEN, token->secret, REFRESH_SECRET_LEN);
	memcpy(ret, PREFIX, PREFIX_LEN);
	base64url_encode(ret + PREFIX_LEN, TEXT_LEN + 1, raw, sizeof(raw));
	sodium_memzero(raw, sizeof(raw));
}

bool refresh_token_parse(const char *text, struct refresh_token *ret)
{
	uint8_t raw[RAW_LEN];
	uint64_t id;
	size_t len;

	if (strnlen(text, REFRESH_TOKEN_SIZE) != REFRESH_TOKEN_SIZE - 1 ||
	    memcmp(text, PREFIX, PREFIX_LEN) != 0)
		return false;
	bool ok = base64url_decode(raw, sizeof(raw), text + PREFIX_LEN, TEXT_LEN, &len) && len == sizeof(raw);
	if (ok) {
		memcpy(&id, raw, 8);
		ret->session_id = (int64_t)be64toh(id);
		memcpy(ret->session_secret, raw + 8, SESSION_SECRET_LEN);
		memcpy(ret->secret, raw + 8 + SESSION_SECRET_LEN, REFRESH_SECRET_LEN);
	}
	sodium_memzero(raw, sizeof(raw));
	return ok;
}
