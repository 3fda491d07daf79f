/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "edu/v1/edu_service.server.h"
#include "proto/runtime/format.h"
#include "proto/runtime/ids.h"
#include "proto/runtime/utf8.h"
#include "server/app/page.h"
#include "server/course/course_names.h"
#include "server/course/course_proto.h"
#include "server/course/course_rules.h"
#include "server/search/search_listing.h"
#include "server/user/user_names.h"

/* ListCourses: what is asked for; and of what is not published, the page from the database. */

/* The last course of a page: what the next one starts after. The two kinds of lists have different methods.
 */
struct list_cursor {
	int64_t course_id;
	/* Its first characters, by which the order compares; by title only. */
	char title[COURSE_TITLE_KEY_MAX * 4 + 1];
};

/* --- what is asked for --- */

static enum index_order order_of(const ListCoursesRequest *req)
{
	static_assert(EDU__V1__COURSE_ORDER__COURSE_ORDER_RELEVANCE == CourseOrder_MAX, "a new order");
	switch (req->order) {
	case EDU__V1__COURSE_ORDER__COURSE_ORDER_TITLE:
		return INDEX_TITLE;
	case EDU__V1__COURSE_ORDER__COURSE_ORDER_RATING:
		return INDEX_RATING;
	case EDU__V1__COURSE_ORDER__COURSE_ORDER_POPULARITY:
		return INDEX_POPULARITY;
	case EDU__V1__COURSE_ORDER__COURSE_ORDER_RELEVANCE:
		return INDEX_RELEVANCE;
	case EDU__V1__COURSE_ORDER__COURSE_ORDER_NEWEST:
		return INDEX_NEWEST;
	default:
		return *req->query ? INDEX_RELEVANCE : INDEX_NEWEST;
	}
}

/* Of published courses alone there are ranks and words. */
static bool is_of_published(const struct listing *l)
{
	return *l->req->query || (l->order != INDEX_NEWEST && l->order != INDEX_TITLE);
}

/* One's own courses are listed in every state to who acts as an instructor; what is not published, to those
 * and to administrators. */
static int choose_state(struct listing *l, const struct principal *who, struct error *err)
{
	struct course_filter *f = &l->filter;
	bool own = principal_has_role(who, ROLE_MASK_INSTRUCTOR | ROLE_MASK_ADMIN) &&
		   f->instructor_id == who->user_id;
	f->state = (enum course_state)l->req->state;
	if (!f->state)
		f->state = own && !is_of_published(l) ? 0 : COURSE_PUBLISHED;
	if (!course_state_published(f->state) && !own && !principal_has_role(who, ROLE_MASK_ADMIN))
		return error_raise(
			err, &REASON_NOT_COURSE_INSTRUCTOR,
			"Courses that are not published are listed for their instructor and administrators only.");
	if (!course_state_published(f->state) && is_of_published(l))
		return error_field(err, "state", "must be PUBLISHED for a query and for this order");
	return 0;
}

static int check_combination(const struct listing *l, struct error *err)
{
	const ListCoursesRequest *req = l->req;
	if (*req->external_id && !l->filter.instructor_id)
		return error_field(err, "external_id", "needs instructor_id: the key is unique per creator");
	if (*req->external_id && *req->query)
		return error_field(err, "query", "may not come together with external_id");
	if (l->order == INDEX_RELEVANCE && !*req->query)
		return error_field(err, "order", "RELEVANCE needs a query");
	if (req->price_range && req->free_only)
		return error_field(err, "price_range", "may not come together with free_only");
	return 0;
}

static int take_listing(struct rpc_call *call, const ListCoursesRequest *req, struct listing *l,
			struct error *err)
{
	struct course_filter *f = &l->filter;
	format_language(req->language);
	l->order = order_of(req);
	*f = (struct course_filter){
		.instructor_id = id_of(ID_USER, req->instructor_id),
		.subject_id = id_of(ID_SUBJECT, req->subject_id),
		.language = search_or_null(req->language),
		.level = (int)req->level,
		.free_only = req->free_only,
		.external_id = search_or_null(req->external_id),
		.by_title = l->order == INDEX_TITLE,
	};
	if (req->price_range) {
		f->currency_code = req->price_range->currency_code;
		f->min_minor_units = req->price_range->min_minor_units;
		f->max_minor_units = req->price_range->max_minor_units;
	}
	int r = check_combination(l, err);
	return r < 0 ? r : choose_state(l, rpc_principal(call), err);
}

/* --- from the database: what is not published, and what somebody made under his own key --- */

/* The part of a title that the order compares; cut between characters. */
static void copy_title_key(char *out, size_t size, const char *title)
{
	const uint8_t *p = (const uint8_t *)title, *end = p + strlen(title);
	for (unsigned n = 0; n < COURSE_TITLE_KEY_MAX && p < end; n++) {
		unsigned length = utf8_sequence(p, end);
		p += length ? length : 1;
	}
	size_t length = (size_t)(p - (const uint8_t *)title);
	length = length < size ? length : size - 1;
	memcpy(out, title, length);
	out[length] = '\0';
}

static int read_page(struct rpc_call *call, void *state, struct error *err)
{
	const struct listing *l = state;
	struct arena *arena = rpc_arena(call);
	ListCoursesResponse *ret = l->ret;
	struct course_filter f = l->filter;
	struct list_cursor cursor = {0};
	struct course *courses;
	struct page page;
	unsigned n;
	bool cut;

	int r = page_open(&page, call, PAGE_OF(l->req), &cursor, sizeof(cursor), err);
	if (r < 0)
		return r;
	f.after_id = cursor.course_id;
	f.after_title = cursor.course_id ? cursor.title : NULL;
	r = catalogue_store_list(db_of(call), arena, &f, page.limit, &courses, &n, &cut, err);
	if (r < 0)
		return r;
	bool more = page_goes_on(&page, &n) || cut;
	ret->courses = arena_array(arena, n + 1, sizeof(Course *));
	/* By its external_id a creator also finds a course without teaching it, and so perhaps one not to be
	 * seen. */
	for (unsigned i = 0; ret->courses && i < n; i++)
		if (course_seen_by(&courses[i], rpc_principal(call)))
			ret->courses[ret->n_courses++] = course_to_proto(arena, &courses[i]);
	if (more) {
		const struct course *last = &courses[n - 1];
		memset(&cursor, 0, sizeof(cursor));
		cursor.course_id = last->course_id;
		if (f.by_title)
			copy_title_key(cursor.title, sizeof(cursor.title), last->title);
		ret->next_page_token = page_next(&page, &cursor);
	}
	return arena_check(arena, err);
}

static int list_courses(struct rpc_call *call, const ListCoursesRequest *req, ListCoursesResponse *ret,
			struct error *err)
{
	struct listing *l = arena_zalloc(rpc_arena(call), sizeof(*l));
	if (!l)
		return arena_full(err);
	l->req = req;
	l->ret = ret;
	int r = take_listing(call, req, l, err);
	if (r < 0)
		return r;
	return course_state_published(l->filter.state) && !l->filter.external_id
		       ? search_published(call, l, err)
		       : rpc_run_on(call, RPC_ON_DB, read_page, l);
}

EDU_SERVICE_LIST_COURSES(list_courses, RPC_ON_POLLER);
