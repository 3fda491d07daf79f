/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "proto/runtime/codec.h"
#include "server/app/app.h"
#include "server/course/course_proto.h"
#include "server/course/instructor_store.h"
#include "server/user/user.h"
#include "server/user/user_names.h"

/* GetInstructor: from memory on the poller, else from the database. */

enum { REMEMBERED_US = 60 * 1000000 }; /* reviews do not tell whose courses they are of */

static const struct app_resource instructor_resource = {
	"edu.v1.Instructor", ID_USER, &REASON_INSTRUCTOR_NOT_FOUND, "There is no such instructor."};

/* The rule of who is shown. */
static bool is_shown(const struct user_profile *who, const struct instructor_courses *courses)
{
	switch (who->state) {
	case USER_ACTIVE:
		return (who->roles & ROLE_MASK_INSTRUCTOR) || courses->published > 0;
	case USER_SUSPENDED:
		break;
	}
	return false;
}

static Instructor *instructor_to_proto(struct arena *arena, int64_t user_id, const struct user_profile *who,
				       const struct instructor_courses *courses)
{
	Instructor *ret = codec_new(INSTRUCTOR_DESC, arena);
	if (!ret)
		return NULL;
	ret->user_id = app_id(arena, ID_USER, user_id);
	ret->display_name = who->display_name;
	ret->bio = who->bio;
	ret->published_course_count = courses->published;
	ret->rating = course_rating_to_proto(arena, &courses->rating);
	return ret;
}

static int load_instructor(struct rpc_call *call, void *state, struct error *err)
{
	const int64_t *user_id = state;
	const struct span key = span_of(user_id, sizeof(*user_id));
	struct cache *instructors = app_of(call)->instructors;
	struct arena *arena = rpc_arena(call);
	GetInstructorResponse answer = GET_INSTRUCTOR_RESPONSE_INIT;
	struct instructor_courses courses;
	struct user_profile who;
	struct span packed;

	uint64_t generation = cache_generation(instructors, key);
	int r = user_profile_read(db_of(call), arena, *user_id, &who, err);
	if (r == 0)
		return app_not_found(err, &instructor_resource, *user_id);
	if (r > 0)
		r = instructor_store_courses(db_of(call), *user_id, &courses, err);
	if (r < 0)
		return r;
	if (!is_shown(&who, &courses))
		return app_not_found(err, &instructor_resource, *user_id);
	answer.instructor = instructor_to_proto(arena, *user_id, &who, &courses);
	r = arena_check(arena, err);
	if (r >= 0)
		r = codec_pack(&answer.base, arena, &packed, err);
	if (r < 0)
		return r;
	(void)cache_put(instructors, key, packed, app_now_us(call) + REMEMBERED_US, generation);
	return rpc_reply_packed(call, packed);
}

static int get_instructor(struct rpc_call *call, const GetInstructorRequest *req, GetInstructorResponse *ret,
			  struct error *err)
{
	const int64_t user_id = id_of(ID_USER, req->instructor_id);
	struct cache_value *value =
		cache_get(app_of(call)->instructors, span_of(&user_id, sizeof(user_id)), app_now_us(call));
	if (value) {
		int r = rpc_reply_packed(call, cache_value_span(value));
		cache_value_release(value);
		return r;
	}
	int64_t *state = arena_memdup(rpc_arena(call), &user_id, sizeof(user_id));
	return state ? rpc_run_on(call, RPC_ON_DB, load_instructor, state) : arena_full(err);
}

EDU_SERVICE_GET_INSTRUCTOR(get_instructor, RPC_ON_POLLER);
