/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/token_text.h"

#include <sodium.h>

enum { SCALAR_LEN = 32, SIGNATURE_TEXT_LEN = 86 };

/* The order n of P-256 (FIPS 186-4, D.1.2.3), and its half rounded down. */
static const uint8_t p256_order[SCALAR_LEN] = {
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};
static const uint8_t p256_half[SCALAR_LEN] = {
	0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
};

void base64url_encode(char *out, size_t size, const void *data, size_t len)
{
	sodium_bin2base64(out, size, data, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static bool is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((uint8_t)text[i] > 0x7f)
			return false;
	}
	return true;
}

/*
 * libsodium refuses unused bits that are not zero; with no characters to ignore it stops at the first foreign
 * one, except that 1.0.18 takes every byte above 0x7f for '_'.
 */
bool base64url_decode(void *out, size_t size, const char *text, size_t len, size_t *ret_len)
{
	const char *end = text;

	return is_ascii(text, len) &&
	       sodium_base642bin(out, size, text, len, NULL, ret_len, &end,
				 sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
	       end == text + len;
}

static bool low_s(const uint8_t *signature)
{
	return memcmp(signature + SCALAR_LEN, p256_half, SCALAR_LEN) <= 0;
}

bool token_text_parse(struct token_text *t, struct span token)
{
	const char *header = t->text;
	size_t signature_len;

	if (token.len == 0 || token.len > TOKEN_TEXT_MAX || memchr(token.data, '\0', token.len))
		return false;
	memcpy(t->text, token.data, token.len);
	t->text[token.len] = '\0';
	const char *end = t->text + token.len;
	const char *payload = strchr(header, '.');
	const char *signature = payload ? strchr(payload + 1, '.') : NULL;
	if (!signature || strchr(signature + 1, '.'))
		return false;
	payload++;
	signature++;
	return base64url_decode(t->header, sizeof(t->header), header, (size_t)(payload - 1 - header),
				&t->header_len) &&
	       base64url_decode(t->payload, sizeof(t->payload), payload, (size_t)(signature - 1 - payload),
				&t->payload_len) &&
	       base64url_decode(t->signature, sizeof(t->signature), signature, (size_t)(end - signature),
				&signature_len) &&
	       t->header_len > 0 && t->payload_len > 0 && signature_len == TOKEN_SIGNATURE_LEN &&
	       low_s(t->signature);
}

/* s = n - s; s is at least 1 and below n. */
static void negate_s(uint8_t *s)
{
	int borrow = 0;

	for (int i = SCALAR_LEN - 1; i >= 0; i--) {
		int d = p256_order[i] - s[i] - borrow;

		borrow = d < 0;
		s[i] = (uint8_t)(d & 0xff);
	}
}

bool token_text_canonicalize(char *token)
{
	uint8_t signature[TOKEN_SIGNATURE_LEN];
	char *text = strrchr(token, '.');
	size_t len;

	if (!text || !base64url_decode(signature, sizeof(signature), text + 1, strlen(text + 1), &len) ||
	    len != sizeof(signature))
		return false;
	if (!low_s(signature)) {
		negate_s(signature + SCALAR_LEN);
		base64url_encode(text + 1, SIGNATURE_TEXT_LEN + 1, signature, sizeof(signature));
	}
	return true;
}
