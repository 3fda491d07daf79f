/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course_life.h"

#include <assert.h>
#include <stdio.h>

#include "server/course/course_cache.h"
#include "server/course/course_names.h"
#include "server/course/course_proto.h"
#include "server/course/course_revision.h"
#include "server/course/course_rules.h"
#include "server/course/lesson.h"
#include "server/user/user.h"

int course_check_teacher(struct rpc_call *call, const struct course *c, struct error *err)
{
	const bool acts = course_acts_as_instructor(c->instructors, c->n_instructors, rpc_principal(call));

	if (rpc_subject(call, c->course_id, acts, err) == 0)
		return 0;
	return course_refused(course_seen(call, c->course_id, course_state_of(c->stage), c->instructors,
					  c->n_instructors, err),
			      c->course_id, err);
}

static int may_teach(const struct change *change, const void *course, struct error *err)
{
	return course_check_teacher(change->call, course, err);
}

static int apply_edit(struct change *change, void *course, struct error *err)
{
	const struct course_edit *edit = change->arg;

	return edit->apply(change, course, err);
}

static int may_review(const struct change *change, const void *course, struct error *err)
{
	int r = may_teach(change, course, err);
	return r < 0 ? r : course_check_reviewer(course, change->who, err);
}

/* From which stages a step leads, each to which. */
#define TO(...) ((const uint8_t[COURSE_STAGES]){__VA_ARGS__})

/* What is published stays as it was reviewed: its first edit begins a draft beside it. */
#define TO_EDITED                                                                                            \
	TO([STAGE_DRAFT] = STAGE_DRAFT, [STAGE_PUBLISHED] = STAGE_REVISING, [STAGE_REVISING] = STAGE_REVISING)

/* What its sections and lessons are changed by. */
#define STRUCTURE(kind, what)                                                                                \
	{                                                                                                    \
		.to = TO_EDITED, .event = kind, .may = may_teach, .apply = what                              \
	}

static const struct transition life[COURSE_STEPS] = {
	[STEP_COURSE_UPDATE] = {.to = TO_EDITED,
				.event = EVENT_COURSE_UPDATED,
				.may = may_teach,
				.apply = course_apply_update},
	[STEP_COURSE_PRICE] = {.to = TO([STAGE_DRAFT] = STAGE_DRAFT, [STAGE_PUBLISHED] = STAGE_PUBLISHED,
					[STAGE_REVISING] = STAGE_REVISING,
					[STAGE_REVISION_IN_REVIEW] = STAGE_REVISION_IN_REVIEW),
			       .event = EVENT_COURSE_UPDATED,
			       .may = may_teach,
			       .apply = course_apply_price},
	[STEP_COURSE_ADD_SECTION] = STRUCTURE(EVENT_SECTION_CREATED, course_apply_section),
	[STEP_COURSE_UPDATE_SECTION] = STRUCTURE(EVENT_SECTION_UPDATED, course_apply_section_update),
	[STEP_COURSE_DELETE_SECTION] = STRUCTURE(EVENT_SECTION_DELETED, course_apply_section_deletion),
	[STEP_COURSE_ADD_LESSON] = STRUCTURE(EVENT_LESSON_CREATED, course_apply_lesson),
	[STEP_COURSE_UPDATE_LESSON] = STRUCTURE(EVENT_LESSON_UPDATED, course_apply_lesson_update),
	[STEP_COURSE_DELETE_LESSON] = STRUCTURE(EVENT_LESSON_DELETED, course_apply_lesson_deletion),
	[STEP_COURSE_REORDER] = STRUCTURE(EVENT_COURSE_REORDERED, course_apply_order),
	[STEP_COURSE_EDIT] = {.to = TO_EDITED,
			      .event = EVENT_COURSE_UPDATED,
			      .may = may_teach,
			      .apply = apply_edit},
	[STEP_COURSE_SUBMIT] = {.to = TO([STAGE_DRAFT] = STAGE_IN_REVIEW, [STAGE_REVISING] =
										  STAGE_REVISION_IN_REVIEW),
				.event = EVENT_COURSE_SUBMITTED,
				.may = may_teach,
				.apply = course_apply_submission},
	[STEP_COURSE_WITHDRAW] = {.to = TO([STAGE_IN_REVIEW] = STAGE_DRAFT, [STAGE_REVISION_IN_REVIEW] =
										    STAGE_REVISING),
				  .event = EVENT_COURSE_WITHDRAWN,
				  .may = may_teach},
	[STEP_COURSE_REJECT] = {.to = TO([STAGE_IN_REVIEW] = STAGE_DRAFT, [STAGE_REVISION_IN_REVIEW] =
										  STAGE_REVISING),
				.event = EVENT_COURSE_REJECTED,
				.audit = AUDIT_REJECT_COURSE,
				.may = may_review,
				.apply = course_apply_rejection},
	[STEP_COURSE_APPROVE] = {.to = TO([STAGE_IN_REVIEW] = STAGE_PUBLISHED, [STAGE_REVISION_IN_REVIEW] =
										       STAGE_PUBLISHED),
				 .event = EVENT_COURSE_PUBLISHED,
				 .audit = AUDIT_APPROVE_COURSE,
				 .may = may_review,
				 .apply = course_apply_approval},
	/* The draft beside it stays, and leaves the review. */
	[STEP_COURSE_ARCHIVE] =
		{.to = TO([STAGE_PUBLISHED] = STAGE_ARCHIVED, [STAGE_REVISING] = STAGE_SHELVED,
			  [STAGE_REVISION_IN_REVIEW] = STAGE_SHELVED),
		 .event = EVENT_COURSE_ARCHIVED,
		 .audit = AUDIT_ARCHIVE_COURSE,
		 .may = may_teach},
	[STEP_COURSE_UNARCHIVE] = {.to = TO([STAGE_ARCHIVED] = STAGE_PUBLISHED, [STAGE_SHELVED] =
											STAGE_REVISING),
				   .event = EVENT_COURSE_UNARCHIVED,
				   .audit = AUDIT_UNARCHIVE_COURSE,
				   .may = may_teach},
};

