/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_OBJECT_URL_H
#define AUTH_OBJECT_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"
#include "proto/runtime/span.h"

/*
 * URLs that let whoever holds one read or write one object of a bucket for a while, by themselves: AWS
 * Signature Version 4 in the query string, as S3, MinIO, R2 and the S3 interface of Alibaba OSS verify it.
 * Nobody is asked when one is made. The body is not signed (UNSIGNED-PAYLOAD, which all of them take): what
 * binds it are headers, which the signature covers and the store holds the body against.
 */

enum { OBJECT_URL_SECONDS_MAX = 604800 }; /* what S3 and those like it take at most: 7 days */

struct object_bucket_config {
	const char *endpoint; /* "https://s3.eu-central-1.amazonaws.com": no path */
	const char *region;   /* "us-east-1"; R2 takes "auto" */
	const char *bucket;
	bool virtual_host; /* https://BUCKET.host/key; else https://host/BUCKET/key */
	const char *access_key_id, *secret_key;
};

/* A bucket and the key to it. Immutable once made; any thread. */
struct object_bucket;

/* What is said of it is copied. INTERNAL with what is wrong with it. */
int object_bucket_new(const struct object_bucket_config *config, struct object_bucket **ret,
		      struct error *err) __attribute__((warn_unused_result));
void object_bucket_free(struct object_bucket *b); /* wipes; NULL is fine */

struct object_field {
	const char *name, *value;
};

/* Names are lower case and in order; values have no spaces at their ends, and no two together. */
struct object_request {
	const char *method; /* "GET", "PUT" */
	const char *key;    /* "content/cnt_..." */
	int64_t now_us;     /* from when, in whole seconds */
	unsigned seconds;   /* for how long: 1 to OBJECT_URL_SECONDS_MAX */
	/* What the request has to carry besides its host, exactly so. */
	const struct object_field *headers;
	unsigned n_headers;
	/* What the store is to answer with: "response-content-disposition" and the like. */
	const struct object_field *query;
	unsigned n_query;
};

/* The URL, in the arena; NULL when that is full. */
char *object_url_sign(const struct object_bucket *b, struct arena *arena,
		      const struct object_request *request) __attribute__((warn_unused_result));

/* The URL of an object that anybody may read, unsigned: below `base`, or in the bucket when that is NULL. */
char *object_url_public(const struct object_bucket *b, struct arena *arena, const char *base, const char *key)
	__attribute__((warn_unused_result));

/* SHA-256, by which objects are told apart and held against what was said of them. */
enum { OBJECT_HASH_LEN = 32 };
void object_hash(struct span bytes, uint8_t ret[OBJECT_HASH_LEN]);

#endif
