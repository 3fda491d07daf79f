/* SPDX-License-Identifier: Apache-2.0 */
/* The index against one that looks at every course, on courses that come, change and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/search/index.h"

enum { COURSES = 6000, CHANGES = 4000, QUESTIONS = 1500, WORDS = 12, PAGE = 7 };

static const char *const words[WORDS] = {"alpha", "beta", "gamma",        "delta", "epsilon", "zeta",
					 "rare",  "c++",  "\u8bfe\u7a0b", "ai",    "eta",     "iota"};
static const char *const languages[] = {"en", "zh", "zh-Hans", "zh-Hans-CN", "zho", ""};

struct sample {
	bool there;
	char title[200], summary[200];
	unsigned title_words, all_words; /* sets of `words` */
	int64_t subject_id, instructors[2];
	const char *language;
	int level;
	bool free;
	struct index_price prices[2];
	unsigned n_prices;
	int64_t rating, popularity;
};

static struct sample samples[COURSES + 1]; /* by course id */

static unsigned roll(unsigned n)
{
	return (unsigned)(random() % n);
}

/* Words further back are rarer. */
static unsigned put_words(char *out, size_t size, unsigned n)
{
	unsigned set = 0;
	size_t at = 0;
	for (unsigned i = 0; i < n; i++) {
		unsigned w = roll(WORDS) * roll(WORDS) / WORDS;
		set |= 1u << w;
		at += (size_t)snprintf(out + at, size - at, "%s%s", i ? " " : "", words[w]);
	}
	return set;
}

static void make(struct sample *s)
{
	*s = (struct sample){.there = true};
	s->title_words = put_words(s->title, sizeof(s->title), 1 + roll(4));
	s->all_words = s->title_words | put_words(s->summary, sizeof(s->summary), roll(6));
	s->subject_id = roll(4);
	s->instructors[0] = 1 + roll(50);
	s->instructors[1] = 100 + roll(3);
	s->language = languages[roll(ARRAY_SIZE(languages))];
	s->level = (int)roll(5);
	s->free = roll(4) == 0;
	s->n_prices = s->free ? 0 : roll(3);
	for (unsigned i = 0; i < s->n_prices; i++)
		s->prices[i] = (struct index_price){{0}, roll(2) ? 1 + roll(1000) : 999};
	memcpy(s->prices[0].currency_code, "EUR", 4);
	memcpy(s->prices[1].currency_code, "CNY", 4);
	s->rating = roll(3) ? roll(5000) : 0;
	s->popularity = roll(20) * roll(20);
}

static bool put(struct index *x, int64_t id)
{
	const struct sample *s = &samples[id];
	const char *texts[] = {s->summary};
	const struct index_course c = {
		.course_id = id,
		.title_key = span_str(s->title),
		.title = s->title,
		.texts = texts,
		.n_texts = 1,
		.subject_id = s->subject_id,
		.language = s->language,
		.level = s->level,
		.free = s->free,
		.n_instructors = 2,
		.n_prices = s->n_prices,
		.instructors = s->instructors,
		.prices = s->prices,
		.rating = s->rating,
		.popularity = s->popularity,
	};
	return index_put(x, &c);
}

/* --- the naive way --- */

static bool in_range(const char *tag, const char *range)
{
	size_t len = strlen(range);
	return strncasecmp(tag, range, len) == 0 && (tag[len] == '\0' || tag[len] == '-');
}

static bool costs(const struct sample *s, const struct index_query *q)
{
	for (unsigned i = 0; i < s->n_prices; i++)
		if (strcmp(s->prices[i].currency_code, q->currency_code) == 0)
			return s->prices[i].minor_units >= q->min_minor_units &&
			       s->prices[i].minor_units <= q->max_minor_units;
	return false;
}

static bool fits(const struct sample *s, const struct index_query *q, unsigned sought)
{
	return s->there && (!q->subject_id || s->subject_id == q->subject_id) &&
	       (!q->language || in_range(s->language, q->language)) && (!q->level || s->level == q->level) &&
	       (!q->free_only || s->free) &&
	       (!q->instructor_id || s->instructors[0] == q->instructor_id ||
		s->instructors[1] == q->instructor_id) &&
	       (!q->currency_code || costs(s, q)) && (s->all_words & sought) == sought;
}

static enum index_order order;
static unsigned sought;

static int tier(const struct sample *s)
{
	return (s->title_words & sought) == sought ? 0 : s->title_words & sought ? 1 : 2;
}

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	const struct sample *s = &samples[x], *t = &samples[y];
	int r = 0;
	if (order == INDEX_TITLE)
		r = strcmp(s->title, t->title);
	if (order == INDEX_RATING)
		r = compare_numbers(t->rating, s->rating);
	if (order == INDEX_RELEVANCE)
		r = tier(s) - tier(t);
	if (r == 0 && order >= INDEX_POPULARITY)
		r = compare_numbers(t->popularity, s->popularity);
	if (r)
		return r;
	return order == INDEX_TITLE ? compare_numbers(x, y) : compare_numbers(y, x);
}

