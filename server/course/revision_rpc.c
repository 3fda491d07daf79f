/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "proto/runtime/codec.h"
#include "server/app/page.h"
#include "server/course/course_names.h"
#include "server/course/course_proto.h"
#include "server/course/course_revision.h"

/* ListCourseRevisions, GetCourseRevision: what a course was. */

static int revision_to_proto(struct arena *arena, const struct course_revision *v, CourseRevision **ret,
			     struct error *err)
{
	CourseRevision *m = codec_new(COURSE_REVISION_DESC, arena);
	if (!m)
		return arena_full(err);
	*ret = m;
	m->course_id = app_id(arena, ID_COURSE, v->course_id);
	m->revision = v->revision;
	m->publish_time = app_timestamp(arena, v->publish_us);
	m->lessons_added = v->counts.lessons_added;
	m->lessons_removed = v->counts.lessons_removed;
	m->lessons_changed = v->counts.lessons_changed;
	m->lessons_moved = v->counts.lessons_moved;
	m->sections_added = v->counts.sections_added;
	m->sections_removed = v->counts.sections_removed;
	m->sections_changed = v->counts.sections_changed;
	m->sections_moved = v->counts.sections_moved;
	return course_texts_of_json(arena, v->changed_fields, &m->changed_fields, &m->n_changed_fields, err);
}

static int check_reader(struct rpc_call *call, int64_t course_id, struct error *err)
{
	struct course_terms terms;
	int r = course_terms_seen(call, course_id, NULL, &terms, err);
	return r < 0 ? r : course_check_past(call, &terms, err);
}

static int list_course_revisions(struct rpc_call *call, const ListCourseRevisionsRequest *req,
				 ListCourseRevisionsResponse *ret, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	const int64_t course_id = course_id_of(req->course_id);
	struct course_revision *revisions;
	struct page page;
	int64_t before = INT64_MAX;
	unsigned n = 0;

	int r = page_open(&page, call, PAGE_OF(req), &before, sizeof(before), err);
	if (r >= 0)
		r = check_reader(call, course_id, err);
	if (r >= 0)
		r = course_revision_list(db_of(call), arena, course_id, before, page.limit, &revisions, &n,
					 err);
	if (r < 0)
		return r;
	if (page_goes_on(&page, &n))
		ret->next_page_token = page_next(&page, &revisions[n - 1].revision);
	ret->revisions = arena_array(arena, n + 1, sizeof(CourseRevision *));
	for (unsigned i = 0; r >= 0 && ret->revisions && i < n; i++)
		r = revision_to_proto(arena, &revisions[i], &ret->revisions[ret->n_revisions++], err);
	return r < 0 ? r : arena_check(arena, err);
}

static int get_course_revision(struct rpc_call *call, const GetCourseRevisionRequest *req,
			       GetCourseRevisionResponse *ret, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct course_revision revision;
	struct course c = {.course_id = course_id_of(req->course_id)};

	int r = check_reader(call, c.course_id, err);
	if (r >= 0)
		r = course_store_read(db_of(call), arena, c.course_id, &c, err);
	if (r >= 0)
		r = course_revision_read(db_of(call), arena, req->revision, &c, &revision, err);
	if (r >= 0)
		r = revision_to_proto(arena, &revision, &ret->revision, err);
	if (r < 0)
		return r;
	ret->course = course_to_proto(arena, &c);
	return arena_check(arena, err);
}

EDU_SERVICE_LIST_COURSE_REVISIONS(list_course_revisions, RPC_ON_DB);
EDU_SERVICE_GET_COURSE_REVISION(get_course_revision, RPC_ON_DB);
