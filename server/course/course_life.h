/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_LIFE_H
#define COURSE_COURSE_LIFE_H

#include "server/app/change.h"
#include "server/course/course_store.h"

/* The life of a course: what may become of one, and from which states. Its table is in course_life.c. */
enum course_step {
	STEP_COURSE_UPDATE,      /* `arg`: as course_rpc.c has it */
	STEP_COURSE_PRICE,       /* the same; nothing of it is reviewed */
	STEP_COURSE_ADD_SECTION, /* `arg` of this and those below: as section_rpc.c and lesson_rpc.c have it
				  */
	STEP_COURSE_UPDATE_SECTION,
	STEP_COURSE_DELETE_SECTION,
	STEP_COURSE_ADD_LESSON,
	STEP_COURSE_UPDATE_LESSON,
	STEP_COURSE_DELETE_LESSON,
	STEP_COURSE_REORDER,
	STEP_COURSE_EDIT, /* `arg`: begins with a struct course_edit */
	STEP_COURSE_SUBMIT,
	STEP_COURSE_WITHDRAW,
	STEP_COURSE_REJECT,  /* `arg`: the RejectCourseRequest */
	STEP_COURSE_APPROVE, /* `arg`: struct course_grant_ids, for who comes and goes with the draft */
	STEP_COURSE_ARCHIVE,
	STEP_COURSE_UNARCHIVE,
	COURSE_STEPS,
};

/* What a room above changes of a course's draft. */
struct course_edit {
	int (*apply)(struct change *change, void *course, struct error *err);
};

/* The change of a course by this step; see app/change.h for what else may be set, and for running it. */
struct change course_change(struct rpc_call *call, enum course_step step, int64_t course_id,
			    const char *etag);

/* Runs the change of a course by what lies in it, named to the caller as `resource` and `part_id`: who may
 * not see the course is told that there is no such part. */
int course_part_run(struct change *change, const struct app_resource *resource, int64_t part_id,
		    ProtobufCMessage *reply, struct error *err) __attribute__((warn_unused_result));

/* The course's etag once the change is made, in the arena; see arena_check() for when it is full. */
char *course_next_etag(const struct change *change, const struct course *c);

/* What the steps do; each beside its handler. */
int course_apply_update(struct change *change, void *course, struct error *err)
	__attribute__((warn_unused_result));
int course_apply_price(struct change *change, void *course, struct error *err)
	__attribute__((warn_unused_result));
int course_apply_section(struct change *change, void *course, struct error *err)
	__attribute__((warn_unused_result));
int course_apply_section_update(struct change *change, void *course, struct error *err)
	__attribute__((warn_unused_result));
int course_apply_section_deletion(struct change *change, void *course, struct error *err)
	__attribute__((warn_unused_result));
int course_apply_lesson(struct change *change, void *course, struct error *err)
	__attribute__((warn_unused_result));
int course_apply_lesson_update(struct change *change, void *course, struct error *err)
	__attribute__((warn_unused_result));
int course_apply_lesson_deletion(struct change *change, void *course, struct error *err)
	__attribute__((warn_unused_result));
int course_apply_order(struct change *change, void *course, struct error *err)
	__attribute__((warn_unused_result));
int course_apply_submission(struct change *change, void *course, struct error *err)
	__attribute__((warn_unused_result));
int course_apply_rejection(struct change *change, void *course, struct error *err)
	__attribute__((warn_unused_result));
int course_apply_approval(struct change *change, void *course, struct error *err)
	__attribute__((warn_unused_result));

/* NOT_COURSE_INSTRUCTOR unless the caller is one, as the course has them, or ADMIN, as the contract says of
 * the method; COURSE_NOT_FOUND for who does not see it. */
int course_check_teacher(struct rpc_call *call, const struct course *c, struct error *err)
	__attribute__((warn_unused_result));

/* INSTRUCTOR_NOT_QUALIFIED unless every instructor of the course is an active user with the role. */
int course_check_qualified(struct db_conn *conn, struct arena *arena, const struct course *c,
			   struct error *err) __attribute__((warn_unused_result));

#endif
