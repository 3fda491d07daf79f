/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_PAGE_H
#define APP_PAGE_H

#include "server/app/app.h"

enum { PAGE_SIZE = 20, PAGE_SIZE_MAX = 100 }; /* when none is asked for; at most */

/*
 * A page of a list, by keyset: its token carries the key of the last row shown (the cursor, plain bytes),
 * authenticated and bound to the request's other arguments; see auth/page_token.h. One row more than is shown
 * is read, which tells whether another page follows:
 *
 *     struct page page;
 *     int r = page_open(&page, call, PAGE_OF(req), &cursor, sizeof(cursor), err);
 *     ...read at most page.limit rows after the cursor...
 *     if (page_goes_on(&page, &n)) {
 *             cursor = the key of row n - 1;
 *             ret->next_page_token = page_next(&page, &cursor);
 *     }
 */
struct page {
	struct rpc_call *call;
	const ProtobufCMessage *req;
	size_t cursor_size;
	unsigned limit; /* rows to be read: one more than are shown */
};

#define PAGE_OF(req) &(req)->base, (req)->page_size, (req)->page_token

/* A page_size of 0 is 20, above 100 is 100. Fills the cursor from the request's token; on the first page it
 * stays as it is. PAGE_TOKEN_INVALID. */
int page_open(struct page *page, struct rpc_call *call, const ProtobufCMessage *req, int32_t page_size,
	      const char *page_token, void *cursor, size_t cursor_size, struct error *err)
	__attribute__((warn_unused_result));

/* Whether more rows follow than are shown; *n, as many as were read, becomes as many as are shown. */
bool page_goes_on(const struct page *page, unsigned *n);

/* The token of the page that follows, in the arena; NULL when that is full. */
char *page_next(const struct page *page, const void *cursor);

/* Replies with packed messages, then `rest`, one behind the other, which on the wire is one message: its
 * lists hold the entries of all. */
int page_reply(struct rpc_call *call, const struct span *parts, unsigned n, const ProtobufCMessage *rest,
	       struct error *err) __attribute__((warn_unused_result));

#endif
