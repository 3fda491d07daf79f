/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_WORDS_H
#define SEARCH_WORDS_H

#include "proto/runtime/arena.h"
#include "proto/runtime/span.h"

/*
 * What of a text is found by which words. Texts and queries go the same way: folded (utf8_fold()), then taken
 * apart. A run of letters, digits and marks is a word, an English one by its stem (Snowball), together with
 * what is written behind it without a space, as in C++ and C#. Chinese, Japanese and Korean are written
 * without spaces, and so their words are pairs of neighbouring characters, and each character alone: who
 * seeks 课程 seeks that pair. No dictionary has to know a word for it to be found.
 *
 * Time and memory are in proportion to the text, and each word to WORD_MAX.
 */
enum { WORD_MAX = 64 /* bytes; what is longer is compared by its beginning */ };

/* Words as they are found, in the text's order and as often as they come. */
typedef void (*word_function)(void *arg, struct span word);

struct words;                  /* one thread at a time */
struct words *words_new(void); /* NULL when memory is out */
void words_free(struct words *w);

/* Everything a text is found by. Nothing of a text that is not UTF-8 or heaps marks on a character. */
void words_of_text(struct words *w, struct arena *arena, const char *text, word_function take, void *arg);

/* What a query seeks: of a run of characters the pairs alone, of "C++" no "C". */
void words_of_query(struct words *w, struct arena *arena, const char *text, word_function take, void *arg);

/* English words that say nothing of what somebody seeks, unless they are all he says. */
bool word_is_common(struct span word);

#endif
