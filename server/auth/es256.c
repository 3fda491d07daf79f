/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/es256.h"

#include <openssl/ecdsa.h>

enum { HALF = 32, DER_MAX = 72 /* two integers of 33 bytes and their headers */ };

/* The signature as OpenSSL takes it: its length in DER, or -1. */
static int to_der(const uint8_t signature[2 * HALF], uint8_t der[DER_MAX])
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature, HALF, NULL), *s = BN_bin2bn(signature + HALF, HALF, NULL);
	uint8_t *end = der;
	int len = -1;

	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL; /* the signature's now */
		if (i2d_ECDSA_SIG(sig, NULL) <= DER_MAX)
			len = i2d_ECDSA_SIG(sig, &end);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return len;
}

bool es256_verify(EVP_PKEY *key, struct span text, const uint8_t signature[2 * HALF])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[DER_MAX];
	int len = to_der(signature, der);
	bool ret = ctx && len > 0 && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		   EVP_DigestVerify(ctx, der, (size_t)len, text.data, text.len) == 1;

	EVP_MD_CTX_free(ctx);
	return ret;
}