/* --- what a course is to app/change.h --- */

static int lock_course(struct db_conn *conn, struct arena *arena, int64_t id, void *ret, struct error *err)
{
	return course_store_lock(conn, arena, id, ret, err);
}

/* Whatever was edited, and by which step: the draft beside is there as soon as the stage says so. */
static int write_course(struct db_conn *conn, struct arena *arena, const void *course, struct error *err)
{
	const struct course *c = course;
	int r = course_store_update(conn, arena, c, err);
	return r >= 0 && course_draft_state_of(c->stage) ? course_revision_write_draft(conn, arena, c, err)
							 : r;
}

static void *show_course(struct arena *arena, const void *course)
{
	return course_draft_to_proto(arena, course);
}

static void concerns_course(const struct change *change, const void *course, struct event *e)
{
	e->user_id = change->who->user_id;
	e->course_id = ((const struct course *)course)->course_id;
}

static void course_changed(const struct change *change)
{
	struct app *app = app_of(change->call);
	course_changed_here(app, change->id);
	lesson_info_forget(app->lessons, change->id);
}

static const char *name_of_stage(int stage)
{
	return CourseState_name(course_state_of((enum course_stage)stage));
}

static const struct change_kind course_kind = {
	.size = sizeof(struct course),
	.version = offsetof(struct course, version),
	.update_us = offsetof(struct course, update_us),
	.state = offsetof(struct course, stage),
	.lock = lock_course,
	.write = write_course,
	.to_proto = show_course,
	.concerns = concerns_course,
	.changed = course_changed,
	.state_reason = &REASON_COURSE_STATE_INVALID,
	.state_name = name_of_stage,
};

struct change course_change(struct rpc_call *call, enum course_step step, int64_t course_id, const char *etag)
{
	return (struct change){
		.call = call, .kind = &course_kind, .step = &life[step], .id = course_id, .etag = etag};
}

int course_part_run(struct change *change, const struct app_resource *resource, int64_t part_id,
		    ProtobufCMessage *reply, struct error *err)
{
	int r = change_run(change, reply, err);
	return r < 0 && err->reason == &REASON_COURSE_NOT_FOUND ? app_not_found(err, resource, part_id) : r;
}

char *course_next_etag(const struct change *change, const struct course *c)
{
	return app_etag(change->arena, c->version + 1);
}

/* --- a rule that needs the database --- */

int course_check_qualified(struct db_conn *conn, struct arena *arena, const struct course *c,
			   struct error *err)
{
	static_assert(COURSE_INSTRUCTORS_MAX_ITEMS <= USER_ROLES_READ_MAX,
		      "who teaches is asked for at once");
	int64_t ids[COURSE_INSTRUCTORS_MAX_ITEMS];
	uint32_t roles[COURSE_INSTRUCTORS_MAX_ITEMS];

	for (unsigned i = 0; i < c->n_instructors; i++)
		ids[i] = c->instructors[i].user_id;
	int r = user_roles_read(conn, arena, ids, c->n_instructors, roles, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < c->n_instructors; i++) {
		char field[64];
		if (roles[i] & ROLE_MASK_INSTRUCTOR)
			continue;
		snprintf(field, sizeof(field), "instructors[%u]", i);
		r = error_precondition(
			err, r, &REASON_INSTRUCTOR_NOT_QUALIFIED,
			"An instructor is no active user with the role INSTRUCTOR; have it given first.",
			field, "is no active user with the role INSTRUCTOR");
	}
	return r;
}
