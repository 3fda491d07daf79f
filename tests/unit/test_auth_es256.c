/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>

#include "server/auth/es256.h"

static const char text[] = "header.payload";

/* Signs as OpenSSL does, in DER, and takes r and s out of it. */
static void sign(EVP_PKEY *key, struct span what, uint8_t out[64])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[80];
	const uint8_t *at = der;
	size_t len = sizeof(der);
	ECDSA_SIG *sig;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &len, what.data, what.len), 1);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	assert_non_null(sig);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32), 32);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
}

static int setup(void **state)
{
	*state = EVP_EC_gen("P-256");
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	EVP_PKEY_free(*state);
	return 0;
}

/* Many, because r and s begin with a zero byte, or with a high bit that DER pads, only now and then. */
static void test_takes_its_own(void **state)
{
	uint8_t signature[64];

	for (int i = 0; i < 600; i++) {
		sign(*state, span_str(text), signature);
		assert_true(es256_verify(*state, span_str(text), signature));
	}
}

static void test_refuses_any_changed_bit(void **state)
{
	uint8_t signature[64];

	sign(*state, span_str(text), signature);
	for (int bit = 0; bit < 512; bit++) {
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(es256_verify(*state, span_str(text), signature));
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_false(es256_verify(*state, span_str("header.payloae"), signature));
	assert_false(es256_verify(*state, span_str(""), signature));
}

static void test_refuses_numbers_out_of_range(void **state)
{
	uint8_t zero[64] = {0}, ones[64];

	memset(ones, 0xff, sizeof(ones));
	assert_false(es256_verify(*state, span_str(text), zero));
	assert_false(es256_verify(*state, span_str(text), ones));
}

static void test_refuses_another_key(void **state)
{
	EVP_PKEY *other = EVP_EC_gen("P-256");
	uint8_t signature[64];

	sign(other, span_str(text), signature);
	assert_false(es256_verify(*state, span_str(text), signature));
	EVP_PKEY_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_its_own),
		cmocka_unit_test(test_refuses_any_changed_bit),
		cmocka_unit_test(test_refuses_numbers_out_of_range),
		cmocka_unit_test(test_refuses_another_key),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
