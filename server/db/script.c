/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/script.h"

#include <ctype.h>

static bool at(struct span s, size_t i, const char *text)
{
	size_t n = strlen(text);
	return i + n <= s.len && memcmp(s.data + i, text, n) == 0;
}

/* Just behind the next `end`, or the end of the text. */
static size_t behind(struct span s, size_t i, const char *end)
{
	while (i < s.len && !at(s, i, end))
		i++;
	return i < s.len ? i + strlen(end) : s.len;
}

/* Behind the comment that starts at i; i when none does. */
static size_t skip_comment(struct span s, size_t i)
{
	if (at(s, i, "-- ") || at(s, i, "--\n") || at(s, i, "#"))
		return behind(s, i, "\n");
	if (at(s, i, "/*"))
		return behind(s, i + 2, "*/");
	return i;
}

/* Behind the quoted text that starts at i. A doubled quote reads as two texts side by side, which ends the
 * same. */
static size_t skip_quoted(struct span s, size_t i)
{
	uint8_t quote = s.data[i++];
	while (i < s.len && s.data[i] != quote)
		i += s.data[i] == '\\' && quote != '`' ? 2 : 1;
	return i < s.len ? i + 1 : s.len;
}

static size_t skip_blanks_and_comments(struct span s, size_t i)
{
	for (;;) {
		size_t start = i;
		while (i < s.len && isspace(s.data[i]))
			i++;
		i = skip_comment(s, i);
		if (i == start)
			return i;
	}
}

bool script_next(struct span *rest, struct span *ret)
{
	struct span s = *rest;
	size_t start = skip_blanks_and_comments(s, 0), i = start;
	while (i < s.len && s.data[i] != ';') {
		size_t next = skip_comment(s, i);
		if (next != i)
			i = next;
		else if (s.data[i] == '\'' || s.data[i] == '"' || s.data[i] == '`')
			i = skip_quoted(s, i);
		else
			i++;
	}
	*ret = span_of(s.data + start, i - start);
	size_t used = i < s.len ? i + 1 : s.len;
	*rest = span_of(s.data + used, s.len - used);
	return ret->len > 0;
}
