/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BLOCK_H
#define CLI_BLOCK_H

#include <stdio.h>

#include "proto/runtime/arena.h"

/*
 * Named values one below the other: an object, or a row that is too wide for a table. Values are wrapped at
 * the width, 0 being none; names, ids and whatever else is one word of ASCII is never broken.
 */
struct block {
	struct arena *arena;
	struct block_line {
		const char *name, *value;
	} * lines;
	size_t n, room;
};

/* Both live as long as the block; an empty value adds nothing. */
void block_add(struct block *b, const char *name, const char *value);
/* Text from column `indent` on, in lines of `width` columns; 0: one line. Ends the line. */
void block_put_text(FILE *out, const char *text, size_t indent, size_t width);
void block_print(const struct block *b, FILE *out, size_t width);

#endif
