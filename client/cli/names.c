/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/names.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Splits words at '-', '_' and before a capital that follows a small letter, and joins them with `joint`. */
static void name_join(const char *name, char joint, int (*letter)(int), char out[NAME_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; name[i] && n + 2 < NAME_SIZE; i++) {
		unsigned char c = (unsigned char)name[i];
		bool separator = c == '-' || c == '_';

		if (i > 0 && !separator && isupper(c) && islower((unsigned char)name[i - 1]))
			out[n++] = joint;
		out[n++] = separator ? joint : (char)letter(c);
	}
	out[n] = '\0';
}

void name_kebab(const char *name, char out[NAME_SIZE])
{
	name_join(name, '-', tolower, out);
}

void name_snake(const char *kebab, char out[NAME_SIZE])
{
	name_join(kebab, '_', tolower, out);
}

void name_upper_snake(const char *name, char out[NAME_SIZE])
{
	name_join(name, '_', toupper, out);
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;
	return least < c ? least : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t name_distance(const char *a, const char *b)
{
	size_t row[NAME_SIZE], n = strnlen(b, NAME_SIZE - 1);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t above = row[j];
			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[n];
}

void name_guess_begin(struct name_guess *g, const char *typed)
{
	g->typed = typed;
	g->nearest[0] = '\0';
	g->distance = SIZE_MAX;
}

void name_guess_offer(struct name_guess *g, const char *name)
{
	/* What was typed short is taken for the beginning of a name before it is taken for another word. */
	size_t distance = name_distance(g->typed, name);
	size_t typed = strlen(g->typed);
	if (typed >= 3 && strncmp(g->typed, name, typed) == 0)
		distance = 1;

	if (distance >= g->distance)
		return;
	g->distance = distance;
	snprintf(g->nearest, sizeof(g->nearest), "%s", name);
}

const char *name_guess_end(const struct name_guess *g)
{
	return g->distance <= 2 + strlen(g->typed) / 5 ? g->nearest : NULL;
}
