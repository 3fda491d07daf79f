/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "edu/v1/edu_service.server.h"
#include "proto/runtime/format.h"
#include "proto/runtime/ids.h"
#include "server/course/course_access.h"
#include "server/course/course_content.h"
#include "server/course/course_life.h"
#include "server/course/course_names.h"
#include "server/course/course_proto.h"
#include "server/course/course_rules.h"
#include "server/course/lesson_copy.h"
#include "server/course/section_store.h"
#include "server/course/subject_store.h"
#include "server/db/idem.h"

/* CreateCourse, CopyCourse: how courses come to be. */

struct creation {
	struct rpc_call *call;
	struct course course;
	int64_t event_id;
	struct course_grant_ids grants;
	const CopyCourseRequest *copies; /* of CopyCourse */
	Course **ret;
};

/* What any new course is, of which the rest is taken from elsewhere. */
static void begin(struct rpc_call *call, const char *external_id, struct course *c)
{
	const int64_t now_us = app_now_us(call);

	c->creator_id = rpc_principal(call)->user_id;
	c->external_id = *external_id ? (char *)external_id : NULL;
	c->stage = STAGE_DRAFT;
	c->version = 1;
	c->create_us = c->update_us = now_us;
}

/* Who teaches it, as the request says. */
static int take_instructors(struct rpc_call *call, struct course *c, CourseInstructor *const *list, size_t n,
			    struct error *err)
{
	const struct principal *who = rpc_principal(call);
	int r = n ? course_take_instructors(c, list, n, err) : 0;

	if (r >= 0 && !principal_has_role(who, ROLE_MASK_ADMIN) && !course_has_instructor(c, who->user_id))
		r = error_field(err, "instructors",
				"must name yourself; only an administrator may leave that out");
	return r;
}

/* Writes it with its lists, its event and what its instructors get. */
static int write(struct db_conn *conn, struct creation *m, struct error *err)
{
	static const struct course nobody;
	struct arena *arena = rpc_arena(m->call);
	const struct event e = {
		.event_id = m->event_id,
		.kind = EVENT_COURSE_CREATED,
		.subject_id = m->course.course_id,
		.version = m->course.version,
		.user_id = m->course.creator_id,
		.course_id = m->course.course_id,
		.create_us = m->course.create_us,
	};
	int r = course_check_qualified(conn, arena, &m->course, err);
	if (r >= 0)
		r = course_store_insert(conn, arena, &m->course, err);
	if (r >= 0)
		r = event_append(conn, &e, err);
	return r < 0 ? r
		     : course_follow_instructors(conn, arena, &nobody, &m->course, m->course.create_us,
						 &m->grants, err);
}

static int show(struct creation *m, const struct course *c, struct error *err)
{
	*m->ret = course_draft_to_proto(rpc_arena(m->call), c);
	return arena_check(rpc_arena(m->call), err);
}

static int run(struct creation *m, db_body body, ProtobufCMessage *reply, struct error *err)
{
	int r = app_new_ids(m->call, APP_IDS(&m->course.course_id, &m->event_id), err);
	if (r >= 0)
		r = course_new_grant_ids(m->call, &m->grants, err);
	return r < 0 ? r : app_transaction(m->call, IDEM_CREATE_US, body, m, reply, err);
}

/* --- CreateCourse --- */

static int take_request(struct rpc_call *call, const CreateCourseRequest *req, struct course *c,
			struct error *err)
{
	int r = 0;

	format_language(req->language);
	*c = (struct course){
		.title = req->title,
		.summary = req->summary,
		.description = req->description,
		.objectives = req->objectives,
		.n_objectives = req->n_objectives,
		.audience = req->audience,
		.prerequisites = req->prerequisites,
		.subject_id = id_of(ID_SUBJECT, req->subject_id),
		.level = (int)req->level,
		.language = req->language,
		.license = req->license,
		.planned_learning_hours = req->planned_learning_hours,
		.n_instructors = 1,
		.instructors = {{rpc_principal(call)->user_id, BASIS_POINTS}},
	};
	begin(call, req->external_id, c);
	r = take_instructors(call, c, req->instructors, req->n_instructors, err);
	if (r >= 0 && req->pricing_case == EDU__V1__CREATE_COURSE_REQUEST__PRICING_PRICE_LIST)
		r = course_take_prices(c, req->price_list, err);
	if (req->pricing_case == EDU__V1__CREATE_COURSE_REQUEST__PRICING_FREE)
		c->pricing = COURSE_FREE;
	return r;
}

