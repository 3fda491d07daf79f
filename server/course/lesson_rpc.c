/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "proto/runtime/ids.h"
#include "server/course/course_content.h"
#include "server/course/course_life.h"
#include "server/course/course_names.h"
#include "server/course/course_proto.h"
#include "server/course/course_rules.h"
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
		return course_full(err);
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
	int r = lesson_course_read(app_of(call)->lessons, db_of(call), id, &course_id, err);
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
		r = lesson_store_remove(change->conn, &l, change->now_us, err);
	if (r >= 0)
		r = course_content_drop(change->conn, change->arena, c->course_id, l.info.lesson_id, err);
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

EDU_SERVICE_CREATE_LESSON(create_lesson, RPC_ON_DB);
EDU_SERVICE_UPDATE_LESSON(update_lesson, RPC_ON_DB);
EDU_SERVICE_DELETE_LESSON(delete_lesson, RPC_ON_DB);
