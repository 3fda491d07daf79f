/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/utf8.h"

#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

/* Well-formed sequences, by table 3-7 of the Unicode standard, chapter 3.9. */

static bool is_tail(uint8_t byte)
{
	return (byte & 0xC0) == 0x80;
}

static unsigned sequence_of_3(const uint8_t *p)
{
	bool overlong = p[0] == 0xE0 && p[1] < 0xA0;
	bool surrogate = p[0] == 0xED && p[1] > 0x9F;

	return is_tail(p[1]) && is_tail(p[2]) && !overlong && !surrogate ? 3 : 0;
}

static unsigned sequence_of_4(const uint8_t *p)
{
	bool overlong = p[0] == 0xF0 && p[1] < 0x90;
	bool beyond = p[0] == 0xF4 && p[1] > 0x8F;

	return is_tail(p[1]) && is_tail(p[2]) && is_tail(p[3]) && !overlong && !beyond ? 4 : 0;
}

unsigned utf8_sequence(const uint8_t *p, const uint8_t *end)
{
	size_t left = (size_t)(end - p);

	if (p[0] < 0x80)
		return p[0] != 0;
	if (p[0] >= 0xC2 && p[0] <= 0xDF)
		return left >= 2 && is_tail(p[1]) ? 2 : 0;
	if ((p[0] & 0xF0) == 0xE0)
		return left >= 3 ? sequence_of_3(p) : 0;
	if (p[0] >= 0xF0 && p[0] <= 0xF4)
		return left >= 4 ? sequence_of_4(p) : 0;
	return 0;
}

/* True when all eight bytes are 0x01 to 0x7F: subtracting 1 borrows into the top bit only from a zero byte.
 */
static bool word_is_ascii(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return (((word - UINT64_C(0x0101010101010101)) | word) & UINT64_C(0x8080808080808080)) == 0;
}

bool utf8_valid(struct span bytes)
{
	const uint8_t *p = bytes.data;

	if (bytes.len == 0)
		return true;
	const uint8_t *end = p + bytes.len;
	while (p < end) {
		if (end - p >= 8 && word_is_ascii(p)) {
			p += 8;
			continue;
		}
		unsigned n = utf8_sequence(p, end);

		if (n == 0)
			return false;
		p += n;
	}
	return true;
}

size_t utf8_length(struct span bytes)
{
	size_t n = 0;

	for (size_t i = 0; i < bytes.len; i++)
		n += !is_tail(bytes.data[i]);
	return n;
}

/* --- code points --- */

int32_t utf8_next(const char **p)
{
	const uint8_t *text = (const uint8_t *)*p;
	utf8proc_int32_t code = 0;
	utf8proc_ssize_t n = *text ? utf8proc_iterate(text, -1, &code) : 0;

	*p += n > 0 ? n : *text != 0;
	return n > 0 ? code : *text;
}

bool utf8_code_is_space(int32_t code)
{
	switch (utf8proc_category(code)) {
	case UTF8PROC_CATEGORY_ZS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return true;
	default:
		return (code >= '\t' && code <= '\r') || code == 0x85;
	}
}

bool utf8_code_is_control(int32_t code)
{
	return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x202A && code <= 0x202E) ||
	       (code >= 0x2066 && code <= 0x206F);
}

bool utf8_code_is_visible(int32_t code)
{
	enum { BRAILLE_BLANK = 0x2800 };
	const bool noncharacter = (code & 0xFFFE) == 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF);

	if (noncharacter || code == BRAILLE_BLANK || utf8_code_is_space(code) || utf8_code_is_control(code))
		return false;
	switch (utf8proc_category(code)) {
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_ME:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CS:
		return false;
	default:
		return !utf8proc_get_property(code)->ignorable;
	}
}

bool utf8_code_is_word(int32_t code)
{
	const utf8proc_category_t category = utf8proc_category(code);

	return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

/* --- normalization --- */

enum { MARKS_MAX = 30 };

/* Below U+0300, whose first byte is 0xCC, nothing combines and everything is in form C. */
static bool begins_below_marks(const char *text)
{
	for (; *text; text++)
		if ((uint8_t)*text >= 0xCC)
			return false;
	return true;
}

/* By its category too: some marks of class 0, such as U+0F73, are taken apart into marks of other classes. */
static bool is_mark(int32_t code)
{
	const utf8proc_property_t *p = utf8proc_get_property(code);

	return p->combining_class != 0 || p->category == UTF8PROC_CATEGORY_MN;
}

/* Whether no character carries more marks than MARKS_MAX, what is drawn as nothing and may be left out
 * counting as none; false also for what is not UTF-8. */
static bool marks_are_few(const uint8_t *p, size_t len)
{
	unsigned marks = 0;
	int32_t code;

	for (utf8proc_ssize_t n; len > 0; p += n, len -= (size_t)n) {
		n = utf8proc_iterate(p, (utf8proc_ssize_t)len, &code);
		if (n <= 0)
			return false;
		if (is_mark(code))
			marks++;
		else if (!utf8proc_get_property(code)->ignorable)
			marks = 0;
		if (marks > MARKS_MAX)
			return false;
	}
	return true;
}

/* Taken apart and put together as `form` says; a copy in the arena. */
static char *transform(struct arena *a, const char *text, utf8proc_option_t form)
{
	const uint8_t *p = (const uint8_t *)text;
	const utf8proc_ssize_t len = (utf8proc_ssize_t)strlen(text);

	if (!marks_are_few(p, (size_t)len))
		return NULL;
	utf8proc_ssize_t n = utf8proc_decompose(p, len, NULL, 0, form);
	if (n < 0)
		return NULL;
	/* Encoded in place, with a NUL. */
	int32_t *codes = arena_array(a, (size_t)n + 1, sizeof(*codes));
	if (!codes || utf8proc_decompose(p, len, codes, n, form) != n ||
	    utf8proc_reencode(codes, n, form) < 0)
		return NULL;
	return (char *)codes;
}

char *utf8_nfc(struct arena *a, const char *text)
{
	return begins_below_marks(text) ? (char *)text
					: transform(a, text, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((uint8_t)*text >= 0x80)
			return false;
	return true;
}

static char *fold_ascii(struct arena *a, const char *text)
{
	char *folded = strpbrk(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") ? arena_strdup(a, text) : (char *)text;

	for (char *p = folded; folded != text && p && *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	return folded;
}

char *utf8_fold(struct arena *a, const char *text)
{
	return is_ascii(text) ? fold_ascii(a, text)
			      : transform(a, text,
					  UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT |
						  UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
}

/* --- printing --- */

/*
 * Makes what snprintf() wrote valid UTF-8, whatever the arguments were: a character cut by truncation goes,
 * and each byte that belongs to no character becomes '?'.
 */
static void repair(char *text, bool truncated)
{
	uint8_t *p = (uint8_t *)text, *end = p + strlen(text);

	while (p < end) {
		unsigned n = utf8_sequence(p, end);

		if (n == 0 && truncated && end - p < 4 && *p >= 0xC2) {
			*p = '\0';
			return;
		}
		if (n == 0)
			*p = '?';
		p += n ? n : 1;
	}
}

void utf8_vprint(char *out, size_t size, const char *format, va_list args)
{
	int n = vsnprintf(out, size, format, args);

	if (n < 0)
		out[0] = '\0';
	repair(out, n >= 0 && (size_t)n >= size);
}

void utf8_print(char *out, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	utf8_vprint(out, size, format, args);
	va_end(args);
}
