/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/object_url.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

enum { HASH_LEN = OBJECT_HASH_LEN, HEX_SIZE = 2 * HASH_LEN + 1 };
static_assert(crypto_hash_sha256_BYTES == OBJECT_HASH_LEN && crypto_auth_hmacsha256_BYTES == OBJECT_HASH_LEN,
	      "one length of hashes");

enum { HOST_MAX = 253 + 6, BUCKET_MAX = 63, REGION_MAX = 32, KEY_ID_MAX = 128, SECRET_KEY_MAX = 128 };

struct object_bucket {
	const char *scheme;
	char host[BUCKET_MAX + 1 + HOST_MAX + 1]; /* as a client puts it into the Host header */
	char path[BUCKET_MAX + 3];                /* before each key: "/", or "/BUCKET/" */
	char region[REGION_MAX + 1], key_id[KEY_ID_MAX + 1];
	char secret[sizeof("AWS4") + SECRET_KEY_MAX];
};

/* --- the bucket --- */

static bool made_of(const char *text, size_t max, const char *characters)
{
	size_t len = text ? strlen(text) : 0;

	return len > 0 && len <= max && strspn(text, characters) == len;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

/* A client leaves its scheme's own port out of the Host header, which is signed. */
static bool take_endpoint(const char *endpoint, const char **ret_scheme, char host[HOST_MAX + 1])
{
	const bool tls = endpoint && strncmp(endpoint, "https://", 8) == 0;
	if (!tls && !(endpoint && strncmp(endpoint, "http://", 7) == 0))
		return false;
	*ret_scheme = tls ? "https" : "http";
	snprintf(host, HOST_MAX + 1, "%s", endpoint + (tls ? 8 : 7));
	if (ends_with(host, "/"))
		host[strlen(host) - 1] = '\0';
	const char *port = tls ? ":443" : ":80";
	if (ends_with(host, port))
		host[strlen(host) - strlen(port)] = '\0';
	return strlen(endpoint) <= HOST_MAX && made_of(host, HOST_MAX, LOWER DIGITS ".-:[]");
}

static const char *take_config(const struct object_bucket_config *c, struct object_bucket *b)
{
	char host[HOST_MAX + 1];

	if (!take_endpoint(c->endpoint, &b->scheme, host))
		return "endpoint must be http:// or https:// and a host in lower case, without a path";
	if (!made_of(c->bucket, BUCKET_MAX, LOWER DIGITS ".-"))
		return "bucket must be 1 to 63 of a-z 0-9 . -";
	if (!made_of(c->region, REGION_MAX, LOWER DIGITS "-"))
		return "region must be 1 to 32 of a-z 0-9 -";
	if (!made_of(c->access_key_id, KEY_ID_MAX, LOWER UPPER DIGITS "._-"))
		return "access key id must be 1 to 128 letters, digits and . _ -";
	if (!c->secret_key || !*c->secret_key || strlen(c->secret_key) > SECRET_KEY_MAX)
		return "secret key must be 1 to 128 characters";
	snprintf(b->host, sizeof(b->host), "%s%s%s", c->virtual_host ? c->bucket : "",
		 c->virtual_host ? "." : "", host);
	if (c->virtual_host)
		snprintf(b->path, sizeof(b->path), "/");
	else
		snprintf(b->path, sizeof(b->path), "/%s/", c->bucket);
	snprintf(b->region, sizeof(b->region), "%s", c->region);
	snprintf(b->key_id, sizeof(b->key_id), "%s", c->access_key_id);
	snprintf(b->secret, sizeof(b->secret), "AWS4%s", c->secret_key);
	return NULL;
}

int object_bucket_new(const struct object_bucket_config *config, struct object_bucket **ret,
		      struct error *err)
{
	struct object_bucket *b = calloc(1, sizeof(*b));

	if (!b || sodium_init() < 0) {
		free(b);
		return error_internal(err, "cannot ready the object store");
	}
	const char *wrong = take_config(config, b);
	if (wrong) {
		object_bucket_free(b);
		return error_internal(err, "the object store's %s", wrong);
	}
	*ret = b;
	return 0;
}

void object_bucket_free(struct object_bucket *b)
{
	if (!b)
		return;
	sodium_memzero(b, sizeof(*b));
	free(b);
}

/* --- text that is put together --- */

struct text {
	char *start, *at; /* room was measured before */
};

static void put(struct text *t, const char *s)
{
	size_t len = strlen(s);

	memcpy(t->at, s, len);
	t->at += len;
	*t->at = '\0';
}

/* Percent-encoded: all but what RFC 3986 leaves unreserved and, in a path, the slash. */
static void put_encoded(struct text *t, const char *s, const char *kept)
{
	for (; *s; s++)
		if (strchr(LOWER UPPER DIGITS "-._~", *s) || strchr(kept, *s)) {
			*t->at++ = *s;
		} else {
			snprintf(t->at, 4, "%%%02X", (unsigned char)*s);
			t->at += 3;
		}
	*t->at = '\0';
}

/* Of the longest text of a request, once and encoded: its fixed words and numbers take less than 1 KiB. */
static size_t room_of(const struct object_bucket *b, const struct object_request *q)
{
	size_t n = 1024 + strlen(b->host) + 3 * (strlen(b->path) + strlen(q->key) + sizeof(*b));

	for (unsigned i = 0; i < q->n_headers; i++)
		n += 3 * (2 * strlen(q->headers[i].name) + strlen(q->headers[i].value) + 3);
	for (unsigned i = 0; i < q->n_query; i++)
		n += 3 * (strlen(q->query[i].name) + strlen(q->query[i].value)) + 2;
	return n;
}

/* --- the signature: what is signed is the request in one canonical form --- */

struct signing {
	const struct object_bucket *bucket;
	const struct object_request *request;
	char day[9], time[17]; /* "20130524", "20130524T000000Z" */
	char scope[sizeof("20130524//s3/aws4_request") + REGION_MAX];
};

static void begin(struct signing *s, const struct object_bucket *b, const struct object_request *request)
{
	const time_t seconds = (time_t)(request->now_us / 1000000);
	struct tm tm;

	*s = (struct signing){b, request, "", "", ""};
	gmtime_r(&seconds, &tm);
	strftime(s->day, sizeof(s->day), "%Y%m%d", &tm);
	strftime(s->time, sizeof(s->time), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(s->scope, sizeof(s->scope), "%s/%s/s3/aws4_request", s->day, b->region);
}

static void put_path(struct text *t, const struct signing *s)
{
	put(t, s->bucket->path);
	put_encoded(t, s->request->key, "/");
}

/* The headers in order, the host among them: their names with `divider` between, or each as a line. */
static void put_headers(struct text *t, const struct signing *s, const char *divider)
{
	const struct object_request *q = s->request;
	bool hosted = false, first = true;

	for (unsigned i = 0; i < q->n_headers || !hosted; first = false) {
		const bool host = !hosted && (i == q->n_headers || strcmp(q->headers[i].name, "host") > 0);
		hosted = hosted || host;
		if (divider && !first)
			put(t, divider);
		put(t, host ? "host" : q->headers[i].name);
		if (!divider) {
			put(t, ":");
			put(t, host ? s->bucket->host : q->headers[i].value);
			put(t, "\n");
		}
		i += !host;
	}
}

static void put_query(struct text *t, const struct signing *s)
{
	const struct object_request *q = s->request;
	char seconds[12];

	snprintf(seconds, sizeof(seconds), "%u", q->seconds);
	put(t, "X-Amz-Algorithm=" ALGORITHM "&X-Amz-Credential=");
	put_encoded(t, s->bucket->key_id, "");
	put(t, "%2F");
	put_encoded(t, s->scope, "");
	put(t, "&X-Amz-Date=");
	put(t, s->time);
	put(t, "&X-Amz-Expires=");
	put(t, seconds);
	put(t, "&X-Amz-SignedHeaders=");
	put_headers(t, s, "%3B");
	for (unsigned i = 0; i < q->n_query; i++) {
		put(t, "&");
		put(t, q->query[i].name);
		put(t, "=");
		put_encoded(t, q->query[i].value, "");
	}
}

static void put_canonical(struct text *t, const struct signing *s)
{
	put(t, s->request->method);
	put(t, "\n");
	put_path(t, s);
	put(t, "\n");
	put_query(t, s);
	put(t, "\n");
	put_headers(t, s, NULL);
	put(t, "\n");
	put_headers(t, s, ";");
	put(t, "\nUNSIGNED-PAYLOAD");
}

static void hmac(uint8_t ret[HASH_LEN], const void *key, size_t key_len, const char *text)
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, key, key_len);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)text, strlen(text));
	crypto_auth_hmacsha256_final(&state, ret);
	sodium_memzero(&state, sizeof(state));
}

