/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "edu/v1/edu_service.server.h"
#include "proto/runtime/codec.h"
#include "proto/runtime/ids.h"
#include "server/app/page.h"
#include "server/course/course_content.h"
#include "server/course/course_life.h"
#include "server/course/course_names.h"
#include "server/course/course_proto.h"
#include "server/course/lesson_pages.h"
#include "server/course/section_store.h"
#include "server/db/idem.h"

/* Lessons of a course's draft: each change is a step of the course. */

/* --- CreateLesson --- */

struct lesson_creation {
	const CreateLessonRequest *req;
	CreateLessonResponse *ret;
};

/* Behind the last lesson of its section. */
static int find_place(struct change *change, const struct course *c, struct lesson_info *l, struct error *err)
{
	struct section section = {.position = 0};
	int r = l->section_id ? section_store_read(change->conn, change->arena, c->course_id, l->section_id,
						   &section, err)
			      : 0;
	return r < 0 ? r
		     : lesson_store_place(change->conn, c->course_id, section.position, &l->position, err);
}

int course_apply_lesson(struct change *change, void *course, struct error *err)
{
	struct lesson_creation *m = change->arg;
	const CreateLessonRequest *req = m->req;
	struct course *c = course;
	if (c->draft_lesson_count >= COURSE_LESSONS_MAX)
		return error_raise(err, &REASON_COURSE_FULL,
				   "The course holds as much as a course may; make another course.");
	course_count_lessons(c, c->draft_lesson_count + 1);
	struct lesson l = {
		.info = {.lesson_id = change->subject_id,
			 .course_id = c->course_id,
			 .section_id = id_of(ID_SECTION, req->section_id),
			 .kind = (enum lesson_kind)req->kind,
			 .duration_seconds = req->duration_seconds,
			 .weight = req->weight ? req->weight : 1,
			 .free_preview = req->free_preview,
			 .release_us = app_timestamp_us(req->release_time),
			 .release_after_days = req->release_after_days},
		.external_id = *req->external_id ? req->external_id : NULL,
		.title = req->title,
		.create_us = change->now_us,
		.update_us = change->now_us,
	};
	int r = find_place(change, c, &l.info, err);
	m->ret->lesson = lesson_to_proto(change->arena, &l);
	m->ret->etag = course_next_etag(change, c);
	return r < 0 ? r : lesson_store_insert(change->conn, &l, err);
}

static int create_lesson(struct rpc_call *call, const CreateLessonRequest *req, CreateLessonResponse *ret,
			 struct error *err)
{
	struct change change = course_change(call, STEP_COURSE_ADD_LESSON, course_id_of(req->course_id), "");
	change.arg = &(struct lesson_creation){req, ret};
	change.keep_us = IDEM_CREATE_US;
	if (req->kind == (Edu__V1__LessonKind)LESSON_VIDEO && req->duration_seconds < 1)
		return error_field(err, "duration_seconds", "must be at least 1 for a video");
	int r = app_new_ids(call, APP_IDS(&change.subject_id), err);
	return r < 0 ? r : change_run(&change, &ret->base, err);
}

/* --- UpdateLesson, DeleteLesson --- */

static int run(struct rpc_call *call, enum course_step step, const char *lesson_id, const char *etag,
	       void *arg, ProtobufCMessage *reply, struct error *err)
{
	const int64_t id = id_of(ID_LESSON, lesson_id);
	int64_t course_id;
	int r = lesson_store_course(db_of(call), id, &course_id, err);
	if (r < 0)
		return r;
	struct change change = course_change(call, step, course_id, etag);
	change.subject_id = id;
	change.arg = arg;
	return course_part_run(&change, &lesson_resource, id, reply, err);
}

struct lesson_update {
	const UpdateLessonRequest *req;
	UpdateLessonResponse *ret;
};

static int take_duration(struct lesson *l, int64_t seconds, struct error *err)
{
	if (l->info.kind == LESSON_VIDEO && l->info.duration_seconds != seconds)
		return error_precondition(err, 0, &REASON_LESSON_KIND_MISMATCH,
					  "The lesson is of another kind; leave out what does not fit it.",
					  "lesson.duration_seconds", "never changes for a video");
	l->info.duration_seconds = seconds;
	return 0;
}

