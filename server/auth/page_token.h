/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_PAGE_TOKEN_H
#define AUTH_PAGE_TOKEN_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"
#include "proto/runtime/span.h"
#include "server/base/clock.h"

/*
 * Page tokens (AIP-158): where the next page of a list starts. A token is the caller's cursor, encrypted and
 * authenticated (XChaCha20-Poly1305) with the key all replicas share, together with the moment it was made,
 * and bound to the method and to every other argument of the request. It carries no authority: whoever
 * presents it is authorized like anybody else. It works for three days.
 *
 * In a handler:
 *
 *     uint8_t args[PAGE_ARGS_LEN];
 *     r = page_args_hash(&req->base, arena, args, err);
 *     r = page_token_open(pages, arena, method, args, req->page_token, &cursor, err);   first page:
 * cursor.len is 0
 *     ...
 *     r = page_token_make(pages, arena, method, args, span_of(&last, sizeof(last)), &ret->next_page_token,
 * err);
 *
 * A cursor is the last row's sort key in whatever fixed layout the list has; change the method string when
 * the layout changes. Immutable once made; any thread.
 */
struct page_tokens;

enum {
	PAGE_ARGS_LEN = 32,
	PAGE_CURSOR_MAX = 1024, /* bytes */
};
#define PAGE_TOKEN_LIFETIME_US (3 * DAY_US)

/* The key is the file page-tokens.key of the directory, made when absent; `dir` NULL keeps one in memory
 * only. */
int page_tokens_new(const char *dir, const struct clock *clock, struct page_tokens **ret, struct error *err)
	__attribute__((warn_unused_result));
void page_tokens_free(struct page_tokens *p); /* wipes; NULL is fine */

/* A hash of the request without its fields page_token and page_size, which may change from page to page. */
int page_args_hash(const ProtobufCMessage *req, struct arena *arena, uint8_t ret[PAGE_ARGS_LEN],
		   struct error *err) __attribute__((warn_unused_result));

/* A token; *ret lives in the arena. */
int page_token_make(const struct page_tokens *p, struct arena *arena, const char *method,
		    const uint8_t args[PAGE_ARGS_LEN], struct span cursor, char **ret, struct error *err)
	__attribute__((warn_unused_result));

/*
 * The cursor of a token; *ret lives in the arena, aligned for any type, and is empty when `text` is.
 * FIELD_INVALID on page_token when the token is not ours, too old, or of other arguments.
 */
int page_token_open(const struct page_tokens *p, struct arena *arena, const char *method,
		    const uint8_t args[PAGE_ARGS_LEN], const char *text, struct span *ret, struct error *err)
	__attribute__((warn_unused_result));

#endif
