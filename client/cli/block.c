/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/block.h"

#include <ctype.h>
#include <string.h>

#include "client/cli/text.h"

enum { NARROWEST = 20 }; /* columns of a value, however narrow the terminal is */

void block_add(struct block *b, const char *name, const char *value)
{
	if (!*value)
		return;
	if (b->n == b->room) {
		size_t room = b->room ? b->room * 2 : 32;
		struct block_line *lines = arena_array(b->arena, room, sizeof(*lines));
		if (!lines)
			return; /* the arena tells */
		if (b->n > 0)
			memcpy(lines, b->lines, b->n * sizeof(*lines));
		b->lines = lines;
		b->room = room;
	}
	b->lines[b->n++] = (struct block_line){name, value};
}

static bool is_ascii(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!isascii((unsigned char)text[i]))
			return false;
	}
	return true;
}

/* Bytes of the next line of `text`: at most `width` columns, ended at a blank if there is one. */
static size_t line_take(const char *text, size_t width)
{
	size_t fits = text_fit(text, width), end = fits;

	if (text[fits] == '\0')
		return fits;
	while (end > 0 && text[end] != ' ')
		end--;
	if (end > 0)
		return end;
	/* One word: of ASCII it stays whole, so that it can be copied; in other scripts words are not apart.
	 */
	size_t word = strcspn(text, " ");
	return is_ascii(text, word) || fits == 0 ? word : fits;
}

void block_put_text(FILE *out, const char *text, size_t indent, size_t width)
{
	while (text[0]) {
		size_t n = width ? line_take(text, width) : strlen(text);
		fprintf(out, "%.*s\n", (int)n, text);
		text += n + strspn(text + n, " ");
		if (text[0])
			fprintf(out, "%*s", (int)indent, "");
	}
}

static void put_value(FILE *out, const char *value, size_t indent, size_t width, struct arena *arena)
{
	for (bool first = true; value; first = false) {
		const char *end = strchr(value, '\n');
		const char *line = end ? arena_strndup(arena, value, (size_t)(end - value)) : value;
		if (!first)
			fprintf(out, "%*s", (int)indent, "");
		if (!line || !*line)
			fputc('\n', out);
		else
			block_put_text(out, line, indent, width);
		value = end ? end + 1 : NULL;
	}
}

void block_print(const struct block *b, FILE *out, size_t width)
{
	size_t names = 0;

	for (size_t i = 0; i < b->n; i++) {
		size_t n = text_width(b->lines[i].name);
		names = n > names ? n : names;
	}
	size_t indent = names + 2, left = width > indent + NARROWEST ? width - indent : NARROWEST;
	for (size_t i = 0; i < b->n; i++) {
		fprintf(out, "%-*s", (int)indent, b->lines[i].name);
		put_value(out, b->lines[i].value, indent, width ? left : 0, b->arena);
	}
}
