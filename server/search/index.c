/* SPDX-License-Identifier: Apache-2.0 */
#include "server/search/index_parts.h"

#include <stdlib.h>
#include <string.h>

#include "proto/runtime/array.h"
#include "proto/runtime/utf8.h"

enum {
	SWEPT_FROM = 1024, /* slots, or a sixteenth of all */
	TEXT_ARENA = 256 * 1024,
	ORDER_PARTS = 64,
	PRICE_PARTS = 256,
};

/* --- places --- */

static struct rank_key newest_key(const void *arg, uint32_t slot)
{
	const struct index *x = arg;
	return (struct rank_key){.key = -x->docs[slot].course_id};
}

/* The first bytes as a number that compares as they do. */
static int64_t leading(const uint8_t *bytes, size_t len)
{
	uint64_t n = 0;
	for (size_t i = 0; i < sizeof(n); i++)
		n = n << 8 | (i < len ? bytes[i] : 0);
	return (int64_t)(n ^ UINT64_C(1) << 63);
}

static struct rank_key title_key(const void *arg, uint32_t slot)
{
	const struct index *x = arg;
	const struct doc *d = &x->docs[slot];
	return (struct rank_key){leading(d->title_key, d->title_len), span_of(d->title_key, d->title_len),
				 d->course_id};
}

static struct rank_key rating_key(const void *arg, uint32_t slot)
{
	const struct index *x = arg;
	return (struct rank_key){.key = -x->docs[slot].rating, .id = -x->docs[slot].course_id};
}

static struct rank_key popularity_key(const void *arg, uint32_t slot)
{
	const struct index *x = arg;
	return (struct rank_key){.key = -x->docs[slot].popularity, .id = -x->docs[slot].course_id};
}

static struct rank_key price_key(const void *arg, uint32_t slot)
{
	const struct price_order *p = arg;
	const struct doc *d = &p->index->docs[slot];
	struct rank_key key = {.id = d->course_id};
	for (unsigned i = 0; i < d->n_prices; i++)
		if (strcmp(d->prices[i].currency_code, p->currency_code) == 0)
			key.key = d->prices[i].minor_units;
	return key;
}

static const rank_key_function keys_of[INDEX_RELEVANCE] = {
	[INDEX_NEWEST] = newest_key,
	[INDEX_TITLE] = title_key,
	[INDEX_RATING] = rating_key,
	[INDEX_POPULARITY] = popularity_key,
};

/* --- making --- */

struct index *index_new(void)
{
	struct index *x = calloc(1, sizeof(*x));
	if (!x)
		return NULL;
	x->live = roaring_bitmap_create();
	x->dead = roaring_bitmap_create();
	x->postings = postings_new();
	x->words = words_new();
	x->filling = true;
	arena_init(&x->arena, TEXT_ARENA);
	for (unsigned i = 0; i < INDEX_RELEVANCE; i++) {
		x->orders[i].key_of = keys_of[i];
		x->orders[i].arg = x;
		x->orders[i].parts = ORDER_PARTS;
	}
	if (x->live && x->dead && x->postings && x->words)
		return x;
	index_free(x);
	return NULL;
}

static void doc_done(struct doc *d)
{
	free(d->title_key);
	free(d->prices);
	*d = (struct doc){0};
}

void index_free(struct index *x)
{
	if (!x)
		return;
	for (unsigned i = 0; i < INDEX_RELEVANCE; i++)
		ranking_done(&x->orders[i]);
	for (unsigned i = 0; i < x->n_prices; i++) {
		ranking_done(&x->prices[i]->ranking);
		free(x->prices[i]);
	}
	free(x->prices);
	for (uint32_t i = 0; i < x->n_docs; i++)
		doc_done(&x->docs[i]);
	free(x->docs);
	free(x->vacant);
	set_free(x->live);
	set_free(x->dead);
	set_free(x->swept);
	postings_free(x->postings);
	words_free(x->words);
	arena_done(&x->arena);
	free(x);
}