static unsigned find_naively(const struct index_query *q, int64_t *ret)
{
	unsigned n = 0;
	for (int64_t id = 1; id <= COURSES; id++)
		if (fits(&samples[id], q, sought))
			ret[n++] = id;
	order = q->order;
	qsort(ret, n, sizeof(*ret), compare);
	return n;
}

/* --- questions --- */

static struct index_query ask(char *text, size_t size)
{
	struct index_query q = {.max = PAGE, .order = roll(INDEX_ORDERS)};
	sought = 0;
	if (roll(3) == 0)
		q.subject_id = 1 + roll(3);
	if (roll(3) == 0)
		q.language = languages[roll(ARRAY_SIZE(languages) - 1)];
	if (roll(3) == 0)
		q.level = 1 + (int)roll(4);
	if (roll(6) == 0)
		q.free_only = true;
	if (roll(4) == 0)
		q.instructor_id = roll(2) ? 1 + roll(50) : 100 + roll(4);
	if (roll(3) == 0) {
		q.currency_code = roll(8) ? roll(2) ? "EUR" : "CNY" : "JPY";
		q.min_minor_units = roll(1000);
		q.max_minor_units = roll(4) ? q.min_minor_units + roll(600) : INT64_MAX;
	}
	if (q.order == INDEX_RELEVANCE || roll(2)) {
		sought = put_words(text, size, 1 + roll(3));
		q.words = text;
	}
	return q;
}

/* Page by page, to the end or for some pages. */
static void compare_pages(const struct index *x, struct index_query q)
{
	static int64_t expected[COURSES];
	const unsigned n = find_naively(&q, expected);
	struct index_page page;
	struct index_place after;
	struct arena arena;
	unsigned at = 0;

	arena_init(&arena, 1 << 20);
	for (unsigned i = 0; i < 40; i++) {
		assert_true(index_find(x, &arena, &q, &page));
		const unsigned left = n - at < PAGE ? n - at : PAGE;
		assert_int_equal(page.n, left);
		for (unsigned j = 0; j < page.n; j++)
			assert_int_equal(page.course_ids[j], expected[at + j]);
		at += page.n;
		assert_int_equal(page.more, at < n);
		if (!page.more)
			break;
		after = page.last;
		q.after = &after;
	}
	if (n == 0 && q.words) {
		const struct index_query words_alone = {.words = q.words};
		assert_int_equal(page.unknown, find_naively(&words_alone, expected) == 0);
	}
	arena_done(&arena);
}

static void compare_many(const struct index *x, unsigned n)
{
	char text[200];
	for (unsigned i = 0; i < n; i++)
		compare_pages(x, ask(text, sizeof(text)));
}

static struct index *filled(unsigned n)
{
	struct index *x = index_new();
	memset(samples, 0, sizeof(samples));
	for (unsigned id = 1; id <= n; id++) {
		make(&samples[id]);
		assert_true(put(x, id));
	}
	assert_true(index_filled(x));
	return x;
}

static void test_filters_words_and_orders(void **state)
{
	static const unsigned sizes[] = {0, 1, 100, COURSES};
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct index *x = filled(sizes[i]);
		compare_many(x, sizes[i] ? QUESTIONS / 3 : 20);
		index_free(x);
	}
}

static void change(struct index *x)
{
	const int64_t id = 1 + roll(COURSES);
	struct sample *s = &samples[id];
	const unsigned what = roll(5);
	if (what == 0) {
		s->there = false;
		index_remove(x, id);
	} else if (what == 1 && s->there) {
		s->rating = roll(5000);
		s->popularity = roll(400);
		assert_true(index_rank(x, &(struct index_rank){id, s->rating, s->popularity}));
	} else {
		make(s);
		assert_true(put(x, id));
	}
}

static void test_courses_that_come_change_and_go(void **state)
{
	struct index *x = filled(COURSES / 2);
	for (unsigned i = 0; i < CHANGES; i++) {
		change(x);
		if (i % 7 == 0)
			(void)index_sweep(x);
		if (i % 50 == 0)
			compare_many(x, 5);
	}
	while (index_sweep(x))
		;
	compare_many(x, QUESTIONS / 3);
	index_free(x);
}