static int create_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct creation *m = arg;
	int r = subject_require(conn, m->course.subject_id, err);
	if (r >= 0)
		r = write(conn, m, err);
	return r < 0 ? r : show(m, &m->course, err);
}

static int create_course(struct rpc_call *call, const CreateCourseRequest *req, CreateCourseResponse *ret,
			 struct error *err)
{
	struct creation m = {.call = call, .ret = &ret->course};
	int r = take_request(call, req, &m.course, err);
	return r < 0 ? r : run(&m, create_body, &ret->base, err);
}

/* --- CopyCourse: of the draft, which refers to the same content and quizzes --- */

/* What of the course, or of the draft beside it, the copy has. */
static int take_course(struct creation *m, const struct course *from, struct error *err)
{
	const CopyCourseRequest *req = m->copies;
	struct course *c = &m->course;

	c->texts = from->texts;
	c->pricing = from->pricing;
	c->n_prices = from->n_prices;
	memcpy(c->prices, from->prices, sizeof(c->prices));
	if (*req->title)
		c->title = req->title;
	c->draft_lesson_count = c->lesson_count = from->draft_lesson_count;
	return take_instructors(m->call, c, req->instructors, req->n_instructors, err);
}

/* Which section of the copy is which of the course. */
struct section_pairs {
	unsigned n;
	struct {
		int64_t from_id, to_id;
	} of[COURSE_SECTIONS_MAX];
};

static int64_t find_copy(const struct section_pairs *sections, int64_t from_id)
{
	for (unsigned i = 0; i < sections->n; i++)
		if (sections->of[i].from_id == from_id)
			return sections->of[i].to_id;
	return 0; /* of what lies in none */
}

static int copy_sections(struct db_conn *conn, struct creation *m, int64_t from_id, struct section_pairs *ret,
			 struct error *err)
{
	struct section *sections;
	unsigned n;
	int r = section_store_list(conn, rpc_arena(m->call), from_id, 0, &sections, &n, err);
	ret->n = 0;
	for (unsigned i = 0; r >= 0 && i < n && i < COURSE_SECTIONS_MAX; i++) {
		ret->of[i].from_id = sections[i].section_id;
		sections[i].course_id = m->course.course_id;
		r = app_new_ids(m->call, APP_IDS(&sections[i].section_id), err);
		ret->of[i].to_id = sections[i].section_id;
		ret->n = i + 1;
	}
	return r < 0 ? r : section_store_insert_all(conn, sections, ret->n, err);
}

static int copy_lessons(struct db_conn *conn, struct creation *m, int64_t from_id,
			const struct section_pairs *sections, struct error *err)
{
	struct arena *arena = rpc_arena(m->call);
	struct lesson_place *places;
	unsigned n;
	int r = lesson_store_places(conn, arena, from_id, &places, &n, err);
	for (unsigned i = 0; r >= 0 && i < n; i++) {
		places[i].section_id = find_copy(sections, places[i].section_id);
		r = app_new_ids(m->call, APP_IDS(&places[i].lesson_id), err);
	}
	return r < 0 ? r
		     : lesson_store_copy(conn, arena, from_id, m->course.course_id, places, n,
					 m->course.create_us, err);
}

static int copy_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct creation *m = arg;
	struct arena *arena = rpc_arena(m->call);
	const int64_t from_id = course_id_of(m->copies->course_id);
	struct section_pairs sections;
	struct course from, made;

	int r = course_store_lock(conn, arena, from_id, &from, err);
	if (r >= 0)
		r = course_check_teacher(m->call, &from, err);
	if (r >= 0)
		r = take_course(m, from.beside ? from.beside : &from, err);
	if (r >= 0)
		r = write(conn, m, err);
	if (r >= 0)
		r = copy_sections(conn, m, from_id, &sections, err);
	if (r >= 0)
		r = copy_lessons(conn, m, from_id, &sections, err);
	if (r >= 0)
		r = course_content_copy(conn, from_id, m->course.course_id, err);
	if (r >= 0)
		r = course_store_read(conn, arena, m->course.course_id, &made, err);
	return r < 0 ? r : show(m, &made, err);
}

static int copy_course(struct rpc_call *call, const CopyCourseRequest *req, CopyCourseResponse *ret,
		       struct error *err)
{
	struct creation m = {.call = call, .copies = req, .ret = &ret->course};
	begin(call, req->external_id, &m.course);
	return run(&m, copy_body, &ret->base, err);
}

EDU_SERVICE_CREATE_COURSE(create_course, RPC_ON_DB);
EDU_SERVICE_COPY_COURSE(copy_course, RPC_ON_DB);
