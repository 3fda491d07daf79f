/* SPDX-License-Identifier: Apache-2.0 */
#include "server/review/review_life.h"

#include "server/access/grant.h"
#include "server/course/course.h"
#include "server/course/course_cache.h"
#include "server/review/review_names.h"
#include "server/review/review_proto.h"

bool review_open_to(const struct review *r, const struct principal *who)
{
	switch (r->state) {
	case REVIEW_SHOWN:
		return true;
	case REVIEW_HIDDEN:
		break;
	}
	return who->user_id == r->user_id || principal_has_role(who, ROLE_MASK_SUPPORT | ROLE_MASK_ADMIN);
}

int review_seen(struct rpc_call *call, const struct review *r, struct error *err)
{
	struct course_terms course;
	if (!review_open_to(r, rpc_principal(call)))
		return 0;
	int done = course_terms_seen(call, r->course_id, NULL, &course, err);
	return done == -STATUS_NOT_FOUND ? 0 : done < 0 ? done : 1;
}

int review_check_stranger(const struct course_terms *course, const struct principal *who, struct error *err)
{
	if (course->creator_id != who->user_id &&
	    !course_has_share(course->instructors, course->n_instructors, who->user_id))
		return 0;
	return error_raise(err, &REASON_SELF_REVIEW,
			   "You teach or made this course; reviews and reports of it are for others.");
}

static int check_stranger(const struct change *change, const struct review *r, struct error *err)
{
	struct course_terms course;
	int done = course_terms_read(change->conn, change->arena, r->course_id, NULL, &course, err);
	return done < 0 ? done : review_check_stranger(&course, change->who, err);
}

static int may_write(const struct change *change, const void *review, struct error *err)
{
	const struct review *r = review;
	struct error hidden;

	if (rpc_subject(change->call, r->user_id, false, err) == 0)
		return check_stranger(change, r, err);
	int seen = review_seen(change->call, r, &hidden);
	if (seen < 0)
		*err = hidden;
	return seen == 0 ? app_not_found(err, &review_resource, r->review_id) : -err->code;
}

static int may_hide(const struct change *change, const void *review, struct error *err)
{
	const struct review *r = review;
	int done = rpc_subject(change->call, r->user_id, false, err);
	return done < 0 ? done : check_stranger(change, r, err);
}

int review_count(struct db_conn *conn, struct review *r, enum review_state state, struct error *err)
{
	int stands = state == REVIEW_SHOWN ? grant_stands(conn, r->user_id, r->course_id, err) : 0;
	if (stands < 0)
		return stands;
	r->counted = stands ? r->stars : 0;
	return 0;
}

/* --- what the steps do --- */

static struct review *of_step(const struct change *change, void *review)
{
	struct review_step_args *args = change->arg;
	struct review *r = review;
	args->course_id = r->course_id;
	return r;
}

static int apply_update(struct change *change, void *review, struct error *err)
{
	const UpdateReviewRequest *req = ((const struct review_step_args *)change->arg)->update;
	struct review *r = of_step(change, review);

	if (mask_has(req->update_mask->paths, req->update_mask->n_paths, "stars"))
		r->stars = req->review->stars;
	if (mask_has(req->update_mask->paths, req->update_mask->n_paths, "text"))
		r->text = req->review->text;
	return r->stars ? review_count(change->conn, r, r->state, err)
			: error_field(err, "review.stars", "must be at least 1");
}

static int apply_hiding(struct change *change, void *review, struct error *err)
{
	struct review *r = of_step(change, review);
	r->hide_reason = (char *)change->reason;
	return review_count(change->conn, r, REVIEW_HIDDEN, err);
}

static int apply_unhiding(struct change *change, void *review, struct error *err)
{
	struct review *r = of_step(change, review);
	r->hide_reason = (char *)protobuf_c_empty_string;
	return review_count(change->conn, r, REVIEW_SHOWN, err);
}

/* From which states a step leads, each to which. */
#define TO(...) ((const uint8_t[REVIEW_HIDDEN + 1]){__VA_ARGS__})

static const struct transition life[REVIEW_STEPS] = {
	[STEP_REVIEW_UPDATE] = {.event = EVENT_REVIEW_UPDATED, .may = may_write, .apply = apply_update},
	[STEP_REVIEW_HIDE] = {.to = TO([REVIEW_SHOWN] = REVIEW_HIDDEN),
			      .event = EVENT_REVIEW_HIDDEN,
			      .audit = AUDIT_HIDE_REVIEW,
			      .may = may_hide,
			      .apply = apply_hiding},
	[STEP_REVIEW_UNHIDE] = {.to = TO([REVIEW_HIDDEN] = REVIEW_SHOWN),
				.event = EVENT_REVIEW_UNHIDDEN,
				.audit = AUDIT_UNHIDE_REVIEW,
				.may = may_hide,
				.apply = apply_unhiding},
};

/* --- what a review is to app/change.h --- */

static int lock_review(struct db_conn *conn, struct arena *arena, int64_t id, void *ret, struct error *err)
{
	return review_store_lock(conn, arena, id, ret, err);
}

static int write_review(struct db_conn *conn, struct arena *arena, const void *review, struct error *err)
{
	return review_store_update(conn, review, err);
}

static void *show_review(struct arena *arena, const void *review)
{
	return review_to_proto(arena, review);
}

static void concerns_review(const struct change *change, const void *review, struct event *e)
{
	e->user_id = ((const struct review *)review)->user_id;
	e->course_id = ((const struct review *)review)->course_id;
}

static void review_changed(const struct change *change)
{
	const struct review_step_args *args = change->arg;
	course_changed_here(app_of(change->call), args->course_id);
}

static const struct change_kind review_kind = {
	.size = sizeof(struct review),
	.version = offsetof(struct review, version),
	.update_us = offsetof(struct review, update_us),
	.state = offsetof(struct review, state),
	.lock = lock_review,
	.write = write_review,
	.to_proto = show_review,
	.concerns = concerns_review,
	.changed = review_changed,
	.state_reason = &REASON_REVIEW_STATE_INVALID,
	.state_name = ReviewState_name,
};

int review_change(struct rpc_call *call, enum review_step step, struct change change,
		  struct review_step_args args, ProtobufCMessage *reply, struct error *err)
{
	change.call = call;
	change.kind = &review_kind;
	change.step = &life[step];
	change.arg = &args;
	return change_run(&change, reply, err);
}
