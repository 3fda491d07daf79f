/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_cache.h"

#include <string.h>

/* A value is this, then the packed answer. */
struct head {
	int64_t instructors[COURSE_INSTRUCTORS_MAX];
	int32_t state;
	uint32_t n_instructors;
};

static struct span key_of(const int64_t *course_id)
{
	return span_of(course_id, sizeof(*course_id));
}

struct cache_value *course_cache_get(struct cache *courses, int64_t course_id, struct course_answer *ret)
{
	struct cache_value *value = cache_get(courses, key_of(&course_id), 0);
	struct head head;
	if (!value)
		return NULL;
	struct span span = cache_value_span(value);
	memcpy(&head, span.data, sizeof(head));
	ret->state = (enum course_state)head.state;
	ret->n_instructors = head.n_instructors;
	memcpy(ret->instructors, head.instructors, sizeof(head.instructors));
	ret->packed = span_of(span.data + sizeof(head), span.len - sizeof(head));
	return value;
}

uint64_t course_cache_generation(struct cache *courses, int64_t course_id)
{
	return cache_generation(courses, key_of(&course_id));
}

void course_cache_put(struct cache *courses, const struct course *c, struct span packed, struct arena *arena,
		      uint64_t generation)
{
	struct head head = {.state = c->state, .n_instructors = c->n_instructors};
	uint8_t *value = arena_alloc(arena, sizeof(head) + packed.len);
	if (!value)
		return; /* it is answered all the same */
	for (unsigned i = 0; i < c->n_instructors; i++)
		head.instructors[i] = c->instructors[i].user_id;
	memcpy(value, &head, sizeof(head));
	memcpy(value + sizeof(head), packed.data, packed.len);
	(void)cache_put(courses, key_of(&c->course_id), span_of(value, sizeof(head) + packed.len), 0,
			generation);
}

void course_cache_forget(struct cache *courses, int64_t course_id)
{
	cache_invalidate(courses, key_of(&course_id));
}

bool course_answer_seen_by(const struct course_answer *a, const struct principal *who)
{
	if (a->state == COURSE_PUBLISHED || principal_has_role(who, ROLE_MASK_ADMIN))
		return true;
	for (unsigned i = 0; principal_signed_in(who) && i < a->n_instructors; i++)
		if (a->instructors[i] == who->user_id)
			return true;
	return false;
}
