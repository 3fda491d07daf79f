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
#include "server/search/catalogue_store.h"
#include "server/user/user_names.h"

/* ListCourses: a page of the catalogue, or of what somebody teaches. */

/* The last course of a page: what the next one starts after. */
struct list_cursor {
	int64_t course_id;
	/* Its first characters, by which the order compares; by title only. */
	char title[COURSE_TITLE_KEY_MAX * 4 + 1];
};

static const char *or_null(const char *s)
{
	return *s ? s : NULL;
}

/* One's own courses are listed in every state to who acts as an instructor; what is not published, to those
 * and to administrators. */
static int choose_state(const ListCoursesRequest *req, const struct principal *who, struct course_filter *f,
			struct error *err)
{
	bool own = principal_has_role(who, ROLE_MASK_INSTRUCTOR | ROLE_MASK_ADMIN) &&
		   f->instructor_id == who->user_id;
	f->state = (enum course_state)req->state;
	if (!f->state)
		f->state = own ? 0 : COURSE_PUBLISHED;
	if (course_state_published(f->state) || own || principal_has_role(who, ROLE_MASK_ADMIN))
		return 0;
	return error_raise(
		err, &REASON_NOT_COURSE_INSTRUCTOR,
		"Courses that are not published are listed for their instructor and administrators only.");
}

static bool is_by_title(const ListCoursesRequest *req)
{
	static_assert(EDU__V1__COURSE_ORDER__COURSE_ORDER_TITLE == CourseOrder_MAX, "a new order");
	return req->order == EDU__V1__COURSE_ORDER__COURSE_ORDER_TITLE;
}

static int take_filter(struct rpc_call *call, const ListCoursesRequest *req, struct course_filter *f,
		       struct error *err)
{
	format_language(req->language);
	*f = (struct course_filter){
		.instructor_id = id_of(ID_USER, req->instructor_id),
		.subject_id = id_of(ID_SUBJECT, req->subject_id),
		.language = or_null(req->language),
		.level = (int)req->level,
		.free_only = req->free_only,
		.external_id = or_null(req->external_id),
		.by_title = is_by_title(req),
	};
	if (f->external_id && !f->instructor_id)
		return error_field(err, "external_id", "needs instructor_id: the key is unique per creator");
	if (req->price_range) {
		if (f->free_only)
			return error_field(err, "price_range", "may not come together with free_only");
		f->currency_code = req->price_range->currency_code;
		f->min_minor_units = req->price_range->min_minor_units;
		f->max_minor_units = req->price_range->max_minor_units;
	}
	return choose_state(req, rpc_principal(call), f, err);
}

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

static int read_page(struct rpc_call *call, const ListCoursesRequest *req, struct course_filter f,
		     ListCoursesResponse *ret, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct list_cursor cursor = {0};
	struct course *courses;
	struct page page;
	unsigned n;
	bool cut;

	int r = page_open(&page, call, PAGE_OF(req), &cursor, sizeof(cursor), err);
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
	struct course_filter filter;
	int r = take_filter(call, req, &filter, err);
	return r < 0 ? r : read_page(call, req, filter, ret, err);
}

EDU_SERVICE_LIST_COURSES(list_courses, RPC_ON_DB);
