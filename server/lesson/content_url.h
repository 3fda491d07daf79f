/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LESSON_CONTENT_URL_H
#define LESSON_CONTENT_URL_H

#include "server/lesson/content_store.h"

/* Where content lies in the object store, and the URLs that lead there. Nobody asks the store. */

/* OBJECT_STORE_MISSING when the service has none. */
int content_check_objects(const struct app *app, struct error *err) __attribute__((warn_unused_result));

/*
 * Fills the answer's url, headers and expire_time: a PUT of exactly what `c` says. Its type and length are
 * signed headers, which every store compares; its hash is one that the store holds the bytes against
 * (x-amz-checksum-sha256). x-amz-content-sha256 would be no use: stores disagree on
 * whether a URL's signature covers it.
 */
int content_url_upload(const struct app *app, struct arena *arena, const Content *c, int64_t now_us,
		       CreateContentUploadResponse *ret, struct error *err)
	__attribute__((warn_unused_result));

/* Where anybody reads what is the course's own, by its id's text; NULL when the arena is full. */
char *content_url_public(const struct app *app, struct arena *arena, const char *content_id)
	__attribute__((warn_unused_result));

/* A GET of it until then at most, but no longer than a URL may work; *ret_expire_us says until when. Browsers
 * save an attachment under its name. NULL when the arena is full. */
char *content_url_read(const struct app *app, struct arena *arena, const struct content *c, int64_t now_us,
		       int64_t until_us, int64_t *ret_expire_us) __attribute__((warn_unused_result));

#endif