/* --- slots --- */

static bool make_room(struct index *x)
{
	uint32_t max = x->docs_max ? x->docs_max * 2 : 1024;
	struct doc *docs = realloc(x->docs, max * sizeof(*docs));
	if (docs)
		x->docs = docs;
	uint32_t *vacant = docs ? realloc(x->vacant, max * sizeof(*vacant)) : NULL;
	if (!vacant)
		return false;
	x->vacant = vacant;
	x->docs_max = max;
	return true;
}

static bool take_slot(struct index *x, uint32_t *ret)
{
	if (x->n_vacant > 0) {
		*ret = x->vacant[--x->n_vacant];
		return true;
	}
	if (x->n_docs == x->docs_max && !make_room(x))
		return false;
	*ret = x->n_docs++;
	x->docs[*ret] = (struct doc){0};
	return true;
}

static bool fill_doc(struct doc *d, const struct index_course *c)
{
	*d = (struct doc){.course_id = c->course_id, .rating = c->rating, .popularity = c->popularity};
	d->title_len = (uint32_t)(c->title_key.len < INDEX_TEXT_MAX ? c->title_key.len : INDEX_TEXT_MAX);
	d->title_key = malloc(d->title_len + 1);
	d->prices = malloc((c->n_prices + 1) * sizeof(*d->prices));
	if (!d->title_key || !d->prices)
		return false;
	if (d->title_len > 0)
		memcpy(d->title_key, c->title_key.data, d->title_len);
	if (c->n_prices > 0)
		memcpy(d->prices, c->prices, c->n_prices * sizeof(*d->prices));
	d->n_prices = c->n_prices;
	return true;
}

/* --- what a course is found by --- */

struct adding {
	struct index *index;
	enum posting_kind kind;
	uint32_t slot;
	unsigned n;
	bool ok;
};

static void add_word(void *arg, struct span word)
{
	struct adding *a = arg;
	if (a->n++ >= INDEX_COURSE_WORDS_MAX)
		return;
	a->ok = a->ok && postings_add(a->index->postings, POSTING_WORD, word, a->slot) &&
		(a->kind != POSTING_TITLE || postings_add(a->index->postings, POSTING_TITLE, word, a->slot));
}

static void add_text(struct adding *a, const char *text)
{
	arena_reset(&a->index->arena);
	words_of_text(a->index->words, &a->index->arena, text, add_word, a);
}

static bool add_words(struct index *x, const struct index_course *c, uint32_t slot)
{
	struct adding adding = {x, POSTING_TITLE, slot, 0, true};
	add_text(&adding, c->title);
	adding.kind = POSTING_WORD;
	for (unsigned i = 0; i < c->n_texts; i++)
		add_text(&adding, c->texts[i]);
	return adding.ok;
}

/* A tag is in the range of each of its beginnings that ends before a hyphen. */
static bool add_language(struct index *x, const char *language, uint32_t slot)
{
	arena_reset(&x->arena);
	const char *folded = utf8_fold(&x->arena, language);
	bool ok = true;
	for (const char *end = folded; ok && end && *end; end += *end == '-') {
		end = strchrnul(end, '-');
		ok = postings_add(x->postings, POSTING_LANGUAGE, span_of(folded, (size_t)(end - folded)),
				  slot);
	}
	return ok;
}

static bool add_filters(struct index *x, const struct index_course *c, uint32_t slot)
{
	const uint8_t level = (uint8_t)c->level;
	bool ok = postings_add(x->postings, POSTING_LEVEL, span_of(&level, 1), slot);
	if (ok)
		ok = postings_add(x->postings, POSTING_SUBJECT,
				  span_of(&c->subject_id, sizeof(c->subject_id)), slot);
	if (ok && c->free)
		ok = postings_add(x->postings, POSTING_FREE, span_of(NULL, 0), slot);
	for (unsigned i = 0; ok && i < c->n_instructors; i++)
		ok = postings_add(x->postings, POSTING_INSTRUCTOR,
				  span_of(&c->instructors[i], sizeof(c->instructors[i])), slot);
	return ok && add_language(x, c->language, slot);
}

