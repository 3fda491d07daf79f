/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/refresh.h"

#include <sodium.h>
#include <string.h>

#include "server/auth/token_text.h"

#define PREFIX "rt_"
enum { PREFIX_LEN = 3, SECRET_LEN = 32, SECRET_TEXT_LEN = 43 };

static void hash_secret(const uint8_t *secret, uint8_t ret_hash[REFRESH_HASH_LEN])
{
	crypto_generichash(ret_hash, REFRESH_HASH_LEN, secret, SECRET_LEN, NULL, 0);
}

void refresh_token_make(char ret_text[REFRESH_TOKEN_SIZE], uint8_t ret_hash[REFRESH_HASH_LEN])
{
	uint8_t secret[SECRET_LEN];

	randombytes_buf(secret, sizeof(secret));
	hash_secret(secret, ret_hash);
	memcpy(ret_text, PREFIX, PREFIX_LEN);
	base64url_encode(ret_text + PREFIX_LEN, SECRET_TEXT_LEN + 1, secret, sizeof(secret));
	sodium_memzero(secret, sizeof(secret));
}

bool refresh_token_hash(const char *text, uint8_t ret_hash[REFRESH_HASH_LEN])
{
	uint8_t secret[SECRET_LEN];
	size_t len;
	bool ok;

	if (strnlen(text, REFRESH_TOKEN_SIZE) != REFRESH_TOKEN_SIZE - 1 ||
	    memcmp(text, PREFIX, PREFIX_LEN) != 0)
		return false;
	ok = base64url_decode(secret, sizeof(secret), text + PREFIX_LEN, SECRET_TEXT_LEN, &len) &&
	     len == sizeof(secret);
	if (ok)
		hash_secret(secret, ret_hash);
	sodium_memzero(secret, sizeof(secret));
	return ok;
}

bool refresh_hash_equal(const uint8_t a[REFRESH_HASH_LEN], const uint8_t b[REFRESH_HASH_LEN])
{
	return sodium_memcmp(a, b, REFRESH_HASH_LEN) == 0;
}
