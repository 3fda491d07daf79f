/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/lesson_pages.h"

#include <string.h>

#include "server/app/page.h"

static_assert(sizeof(struct lesson_page_key) == 24, "keys are compared as bytes");

static struct span key_of(const struct lesson_page_key *key)
{
	return span_of(key, sizeof(*key));
}

bool lesson_page_kept(const struct lesson_page_key *key)
{
	return (key->size == PAGE_SIZE || key->size == PAGE_SIZE_MAX) &&
	       (uint32_t)key->after_position % key->size == 0;
}

/* A value is the struct, whose span says nothing, then the packed page. */
struct cache_value *lesson_page_get(struct cache *pages, const struct lesson_page_key *key,
				    struct lesson_page *ret)
{
	struct cache_value *value = cache_get(pages, key_of(key), 0);
	if (!value)
		return NULL;
	struct span span = cache_value_span(value);
	memcpy(ret, span.data, sizeof(*ret));
	ret->answer.packed = span_of(span.data + sizeof(*ret), span.len - sizeof(*ret));
	return value;
}

void lesson_page_put(struct cache *pages, const struct lesson_page_key *key, const struct lesson_page *page,
		     struct arena *arena)
{
	const struct span packed = page->answer.packed;
	uint8_t *value = arena_alloc(arena, sizeof(*page) + packed.len);
	if (!value)
		return; /* it is answered all the same */
	memcpy(value, page, sizeof(*page));
	memcpy(value + sizeof(*page), packed.data, packed.len);
	(void)cache_put(pages, key_of(key), span_of(value, sizeof(*page) + packed.len), 0,
			cache_generation(pages, key_of(key)));
}
