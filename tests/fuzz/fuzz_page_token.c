/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page tokens as a caller would send them back. The key is made anew in every run, so that inputs say what to
 * do with it. The first byte chooses:
 *
 *   'r'  the rest is the token;
 *   'e'  the rest edits a valid token: pairs of a position (16 bits, little-endian) and the byte to put
 *        there, where a position at the token's end appends;
 *   'c'  the rest is a cursor, which must come back for the same call only.
 *
 * Only the very text that was issued may be taken.
 */
#include <string.h>

#include "server/auth/page_token.h"
#include "tests/fuzz/must.h"

#define NOW_US INT64_C(1750000000000000)
#define METHOD "/edu.v1.EduService/ListCourses"

enum { TEXT_MAX = 4096 };

static struct clock_fixed clock_;
static struct page_tokens *pages;
static const uint8_t args[PAGE_ARGS_LEN] = {1, 2, 3}, other_args[PAGE_ARGS_LEN] = {1, 2, 4};
static const char cursor[] = "a cursor of one row";
static char issued[TEXT_MAX];

static bool opens(struct arena *arena, const char *method, const uint8_t *with, const char *text,
		  struct span *ret)
{
	struct error err;

	if (page_token_open(pages, arena, method, with, text, ret, &err) == 0)
		return true;
	must(err.reason == &RPC_REASON_FIELD_INVALID && strcmp(err.violations[0].field, "page_token") == 0);
	return false;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct arena arena;
	struct error err;
	char *text;

	clock_fixed_init(&clock_, NOW_US);
	arena_init(&arena, 1 << 16);
	must(page_tokens_new(NULL, &clock_.clock, &pages, &err) == 0);
	must(page_token_make(pages, &arena, METHOD, args, span_str(cursor), &text, &err) == 0);
	must(strlen(text) < sizeof(issued));
	memcpy(issued, text, strlen(text) + 1);
	arena_done(&arena);
	return 0;
}

/* A NUL ends the text, as it does the field's. */
static void try_text(struct arena *arena, const char *text)
{
	struct span got;

	if (!opens(arena, METHOD, args, text, &got))
		return;
	must(*text == '\0' || strcmp(text, issued) == 0);
	must(got.len == (*text ? strlen(cursor) : 0) &&
	     memcmp(got.data ? got.data : args, cursor, got.len) == 0);
}

static void try_raw(struct arena *arena, struct span rest)
{
	char *text = arena_alloc(arena, rest.len + 1);

	must(text != NULL);
	memcpy(text, rest.data, rest.len);
	text[rest.len] = '\0';
	try_text(arena, text);
}

static void try_edited(struct arena *arena, struct span edits)
{
	char text[TEXT_MAX];
	size_t len = strlen(issued);

	memcpy(text, issued, len + 1);
	for (size_t i = 0; i + 3 <= edits.len && len + 1 < sizeof(text); i += 3) {
		size_t at = edits.data[i] | (size_t)edits.data[i + 1] << 8;

		at = at == 0xffff ? len : at % (len + 1);
		text[at] = (char)edits.data[i + 2];
		len += at == len;
		text[len] = '\0';
	}
	try_text(arena, text);
}

static void try_cursor(struct arena *arena, struct span bytes)
{
	struct error err;
	struct span got;
	char *text;

	if (page_token_make(pages, arena, METHOD, args, bytes, &text, &err) < 0) {
		must(bytes.len == 0 || bytes.len > PAGE_CURSOR_MAX);
		return;
	}
	must(opens(arena, METHOD, args, text, &got));
	must(got.len == bytes.len && memcmp(got.data, bytes.data, got.len) == 0);
	must(!opens(arena, METHOD "s", args, text, &got) && !opens(arena, METHOD, other_args, text, &got));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of(data + 1, size - 1);
	struct arena arena;

	if (size == 0)
		return 0;
	arena_init(&arena, 1 << 20);
	if (data[0] == 'r')
		try_raw(&arena, rest);
	else if (data[0] == 'e')
		try_edited(&arena, rest);
	else if (data[0] == 'c')
		try_cursor(&arena, rest);
	arena_done(&arena);
	return 0;
}
