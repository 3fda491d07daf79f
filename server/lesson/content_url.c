/* SPDX-License-Identifier: Apache-2.0 */
#include "server/lesson/content_url.h"
#include "server/course/course_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/runtime/array.h"
#include "proto/runtime/codec.h"
#include "proto/runtime/json_form.h"
#include "server/auth/object_url.h"

int content_check_objects(const struct app *app, struct error *err)
{
	return app->objects ? 0
			    : error_raise(err, &REASON_OBJECT_STORE_MISSING,
					  "This service has no object store; it keeps no files.");
}

/* What anybody may read lies apart, so that a store can be told so by a prefix. */
static char *key_of(struct arena *arena, const char *content_id, bool public)
{
	return arena_printf(arena, "%s/%s", public ? "public" : "content", content_id);
}

/* --- writing --- */

static void put_headers(struct arena *arena, const struct object_field *fields, unsigned n,
			CreateContentUploadResponse *ret)
{
	ret->headers = arena_array(arena, n, sizeof(HttpHeader *));
	for (unsigned i = 0; ret->headers && i < n; i++) {
		HttpHeader *h = codec_new(HTTP_HEADER_DESC, arena);
		if (!h)
			return;
		h->name = (char *)fields[i].name;
		h->value = arena_strdup(arena, fields[i].value);
		ret->headers[ret->n_headers++] = h;
	}
}

int content_url_upload(const struct app *app, struct arena *arena, const Content *c, int64_t now_us,
		       CreateContentUploadResponse *ret, struct error *err)
{
	char length[24], hash[4 * ((OBJECT_HASH_LEN + 2) / 3) + 1]; /* base64 */
	const struct object_field headers[] = {
		{"content-length", length},
		{"content-type", c->content_type},
		{"x-amz-checksum-sha256", hash},
	};
	const int64_t now_s = now_us / SECOND_US, seconds = app->content.upload_us / SECOND_US;
	const struct object_request request = {
		.method = "PUT",
		.key = key_of(arena, c->content_id, !*c->lesson_id),
		.now_us = now_us,
		.seconds = (unsigned)seconds,
		.headers = headers,
		.n_headers = ARRAY_SIZE(headers),
	};

	if (!request.key)
		return arena_full(err);
	snprintf(length, sizeof(length), "%" PRId64, c->size_bytes);
	json_base64_write(span_of(c->sha256.data, OBJECT_HASH_LEN), hash);
	ret->url = object_url_sign(app->objects, arena, &request);
	put_headers(arena, headers, ARRAY_SIZE(headers), ret);
	ret->expire_time = app_timestamp(arena, (now_s + seconds) * SECOND_US);
	return arena_check(arena, err);
}

/* --- reading --- */

char *content_url_public(const struct app *app, struct arena *arena, const char *content_id)
{
	const char *key = content_id ? key_of(arena, content_id, true) : NULL;

	return key ? object_url_public(app->objects, arena, app->content.public_url, key) : NULL;
}

/* RFC 6266: how a browser is told to save it, and under which name (RFC 8187). */
static char *disposition(struct arena *arena, const char *file_name)
{
	static const char kept[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~";
	static const char begin[] = "attachment; filename*=UTF-8''";
	char *ret = arena_alloc(arena, sizeof(begin) + 3 * strlen(file_name)), *at;

	if (!ret)
		return NULL;
	memcpy(ret, begin, sizeof(begin));
	for (at = ret + sizeof(begin) - 1; *file_name; file_name++)
		at += snprintf(at, 4, strchr(kept, *file_name) ? "%c" : "%%%02X", (unsigned char)*file_name);
	return ret;
}

char *content_url_read(const struct app *app, struct arena *arena, const struct content *c, int64_t now_us,
		       int64_t until_us, int64_t *ret_expire_us)
{
	const int64_t now_s = now_us / SECOND_US, left = until_us / SECOND_US - now_s;
	const int64_t seconds = left < 1 ? 1 : left > OBJECT_URL_SECONDS_MAX ? OBJECT_URL_SECONDS_MAX : left;
	const char *id = app_id(arena, ID_CONTENT, c->content_id);
	struct object_field saved = {"response-content-disposition", NULL};
	struct object_request request = {.method = "GET",
					 .key = id ? key_of(arena, id, !c->lesson_id) : NULL,
					 .now_us = now_us,
					 .seconds = (unsigned)seconds};

	if (c->role == CONTENT_ATTACHMENT) {
		saved.value = disposition(arena, c->file_name);
		request.query = &saved;
		request.n_query = 1;
	}
	if (!request.key || (request.n_query && !saved.value))
		return NULL;
	*ret_expire_us = (now_s + seconds) * SECOND_US;
	return object_url_sign(app->objects, arena, &request);
}
