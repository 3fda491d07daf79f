/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_INDEX_PARTS_H
#define SEARCH_INDEX_PARTS_H

#include "server/search/index.h"
#include "server/search/postings.h"
#include "server/search/ranking.h"
#include "server/search/words.h"

/* What an index consists of: for index.c, which writes it, and index_find.c, which asks it. */

/*
 * A course has a slot. One that changes gets another, and what the sets have of the old slot stays until it
 * is swept: to take a course out of each set it is in, all its words would have to be remembered.
 */
struct doc {
	int64_t course_id, rating, popularity;
	uint8_t *title_key;
	uint32_t title_len;
	unsigned n_prices;
	struct index_price *prices;
};

struct price_order {
	const struct index *index;
	char currency_code[4];
	struct ranking ranking;
};

struct index {
	struct doc *docs;
	uint32_t n_docs, docs_max;
	uint32_t *vacant; /* slots that may be used again; docs_max of them, n in use */
	uint32_t n_vacant;
	roaring_bitmap_t *live, *dead;
	roaring_bitmap_t *swept; /* dead ones that are being swept; NULL: none */
	size_t swept_at;
	struct postings *postings;
	struct ranking orders[INDEX_RELEVANCE]; /* relevance goes by popularity */
	struct price_order **prices;
	unsigned n_prices;
	struct words *words; /* of the writer */
	struct arena arena;  /* likewise */
	bool filling;
};

/* The order by prices in a currency; NULL when nothing has one. */
struct price_order *index_prices(const struct index *x, const char *currency_code);

/* Frees a set; NULL is none. */
static inline void set_free(roaring_bitmap_t *set)
{
	if (set)
		roaring_bitmap_free(set);
}

#endif
