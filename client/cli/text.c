/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/text.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/runtime/utf8.h"

/* The character at `p` and its bytes; one that is none is U+FFFD, a byte long. */
static size_t next(const char *p, int32_t *code)
{
	const uint8_t *bytes = (const uint8_t *)p;
	size_t n = utf8_sequence(bytes, bytes + strnlen(p, 4));

	if (n > 0)
		utf8proc_iterate(bytes, (utf8proc_ssize_t)n, code);
	else
		*code = 0xFFFD;
	return n > 0 ? n : 1;
}

/* Joiners make letters and emoji what they are; every other invisible mark only hides or turns. */
static bool is_hidden(int32_t code)
{
	return utf8proc_category(code) == UTF8PROC_CATEGORY_CF && code != 0x200C && code != 0x200D;
}

static bool is_control(int32_t code)
{
	utf8proc_category_t category = utf8proc_category(code);

	return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_ZL ||
	       category == UTF8PROC_CATEGORY_ZP;
}

const char *text_clean(const char *text, bool lines, struct arena *arena)
{
	/* A byte that is no character becomes three. */
	char *out = arena_alloc(arena, strlen(text) * 3 + 1);
	size_t at = 0;
	int32_t code;

	for (size_t n; out && *text; text += n) {
		n = next(text, &code);
		if (lines && code == '\n')
			out[at++] = '\n';
		else if (is_control(code))
			out[at++] = ' ';
		else if (!is_hidden(code))
			at += (size_t)utf8proc_encode_char(code, (uint8_t *)out + at);
	}
	if (out)
		out[at] = '\0';
	return out ? out : "";
}

static size_t width_of(int32_t code)
{
	int width = utf8proc_charwidth(code);

	return width > 0 ? (size_t)width : 0;
}

size_t text_width(const char *text)
{
	size_t width = 0;
	int32_t code;

	while (*text) {
		text += next(text, &code);
		width += width_of(code);
	}
	return width;
}

size_t text_fit(const char *text, size_t width)
{
	size_t at = 0, used = 0;
	int32_t code;

	while (text[at]) {
		size_t n = next(text + at, &code);
		used += width_of(code);
		if (used > width)
			break;
		at += n;
	}
	return at;
}

const char *text_shorten(const char *text, size_t width, struct arena *arena)
{
	if (text_width(text) <= width)
		return text;
	const char *out =
		arena_printf(arena, "%.*s\xE2\x80\xA6", (int)text_fit(text, width > 0 ? width - 1 : 0), text);
	return out ? out : "";
}
