/* SPDX-License-Identifier: Apache-2.0 */
#include "client/examples/import_oulad/keys.h"

#include <ctype.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { KEY_TEXT_MAX = 512 };

char *key_course(const struct oulad *o, char out[KEY_EXTERNAL_ID_MAX])
{
	snprintf(out, KEY_EXTERNAL_ID_MAX, "oulad-%s-%s", o->module, o->presentation);
	return out;
}

int key_user_name(const struct oulad *o, int64_t learner_id, char out[KEY_USER_NAME_MAX], struct error *err)
{
	int n = snprintf(out, KEY_USER_NAME_MAX, "oulad-%s-%s-%" PRId64, o->module, o->presentation,
			 learner_id);

	if (n >= KEY_USER_NAME_MAX)
		return error_raise(err, &RPC_REASON_FIELD_INVALID,
				   "the user name oulad-%s-%s-%" PRId64 " is longer than %d characters",
				   o->module, o->presentation, learner_id, KEY_USER_NAME_MAX - 1);
	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return 0;
}

char *key_uuid(char out[UUID_TEXT_MAX], const char *format, ...)
{
	char text[KEY_TEXT_MAX];
	uint8_t digest[SHA256_DIGEST_LENGTH];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	SHA256((const uint8_t *)text, strlen(text), digest);
	digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x80); /* version 8 */
	digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80); /* RFC 9562's variant */
	return uuid_format(digest, out);
}

char *key_password(const char *secret, const char *user_name, char out[KEY_PASSWORD_MAX])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	unsigned n = sizeof(digest);

	HMAC(EVP_sha256(), secret, (int)strlen(secret), (const uint8_t *)user_name, strlen(user_name), digest,
	     &n);
	for (unsigned i = 0; i < n; i++)
		snprintf(out + 2 * (size_t)i, 3, "%02x", digest[i]);
	return out;
}
