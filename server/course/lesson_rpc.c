/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "proto/runtime/ids.h"
#include "server/app/app.h"
#include "server/course/course_change.h"
#include "server/course/course_names.h"
#include "server/course/course_proto.h"
#include "server/course/course_rules.h"
#include "server/db/idem.h"

/* --- CreateLesson: a change of its course --- */

struct lesson_creation {
	const CreateLessonRequest *req;
	CreateLessonResponse *ret;
	int64_t lesson_id;
};

static int append_lesson(struct course_change *change, struct course *c, struct error *err)
{
	struct lesson_creation *m = change->arg;
	const CreateLessonRequest *req = m->req;
	int64_t now_us = app_now_us(change->call);

	int r = course_check_state(c, 1u << COURSE_DRAFT, err);
	if (r < 0)
		return r;
	if (c->lesson_count >= COURSE_LESSONS_MAX)
		return error_raise(err, &REASON_COURSE_FULL,
				   "The course holds %d lessons; make another course.", COURSE_LESSONS_MAX);
	c->lesson_count++;
	struct lesson l = {
		.info = {.lesson_id = m->lesson_id,
			 .course_id = c->course_id,
			 .kind = (enum lesson_kind)req->kind,
			 .duration_seconds = req->duration_seconds,
			 .weight = req->weight ? req->weight : 1,
			 .position = c->lesson_count,
			 .free_preview = req->free_preview},
		.external_id = *req->external_id ? req->external_id : NULL,
		.title = req->title,
		.create_us = now_us,
		.update_us = now_us,
	};
	m->ret->lesson = lesson_to_proto(rpc_arena(change->call), &l);
	return lesson_store_insert(change->conn, &l, err);
}

static int create_lesson(struct rpc_call *call, const CreateLessonRequest *req, CreateLessonResponse *ret,
			 struct error *err)
{
	struct lesson_creation m = {.req = req, .ret = ret};
	struct course_change change = {
		.call = call,
		.course_id = course_id_of(req->course_id),
		.etag = "",
		.event_kind = EVENT_LESSON_CREATED,
		.apply = append_lesson,
		.arg = &m,
	};
	if (req->kind == (Edu__V1__LessonKind)LESSON_VIDEO && req->duration_seconds < 1)
		return error_field(err, "duration_seconds", "must be at least 1 for a video");
	int r = app_new_ids(call, APP_IDS(&m.lesson_id), err);
	change.subject_id = m.lesson_id;
	if (r >= 0)
		r = course_change_begin(&change, err);
	if (r < 0)
		return r;
	r = app_transaction(call, IDEM_CREATE_US, course_change_body, &change, &ret->base, err);
	course_change_settle(&change, r, err);
	return r;
}

/* --- ListLessons --- */

static int check_visible(struct rpc_call *call, struct db_conn *conn, int64_t course_id, struct error *err)
{
	struct course_terms terms;
	int r = course_terms_read(conn, rpc_arena(call), course_id, NULL, &terms, err);
	if (r < 0)
		return r;
	return course_visible_to(&terms, rpc_principal(call)) ? 0 : course_not_found(err, course_id);
}

static int list_lessons(struct rpc_call *call, const ListLessonsRequest *req, ListLessonsResponse *ret,
			struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct db_conn *conn = db_of(call);
	int64_t course_id = course_id_of(req->course_id);
	const char *external_id = *req->external_id ? req->external_id : NULL;
	unsigned n, size = app_page_size(req->page_size);
	struct lesson *lessons;
	int32_t position = 0;

	int r = app_page_open(call, &req->base, req->page_token, &position, sizeof(position), err);
	if (r >= 0)
		r = check_visible(call, conn, course_id, err);
	if (r >= 0)
		r = lesson_store_list(conn, arena, course_id, external_id, position, size + 1, &lessons, &n,
				      err);
	if (r < 0)
		return r;
	ret->lessons = arena_array(arena, n + 1, sizeof(Lesson *));
	for (unsigned i = 0; ret->lessons && i < n && i < size; i++)
		ret->lessons[ret->n_lessons++] = lesson_to_proto(arena, &lessons[i]);
	if (n > size) {
		position = lessons[size - 1].info.position;
		ret->next_page_token = app_page_next(call, &req->base, &position, sizeof(position));
	}
	return arena_check(arena, err);
}

EDU_SERVICE_CREATE_LESSON(create_lesson, RPC_ON_DB);
EDU_SERVICE_LIST_LESSONS(list_lessons, RPC_ON_DB);
