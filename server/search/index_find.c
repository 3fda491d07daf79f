/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/utf8.h"
#include "server/search/index_parts.h"

/* Asking the index. */

enum { FILTERS = 5, SETS_MAX = INDEX_WORDS_MAX + FILTERS + 1 /* what is live */ };

/* The sets that a course must be in. One that is NULL is empty. */
struct sets {
	const roaring_bitmap_t *of[SETS_MAX];
	unsigned n;
	bool none;
};

/* A query's words, each once. */
struct sought {
	const struct index *index;
	struct span words[INDEX_WORDS_MAX];
	unsigned n;
	bool common_too;
};

static void seek_word(void *arg, struct span word)
{
	struct sought *s = arg;
	if (s->n == INDEX_WORDS_MAX || (!s->common_too && word_is_common(word)))
		return;
	for (unsigned i = 0; i < s->n; i++)
		if (s->words[i].len == word.len && memcmp(s->words[i].data, word.data, word.len) == 0)
			return;
	s->words[s->n++] = word;
}

struct copying {
	struct sought *sought;
	struct arena *arena;
};

/* Stems lie where the next one will. */
static void copy_word(void *arg, struct span word)
{
	const struct copying *c = arg;
	void *copy = arena_memdup(c->arena, word.data, word.len);
	if (copy)
		seek_word(c->sought, span_of(copy, word.len));
}

static bool seek_words(struct arena *arena, const char *text, struct sought *ret)
{
	struct words *w = words_new();
	struct copying copying = {ret, arena};
	if (!w)
		return false;
	words_of_query(w, arena, text, copy_word, &copying);
	if (ret->n == 0) {
		ret->common_too = true;
		words_of_query(w, arena, text, copy_word, &copying);
	}
	words_free(w);
	return !arena->exhausted;
}

static void require(struct sets *s, const roaring_bitmap_t *set)
{
	s->none |= !set;
	if (set)
		s->of[s->n++] = set;
}

static void require_words(struct sets *s, const struct sought *sought, enum posting_kind kind)
{
	for (unsigned i = 0; i < sought->n; i++)
		require(s, postings_find(sought->index->postings, kind, sought->words[i]));
}

static void require_filters(struct sets *s, const struct index *x, struct arena *arena,
			    const struct index_query *q)
{
	const uint8_t level = (uint8_t)q->level;
	const char *language = q->language ? utf8_fold(arena, q->language) : NULL;
	if (q->subject_id)
		require(s, postings_find(x->postings, POSTING_SUBJECT,
					 span_of(&q->subject_id, sizeof(q->subject_id))));
	if (language)
		require(s, postings_find(x->postings, POSTING_LANGUAGE, span_str(language)));
	if (q->level)
		require(s, postings_find(x->postings, POSTING_LEVEL, span_of(&level, 1)));
	if (q->free_only)
		require(s, postings_find(x->postings, POSTING_FREE, span_of(NULL, 0)));
	if (q->instructor_id)
		require(s, postings_find(x->postings, POSTING_INSTRUCTOR,
					 span_of(&q->instructor_id, sizeof(q->instructor_id))));
}

static int compare_sets(const void *a, const void *b)
{
	const uint64_t x = roaring_bitmap_get_cardinality(*(const roaring_bitmap_t *const *)a);
	const uint64_t y = roaring_bitmap_get_cardinality(*(const roaring_bitmap_t *const *)b);
	return (x > y) - (x < y);
}

/* What is in all of them; the smallest come first, so that what is left is small soon. */
static roaring_bitmap_t *intersect(struct sets *s)
{
	if (s->none || s->n == 0)
		return roaring_bitmap_create();
	qsort(s->of, s->n, sizeof(s->of[0]), compare_sets);
	roaring_bitmap_t *ret =
		s->n > 1 ? roaring_bitmap_and(s->of[0], s->of[1]) : roaring_bitmap_copy(s->of[0]);
	for (unsigned i = 2; ret && i < s->n && !roaring_bitmap_is_empty(ret); i++)
		roaring_bitmap_and_inplace(ret, s->of[i]);
	return ret;
}

/* No course has all of the words. */
static bool words_unknown(const struct sought *sought)
{
	struct sets sets = {0};
	require_words(&sets, sought, POSTING_WORD);
	require(&sets, sought->index->live);
	roaring_bitmap_t *all = intersect(&sets);
	const bool unknown = all && roaring_bitmap_is_empty(all);
	set_free(all);
	return unknown;
}

static roaring_bitmap_t *find_all(const struct index *x, struct arena *arena, const struct index_query *q,
				  const struct sought *sought)
{
	struct sets sets = {0};
	require_filters(&sets, x, arena, q);
	require_words(&sets, sought, POSTING_WORD);
	if (sets.n == 0 || !roaring_bitmap_is_empty(x->dead))
		require(&sets, x->live);
	roaring_bitmap_t *all = intersect(&sets);
	if (!all || !q->currency_code)
		return all;
	const struct price_order *prices = index_prices(x, q->currency_code);
	roaring_bitmap_t *ret =
		prices ? ranking_between(&prices->ranking, all, q->min_minor_units, q->max_minor_units)
		       : roaring_bitmap_create();
	roaring_bitmap_free(all);
	return ret;
}