/* --- orders --- */

struct price_order *index_prices(const struct index *x, const char *currency_code)
{
	for (unsigned i = 0; i < x->n_prices; i++)
		if (strcmp(x->prices[i]->currency_code, currency_code) == 0)
			return x->prices[i];
	return NULL;
}

static struct price_order *prices_in(struct index *x, const char *currency_code)
{
	struct price_order *p = index_prices(x, currency_code);
	if (p)
		return p;
	struct price_order **prices = realloc(x->prices, (x->n_prices + 1) * sizeof(struct price_order *));
	if (!prices)
		return NULL;
	x->prices = prices;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	memcpy(p->currency_code, currency_code, sizeof(p->currency_code));
	p->index = x;
	p->ranking.key_of = price_key;
	p->ranking.arg = p;
	p->ranking.parts = PRICE_PARTS;
	x->prices[x->n_prices++] = p;
	return p;
}

static bool add_to_orders(struct index *x, uint32_t slot)
{
	bool ok = true;
	for (unsigned i = 0; ok && i < INDEX_RELEVANCE; i++)
		ok = ranking_add(&x->orders[i], slot);
	for (unsigned i = 0; ok && i < x->docs[slot].n_prices; i++) {
		struct price_order *p = prices_in(x, x->docs[slot].prices[i].currency_code);
		ok = p && ranking_add(&p->ranking, slot);
	}
	return ok;
}

/* Who has a price in the currency, of the live ones. */
static uint32_t priced_in(const struct index *x, const char *currency_code, const uint32_t *slots, uint32_t n,
			  uint32_t *ret)
{
	uint32_t found = 0;
	for (uint32_t i = 0; i < n; i++)
		for (unsigned j = 0; j < x->docs[slots[i]].n_prices; j++)
			if (strcmp(x->docs[slots[i]].prices[j].currency_code, currency_code) == 0)
				ret[found++] = slots[i];
	return found;
}

static bool fill_prices(struct index *x, const uint32_t *slots, uint32_t n, uint32_t *room)
{
	bool ok = true;
	for (uint32_t i = 0; ok && i < n; i++)
		for (unsigned j = 0; ok && j < x->docs[slots[i]].n_prices; j++)
			ok = prices_in(x, x->docs[slots[i]].prices[j].currency_code);
	for (unsigned i = 0; ok && i < x->n_prices; i++) {
		struct price_order *p = x->prices[i];
		ok = ranking_fill(&p->ranking, room, priced_in(x, p->currency_code, slots, n, room));
	}
	return ok;
}

bool index_filled(struct index *x)
{
	const uint32_t n = (uint32_t)roaring_bitmap_get_cardinality(x->live);
	uint32_t *slots = malloc((2 * (size_t)n + 1) * sizeof(*slots));
	bool ok = slots;
	if (ok)
		roaring_bitmap_to_uint32_array(x->live, slots);
	for (unsigned i = 0; ok && i < INDEX_RELEVANCE; i++)
		ok = ranking_fill(&x->orders[i], slots, n);
	ok = ok && fill_prices(x, slots, n, slots + n);
	free(slots);
	x->filling = false;
	return ok;
}

/* --- courses --- */

static int64_t find_slot(const struct index *x, int64_t course_id)
{
	const struct rank_key key = {.key = -course_id};
	return ranking_find(&x->orders[INDEX_NEWEST], &key);
}

void index_remove(struct index *x, int64_t course_id)
{
	const int64_t found = find_slot(x, course_id);
	if (found < 0)
		return;
	const uint32_t slot = (uint32_t)found;
	struct doc *d = &x->docs[slot];
	for (unsigned i = 0; i < INDEX_RELEVANCE; i++)
		ranking_remove(&x->orders[i], slot);
	for (unsigned i = 0; i < d->n_prices; i++)
		ranking_remove(&index_prices(x, d->prices[i].currency_code)->ranking, slot);
	doc_done(d);
	roaring_bitmap_remove(x->live, slot);
	roaring_bitmap_add(x->dead, slot);
}

