/* SPDX-License-Identifier: Apache-2.0 */
#include "server/search/words.h"

#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/array.h"
#include "proto/runtime/utf8.h"

struct words {
	struct sb_stemmer *stemmer;
};

/* One text on its way. */
struct reading {
	struct words *words;
	bool query;
	word_function take;
	void *arg;
};

struct words *words_new(void)
{
	struct words *w = calloc(1, sizeof(*w));
	if (w)
		w->stemmer = sb_stemmer_new("english", "UTF_8");
	if (w && w->stemmer)
		return w;
	free(w);
	return NULL;
}

void words_free(struct words *w)
{
	if (!w)
		return;
	sb_stemmer_delete(w->stemmer);
	free(w);
}

/* --- characters --- */

/* Scripts that are written without spaces between words and whose characters are many: Han, Kana, Bopomofo
 * and Hangul. */
static bool is_dense(int32_t code)
{
	static const struct {
		int32_t first, last;
	} ranges[] = {
		{0x1100, 0x11FF}, {0x2E80, 0x2FDF}, {0x3005, 0x3007},   {0x3021, 0x30FF},   {0x3100, 0x318F},
		{0x31A0, 0x31BF}, {0x31F0, 0x31FF}, {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA960, 0xA97F},
		{0xAC00, 0xD7FF}, {0xF900, 0xFAFF}, {0x1AFF0, 0x1B2FB}, {0x20000, 0x3FFFD},
	};
	for (unsigned i = 0; code >= ranges[0].first && i < ARRAY_SIZE(ranges); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return utf8_code_is_word(code);
	return false;
}

static bool is_ascii_word(int32_t code)
{
	return (code >= 'a' && code <= 'z') || (code >= '0' && code <= '9');
}

static bool is_of_a_word(int32_t code)
{
	return code < 0x80 ? is_ascii_word(code) : utf8_code_is_word(code) && !is_dense(code);
}

/* --- words of letters --- */

static bool is_english(const char *p, const char *end)
{
	for (; p < end; p++)
		if (*p < 'a' || *p > 'z')
			return false;
	return true;
}

static struct span cut(const char *p, const char *end)
{
	size_t len = (size_t)(end - p);
	if (len > WORD_MAX)
		for (len = WORD_MAX; ((uint8_t)p[len] & 0xC0) == 0x80;)
			len--;
	return span_of(p, len);
}

static void take_stem(const struct reading *r, const char *p, const char *end)
{
	struct span word = cut(p, end);
	if (!is_english(p, end)) {
		r->take(r->arg, word);
		return;
	}
	const sb_symbol *stem = sb_stemmer_stem(r->words->stemmer, word.data, (int)word.len);
	if (stem)
		r->take(r->arg, span_of(stem, (size_t)sb_stemmer_length(r->words->stemmer)));
}

static const char *end_of_word(const char *p)
{
	for (const char *next = p;; p = next)
		if (!is_of_a_word(utf8_next(&next)))
			return p;
}

/* Behind what hangs on a word by an apostrophe, one letter as in "learner's"; else where it begins. */
static const char *skip_letter(const char *p)
{
	const char *next = p;
	int32_t code = utf8_next(&next);
	if (code != '\'' && code != 0x2019)
		return p;
	const char *letter = next;
	return is_of_a_word(utf8_next(&next)) && end_of_word(letter) == next ? next : p;
}

/* "C++" is another word than "C"; "Google+" is found as "Google" too. */
static const char *read_word(const struct reading *r, const char *p)
{
	const char *end = end_of_word(p), *sign = end;
	while (sign - end < 2 && (*sign == '+' || *sign == '#'))
		sign++;
	if (sign > end)
		r->take(r->arg, cut(p, sign));
	if (sign == end || (!r->query && end - p > 1))
		take_stem(r, p, end);
	return skip_letter(sign);
}

/* --- pairs of characters --- */

static const char *read_pairs(const struct reading *r, const char *p)
{
	const char *first = p, *last = NULL, *end = p;
	while (is_dense(utf8_next(&p))) {
		if (last)
			r->take(r->arg, span_of(last, (size_t)(p - last)));
		if (!r->query)
			r->take(r->arg, span_of(end, (size_t)(p - end)));
		last = end;
		end = p;
	}
	if (r->query && last == first)
		r->take(r->arg, span_of(first, (size_t)(end - first)));
	return end;
}

/* --- texts --- */

static void read_text(const struct reading *r, struct arena *arena, const char *text)
{
	const char *p = utf8_fold(arena, text);
	while (p && *p) {
		const char *next = p;
		int32_t code = utf8_next(&next);
		if (is_dense(code))
			p = read_pairs(r, p);
		else
			p = is_of_a_word(code) ? read_word(r, p) : next;
	}
}

void words_of_text(struct words *w, struct arena *arena, const char *text, word_function take, void *arg)
{
	const struct reading r = {w, false, take, arg};
	read_text(&r, arena, text);
}

void words_of_query(struct words *w, struct arena *arena, const char *text, word_function take, void *arg)
{
	const struct reading r = {w, true, take, arg};
	read_text(&r, arena, text);
}

bool word_is_common(struct span word)
{
	static const char *const common[] = {"a",  "an", "and", "as", "at",  "by", "for", "from",
					     "in", "of", "on",  "or", "the", "to", "with"};
	for (unsigned i = 0; i < ARRAY_SIZE(common); i++)
		if (word.len == strlen(common[i]) && memcmp(word.data, common[i], word.len) == 0)
			return true;
	return false;
}
