/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/password.h"

#include <assert.h>
#include <sodium.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/utf8.h"
#include "server/base/metrics.h"

static_assert(PASSWORD_HASH_SIZE == crypto_pwhash_STRBYTES, "the size libsodium writes");

enum { NOBODY_PASSWORD_LEN = 32, NFC_MAX = 64 << 10 /* of memory; some 4,000 characters */ };

static int hash_bytes_of(const struct passwords *p, const char *password, size_t len,
			 char ret[PASSWORD_HASH_SIZE], struct error *err)
{
	metric_add(p->hashes, 1);
	if (crypto_pwhash_str_alg(ret, password, len, p->passes, p->memory, crypto_pwhash_ALG_ARGON2ID13) !=
	    0)
		return error_internal(err, "cannot hash a password with %zu bytes of memory", p->memory);
	return 0;
}

int passwords_init(struct passwords *p, unsigned memory_kib, unsigned passes, struct error *err)
{
	char random[NOBODY_PASSWORD_LEN];

	if (sodium_init() < 0)
		return error_internal(err, "cannot ready libsodium");
	*p = (struct passwords){
		.passes = passes,
		.memory = (size_t)memory_kib * 1024,
		.hashes = metric_counter("edu_password_hashes_total",
					 "Passwords hashed, to be kept or to be compared.", NULL),
	};
	randombytes_buf(random, sizeof(random));
	return hash_bytes_of(p, random, sizeof(random), p->nobody, err);
}

/*
 * The same password has the same bytes on every keyboard: it is taken in NFC. NULL for what has no such form
 * (utf8.h). What is not the caller's own text is wiped with wipe_nfc().
 */
static const char *to_nfc(struct arena *arena, const char *password)
{
	arena_init(arena, NFC_MAX);
	return utf8_nfc(arena, password);
}

static void wipe_nfc(struct arena *arena, const char *password, const char *nfc)
{
	if (nfc && nfc != password)
		sodium_memzero((char *)nfc, strlen(nfc));
	arena_done(arena);
}

int password_hash(const struct passwords *p, const char *password, char ret[PASSWORD_HASH_SIZE],
		  struct error *err)
{
	struct arena arena;
	const char *nfc = to_nfc(&arena, password);
	int r = nfc ? hash_bytes_of(p, nfc, strlen(nfc), ret, err)
		    : error_field(err, "password",
				  "must not put more than 30 combining marks on a character");

	wipe_nfc(&arena, password, nfc);
	return r;
}

bool password_verify(const struct passwords *p, const char *hash, const char *password)
{
	struct arena arena;
	const char *nfc = to_nfc(&arena, password), *text = nfc ? nfc : "";

	metric_add(p->hashes, 1);
	int r = crypto_pwhash_str_verify(hash ? hash : p->nobody, text, strlen(text));
	wipe_nfc(&arena, password, nfc);
	return r == 0 && hash && nfc;
}

bool password_needs_rehash(const struct passwords *p, const char *hash)
{
	return crypto_pwhash_str_needs_rehash(hash, p->passes, p->memory) != 0;
}

void secret_wipe(void *data, size_t len)
{
	sodium_memzero(data, len);
}
