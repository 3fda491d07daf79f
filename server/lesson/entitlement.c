/* SPDX-License-Identifier: Apache-2.0 */
#include "server/lesson/entitlement.h"

static bool covers(const struct access *a, const void *at_us)
{
	return access_covers(a, *(const int64_t *)at_us);
}

/* What is archived is kept by who has or had access; what is on sale is for who has it. */
static int read_access(struct rpc_call *call, const struct course_terms *course, const int64_t *now_us,
		       struct access *ret, struct error *err)
{
	struct cache *cache = app_of(call)->access;
	const struct access_query q = {
		.user_id = rpc_principal(call)->user_id,
		.course_id = course->course_id,
		.asks = course_state_published(course->state) ? covers : access_began,
		.arg = now_us,
	};

	if (q.user_id == 0)
		return 0;
	if (access_cached(cache, rpc_arena(call), &q, ret))
		return 1;
	return access_read(cache, db_of(call), rpc_arena(call), &q, *now_us, ret, err);
}

int64_t entitlement_release_us(const struct lesson_info *lesson, const struct access *a)
{
	int64_t release_us = lesson->release_us;

	if (a && lesson->release_after_days) {
		const int64_t began_us = a->enrolled ? a->start_us : access_first_us(a);
		const int64_t own_us = began_us + lesson->release_after_days * DAY_US;
		release_us = own_us > release_us ? own_us : release_us;
	}
	return release_us;
}

static int check_release(const struct lesson_info *lesson, const struct access *a, int64_t now_us,
			 struct error *err)
{
	const int64_t release_us = entitlement_release_us(lesson, a);

	if (release_us <= now_us)
		return 0;
	error_raise(err, &REASON_LESSON_NOT_RELEASED, "The lesson is not released yet.");
	return app_add_time(err, "release_time", release_us);
}

static int check_learner(struct rpc_call *call, const struct course_terms *course,
			 const struct lesson_info *lesson, struct entitlement *ret, struct error *err)
{
	const int64_t now_us = app_now_us(call);
	struct access access;

	if (lesson->free_preview && course_state_published(course->state))
		return check_release(lesson, NULL, now_us, err);
	int r = read_access(call, course, &now_us, &access, err);
	if (r <= 0)
		return r < 0 ? r : access_missing(err);
	if (course_state_published(course->state))
		ret->end_us = access_end_us(&access, now_us);
	return check_release(lesson, &access, now_us, err);
}

/* The course of the place as far as the caller may see it, and which of its revisions the view is; *ret_acts:
 * he acts for it. */
static int see(struct rpc_call *call, CourseView view, struct content_place *place, struct course_terms *ret,
	       bool *ret_acts, struct error *err)
{
	const struct principal *who = rpc_principal(call);
	const bool draft = view == COURSE_VIEW_DRAFT;
	int r = course_terms_read(db_of(call), rpc_arena(call), place->course_id, NULL, ret, err);

	if (r < 0)
		return r;
	*ret_acts = course_taught_by(ret, who) || principal_has_role(who, ROLE_MASK_ADMIN);
	place->revision = draft ? 0 : ret->revision;
	r = course_seen(call, ret->course_id, ret->state, ret->instructors, ret->n_instructors, err);
	if (r == 0)
		return place->lesson_id ? lesson_not_found(err, place->lesson_id)
					: course_not_found(err, place->course_id);
	if (r > 0 && draft && !*ret_acts)
		return course_refused(r, ret->course_id, err);
	return r < 0 ? r : 0;
}

/* The same of a lesson, which the draft, or what is shown of the course, must have; *ret only of the latter.
 */
static int see_lesson(struct rpc_call *call, CourseView view, struct content_place *place,
		      struct lesson_info *ret, struct course_terms *ret_course, bool *ret_acts,
		      struct error *err)
{
	struct cache *lessons = app_of(call)->lessons;
	const bool draft = view == COURSE_VIEW_DRAFT;
	int r = draft ? lesson_course_read(lessons, db_of(call), place->lesson_id, &place->course_id, err)
		      : lesson_info_read(lessons, db_of(call), place->lesson_id, ret, err);

	if (r < 0)
		return r;
	if (!draft)
		place->course_id = ret->course_id;
	r = see(call, view, place, ret_course, ret_acts, err);
	return r < 0 || !draft ? r : lesson_check_in(db_of(call), place->course_id, 0, place->lesson_id, err);
}

int entitlement_see(struct rpc_call *call, CourseView view, struct content_place *place, struct error *err)
{
	struct lesson_info lesson;
	struct course_terms course;
	bool acts;

	return place->lesson_id ? see_lesson(call, view, place, &lesson, &course, &acts, err)
				: see(call, view, place, &course, &acts, err);
}

int entitlement_read(struct rpc_call *call, int64_t lesson_id, CourseView view, struct entitlement *ret,
		     struct error *err)
{
	struct lesson_info lesson;
	struct course_terms course;

	*ret = (struct entitlement){.place = {.lesson_id = lesson_id}, .end_us = INT64_MAX};
	int r = see_lesson(call, view, &ret->place, &lesson, &course, &ret->acts, err);
	return r < 0 || ret->acts ? r : check_learner(call, &course, &lesson, ret, err);
}
