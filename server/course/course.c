/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course.h"

#include <inttypes.h>

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/ids.h"
#include "server/access/access.h"
#include "server/course/course_names.h"
#include "server/course/lesson.h"

const struct app_resource course_resource = {"edu.v1.Course", ID_COURSE, &REASON_COURSE_NOT_FOUND,
					     "There is no such course, or you may not see it."};
const struct app_resource lesson_resource = {"edu.v1.Lesson", ID_LESSON, &REASON_LESSON_NOT_FOUND,
					     "There is no such lesson, or you may not see its course."};

bool course_has_share(const struct course_share *instructors, unsigned n, int64_t user_id)
{
	for (unsigned i = 0; i < n; i++)
		if (instructors[i].user_id == user_id)
			return true;
	return false;
}

bool course_acts_as_instructor(const struct course_share *instructors, unsigned n,
			       const struct principal *who)
{
	return principal_has_role(who, ROLE_MASK_INSTRUCTOR) &&
	       course_has_share(instructors, n, who->user_id);
}

static const struct {
	enum course_state state, draft;
} stages[COURSE_STAGES] = {
	[STAGE_DRAFT] = {COURSE_DRAFT, 0},
	[STAGE_IN_REVIEW] = {COURSE_IN_REVIEW, 0},
	[STAGE_PUBLISHED] = {COURSE_PUBLISHED, 0},
	[STAGE_ARCHIVED] = {COURSE_ARCHIVED, 0},
	[STAGE_REVISING] = {COURSE_PUBLISHED, COURSE_DRAFT},
	[STAGE_REVISION_IN_REVIEW] = {COURSE_PUBLISHED, COURSE_IN_REVIEW},
	[STAGE_SHELVED] = {COURSE_ARCHIVED, COURSE_DRAFT},
};

enum course_state course_state_of(enum course_stage stage)
{
	return stages[stage].state;
}

enum course_state course_draft_state_of(enum course_stage stage)
{
	return stages[stage].draft;
}

bool course_state_published(enum course_state state)
{
	switch (state) {
	case COURSE_PUBLISHED:
		return true;
	case COURSE_DRAFT:
	case COURSE_IN_REVIEW:
	case COURSE_ARCHIVED:
		break;
	}
	return false;
}

bool course_open_to(enum course_state state, const struct course_share *instructors, unsigned n,
		    const struct principal *who)
{
	return course_state_published(state) || course_draft_open_to(instructors, n, who);
}

bool course_draft_open_to(const struct course_share *instructors, unsigned n, const struct principal *who)
{
	return principal_has_role(who, ROLE_MASK_ADMIN) || course_acts_as_instructor(instructors, n, who);
}

bool course_taught_by(const struct course_terms *c, const struct principal *who)
{
	return course_acts_as_instructor(c->instructors, c->n_instructors, who);
}

bool course_kept_for(enum course_state state, const struct principal *who)
{
	switch (state) {
	case COURSE_ARCHIVED:
		return who->user_id != 0;
	case COURSE_DRAFT:
	case COURSE_IN_REVIEW:
	case COURSE_PUBLISHED:
		break;
	}
	return false;
}

int64_t course_id_of(const char *text)
{
	return id_of(ID_COURSE, text);
}

int course_not_found(struct error *err, int64_t course_id)
{
	return app_not_found(err, &course_resource, course_id);
}

/* 1 when the caller has or had access to the course, 0 when not. */
static int had_access(struct rpc_call *call, int64_t course_id, struct error *err)
{
	const int64_t now_us = app_now_us(call);
	const struct access_query q = {rpc_principal(call)->user_id, course_id, access_began, &now_us};
	struct access access;

	if (q.user_id == 0)
		return 0;
	return access_read(app_of(call)->access, db_of(call), rpc_arena(call), &q, now_us, &access, err);
}

int course_seen(struct rpc_call *call, int64_t course_id, enum course_state state,
		const struct course_share *instructors, unsigned n, struct error *err)
{
	const struct principal *who = rpc_principal(call);

	if (course_open_to(state, instructors, n, who))
		return 1;
	return course_kept_for(state, who) ? had_access(call, course_id, err) : 0;
}

int course_check_past(struct rpc_call *call, const struct course_terms *c, struct error *err)
{
	if (course_draft_open_to(c->instructors, c->n_instructors, rpc_principal(call)))
		return 0;
	int r = had_access(call, c->course_id, err);
	return r == 0 ? access_missing(err) : r < 0 ? r : 0;
}

int course_revision_not_found(int64_t newest, struct error *err)
{
	error_raise(err, &REASON_REVISION_NOT_FOUND, "The course has no such revision.");
	return error_add_metadata(err, "newest_revision", "%" PRId64, newest);
}

int course_terms_seen(struct rpc_call *call, int64_t course_id, const char *currency,
		      struct course_terms *ret, struct error *err)
{
	int r = course_terms_read(db_of(call), rpc_arena(call), course_id, currency, ret, err);
	if (r >= 0)
		r = course_seen(call, course_id, ret->state, ret->instructors, ret->n_instructors, err);
	return r == 0 ? course_not_found(err, course_id) : r < 0 ? r : 0;
}

int course_refuse_caller(struct rpc_call *call, const struct course_terms *c, struct error *err)
{
	return course_refused(
		course_seen(call, c->course_id, c->state, c->instructors, c->n_instructors, err),
		c->course_id, err);
}

int course_refused(int seen, int64_t course_id, struct error *err)
{
	if (seen < 0)
		return seen;
	if (!seen)
		return course_not_found(err, course_id);
	return error_raise(err, &REASON_NOT_COURSE_INSTRUCTOR,
			   "Only the course's instructors and administrators may do this.");
}

int lesson_not_found(struct error *err, int64_t lesson_id)
{
	return app_not_found(err, &lesson_resource, lesson_id);
}