/* The key of a day, a region and S3. */
static void derive_key(const struct signing *s, uint8_t ret[HASH_LEN])
{
	hmac(ret, s->bucket->secret, strlen(s->bucket->secret), s->day);
	hmac(ret, ret, HASH_LEN, s->bucket->region);
	hmac(ret, ret, HASH_LEN, "s3");
	hmac(ret, ret, HASH_LEN, "aws4_request");
}

static void sign(const struct signing *s, const char *canonical, char ret[HEX_SIZE])
{
	uint8_t key[HASH_LEN], hash[HASH_LEN];
	char hex[HEX_SIZE], text[sizeof(ALGORITHM) + sizeof(s->time) + sizeof(s->scope) + HEX_SIZE];

	crypto_hash_sha256(hash, (const uint8_t *)canonical, strlen(canonical));
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	snprintf(text, sizeof(text), ALGORITHM "\n%s\n%s\n%s", s->time, s->scope, hex);
	derive_key(s, key);
	hmac(hash, key, sizeof(key), text);
	sodium_bin2hex(ret, HEX_SIZE, hash, sizeof(hash));
	sodium_memzero(key, sizeof(key));
}

char *object_url_sign(const struct object_bucket *b, struct arena *arena,
		      const struct object_request *request)
{
	const size_t room = room_of(b, request);
	char *canonical = arena_alloc(arena, room), *url = arena_alloc(arena, room), signature[HEX_SIZE];
	struct signing s;

	if (!canonical || !url)
		return NULL;
	begin(&s, b, request);
	put_canonical(&(struct text){canonical, canonical}, &s);
	sign(&s, canonical, signature);

	struct text t = {url, url};
	put(&t, b->scheme);
	put(&t, "://");
	put(&t, b->host);
	put_path(&t, &s);
	put(&t, "?");
	put_query(&t, &s);
	put(&t, "&X-Amz-Signature=");
	put(&t, signature);
	return url;
}

char *object_url_public(const struct object_bucket *b, struct arena *arena, const char *base, const char *key)
{
	return base ? arena_printf(arena, "%s/%s", base, key)
		    : arena_printf(arena, "%s://%s%s%s", b->scheme, b->host, b->path, key);
}

void object_hash(struct span bytes, uint8_t ret[OBJECT_HASH_LEN])
{
	crypto_hash_sha256(ret, bytes.data, bytes.len);
}
