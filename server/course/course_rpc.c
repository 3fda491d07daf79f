/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "edu/v1/edu_service.server.h"
#include "proto/runtime/codec.h"
#include "server/access/access.h"
#include "server/app/app.h"
#include "server/course/course_access.h"
#include "server/course/course_cache.h"
#include "server/course/course_life.h"
#include "server/course/course_names.h"
#include "server/course/course_proto.h"
#include "server/course/course_revision.h"
#include "server/course/course_rules.h"
#include "server/course/subject_store.h"

/* --- GetCourse: from memory on the poller, else from the database --- */

/* The draft, which nobody remembers. */
static int read_draft(struct rpc_call *call, void *state, struct error *err)
{
	const int64_t *course_id = state;
	struct arena *arena = rpc_arena(call);
	GetCourseResponse answer = GET_COURSE_RESPONSE_INIT;
	struct course c;
	struct span packed;

	int r = course_store_read_draft(db_of(call), arena, *course_id, &c, err);
	if (r < 0)
		return r;
	if (!course_draft_open_to(c.instructors, c.n_instructors, rpc_principal(call)))
		return course_refused(course_seen(call, *course_id, course_state_of(c.stage), c.instructors,
						  c.n_instructors, err),
				      *course_id, err);
	answer.course = course_draft_to_proto(arena, &c);
	r = arena_check(arena, err);
	if (r >= 0)
		r = codec_pack(&answer.base, arena, &packed, err);
	return r < 0 ? r : rpc_reply_packed(call, packed);
}

static int load_course(struct rpc_call *call, void *state, struct error *err)
{
	const int64_t *course_id = state;
	struct cache *courses = app_of(call)->courses;
	struct arena *arena = rpc_arena(call);
	GetCourseResponse answer = GET_COURSE_RESPONSE_INIT;
	struct course course;
	struct span packed;

	uint64_t generation = course_cache_generation(courses, *course_id);
	int r = course_store_read(db_of(call), arena, *course_id, &course, err);
	if (r < 0)
		return r;
	answer.course =
		course.revision ? course_to_proto(arena, &course) : course_draft_to_proto(arena, &course);
	r = arena_check(arena, err);
	if (r >= 0)
		r = codec_pack(&answer.base, arena, &packed, err);
	if (r < 0)
		return r;
	course_cache_put(courses, &course, packed, arena, generation);
	r = course_seen(call, *course_id, course_state_of(course.stage), course.instructors,
			course.n_instructors, err);
	if (r <= 0)
		return r < 0 ? r : course_not_found(err, *course_id);
	return rpc_reply_packed(call, packed);
}

static int run(struct rpc_call *call, int (*read)(struct rpc_call *call, void *state, struct error *err),
	       int64_t course_id, struct error *err)
{
	int64_t *state = arena_memdup(rpc_arena(call), &course_id, sizeof(course_id));
	return state ? rpc_run_on(call, RPC_ON_DB, read, state) : arena_full(err);
}

static int get_course(struct rpc_call *call, const GetCourseRequest *req, GetCourseResponse *ret,
		      struct error *err)
{
	struct course_answer answer;
	int64_t course_id = course_id_of(req->course_id);
	int r;

	if (req->view == EDU__V1__COURSE_VIEW__COURSE_VIEW_DRAFT)
		return run(call, read_draft, course_id, err);
	struct cache_value *value = course_cache_get(app_of(call)->courses, course_id, &answer);
	if (!value)
		return run(call, load_course, course_id, err);
	if (course_answer_seen(call, course_id, &answer))
		r = rpc_reply_packed(call, answer.packed);
	else if (course_kept_for(answer.state, rpc_principal(call)))
		r = run(call, load_course, course_id, err);
	else
		r = course_not_found(err, course_id);
	cache_value_release(value);
	return r;
}

/* --- UpdateCourse --- */

struct course_update {
	const UpdateCourseRequest *req;
	struct course_grant_ids grants; /* when the instructors are named */
};

static int set_instructors(struct change *change, const struct course *before, const struct course *after,
			   struct error *err)
{
	const struct course_update *update = change->arg;
	int r = course_store_set_instructors(change->conn, after, err);
	return r < 0 ? r
		     : course_follow_instructors(change->conn, change->arena, before, after, change->now_us,
						 &update->grants, err);
}

/* The price of a published course, which is not reviewed, is not the draft's alone. */
static int set_price(struct change *change, struct course *c, const struct course *edited, struct error *err)
{
	c->pricing = edited->pricing;
	c->n_prices = edited->n_prices;
	if (c != edited)
		memcpy(c->prices, edited->prices, sizeof(c->prices));
	return course_store_set_prices(change->conn, c, err);
}

static int take_fields(struct change *change, struct course *c, struct course *edited, struct error *err)
{
	const UpdateCourseRequest *req = ((const struct course_update *)change->arg)->req;
	const struct course before = *edited;
	char **paths = req->update_mask->paths;
	size_t n_paths = req->update_mask->n_paths;
	const bool instructors = mask_has(paths, n_paths, "instructors");
	int r = course_take_fields(edited, req->course, paths, n_paths, change->who, err);
	if (r >= 0 && mask_has(paths, n_paths, "subject_id"))
		r = subject_require(change->conn, edited->subject_id, err);
	if (r >= 0 && instructors)
		r = course_check_qualified(change->conn, change->arena, edited, err);
	if (r >= 0 && instructors && c == edited)
		r = set_instructors(change, &before, c, err);
	if (r >= 0 && (mask_has(paths, n_paths, "free") || mask_has(paths, n_paths, "price_list")))
		r = set_price(change, c, edited, err);
	return r;
}

int course_apply_update(struct change *change, void *course, struct error *err)
{
	struct course *edited = course_begin_draft(change->arena, course);
	return edited ? take_fields(change, course, edited, err) : arena_full(err);
}

int course_apply_price(struct change *change, void *course, struct error *err)
{
	struct course *c = course;
	return take_fields(change, c, c->beside ? c->beside : c, err);
}

static int update_course(struct rpc_call *call, const UpdateCourseRequest *req, UpdateCourseResponse *ret,
			 struct error *err)
{
	struct course_update update = {.req = req};
	char **paths = req->update_mask->paths;
	size_t n_paths = req->update_mask->n_paths;
	struct change change = course_change(
		call, course_only_pricing(paths, n_paths) ? STEP_COURSE_PRICE : STEP_COURSE_UPDATE,
		course_id_of(req->course->course_id), req->course->etag);
	change.arg = &update;
	change.ret = &ret->course;
	int r = app_check_mask(&edu_v1_course_rules, paths, n_paths, "course_id", err);
	if (r >= 0 && !change.id)
		r = error_field(err, "course.course_id", "is required");
	if (r >= 0 && mask_has(paths, n_paths, "instructors"))
		r = course_new_grant_ids(call, &update.grants, err);
	return r < 0 ? r : change_run(&change, &ret->base, err);
}

EDU_SERVICE_GET_COURSE(get_course, RPC_ON_POLLER, .hot = true);
EDU_SERVICE_UPDATE_COURSE(update_course, RPC_ON_DB);
