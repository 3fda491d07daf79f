/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_INDEX_H
#define SEARCH_INDEX_H

#include "proto/runtime/arena.h"
#include "proto/runtime/span.h"

/*
 * The published courses as the catalogue finds them, in memory: for each filter and each word the set of
 * courses that have it, and an order of courses for each that may be asked. So any combination of filters,
 * words and an order is an intersection of sets and a look at where that begins in the order: it costs
 * microseconds, whatever fits and wherever it stands. Not thread-safe: many may ask while nobody writes.
 */
struct index;

enum index_order { INDEX_NEWEST, INDEX_TITLE, INDEX_RATING, INDEX_POPULARITY, INDEX_RELEVANCE, INDEX_ORDERS };

enum {
	INDEX_TEXT_MAX = 400,          /* bytes of what the order by title compares */
	INDEX_WORDS_MAX = 32,          /* of a query; those behind them are not asked for */
	INDEX_COURSE_WORDS_MAX = 2000, /* of a course; those behind them are not found */
	INDEX_PAGE_MAX = 100,
};

struct index_price {
	char currency_code[4];
	int64_t minor_units;
};

/* What is known of a course. Texts are UTF-8. */
struct index_course {
	int64_t course_id;
	struct span title_key; /* orders titles by its bytes; INDEX_TEXT_MAX of them count */
	const char *title;
	const char *const *texts; /* what else is searched */
	unsigned n_texts;
	int64_t subject_id;
	const char *language; /* as courses have it; "": none */
	int level;
	bool free;
	unsigned n_instructors, n_prices;
	const int64_t *instructors;
	const struct index_price *prices;
	int64_t rating, popularity; /* the greatest first */
};

struct index *index_new(void); /* empty; NULL when memory is out */
void index_free(struct index *x);

/*
 * A course as it is now, in whatever way it was before. While the index is filled, courses come once each, in
 * no order, and are found once index_filled() was called, which puts all of them into their orders. False
 * when memory is out: the index is of no use then.
 */
bool index_put(struct index *x, const struct index_course *c) __attribute__((warn_unused_result));
bool index_filled(struct index *x) __attribute__((warn_unused_result));
void index_remove(struct index *x, int64_t course_id); /* fine when it is not there */

/* A course's ranks; fine when it is not there. */
struct index_rank {
	int64_t course_id, rating, popularity;
};
bool index_rank(struct index *x, const struct index_rank *rank) __attribute__((warn_unused_result));

/* The courses of an instructor, at most `max`; returns how many there are. */
uint64_t index_taught(const struct index *x, int64_t user_id, int64_t *ret, unsigned max);

/* Clears away some of what removed courses left; false when there is nothing worth it. */
bool index_sweep(struct index *x);

/* A place in an order: that of the last course that was shown. */
struct index_place {
	int64_t key, id;
	uint32_t tier; /* by relevance: how well it fits, 0 the best */
	uint32_t text_len;
	uint8_t text[INDEX_TEXT_MAX];
};

/* What is asked; NULL, 0 and "" ask for nothing. */
struct index_query {
	int64_t subject_id;
	const char *language;
	int level;
	bool free_only;
	int64_t instructor_id;
	const char *currency_code;
	int64_t min_minor_units, max_minor_units; /* both included */
	const char *words;
	enum index_order order;
	const struct index_place *after; /* NULL: from the beginning */
	unsigned max;                    /* INDEX_PAGE_MAX at most */
};

struct index_page {
	int64_t course_ids[INDEX_PAGE_MAX];
	unsigned n;
	bool more;               /* others follow, behind `last` */
	bool unknown;            /* there are words, and no course has all of them, whatever else is asked */
	struct index_place last; /* when n is above 0 */
};

/* False when memory is out, or the arena full. */
bool index_find(const struct index *x, struct arena *arena, const struct index_query *q,
		struct index_page *ret) __attribute__((warn_unused_result));

struct index_size {
	size_t courses, keys, bytes;
};
struct index_size index_size(const struct index *x);

#endif