/* All of them go, and others come: what was swept is used again, and no key stays for nothing. */
static void test_what_was_removed_leaves_nothing(void **state)
{
	struct index *x = filled(COURSES);
	for (int64_t id = 1; id <= COURSES; id++) {
		samples[id].there = false;
		index_remove(x, id);
	}
	index_remove(x, 5);
	while (index_sweep(x))
		;
	assert_int_equal(index_size(x).courses, 0);
	assert_int_equal(index_size(x).keys, 0);
	const size_t bytes = index_size(x).bytes;
	for (int64_t id = 1; id <= COURSES; id++) {
		make(&samples[id]);
		assert_true(put(x, id));
	}
	compare_many(x, 100);
	assert_true(index_size(x).bytes < bytes + (10 << 20));
	index_free(x);
}

/* Whatever is put in between, nobody is shown twice and nobody is missing who was there all along. */
static void test_a_walk_while_courses_come(void **state)
{
	for (enum index_order o = 0; o < INDEX_RELEVANCE; o++) {
		struct index *x = filled(COURSES / 2);
		struct index_query q = {.max = PAGE, .order = o};
		struct index_page page;
		struct index_place after;
		struct arena arena;
		unsigned seen[COURSES + 1] = {0};
		int64_t next = COURSES / 2 + 1;
		arena_init(&arena, 1 << 20);
		do {
			assert_true(index_find(x, &arena, &q, &page));
			for (unsigned i = 0; i < page.n; i++)
				seen[page.course_ids[i]]++;
			for (unsigned i = 0; i < 3 && next <= COURSES / 2 + 1000; i++, next++) {
				make(&samples[next]);
				assert_true(put(x, next));
			}
			after = page.last;
			q.after = &after;
		} while (page.more);
		for (int64_t id = 1; id <= COURSES; id++)
			assert_true(seen[id] <= 1 && (id > COURSES / 2 || seen[id] == 1));
		arena_done(&arena);
		index_free(x);
	}
}

static void test_who_teaches_what(void **state)
{
	struct index *x = filled(300);
	int64_t ids[300];
	unsigned n = 0;
	for (int64_t id = 1; id <= 300; id++)
		n += samples[id].instructors[1] == 101;
	assert_int_equal(index_taught(x, 101, ids, ARRAY_SIZE(ids)), n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(samples[ids[i]].instructors[1], 101);
	assert_int_equal(index_taught(x, 101, ids, 1), n);
	assert_int_equal(index_taught(x, 77777, ids, 1), 0);
	index_free(x);
}

/* What no course may do to others, and no query to the index. */
static void test_hostile_queries(void **state)
{
	static const char *const texts[] = {"", " ", "!!!", "\xff", "the of and", "\u0301", "'", "+++"};
	struct index *x = filled(1000);
	char many[200 * 4 + 1] = "";
	struct index_query q = {.max = INDEX_PAGE_MAX, .order = INDEX_RELEVANCE};
	struct index_page page;
	struct arena arena;
	arena_init(&arena, 1 << 20);
	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
		q.words = texts[i];
		assert_true(index_find(x, &arena, &q, &page));
		assert_int_equal(page.n, 0);
	}
	for (size_t at = 0; at + 8 < sizeof(many);)
		at += (size_t)snprintf(many + at, sizeof(many) - at, "abc \u8bfe ");
	q.words = many;
	assert_true(index_find(x, &arena, &q, &page));
	arena_done(&arena);
	index_free(x);
}

/* Whatever is left of a call's memory, a question is answered whole or not at all. */
static void test_a_full_arena(void **state)
{
	struct index *x = filled(300);
	const struct index_query q = {
		.max = 5, .language = "ZH-hans", .words = "Alpha C++", .order = INDEX_TITLE};
	struct index_page expected, page;
	struct arena arena;
	unsigned refused = 0;
	arena_init(&arena, 1 << 20);
	assert_true(index_find(x, &arena, &q, &expected));
	arena_done(&arena);
	for (size_t cap = 0; cap < 300; cap += 8) {
		arena_init(&arena, cap);
		if (!index_find(x, &arena, &q, &page)) {
			refused++;
		} else {
			assert_int_equal(page.n, expected.n);
			assert_memory_equal(page.course_ids, expected.course_ids,
					    page.n * sizeof(page.course_ids[0]));
		}
		arena_done(&arena);
	}
	assert_in_range(refused, 1, 37);
	index_free(x);
}

int main(void)
{
	const char *seed = getenv("EDU_TEST_SEED");
	srandom(seed ? (unsigned)atoi(seed) : 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters_words_and_orders),
		cmocka_unit_test(test_courses_that_come_change_and_go),
		cmocka_unit_test(test_what_was_removed_leaves_nothing),
		cmocka_unit_test(test_a_walk_while_courses_come),
		cmocka_unit_test(test_who_teaches_what),
		cmocka_unit_test(test_hostile_queries),
		cmocka_unit_test(test_a_full_arena),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
