/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "server/course/course_life.h"
#include "server/course/course_names.h"
#include "server/course/lesson.h"
#include "server/lesson/entitlement.h"
#include "server/quiz/quiz_rules.h"
#include "server/quiz/quiz_store.h"

/* What is not packed with it. */
static void put_place(struct arena *arena, const struct content_place *place, int64_t create_us, Quiz *ret)
{
	ret->lesson_id = app_id(arena, ID_LESSON, place->lesson_id);
	ret->course_id = app_id(arena, ID_COURSE, place->course_id);
	ret->revision = place->revision;
	ret->create_time = app_timestamp(arena, create_us);
}

/* --- SetQuiz: a change of the course --- */

struct quiz_setting {
	struct course_edit edit;
	struct quiz quiz;
	SetQuizResponse *ret;
};

static int show(struct change *change, const struct quiz_setting *m, const struct course *course,
		struct error *err)
{
	const struct content_place place = {m->quiz.course_id, 0, m->quiz.lesson_id};
	int r = quiz_unpack(m->quiz.packed.whole, change->arena, &m->ret->quiz, err);

	if (r < 0)
		return r;
	put_place(change->arena, &place, m->quiz.create_us, m->ret->quiz);
	m->ret->etag = course_next_etag(change, course);
	return arena_check(change->arena, err);
}

static int apply_quiz(struct change *change, void *course, struct error *err)
{
	struct quiz_setting *m = change->arg;
	struct lesson_info lesson;
	int r = lesson_draft_read(change->conn, m->quiz.lesson_id, &lesson, err);

	if (r < 0)
		return r;
	if (lesson.kind != LESSON_QUIZ)
		return error_raise(err, &REASON_LESSON_KIND_MISMATCH,
				   "The lesson is of another kind; only one of kind QUIZ has a quiz.");
	m->quiz.create_us = change->now_us;
	r = quiz_store_insert(change->conn, &m->quiz, err);
	if (r >= 0)
		r = lesson_draft_set_quiz(change->conn, &lesson, m->quiz.quiz_id, change->now_us, err);
	return r < 0 ? r : show(change, m, course, err);
}

static int set_quiz(struct rpc_call *call, const SetQuizRequest *req, SetQuizResponse *ret, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct quiz_setting m = {
		.edit = {apply_quiz},
		.quiz = {.lesson_id = id_of(ID_LESSON, req->lesson_id),
			 .creator_id = rpc_principal(call)->user_id},
		.ret = ret,
	};
	int r = quiz_check(req->quiz, arena, err);
	if (r >= 0)
		r = lesson_course_read(app_of(call)->lessons, db_of(call), m.quiz.lesson_id,
				       &m.quiz.course_id, err);
	if (r >= 0)
		r = quiz_pack(req->quiz, arena, &m.quiz.packed, err);
	if (r >= 0)
		r = app_new_ids(call, APP_IDS(&m.quiz.quiz_id), err);
	if (r < 0)
		return r;
	struct change change = course_change(call, STEP_COURSE_EDIT, m.quiz.course_id, req->etag);
	change.arg = &m;
	return course_part_run(&change, &lesson_resource, m.quiz.lesson_id, &ret->base, err);
}

/* --- GetQuiz --- */

static int get_quiz(struct rpc_call *call, const GetQuizRequest *req, GetQuizResponse *ret, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct entitlement e;
	struct quiz_found found;
	int r = entitlement_read(call, id_of(ID_LESSON, req->lesson_id), (CourseView)req->view, &e, err);

	if (r >= 0)
		r = quiz_store_read(db_of(call), arena, e.place.course_id, e.place.revision,
				    e.place.lesson_id, e.acts, &found, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_raise(err, &REASON_QUIZ_NOT_FOUND, "The lesson has no quiz.");
	r = quiz_unpack(found.packed, arena, &ret->quiz, err);
	if (r < 0)
		return r;
	put_place(arena, &e.place, found.create_us, ret->quiz);
	return arena_check(arena, err);
}

EDU_SERVICE_SET_QUIZ(set_quiz, RPC_ON_DB);
EDU_SERVICE_GET_QUIZ(get_quiz, RPC_ON_DB);
