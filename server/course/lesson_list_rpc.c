/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "edu/v1/edu_service.server.h"
#include "proto/runtime/codec.h"
#include "server/app/page.h"
#include "server/course/course_cache.h"
#include "server/course/course_proto.h"
#include "server/course/lesson_pages.h"
#include "server/course/lesson_store.h"
#include "server/course/section_store.h"

/* ListLessons: what is published from memory on the poller, else from the database. */

/* Where a page begins. What follows a page is of its revision, whatever was published since. */
struct cursor {
	int64_t revision; /* 0: whichever the view shows */
	int32_t after_position;
	int32_t unused;
};

struct listing {
	const ListLessonsRequest *req;
	struct page page;
	struct cursor cursor;
	int64_t course_id;
};

static bool of_draft(const ListLessonsRequest *req)
{
	return req->view == EDU__V1__COURSE_VIEW__COURSE_VIEW_DRAFT;
}

/* Which revision the caller is shown: COURSE_NOT_FOUND, NOT_COURSE_INSTRUCTOR, ACCESS_MISSING,
 * REVISION_NOT_FOUND. */
static int check_view(struct rpc_call *call, const struct listing *l, struct course_terms *terms,
		      int64_t *ret_revision, struct error *err)
{
	int r = course_terms_seen(call, l->course_id, NULL, terms, err);
	if (r < 0)
		return r;
	*ret_revision = 0;
	if (of_draft(l->req))
		return course_draft_open_to(terms->instructors, terms->n_instructors, rpc_principal(call))
			       ? 0
			       : course_refuse_caller(call, terms, err);
	*ret_revision = l->req->revision ? l->req->revision : l->cursor.revision;
	if (l->req->revision)
		r = course_check_past(call, terms, err);
	if (r >= 0 && *ret_revision > terms->revision)
		r = course_revision_not_found(terms->revision, err);
	if (*ret_revision == 0)
		*ret_revision = terms->revision;
	return r;
}

static int add_sections(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t revision,
			ListLessonsResponse *ret, struct error *err)
{
	struct section *sections;
	unsigned n;
	int r = section_store_list(conn, arena, course_id, revision, &sections, &n, err);
	if (r < 0)
		return r;
	ret->sections = arena_array(arena, n + 1, sizeof(Section *));
	for (unsigned i = 0; ret->sections && i < n; i++)
		ret->sections[ret->n_sections++] = section_to_proto(arena, &sections[i]);
	return 0;
}

static void add_lessons(struct arena *arena, const struct lesson *lessons, unsigned n,
			ListLessonsResponse *ret)
{
	ret->lessons = arena_array(arena, n + 1, sizeof(Lesson *));
	for (unsigned i = 0; ret->lessons && i < n; i++)
		ret->lessons[ret->n_lessons++] = lesson_to_proto(arena, &lessons[i]);
}

/* The page, which is remembered without its token. */
static int reply(struct rpc_call *call, struct listing *l, const struct lesson_page *page, struct error *err)
{
	ListLessonsResponse rest = LIST_LESSONS_RESPONSE_INIT;

	if (page->last_position == 0)
		return rpc_reply_packed(call, page->answer.packed);
	l->cursor = (struct cursor){.revision = page->revision, .after_position = page->last_position};
	rest.next_page_token = page_next(&l->page, &l->cursor);
	return rest.next_page_token ? page_reply(call, &page->answer.packed, 1, &rest.base, err)
				    : arena_full(err);
}

static int pack_page(struct rpc_call *call, struct listing *l, const struct course_terms *terms,
		     struct lesson_page *page, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct db_conn *conn = db_of(call);
	const char *external_id = *l->req->external_id ? l->req->external_id : NULL;
	ListLessonsResponse answer = LIST_LESSONS_RESPONSE_INIT;
	struct lesson *lessons;
	unsigned n;

	int r = lesson_store_list(conn, arena, l->course_id, page->revision, external_id,
				  l->cursor.after_position, l->page.limit, &lessons, &n, err);
	if (r >= 0 && l->cursor.after_position == 0)
		r = add_sections(conn, arena, l->course_id, page->revision, &answer, err);
	if (r < 0)
		return r;
	if (page_goes_on(&l->page, &n))
		page->last_position = lessons[n - 1].info.position;
	add_lessons(arena, lessons, n, &answer);
	answer.etag = app_etag(arena, terms->version);
	r = arena_check(arena, err);
	return r < 0 ? r : codec_pack(&answer.base, arena, &page->answer.packed, err);
}

static struct lesson_page_key key_of(struct rpc_call *call, const struct listing *l)
{
	return (struct lesson_page_key){
		.course_id = l->course_id,
		.generation = course_cache_generation(app_of(call)->courses, l->course_id),
		.after_position = l->cursor.after_position,
		.size = l->page.limit - 1,
	};
}

/* The question is one that memory may answer. */
static bool may_be_kept(const struct listing *l, const struct lesson_page_key *key)
{
	return !of_draft(l->req) && !l->req->revision && !*l->req->external_id && lesson_page_kept(key);
}

static int load_lessons(struct rpc_call *call, void *state, struct error *err)
{
	struct listing *l = state;
	const struct lesson_page_key key = key_of(call, l);
	struct course_terms terms = {0};
	struct lesson_page page = {0};

	int r = check_view(call, l, &terms, &page.revision, err);
	if (r >= 0)
		r = pack_page(call, l, &terms, &page, err);
	if (r < 0)
		return r;
	if (terms.revision > 0 && page.revision == terms.revision && may_be_kept(l, &key)) {
		page.answer.state = terms.state;
		page.answer.n_instructors = terms.n_instructors;
		memcpy(page.answer.instructors, terms.instructors, sizeof(terms.instructors));
		lesson_page_put(app_of(call)->lesson_pages, &key, &page, rpc_arena(call));
	}
	return reply(call, l, &page, err);
}

/* What was published since the page before is another's page. */
static bool shown_to(struct rpc_call *call, const struct listing *l, const struct lesson_page *page)
{
	return (l->cursor.revision == 0 || l->cursor.revision == page->revision) &&
	       course_answer_seen(call, l->course_id, &page->answer);
}

static int list_lessons(struct rpc_call *call, const ListLessonsRequest *req, ListLessonsResponse *ret,
			struct error *err)
{
	struct listing *l = arena_zalloc(rpc_arena(call), sizeof(*l));
	struct cache_value *value = NULL;
	struct lesson_page page;
	if (!l)
		return arena_full(err);
	if (req->revision && req->view)
		return error_field(err, "revision", "goes without a view");
	l->req = req;
	l->course_id = course_id_of(req->course_id);
	int r = page_open(&l->page, call, PAGE_OF(req), &l->cursor, sizeof(l->cursor), err);
	if (r < 0)
		return r;
	const struct lesson_page_key key = key_of(call, l);
	if (may_be_kept(l, &key))
		value = lesson_page_get(app_of(call)->lesson_pages, &key, &page);
	r = value && shown_to(call, l, &page) ? reply(call, l, &page, err)
					      : rpc_run_on(call, RPC_ON_DB, load_lessons, l);
	cache_value_release(value);
	return r;
}

EDU_SERVICE_LIST_LESSONS(list_lessons, RPC_ON_POLLER);
