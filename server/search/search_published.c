/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/codec.h"
#include "server/course/course_proto.h"
#include "server/search/catalogue.h"
#include "server/search/index_store.h"
#include "server/search/search_listing.h"

/* ListCourses of what is published: a page from memory, on the poller where all that it shows is there. */

/* A page on its way: which courses, and what of each is shown, as it goes over the wire. */
struct shown {
	struct page page;
	struct index_place after;
	struct index_page found;
	struct cache_value *cards[INDEX_PAGE_MAX];
	struct span packed[INDEX_PAGE_MAX]; /* nothing: not here, or no longer published */
	unsigned missing;
};

static struct index_query query_of(const struct listing *l, const struct shown *s)
{
	const struct course_filter *f = &l->filter;
	return (struct index_query){
		.subject_id = f->subject_id,
		.language = f->language,
		.level = f->level,
		.free_only = f->free_only,
		.instructor_id = f->instructor_id,
		.currency_code = f->currency_code,
		.min_minor_units = f->min_minor_units,
		.max_minor_units = f->max_minor_units ? f->max_minor_units : INT64_MAX,
		.words = search_or_null(l->req->query),
		.order = l->order,
		.after = *l->req->page_token ? &s->after : NULL,
		.max = s->page.limit - 1,
	};
}

static int find_page(struct rpc_call *call, const struct listing *l, struct shown *s, struct error *err)
{
	struct catalogue *c = app_of(call)->catalogue;
	int r = page_open(&s->page, call, PAGE_OF(l->req), &s->after, sizeof(s->after), err);
	if (r < 0)
		return r;
	const struct index_query q = query_of(l, s);
	return catalogue_find(c, rpc_arena(call), &q, &s->found, err);
}

static void take_cards(struct catalogue *c, struct shown *s)
{
	for (unsigned i = 0; i < s->found.n; i++) {
		const int64_t *id = &s->found.course_ids[i];
		s->cards[i] = cache_get(catalogue_cards(c), span_of(id, sizeof(*id)), 0);
		if (s->cards[i])
			s->packed[i] = cache_value_span(s->cards[i]);
		else
			s->missing++;
	}
}

static void release_cards(struct shown *s)
{
	for (unsigned i = 0; i < s->found.n; i++)
		cache_value_release(s->cards[i]);
}

static int reply(struct rpc_call *call, const struct shown *s, struct error *err)
{
	ListCoursesResponse rest = LIST_COURSES_RESPONSE_INIT;
	if (s->found.more)
		rest.next_page_token = page_next(&s->page, &s->found.last);
	return rest.next_page_token ? page_reply(call, s->packed, s->found.n, &rest.base, err)
				    : arena_full(err);
}

static int pack_card(struct rpc_call *call, const struct course *course, uint64_t generation,
		     struct span *ret, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	ListCoursesResponse card = LIST_COURSES_RESPONSE_INIT;
	Course *message = course_to_proto(arena, course);
	card.courses = &message;
	card.n_courses = 1;
	int r = arena_check(arena, err);
	if (r >= 0)
		r = codec_pack(&card.base, arena, ret, err);
	if (r >= 0)
		(void)cache_put(catalogue_cards(app_of(call)->catalogue),
				span_of(&course->course_id, sizeof(course->course_id)), *ret, 0, generation);
	return r;
}

/* Reads those that are missing, and keeps them unless they changed meanwhile. */
static int read_cards(struct rpc_call *call, struct shown *s, struct error *err)
{
	uint64_t generations[INDEX_PAGE_MAX] = {0};
	int64_t ids[INDEX_PAGE_MAX];
	struct course *courses;
	unsigned n = 0, n_courses;

	for (unsigned i = 0; i < s->found.n; i++) {
		if (s->packed[i].data)
			continue;
		ids[n++] = s->found.course_ids[i];
		generations[i] = cache_generation(catalogue_cards(app_of(call)->catalogue),
						  span_of(&s->found.course_ids[i], sizeof(int64_t)));
	}
	int r = index_store_cards(db_of(call), rpc_arena(call), ids, n, &courses, &n_courses, err);
	for (unsigned j = 0; r >= 0 && j < n_courses; j++)
		for (unsigned i = 0; r >= 0 && i < s->found.n; i++)
			if (s->found.course_ids[i] == courses[j].course_id)
				r = pack_card(call, &courses[j], generations[i], &s->packed[i], err);
	return r;
}

static void count_miss(struct rpc_call *call, const struct listing *l, const struct shown *s)
{
	if (s->found.unknown && !*l->req->page_token)
		misses_add(catalogue_misses(app_of(call)->catalogue), rpc_arena(call), l->req->query,
			   app_now_us(call));
}

static int load_published(struct rpc_call *call, void *state, struct error *err)
{
	const struct listing *l = state;
	struct catalogue *c = app_of(call)->catalogue;
	struct shown s = {0};
	int r = catalogue_refresh(c, CHANGED_HERE, db_of(call), rpc_deadline_us(call), err);
	if (r >= 0)
		r = find_page(call, l, &s, err);
	if (r < 0)
		return r;
	take_cards(c, &s);
	if (s.missing)
		r = read_cards(call, &s, err);
	if (r >= 0)
		r = reply(call, &s, err);
	if (r >= 0)
		count_miss(call, l, &s);
	release_cards(&s);
	return r;
}

/* On the poller. What was changed here must be read first, and what is not in memory too: elsewhere. */
int search_published(struct rpc_call *call, struct listing *l, struct error *err)
{
	struct catalogue *c = app_of(call)->catalogue;
	struct shown s = {0};
	if (!catalogue_current(c)) {
		catalogue_count_page(c, false);
		return rpc_run_on(call, RPC_ON_DB, load_published, l);
	}
	int r = find_page(call, l, &s, err);
	if (r < 0)
		return r;
	take_cards(c, &s);
	catalogue_count_page(c, !s.missing);
	if (s.missing)
		r = rpc_run_on(call, RPC_ON_DB, load_published, l);
	else
		r = reply(call, &s, err);
	if (r == RPC_DONE)
		count_miss(call, l, &s);
	release_cards(&s);
	return r;
}
