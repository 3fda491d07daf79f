/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_POSTINGS_H
#define SEARCH_POSTINGS_H

#include <roaring/roaring.h>
#include <stdbool.h>

#include "proto/runtime/span.h"

/*
 * Which slots have what: a set for each key, such as a word, a level or a language. Not thread-safe: many may
 * read while nobody writes.
 */

/* What a key is of; keys of two kinds are two. */
enum posting_kind {
	POSTING_TITLE = 't',      /* a word of the title */
	POSTING_WORD = 'w',       /* a word of any text that is searched, the title's among them */
	POSTING_LEVEL = 'v',      /* a level's number, as a byte */
	POSTING_FREE = 'f',       /* nothing */
	POSTING_SUBJECT = 's',    /* an id's bytes */
	POSTING_LANGUAGE = 'l',   /* a range, in lower case */
	POSTING_INSTRUCTOR = 'i', /* an id's bytes */
};

struct postings;
struct postings *postings_new(void); /* NULL when memory is out */
void postings_free(struct postings *p);

/* The set of a key, NULL when nothing has it. It is whole until something is written. */
const roaring_bitmap_t *postings_find(const struct postings *p, enum posting_kind kind, struct span key);

/* The slot has it; fine when it had. False when memory is out. */
bool postings_add(struct postings *p, enum posting_kind kind, struct span key, uint32_t slot)
	__attribute__((warn_unused_result));

/*
 * Takes these slots out of the sets of some keys; sets that become empty go. `*at` is where to go on, 0 at
 * first; false when all were visited. What is added in between may not be of these slots.
 */
bool postings_sweep(struct postings *p, const roaring_bitmap_t *slots, size_t *at);

size_t postings_count(const struct postings *p); /* keys */
size_t postings_bytes(const struct postings *p); /* nearly, looks at every set */

#endif
