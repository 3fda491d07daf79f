/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/page_token.h"

#include <assert.h>
#include <endian.h>
#include <sodium.h>
#include <stdlib.h>

#include "server/auth/key_dir.h"
#include "server/auth/token_text.h"

#define KEY_FILE "page-tokens.key"

enum {
	KEY_LEN = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
	NONCE_LEN = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_LEN = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	TIME_LEN = 8,
	BINDING_LEN = 32,
	PLAIN_MAX = TIME_LEN + PAGE_CURSOR_MAX,
	SEALED_MAX = NONCE_LEN + PLAIN_MAX + TAG_LEN,
};

static_assert(PAGE_ARGS_LEN == crypto_generichash_BYTES, "the hash of the arguments");

struct page_tokens {
	const struct clock *clock;
	uint8_t key[KEY_LEN];
};

static int key_load(struct page_tokens *p, const char *dir, struct error *err)
{
	uint8_t buffer[KEY_FILE_MAX];
	size_t len = 0;
	int r = key_dir_ensure(dir, err);

	if (r == 0)
		r = key_file_read(dir, KEY_FILE, buffer, &len, err);
	if (r == 0 && len == 0) {
		r = key_file_create(dir, KEY_FILE, span_of(p->key, KEY_LEN), err);
		if (r == 0)
			r = key_file_read(dir, KEY_FILE, buffer, &len, err);
	}
	if (r == 0 && len != KEY_LEN)
		r = error_internal(err, "key file %s/" KEY_FILE " must have %d bytes", dir, KEY_LEN);
	if (r == 0)
		memcpy(p->key, buffer, KEY_LEN);
	sodium_memzero(buffer, sizeof(buffer));
	return r;
}

int page_tokens_new(const char *dir, const struct clock *clock, struct page_tokens **ret, struct error *err)
{
	struct page_tokens *p = calloc(1, sizeof(*p));
	int r = 0;

	if (!p || sodium_init() < 0) {
		free(p);
		return error_internal(err, "cannot ready the page tokens");
	}
	p->clock = clock;
	randombytes_buf(p->key, KEY_LEN);
	if (dir)
		r = key_load(p, dir, err);
	if (r < 0) {
		page_tokens_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

void page_tokens_free(struct page_tokens *p)
{
	if (!p)
		return;
	sodium_memzero(p->key, KEY_LEN);
	free(p);
}

/* In proto3 a cleared field is not on the wire. Both are singular scalars, by AIP-158. */
static void field_clear(ProtobufCMessage *message, const char *name)
{
	const ProtobufCFieldDescriptor *f =
		protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);

	if (!f || f->label == PROTOBUF_C_LABEL_REPEATED)
		return;
	uint8_t *member = (uint8_t *)message + f->offset;
	if (f->type == PROTOBUF_C_TYPE_STRING)
		memset(member, 0, sizeof(char *));
	else if (f->type == PROTOBUF_C_TYPE_INT32 || f->type == PROTOBUF_C_TYPE_UINT32)
		memset(member, 0, sizeof(int32_t));
}

/* A shallow copy is enough: only the copy's own members are changed, and what they point to is only read. */
int page_args_hash(const ProtobufCMessage *req, struct arena *arena, uint8_t ret[PAGE_ARGS_LEN],
		   struct error *err)
{
	ProtobufCMessage *args = arena_memdup(arena, req, req->descriptor->sizeof_message);
	uint8_t *packed = NULL;
	size_t len = 0;

	if (args) {
		field_clear(args, "page_token");
		field_clear(args, "page_size");
		len = protobuf_c_message_get_packed_size(args);
		packed = arena_alloc(arena, len);
	}
	if (!packed)
		return arena_full(err);
	protobuf_c_message_pack(args, packed);
	crypto_generichash(ret, PAGE_ARGS_LEN, packed, len, NULL, 0);
	return 0;
}

/* What the token is bound to: the arguments, then the method, which ends the input and so needs no length. */
static void binding_of(const char *method, const uint8_t args[PAGE_ARGS_LEN], uint8_t out[BINDING_LEN])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, BINDING_LEN);
	crypto_generichash_update(&state, args, PAGE_ARGS_LEN);
	crypto_generichash_update(&state, (const uint8_t *)method, strlen(method));
	crypto_generichash_final(&state, out, BINDING_LEN);
}

int page_token_make(const struct page_tokens *p, struct arena *arena, const char *method,
		    const uint8_t args[PAGE_ARGS_LEN], struct span cursor, char **ret, struct error *err)
{
	uint8_t binding[BINDING_LEN], plain[PLAIN_MAX], sealed[SEALED_MAX];
	uint64_t made = htole64((uint64_t)clock_now_us(p->clock));
	unsigned long long sealed_len;

	if (cursor.len == 0 || cursor.len > PAGE_CURSOR_MAX)
		return error_internal(err, "a page cursor of %zu bytes", cursor.len);
	memcpy(plain, &made, TIME_LEN);
	memcpy(plain + TIME_LEN, cursor.data, cursor.len);
	binding_of(method, args, binding);
	randombytes_buf(sealed, NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_LEN, &sealed_len, plain,
						   TIME_LEN + cursor.len, binding, BINDING_LEN, NULL, sealed,
						   p->key);
	size_t size = BASE64URL_SIZE(NONCE_LEN + sealed_len);
	*ret = arena_alloc(arena, size);
	if (!*ret)
		return arena_full(err);
	base64url_encode(*ret, size, sealed, NONCE_LEN + sealed_len);
	return 0;
}

/* Decrypts into `plain`; false when the token is not ours or not of these arguments. */
static bool unseal(const struct page_tokens *p, const char *method, const uint8_t args[PAGE_ARGS_LEN],
		   const char *text, uint8_t plain[PLAIN_MAX], size_t *ret_len)
{
	uint8_t binding[BINDING_LEN], sealed[SEALED_MAX];
	unsigned long long plain_len;
	size_t len;

	if (!base64url_decode(sealed, sizeof(sealed), text, strlen(text), &len) ||
	    len <= NONCE_LEN + TIME_LEN + TAG_LEN)
		return false;
	binding_of(method, args, binding);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &plain_len, NULL, sealed + NONCE_LEN,
						       len - NONCE_LEN, binding, BINDING_LEN, sealed,
						       p->key) != 0)
		return false;
	*ret_len = plain_len;
	return true;
}

int page_token_open(const struct page_tokens *p, struct arena *arena, const char *method,
		    const uint8_t args[PAGE_ARGS_LEN], const char *text, struct span *ret, struct error *err)
{
	uint8_t plain[PLAIN_MAX];
	uint64_t made;
	size_t len;

	if (*text == '\0') {
		*ret = span_of(NULL, 0);
		return 0;
	}
	if (!unseal(p, method, args, text, plain, &len))
		return error_field(err, "page_token",
				   "must come from the last answer, with no other argument changed");
	memcpy(&made, plain, TIME_LEN);
	if ((int64_t)le64toh(made) + PAGE_TOKEN_LIFETIME_US <= clock_now_us(p->clock))
		return error_field(err, "page_token",
				   "is older than 3 days: start again from the first page");
	uint8_t *cursor = arena_memdup(arena, plain + TIME_LEN, len - TIME_LEN);
	if (!cursor)
		return arena_full(err);
	*ret = span_of(cursor, len - TIME_LEN);
	return 0;
}
