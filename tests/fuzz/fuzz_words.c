/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts and queries as anybody may write them: words are whole characters, WORD_MAX bytes at most and no more
 * than the text has room for, and each query is answered. The input is the text, up to its first NUL.
 */
#include <string.h>

#include "proto/runtime/utf8.h"
#include "server/search/index.h"
#include "server/search/words.h"
#include "tests/fuzz/must.h"

enum {
	TEXT_MAX = 7000, /* bytes of the longest that is searched */
	QUERY_MAX = 800, /* of a query */
};

static struct words *words;
static struct index *courses;

static void count(void *arg, struct span word)
{
	size_t *n = arg;

	must(word.len > 0 && word.len <= WORD_MAX && utf8_valid(word));
	++*n;
}

static void put(int64_t course_id, const char *title, const char *summary)
{
	const struct index_course c = {
		.course_id = course_id,
		.title_key = span_str(title),
		.title = title,
		.texts = &summary,
		.n_texts = 1,
		.language = "zh-Hans",
	};
	must(index_put(courses, &c));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	words = words_new();
	courses = index_new();
	must(words && courses);
	put(1, "C++ for AI", "Learning to program");
	put(2, "\u673a\u5668\u5b66\u4e60", "AI\u8bfe\u7a0b");
	must(index_filled(courses));
	return 0;
}

/* A course is found by its own text when that has words. */
static void find_itself(struct arena *arena, const char *text, size_t n)
{
	const struct index_query q = {.words = text, .order = INDEX_RELEVANCE, .max = 10};
	struct index_page page;
	bool found = false;

	put(3, text, "");
	must(index_find(courses, arena, &q, &page));
	for (unsigned i = 0; i < page.n; i++)
		found |= page.course_ids[i] == 3;
	must(found == (n > 0));
	index_remove(courses, 3);
	while (index_sweep(courses))
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX + 1];
	size_t n = 0, n_query = 0;
	struct arena arena;

	size = size < TEXT_MAX ? size : TEXT_MAX;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	arena_init(&arena, 8 << 20);
	words_of_text(words, &arena, text, count, &n);
	words_of_query(words, &arena, text, count, &n_query);
	must(n_query <= n && n <= 18 * strlen(text) + 1 && (n == 0) == (n_query == 0));
	if (utf8_valid(span_str(text)) && strlen(text) <= QUERY_MAX)
		find_itself(&arena, text, n_query);
	arena_done(&arena);
	return 0;
}
