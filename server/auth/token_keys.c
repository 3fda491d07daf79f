/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/token_keys.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <stdlib.h>

#include "server/auth/key_dir.h"
#include "server/auth/token_text.h"

#define FIRST_KEY_FILE "es256-0001.pem"
#define KEY_SUFFIX ".pem"
#define NEXT_SUFFIX ".next.pem"

enum { COORDINATE_LEN = 32 };

struct token_keys {
	struct token_key keys[TOKEN_KEYS_MAX];
	unsigned n;
	const struct token_key *signing;
	char *jwks;
};

static void pkey_free_p(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

static void bio_free_p(BIO **p)
{
	BIO_free(*p);
}

static void bn_free_p(BIGNUM **p)
{
	BN_free(*p);
}

static void json_free_p(json_t **p)
{
	json_decref(*p);
}

#define _cleanup_pkey_ __attribute__((cleanup(pkey_free_p)))
#define _cleanup_bio_ __attribute__((cleanup(bio_free_p)))
#define _cleanup_bn_ __attribute__((cleanup(bn_free_p)))
#define _cleanup_json_ __attribute__((cleanup(json_free_p)))

/* What was written to a memory BIO, as a string of our own. */
static char *bio_text(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	if (len <= 0)
		return NULL;
	char *text = malloc((size_t)len + 1);
	if (!text)
		return NULL;
	memcpy(text, data, (size_t)len);
	text[len] = '\0';
	return text;
}

/* Memory BIOs are wiped by OpenSSL when freed (BIO_s_secmem is not needed for that). */
static char *private_pem_of(EVP_PKEY *pkey)
{
	_cleanup_bio_ BIO *bio = BIO_new(BIO_s_mem());

	if (!bio || PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return NULL;
	return bio_text(bio);
}

static char *public_pem_of(EVP_PKEY *pkey)
{
	_cleanup_bio_ BIO *bio = BIO_new(BIO_s_mem());

	if (!bio || PEM_write_bio_PUBKEY(bio, pkey) != 1)
		return NULL;
	return bio_text(bio);
}

static bool coordinate_of(EVP_PKEY *pkey, const char *name, char out[TOKEN_COORDINATE_SIZE])
{
	_cleanup_bn_ BIGNUM *bn = NULL;
	uint8_t bytes[COORDINATE_LEN];

	if (EVP_PKEY_get_bn_param(pkey, name, &bn) != 1 || BN_bn2binpad(bn, bytes, sizeof(bytes)) < 0)
		return false;
	base64url_encode(out, TOKEN_COORDINATE_SIZE, bytes, sizeof(bytes));
	return true;
}

static bool is_p256(EVP_PKEY *pkey)
{
	char group[32];

	return EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, SN_X9_62_prime256v1) == 0;
}

/* RFC 7638 section 3: the required members in this order, without white space. */
static void thumbprint(const struct token_key *key, char out[TOKEN_KID_SIZE])
{
	uint8_t digest[crypto_hash_sha256_BYTES];
	char text[160];
	int len = snprintf(text, sizeof(text), "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
			   key->x, key->y);

	crypto_hash_sha256(digest, (const unsigned char *)text, (size_t)len);
	base64url_encode(out, TOKEN_KID_SIZE, digest, sizeof(digest));
}

static void key_done(struct token_key *key)
{
	if (key->private_pem)
		sodium_memzero(key->private_pem, strlen(key->private_pem));
	free(key->private_pem);
	free(key->public_pem);
	EVP_PKEY_free(key->parsed);
}

/* Adds a key; the same key under two names is one. `name` is for the error. */
static int keys_add(struct token_keys *keys, EVP_PKEY *pkey, const char *name, struct token_key **ret,
		    struct error *err)
{
	struct token_key *key = &keys->keys[keys->n];

	if (keys->n == TOKEN_KEYS_MAX)
		return error_internal(err, "more than %d token keys: remove old ones", TOKEN_KEYS_MAX);
	if (!is_p256(pkey))
		return error_internal(err, "token key %s is not on the curve P-256", name);
	if (!coordinate_of(pkey, OSSL_PKEY_PARAM_EC_PUB_X, key->x) ||
	    !coordinate_of(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, key->y))
		return error_internal(err, "token key %s has no public point", name);
	thumbprint(key, key->kid);
	for (unsigned i = 0; i < keys->n; i++) {
		if (strcmp(keys->keys[i].kid, key->kid) == 0) {
			*ret = &keys->keys[i];
			return 0;
		}
	}
	key->private_pem = private_pem_of(pkey);
	key->public_pem = public_pem_of(pkey);
	key->parsed = EVP_PKEY_up_ref(pkey) == 1 ? pkey : NULL;
	keys->n++;
	if (!key->private_pem || !key->public_pem || !key->parsed)
		return error_internal(err, "token key %s cannot be written as PEM", name);
	*ret = key;
	return 0;
}

static int key_generate(EVP_PKEY **ret, struct error *err)
{
	*ret = EVP_EC_gen(SN_X9_62_prime256v1);
	return *ret ? 0 : error_internal(err, "cannot make a P-256 key");
}

static int key_file_load(struct token_keys *keys, const char *dir, const char *name, struct token_key **ret,
			 struct error *err)
{
	_cleanup_pkey_ EVP_PKEY *pkey = NULL;
	_cleanup_bio_ BIO *bio = NULL;
	char buffer[KEY_FILE_MAX];
	size_t len;
	int r = key_file_read(dir, name, buffer, &len, err);

	if (r < 0)
		return r;
	bio = BIO_new_mem_buf(buffer, (int)len);
	/* The empty passphrase keeps OpenSSL from asking a terminal for one. */
	if (bio)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
	sodium_memzero(buffer, sizeof(buffer));
	if (!pkey)
		return error_internal(err, "token key %s is no private key in PEM without a passphrase",
				      name);
	return keys_add(keys, pkey, name, ret, err);
}

static bool has_suffix(const char *s, const char *suffix)
{
	size_t len = strlen(s), suffix_len = strlen(suffix);

	return len >= suffix_len && strcmp(s + len - suffix_len, suffix) == 0;
}

static int is_key_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && has_suffix(entry->d_name, KEY_SUFFIX);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int keys_load(struct token_keys *keys, const char *dir, struct error *err)
{
	struct dirent **entries;
	int r = 0, n = scandir(dir, &entries, is_key_file, by_name);

	if (n < 0)
		return error_internal(err, "cannot list the key directory %s: %s", dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		struct token_key *key;

		if (r == 0)
			r = key_file_load(keys, dir, entries[i]->d_name, &key, err);
		if (r == 0 && !has_suffix(entries[i]->d_name, NEXT_SUFFIX))
			keys->signing = key;
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int first_key_file_create(const char *dir, struct error *err)
{
	_cleanup_pkey_ EVP_PKEY *pkey = NULL;
	int r = key_generate(&pkey, err);

	if (r < 0)
		return r;
	char *pem = private_pem_of(pkey);
	if (!pem)
		return error_internal(err, "cannot write a new key as PEM");
	r = key_file_create(dir, FIRST_KEY_FILE, span_str(pem), err);
	sodium_memzero(pem, strlen(pem));
	free(pem);
	return r;
}

static int keys_from_dir(struct token_keys *keys, const char *dir, struct error *err)
{
	int r = key_dir_ensure(dir, err);

	if (r == 0)
		r = keys_load(keys, dir, err);
	if (r == 0 && keys->n == 0) {
		r = first_key_file_create(dir, err);
		if (r == 0)
			r = keys_load(keys, dir, err);
	}
	if (r == 0 && !keys->signing)
		r = error_internal(err, "%s has no key that signs: rename one from *" NEXT_SUFFIX, dir);
	return r;
}

static int keys_in_memory(struct token_keys *keys, struct error *err)
{
	_cleanup_pkey_ EVP_PKEY *pkey = NULL;
	struct token_key *key;
	int r = key_generate(&pkey, err);

	if (r == 0)
		r = keys_add(keys, pkey, "in memory", &key, err);
	if (r == 0)
		keys->signing = key;
	return r;
}

static char *jwks_make(const struct token_keys *keys)
{
	_cleanup_json_ json_t *array = json_array(), *set = NULL;

	for (unsigned i = 0; i < keys->n; i++) {
		const struct token_key *key = &keys->keys[i];

		if (json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "kty", "EC",
							   "crv", "P-256", "alg", "ES256", "use", "sig",
							   "kid", key->kid, "x", key->x, "y", key->y)) < 0)
			return NULL;
	}
	set = json_pack("{s:O}", "keys", array);
	return set ? json_dumps(set, JSON_COMPACT) : NULL;
}

int token_keys_new(const char *dir, struct token_keys **ret, struct error *err)
{
	struct token_keys *keys = calloc(1, sizeof(*keys));

	if (!keys || sodium_init() < 0) {
		free(keys);
		return error_internal(err, "cannot ready the token keys");
	}
	int r = dir ? keys_from_dir(keys, dir, err) : keys_in_memory(keys, err);
	if (r == 0) {
		keys->jwks = jwks_make(keys);
		if (!keys->jwks)
			r = error_internal(err, "cannot write the JWK set");
	}
	if (r < 0) {
		token_keys_free(keys);
		return r;
	}
	*ret = keys;
	return 0;
}

void token_keys_free(struct token_keys *keys)
{
	if (!keys)
		return;
	for (unsigned i = 0; i < keys->n; i++)
		key_done(&keys->keys[i]);
	free(keys->jwks);
	free(keys);
}

const struct token_key *token_keys_signing(const struct token_keys *keys)
{
	return keys->signing;
}

const struct token_key *token_keys_find(const struct token_keys *keys, const char *kid)
{
	for (unsigned i = 0; i < keys->n; i++) {
		if (strcmp(keys->keys[i].kid, kid) == 0)
			return &keys->keys[i];
	}
	return NULL;
}

const char *token_keys_jwks(const struct token_keys *keys)
{
	return keys->jwks;
}
