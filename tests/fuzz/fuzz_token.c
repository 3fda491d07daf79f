/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens as an attacker would send them. The key is made anew in every run, so that inputs say what to
 * do with it. The first byte chooses:
 *
 *   'r'  the rest is the token;
 *   'e'  the rest edits a valid token: pairs of a position (16 bits, little-endian) and the byte to put
 *        there, where a position at the token's end appends;
 *   'p'  the rest is the payload, properly signed under a good header;
 *   'h'  the rest is the header, '@' standing for our kid, properly signed over a good payload.
 *
 * Only the very token that was issued, or one that was signed here, may be taken.
 */
#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "server/auth/token_text.h"
#include "server/auth/tokens.h"
#include "tests/fuzz/must.h"

#define NOW_US INT64_C(1750000000000000)

static struct clock_fixed clock_;
static struct token_keys *keys;
static struct tokens *tokens;
static struct arena arena;
static EVP_PKEY *pkey;
static char issued[TOKEN_TEXT_MAX + 1];

static bool taken(struct span token)
{
	struct principal who = {0};
	struct error err;

	if (token_verify(tokens, token, &who, &err) < 0) {
		must(who.user_id == 0);
		must(err.reason == &RPC_REASON_TOKEN_INVALID || err.reason == &RPC_REASON_TOKEN_EXPIRED);
		return false;
	}
	must(who.user_id > 0 && who.session_id > 0 && who.expire_us > NOW_US);
	must(who.rights_epoch > 0);
	must((who.organization_id != 0) || who.scopes == 0);
	return true;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct token_config config = {"edu",         "edu",        {"usr", "ses", "org"}, TOKEN_LIFETIME_US,
				      TOKEN_SKEW_US, &clock_.clock};
	struct principal who = {
		.user_id = 1001, .session_id = 2002, .rights_epoch = 3, .roles = ROLE_MASK_LEARNER};
	const char *text;
	struct error err;
	BIO *bio;

	clock_fixed_init(&clock_, NOW_US);
	arena_init(&arena, 1 << 20);
	must(token_keys_new(NULL, &keys, &err) == 0);
	must(tokens_new(&config, keys, &tokens, &err) == 0);
	must(token_issue(tokens, &who, &arena, &text, &err) == 0);
	snprintf(issued, sizeof(issued), "%s", text);
	bio = BIO_new_mem_buf(token_keys_signing(keys)->private_pem, -1);
	pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	must(pkey != NULL && taken(span_str(issued)));
	return 0;
}

static void try_raw(struct span token)
{
	if (taken(token))
		must(token.len == strlen(issued) && memcmp(token.data, issued, token.len) == 0);
}

static void try_edited(struct span edits)
{
	char text[TOKEN_TEXT_MAX + 64];
	size_t len = strlen(issued);

	memcpy(text, issued, len);
	for (size_t i = 0; i + 3 <= edits.len; i += 3) {
		size_t at = edits.data[i] | (size_t)edits.data[i + 1] << 8;

		at = at == 0xffff ? len : at % (len + 1);
		if (at == sizeof(text))
			break;
		text[at] = (char)edits.data[i + 2];
		len += at == len;
	}
	try_raw(span_of(text, len));
}

/* Appends the ES256 signature of text[0..len); returns the new length. */
static size_t sign(char *text, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[128], raw[TOKEN_SIGNATURE_LEN];
	size_t der_len = sizeof(der);
	const uint8_t *at = der;
	ECDSA_SIG *sig;

	must(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1);
	must(EVP_DigestSign(ctx, der, &der_len, (const uint8_t *)text, len) == 1);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
	BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	text[len] = '.';
	base64url_encode(text + len + 1, BASE64URL_SIZE(sizeof(raw)), raw, sizeof(raw));
	must(token_text_canonicalize(text));
	return strlen(text);
}

static bool try_signed(struct span header, struct span payload)
{
	char text[2 * TOKEN_TEXT_MAX];
	size_t len;

	if (header.len + payload.len > TOKEN_TEXT_MAX)
		return false;
	base64url_encode(text, sizeof(text), header.data, header.len);
	len = strlen(text);
	text[len++] = '.';
	base64url_encode(text + len, sizeof(text) - len, payload.data, payload.len);
	return taken(span_of(text, sign(text, len + strlen(text + len))));
}

static bool says(const json_t *claims, const char *name, const char *value)
{
	const char *got = json_string_value(json_object_get(claims, name));

	return got && strcmp(got, value) == 0;
}

/* What must be true of signed claims that were taken, read by other means. */
static void check_claims(struct span payload)
{
	json_t *claims = json_loadb((const char *)payload.data, payload.len, 0, NULL);
	int64_t now = NOW_US / 1000000, skew = TOKEN_SKEW_US / 1000000;

	must(says(claims, "iss", "edu") && says(claims, "aud", "edu"));
	must(json_integer_value(json_object_get(claims, "exp")) > now);
	must(json_integer_value(json_object_get(claims, "nbf")) <= now + skew);
	must(json_integer_value(json_object_get(claims, "iat")) <= now + skew);
	json_decref(claims);
}

static void try_payload(struct span payload)
{
	struct token_text t;

	must(token_text_parse(&t, span_str(issued)));
	if (try_signed(span_of(t.header, t.header_len), payload))
		check_claims(payload);
}

/* Whatever the header's order and white space, it must say these three things. */
static void try_header(struct span pattern)
{
	const char *kid = token_keys_signing(keys)->kid;
	char header[TOKEN_TEXT_MAX];
	struct token_text t;
	size_t len = 0;

	for (size_t i = 0; i < pattern.len && len + TOKEN_KID_SIZE < sizeof(header); i++) {
		if (pattern.data[i] == '@') {
			memcpy(header + len, kid, strlen(kid));
			len += strlen(kid);
		} else {
			header[len++] = (char)pattern.data[i];
		}
	}
	must(token_text_parse(&t, span_str(issued)));
	if (try_signed(span_of(header, len), span_of(t.payload, t.payload_len)))
		must(memmem(header, len, kid, strlen(kid)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of(data + 1, size - 1);

	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'r':
		try_raw(rest);
		break;
	case 'e':
		try_edited(rest);
		break;
	case 'p':
		try_payload(rest);
		break;
	case 'h':
		try_header(rest);
		break;
	default:
		break;
	}
	return 0;
}
