/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/page.h"

#include <string.h>

#include "edu/v1/error.tables.h"
#include "proto/runtime/codec.h"
#include "server/auth/authenticator.h"
#include "server/auth/page_token.h"

static int token_invalid(struct error *err)
{
	return error_raise(
		err, &REASON_PAGE_TOKEN_INVALID,
		"The page_token is not ours, too old, or of other arguments; start at the first page.");
}

int page_open(struct page *page, struct rpc_call *call, const ProtobufCMessage *req, int32_t page_size,
	      const char *page_token, void *cursor, size_t cursor_size, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	uint8_t args[PAGE_ARGS_LEN];
	struct span opened;
	unsigned size = page_size > 0 ? (unsigned)page_size : PAGE_SIZE;
	*page = (struct page){call, req, cursor_size, (size < PAGE_SIZE_MAX ? size : PAGE_SIZE_MAX) + 1};

	int r = page_args_hash(req, arena, args, err);
	if (r < 0)
		return r;
	r = page_token_open(app_of(call)->auth->pages, arena, rpc_method(call)->path, args, page_token,
			    &opened, err);
	if (r == -STATUS_INVALID_ARGUMENT)
		return token_invalid(err);
	if (r < 0 || opened.len == 0)
		return r;
	if (opened.len != cursor_size)
		return token_invalid(err);
	memcpy(cursor, opened.data, cursor_size);
	return 0;
}

bool page_goes_on(const struct page *page, unsigned *n)
{
	if (*n < page->limit)
		return false;
	*n = page->limit - 1;
	return true;
}

char *page_next(const struct page *page, const void *cursor)
{
	struct arena *arena = rpc_arena(page->call);
	uint8_t args[PAGE_ARGS_LEN];
	struct error err;
	char *token;

	if (page_args_hash(page->req, arena, args, &err) < 0 ||
	    page_token_make(app_of(page->call)->auth->pages, arena, rpc_method(page->call)->path, args,
			    span_of(cursor, page->cursor_size), &token, &err) < 0)
		return NULL;
	return token;
}

int page_reply(struct rpc_call *call, const struct span *parts, unsigned n, const ProtobufCMessage *rest,
	       struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct span last;
	int r = codec_pack(rest, arena, &last, err);
	if (r < 0)
		return r;
	size_t size = last.len;
	for (unsigned i = 0; i < n; i++)
		size += parts[i].len;
	uint8_t *whole = arena_alloc(arena, size), *end = whole;
	if (!whole)
		return arena_full(err);
	for (unsigned i = 0; i < n; i++)
		if (parts[i].len)
			end = mempcpy(end, parts[i].data, parts[i].len);
	if (last.len)
		memcpy(end, last.data, last.len);
	return rpc_reply_packed(call, span_of(whole, size));
}