bool index_put(struct index *x, const struct index_course *c)
{
	uint32_t slot;
	if (!x->filling)
		index_remove(x, c->course_id);
	if (!take_slot(x, &slot) || !fill_doc(&x->docs[slot], c) || !add_words(x, c, slot) ||
	    !add_filters(x, c, slot))
		return false;
	roaring_bitmap_add(x->live, slot);
	return x->filling || add_to_orders(x, slot);
}

bool index_rank(struct index *x, const struct index_rank *rank)
{
	const int64_t found = find_slot(x, rank->course_id);
	if (found < 0)
		return true;
	const uint32_t slot = (uint32_t)found;
	struct doc *d = &x->docs[slot];
	if (d->rating == rank->rating && d->popularity == rank->popularity)
		return true;
	ranking_remove(&x->orders[INDEX_RATING], slot);
	ranking_remove(&x->orders[INDEX_POPULARITY], slot);
	d->rating = rank->rating;
	d->popularity = rank->popularity;
	return ranking_add(&x->orders[INDEX_RATING], slot) && ranking_add(&x->orders[INDEX_POPULARITY], slot);
}

/* Courses of a set, as many as there is room for. */
struct taking {
	const struct index *index;
	int64_t *ids;
	unsigned n, max;
};

static bool take_id(uint32_t slot, void *arg)
{
	struct taking *t = arg;
	if (t->n < t->max)
		t->ids[t->n++] = t->index->docs[slot].course_id;
	return t->n < t->max;
}

uint64_t index_taught(const struct index *x, int64_t user_id, int64_t *ret, unsigned max)
{
	struct taking taking = {x, ret, 0, max};
	const roaring_bitmap_t *set =
		postings_find(x->postings, POSTING_INSTRUCTOR, span_of(&user_id, sizeof(user_id)));
	roaring_bitmap_t *live = set ? roaring_bitmap_and(set, x->live) : NULL;
	if (!live)
		return 0;
	const uint64_t n = roaring_bitmap_get_cardinality(live);
	(void)roaring_iterate(live, take_id, &taking);
	roaring_bitmap_free(live);
	return n;
}

/* --- sweeping --- */

static bool begin_sweep(struct index *x)
{
	const uint64_t dead = roaring_bitmap_get_cardinality(x->dead);
	if (x->swept || dead < SWEPT_FROM || dead < x->n_docs / 16)
		return x->swept;
	x->swept = roaring_bitmap_copy(x->dead);
	x->swept_at = 0;
	return x->swept;
}

bool index_sweep(struct index *x)
{
	if (!begin_sweep(x))
		return false;
	if (postings_sweep(x->postings, x->swept, &x->swept_at))
		return true;
	roaring_bitmap_to_uint32_array(x->swept, x->vacant + x->n_vacant);
	x->n_vacant += (uint32_t)roaring_bitmap_get_cardinality(x->swept);
	roaring_bitmap_andnot_inplace(x->dead, x->swept);
	set_free(x->swept);
	x->swept = NULL;
	return false;
}

struct index_size index_size(const struct index *x)
{
	struct index_size size = {.courses = (size_t)roaring_bitmap_get_cardinality(x->live),
				  .keys = postings_count(x->postings)};
	size.bytes = postings_bytes(x->postings) + x->docs_max * (sizeof(struct doc) + sizeof(uint32_t));
	for (unsigned i = 0; i < INDEX_RELEVANCE; i++)
		size.bytes += ranking_bytes(&x->orders[i]);
	for (unsigned i = 0; i < x->n_prices; i++)
		size.bytes += ranking_bytes(&x->prices[i]->ranking);
	for (uint32_t i = 0; i < x->n_docs; i++)
		size.bytes += x->docs[i].title_len + x->docs[i].n_prices * sizeof(struct index_price);
	return size;
}
