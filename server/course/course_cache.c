/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_cache.h"

#include <string.h>

#include "server/access/access.h"
#include "server/base/id_queue.h"

/* A value is this, then the packed answer. */
struct head {
	struct course_share instructors[COURSE_INSTRUCTORS_MAX_ITEMS];
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
	struct head head = {.state = course_state_of(c->stage), .n_instructors = c->n_instructors};
	uint8_t *value = arena_alloc(arena, sizeof(head) + packed.len);
	if (!value)
		return; /* it is answered all the same */
	memcpy(head.instructors, c->instructors, sizeof(head.instructors));
	memcpy(value, &head, sizeof(head));
	memcpy(value + sizeof(head), packed.data, packed.len);
	(void)cache_put(courses, key_of(&c->course_id), span_of(value, sizeof(head) + packed.len), 0,
			generation);
}

void course_cache_forget(struct cache *courses, int64_t course_id)
{
	cache_invalidate(courses, key_of(&course_id));
}

void course_changed_here(struct app *app, int64_t course_id)
{
	course_cache_forget(app->courses, course_id);
	id_queue_add(app->courses_changed, course_id);
}

/* Whether an archived course is the caller's, as far as memory knows. */
static bool known_to_be_kept(struct rpc_call *call, int64_t course_id)
{
	const int64_t now_us = app_now_us(call);
	const struct access_query q = {rpc_principal(call)->user_id, course_id, access_began, &now_us};
	struct access access;

	return access_cached(app_of(call)->access, rpc_arena(call), &q, &access);
}

bool course_answer_seen(struct rpc_call *call, int64_t course_id, const struct course_answer *a)
{
	const struct principal *who = rpc_principal(call);
	return course_open_to(a->state, a->instructors, a->n_instructors, who) ||
	       (course_kept_for(a->state, who) && known_to_be_kept(call, course_id));
}
