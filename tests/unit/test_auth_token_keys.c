/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "server/auth/key_dir.h"
#include "server/auth/token_keys.h"
#include "tests/lib/temp_dir.h"

static struct token_keys *load(const char *dir)
{
	struct token_keys *keys = NULL;
	struct error err;

	if (token_keys_new(dir, &keys, &err) < 0)
		fail_msg("%s", err.message);
	return keys;
}

static int load_fails(const char *dir, struct error *err)
{
	struct token_keys *keys;

	return token_keys_new(dir, &keys, err);
}

static void test_first_start_makes_one_and_keeps_it(void **state)
{
	struct token_keys *first, *second;
	char dir[TEMP_DIR_MAX], path[TEMP_DIR_MAX + 32];
	struct stat st;

	temp_dir_make(dir);
	first = load(dir);
	second = load(dir);
	assert_string_equal(token_keys_signing(first)->kid, token_keys_signing(second)->kid);
	assert_int_equal(strlen(token_keys_signing(first)->kid), 43);
	snprintf(path, sizeof(path), "%s/es256-0001.pem", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	token_keys_free(first);
	token_keys_free(second);
	temp_dir_remove(dir);
}

static void add_key(const char *dir, const char *name, char ret_kid[TOKEN_KID_SIZE])
{
	struct token_keys *keys = load(NULL);
	struct error err;

	assert_int_equal(key_file_create(dir, name, span_str(token_keys_signing(keys)->private_pem), &err),
			 0);
	strcpy(ret_kid, token_keys_signing(keys)->kid);
	token_keys_free(keys);
}

static void test_rotation(void **state)
{
	char dir[TEMP_DIR_MAX], from[TEMP_DIR_MAX + 32], to[TEMP_DIR_MAX + 32];
	char old[TOKEN_KID_SIZE], new[TOKEN_KID_SIZE];
	struct token_keys *keys;

	temp_dir_make(dir);
	add_key(dir, "es256-0001.pem", old);
	add_key(dir, "es256-0002.next.pem", new);
	keys = load(dir);
	assert_string_equal(token_keys_signing(keys)->kid, old);
	assert_non_null(token_keys_find(keys, new));
	token_keys_free(keys);

	snprintf(from, sizeof(from), "%s/es256-0002.next.pem", dir);
	snprintf(to, sizeof(to), "%s/es256-0002.pem", dir);
	assert_int_equal(rename(from, to), 0);
	keys = load(dir);
	assert_string_equal(token_keys_signing(keys)->kid, new);
	assert_non_null(token_keys_find(keys, old));
	assert_null(token_keys_find(keys, "es256-0001.pem"));
	assert_null(token_keys_find(keys, ""));
	token_keys_free(keys);
	temp_dir_remove(dir);
}

static void add_p384_key(const char *dir, const char *name)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-384");
	BIO *bio = BIO_new(BIO_s_mem());
	struct error err;
	char *data;
	long len;

	assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &data);
	assert_int_equal(key_file_create(dir, name, span_of(data, (size_t)len), &err), 0);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

static void test_refused(void **state)
{
	char dir[TEMP_DIR_MAX], kid[TOKEN_KID_SIZE];
	struct error err;

	temp_dir_make(dir);
	assert_int_equal(key_file_create(dir, "a.pem", span_str("no key"), &err), 0);
	assert_int_equal(load_fails(dir, &err), -STATUS_INTERNAL);
	temp_dir_remove(dir);

	temp_dir_make(dir);
	add_p384_key(dir, "a.pem");
	assert_int_equal(load_fails(dir, &err), -STATUS_INTERNAL);
	assert_non_null(strstr(err.message, "P-256"));
	temp_dir_remove(dir);

	temp_dir_make(dir);
	add_key(dir, "a.next.pem", kid);
	assert_int_equal(load_fails(dir, &err), -STATUS_INTERNAL);
	temp_dir_remove(dir);
}

/* Public members only, and one entry a key. */
static void test_jwks(void **state)
{
	struct token_keys *keys = load(NULL);
	const struct token_key *key = token_keys_signing(keys);
	json_t *set = json_loads(token_keys_jwks(keys), JSON_REJECT_DUPLICATES, NULL), *one;

	assert_non_null(set);
	assert_int_equal(json_array_size(json_object_get(set, "keys")), 1);
	one = json_array_get(json_object_get(set, "keys"), 0);
	assert_int_equal(json_object_size(one), 7);
	assert_string_equal(json_string_value(json_object_get(one, "kid")), key->kid);
	assert_string_equal(json_string_value(json_object_get(one, "x")), key->x);
	assert_string_equal(json_string_value(json_object_get(one, "y")), key->y);
	assert_string_equal(json_string_value(json_object_get(one, "kty")), "EC");
	assert_string_equal(json_string_value(json_object_get(one, "crv")), "P-256");
	assert_string_equal(json_string_value(json_object_get(one, "alg")), "ES256");
	assert_null(json_object_get(one, "d"));
	json_decref(set);
	token_keys_free(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_start_makes_one_and_keeps_it),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_jwks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