static void show(const struct index *x, const struct ranking *order, uint32_t slot, uint32_t tier,
		 struct index_page *ret)
{
	const struct rank_key key = order->key_of(order->arg, slot);
	ret->course_ids[ret->n++] = x->docs[slot].course_id;
	ret->last.key = key.key;
	ret->last.id = key.id;
	ret->last.tier = tier;
	ret->last.text_len = (uint32_t)key.text.len;
	if (key.text.len > 0)
		memcpy(ret->last.text, key.text.data, key.text.len);
}

static_assert(INDEX_PAGE_MAX + 1 <= RANKING_PAGE_MAX,
	      "a page, and whether there is more, is asked for at once");

/* Shows what comes first in one tier, behind the place asked for when that is in this one. */
static void show_tier(const struct index *x, const struct index_query *q, const roaring_bitmap_t *set,
		      uint32_t tier, struct index_page *ret)
{
	const struct ranking *order = &x->orders[q->order == INDEX_RELEVANCE ? INDEX_POPULARITY : q->order];
	uint32_t slots[INDEX_PAGE_MAX + 1];
	struct rank_key after = {0};
	const bool goes_on = q->after && q->after->tier == tier;
	if ((q->after && q->after->tier > tier) || ret->more)
		return;
	if (goes_on)
		after = (struct rank_key){q->after->key, span_of(q->after->text, q->after->text_len),
					  q->after->id};
	const unsigned room = q->max - ret->n;
	const unsigned n = ranking_select(order, set, goes_on ? &after : NULL, room + 1, slots);
	for (unsigned i = 0; i < n && i < room; i++)
		show(x, order, slots[i], tier, ret);
	ret->more = n > room;
}

/* Those of `all` whose title has all of the words. */
static roaring_bitmap_t *all_in_title(const struct sought *sought, const roaring_bitmap_t *all)
{
	struct sets sets = {0};
	require_words(&sets, sought, POSTING_TITLE);
	require(&sets, all);
	return intersect(&sets);
}

/* Those of `all` whose title has one of them at least. */
static roaring_bitmap_t *some_in_title(const struct sought *sought, const roaring_bitmap_t *all)
{
	roaring_bitmap_t *ret = NULL;
	for (unsigned i = 0; i < sought->n; i++) {
		const roaring_bitmap_t *set =
			postings_find(sought->index->postings, POSTING_TITLE, sought->words[i]);
		roaring_bitmap_t *own = set ? roaring_bitmap_and(set, all) : NULL;
		if (ret && own)
			roaring_bitmap_or_inplace(ret, own);
		if (ret)
			set_free(own);
		else
			ret = own;
	}
	return ret ? ret : roaring_bitmap_create();
}

/* All words in the title; one of them at least; none. What a tier is without is taken off when it is its
 * turn. */
static bool show_by_relevance(const struct index *x, const struct index_query *q, const struct sought *sought,
			      roaring_bitmap_t *all, struct index_page *ret)
{
	roaring_bitmap_t *best = all_in_title(sought, all), *some = NULL;
	if (!best)
		return false;
	show_tier(x, q, best, 0, ret);
	if (!ret->more && sought->n > 1) {
		some = some_in_title(sought, all);
		if (some && !roaring_bitmap_is_empty(best))
			roaring_bitmap_andnot_inplace(some, best);
		if (some)
			show_tier(x, q, some, 1, ret);
	}
	const bool ok = ret->more || some || sought->n == 1;
	if (ok && !ret->more) {
		roaring_bitmap_andnot_inplace(all, best);
		if (some)
			roaring_bitmap_andnot_inplace(all, some);
		show_tier(x, q, all, 2, ret);
	}
	roaring_bitmap_free(best);
	set_free(some);
	return ok;
}

bool index_find(const struct index *x, struct arena *arena, const struct index_query *q,
		struct index_page *ret)
{
	struct sought sought = {.index = x};
	ret->n = 0;
	ret->more = ret->unknown = false;
	if (q->words && !seek_words(arena, q->words, &sought))
		return false;
	roaring_bitmap_t *all = find_all(x, arena, q, &sought);
	if (!all)
		return false;
	bool ok = true;
	if (q->words && sought.n == 0)
		ret->unknown = true;
	else if (q->order == INDEX_RELEVANCE)
		ok = show_by_relevance(x, q, &sought, all, ret);
	else
		show_tier(x, q, all, 0, ret);
	roaring_bitmap_free(all);
	if (q->words && sought.n > 0 && ret->n == 0)
		ret->unknown = words_unknown(&sought);
	return ok && !arena->exhausted; /* a filter that found no room was left out */
}
