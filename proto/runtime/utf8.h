/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_UTF8_H
#define RUNTIME_UTF8_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/span.h"

/* True when the bytes are valid UTF-8 without U+0000 (overlong forms and surrogates are not). */
bool utf8_valid(struct span bytes);

/*
 * The length (1 to 4) of the well-formed UTF-8 sequence that `p` starts with, U+0000 not being one; 0 when
 * there is none before `end`. `p` must be before `end`.
 */
unsigned utf8_sequence(const uint8_t *p, const uint8_t *end);

/* The number of code points of valid UTF-8. */
size_t utf8_length(struct span bytes);

/*
 * The valid UTF-8 text in Unicode's normalization form C (UAX 15): what looks the same has the same bytes, in
 * whichever way it was typed. The text itself when it is in that form already, as ASCII and most of Latin
 * are; else a copy in the arena, up to three times as long, so a limit of length is checked after it. NULL
 * when the arena is full, or when a character carries more than 30 combining marks, which no language does
 * (UAX 15, 13): marks are put in order, which costs the square of their number. a->exhausted tells which.
 */
char *utf8_nfc(struct arena *a, const char *text) __attribute__((warn_unused_result));

/*
 * The valid UTF-8 text as searches compare it, whatever the case and the width it was typed in:
 * NFKC_Casefold of the Unicode standard (3.13), in the arena or, where nothing changes, the text itself. Up
 * to eleven times as long, so what reads it bounds what it takes of it. NULL as utf8_nfc() says it.
 */
char *utf8_fold(struct arena *a, const char *text) __attribute__((warn_unused_result));

/* A letter, a digit or a mark: what words are made of. */
bool utf8_code_is_word(int32_t code) __attribute__((const));

/* Whether a code point shows: not white space, not a control, not a mark, not one that is drawn as nothing.
 */
bool utf8_code_is_visible(int32_t code) __attribute__((const));

/* White space of any kind, also what ends a line. */
bool utf8_code_is_space(int32_t code) __attribute__((const));

/*
 * A control character (C0, C1, DEL), or one that overrides or isolates the direction of the text around it:
 * it makes a line look like another one. The marks of direction that Arabic and Hebrew are written with are
 * none.
 */
bool utf8_code_is_control(int32_t code) __attribute__((const));

/* The code point that the valid UTF-8 text at *p begins with, *p moved behind it; 0 at the text's end. */
int32_t utf8_next(const char **p);

/* snprintf() whose output is valid UTF-8 whatever its arguments are: cut between characters, and what is no
 * character is '?'. `size` must be above 0. */
void utf8_print(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
void utf8_vprint(char *out, size_t size, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

#endif
