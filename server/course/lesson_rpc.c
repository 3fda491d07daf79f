/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "proto/runtime/ids.h"
#include "server/app/page.h"
#include "server/course/course_life.h"
#include "server/course/course_names.h"
#include "server/course/course_proto.h"
#include "server/db/idem.h"

/* --- CreateLesson: a change of its course --- */

struct lesson_creation {
	const CreateLessonRequest *req;
	CreateLessonResponse *ret;
};

int course_apply_lesson(struct change *change, void *course, struct error *err)
{
	struct lesson_creation *m = change->arg;
	const CreateLessonRequest *req = m->req;
	struct course *c = course;
	if (c->draft_lesson_count >= COURSE_LESSONS_MAX)
		return error_raise(err, &REASON_COURSE_FULL,
				   "The course holds %d lessons; make another course.", COURSE_LESSONS_MAX);
	course_count_lessons(c, c->draft_lesson_count + 1);
	struct lesson l = {
		.info = {.lesson_id = change->subject_id,
			 .course_id = c->course_id,
			 .kind = (enum lesson_kind)req->kind,
			 .duration_seconds = req->duration_seconds,
			 .weight = req->weight ? req->weight : 1,
			 .position = c->draft_lesson_count,
			 .free_preview = req->free_preview},
		.external_id = *req->external_id ? req->external_id : NULL,
		.title = req->title,
		.create_us = change->now_us,
		.update_us = change->now_us,
	};
	m->ret->lesson = lesson_to_proto(change->arena, &l);
	return lesson_store_insert(change->conn, &l, err);
}

static int create_lesson(struct rpc_call *call, const CreateLessonRequest *req, CreateLessonResponse *ret,
			 struct error *err)
{
	struct change change = course_change(call, STEP_COURSE_ADD_LESSON, req->course_id, "");
	change.arg = &(struct lesson_creation){req, ret};
	change.keep_us = IDEM_CREATE_US;
	if (req->kind == (Edu__V1__LessonKind)LESSON_VIDEO && req->duration_seconds < 1)
		return error_field(err, "duration_seconds", "must be at least 1 for a video");
	int r = app_new_ids(call, APP_IDS(&change.subject_id), err);
	return r < 0 ? r : change_run(&change, &ret->base, err);
}

/* --- ListLessons --- */

static int list_lessons(struct rpc_call *call, const ListLessonsRequest *req, ListLessonsResponse *ret,
			struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct db_conn *conn = db_of(call);
	int64_t course_id = course_id_of(req->course_id);
	const char *external_id = *req->external_id ? req->external_id : NULL;
	struct course_terms terms;
	struct page page;
	unsigned n;
	struct lesson *lessons;
	int32_t position = 0;

	int r = page_open(&page, call, PAGE_OF(req), &position, sizeof(position), err);
	if (r >= 0)
		r = course_terms_seen(call, course_id, NULL, &terms, err);
	if (r >= 0)
		r = lesson_store_list(conn, arena, course_id, terms.revision, external_id, position,
				      page.limit, &lessons, &n, err);
	if (r < 0)
		return r;
	if (page_goes_on(&page, &n)) {
		position = lessons[n - 1].info.position;
		ret->next_page_token = page_next(&page, &position);
	}
	ret->lessons = arena_array(arena, n + 1, sizeof(Lesson *));
	for (unsigned i = 0; ret->lessons && i < n; i++)
		ret->lessons[ret->n_lessons++] = lesson_to_proto(arena, &lessons[i]);
	return arena_check(arena, err);
}

EDU_SERVICE_CREATE_LESSON(create_lesson, RPC_ON_DB);
EDU_SERVICE_LIST_LESSONS(list_lessons, RPC_ON_DB);