static int take_fields(struct lesson *l, const UpdateLessonRequest *req, struct error *err)
{
	char *const *paths = req->update_mask->paths;
	const size_t n_paths = req->update_mask->n_paths;
	const Lesson *from = req->lesson;

	if (mask_has(paths, n_paths, "title"))
		l->title = from->title;
	if (mask_has(paths, n_paths, "weight"))
		l->info.weight = from->weight;
	if (mask_has(paths, n_paths, "free_preview"))
		l->info.free_preview = from->free_preview;
	if (mask_has(paths, n_paths, "release_time"))
		l->info.release_us = app_timestamp_us(from->release_time);
	if (mask_has(paths, n_paths, "release_after_days"))
		l->info.release_after_days = from->release_after_days;
	if (!*l->title)
		return error_field(err, "lesson.title", "must not be empty");
	if (l->info.weight < 1)
		return error_field(err, "lesson.weight", "must be at least 1");
	return mask_has(paths, n_paths, "duration_seconds") ? take_duration(l, from->duration_seconds, err)
							    : 0;
}

int course_apply_lesson_update(struct change *change, void *course, struct error *err)
{
	struct lesson_update *m = change->arg;
	const struct course *c = course;
	struct lesson l;
	int r = lesson_store_read(change->conn, change->arena, c->course_id, change->subject_id, &l, err);
	if (r >= 0)
		r = take_fields(&l, m->req, err);
	if (r < 0)
		return r;
	l.update_us = change->now_us;
	m->ret->lesson = lesson_to_proto(change->arena, &l);
	m->ret->etag = course_next_etag(change, c);
	return lesson_store_update(change->conn, &l, err);
}

static int update_lesson(struct rpc_call *call, const UpdateLessonRequest *req, UpdateLessonResponse *ret,
			 struct error *err)
{
	struct lesson_update m = {req, ret};
	int r = app_check_mask(&edu_v1_lesson_rules, req->update_mask->paths, req->update_mask->n_paths,
			       "lesson_id", err);
	if (r >= 0 && !*req->lesson->lesson_id)
		r = error_field(err, "lesson.lesson_id", "is required");
	return r < 0 ? r
		     : run(call, STEP_COURSE_UPDATE_LESSON, req->lesson->lesson_id, req->etag, &m, &ret->base,
			   err);
}

int course_apply_lesson_deletion(struct change *change, void *course, struct error *err)
{
	DeleteLessonResponse *ret = change->arg;
	struct course *c = course;
	struct lesson l;
	int r = lesson_store_read(change->conn, change->arena, c->course_id, change->subject_id, &l, err);
	if (r >= 0)
		r = lesson_store_remove(change->conn, &l, err);
	if (r >= 0)
		r = course_content_drop(change->conn, c->course_id, l.info.lesson_id, err);
	if (r >= 0 && c->revision == 0) /* else with the next publication */
		r = lesson_store_gone(change->conn, change->subject_id, err);
	course_count_lessons(c, c->draft_lesson_count - 1);
	ret->etag = course_next_etag(change, c);
	return r;
}

static int delete_lesson(struct rpc_call *call, const DeleteLessonRequest *req, DeleteLessonResponse *ret,
			 struct error *err)
{
	return run(call, STEP_COURSE_DELETE_LESSON, req->lesson_id, req->etag, ret, &ret->base, err);
}

/* --- ListLessons: what is published from memory on the poller, else from the database --- */

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

/* Whose revision the caller is shown: COURSE_NOT_FOUND, NOT_COURSE_INSTRUCTOR. */
static int check_view(struct rpc_call *call, const struct listing *l, struct course_terms *terms,
		      int64_t *ret_revision, struct error *err)
{
	int r = course_terms_seen(call, l->course_id, NULL, terms, err);
	*ret_revision = l->cursor.revision ? l->cursor.revision : terms->revision;
	if (r < 0 || !of_draft(l->req))
		return r;
	*ret_revision = 0;
	return course_draft_open_to(terms->instructors, terms->n_instructors, rpc_principal(call))
		       ? 0
		       : course_refuse_caller(call, terms, err);
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
	return !of_draft(l->req) && !*l->req->external_id && lesson_page_kept(key);
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

EDU_SERVICE_CREATE_LESSON(create_lesson, RPC_ON_DB);
EDU_SERVICE_UPDATE_LESSON(update_lesson, RPC_ON_DB);
EDU_SERVICE_DELETE_LESSON(delete_lesson, RPC_ON_DB);
EDU_SERVICE_LIST_LESSONS(list_lessons, RPC_ON_POLLER);
