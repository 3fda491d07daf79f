/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/runtime/arena.h"

/*
 * Text as a terminal shows it. Widths are columns: two of a Chinese character, none of an accent that stands
 * by itself. None of it asks the locale: what the service says is UTF-8, and so is what we print.
 */

/*
 * The text without what drives a terminal or shows in another order than it says: controls are blanks,
 * invisible marks of direction are left out. Line ends stay where `lines`. In the arena; "" when it is full.
 */
const char *text_clean(const char *text, bool lines, struct arena *arena);

/* What follows takes cleaned text. */
size_t text_width(const char *text);

/* Bytes of the longest beginning that fits; a character keeps its accents. */
size_t text_fit(const char *text, size_t width);

/* The text, or its beginning with an ellipsis. In the arena. */
const char *text_shorten(const char *text, size_t width, struct arena *arena);

#endif
