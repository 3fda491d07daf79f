/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LESSON_ENTITLEMENT_H
#define LESSON_ENTITLEMENT_H

#include "server/access/access.h"
#include "server/course/course.h"
#include "server/course/lesson.h"
#include "server/lesson/content_store.h"

/* Who may read a lesson's content. */

/* A lesson as the caller may read it. */
struct entitlement {
	struct content_place place;
	bool acts;      /* the caller acts for the course: an instructor of it, or an administrator */
	int64_t end_us; /* when the caller's access ends; INT64_MAX: no end is known */
};

/*
 * Whether the caller may, in this view: its instructors and administrators always; others as the contract
 * says of GetLessonContent. LESSON_NOT_FOUND, NOT_COURSE_INSTRUCTOR, ACCESS_MISSING, LESSON_NOT_RELEASED.
 * Only on RPC_ON_DB.
 */
int entitlement_read(struct rpc_call *call, int64_t lesson_id, CourseView view, struct entitlement *ret,
		     struct error *err) __attribute__((warn_unused_result));

/*
 * When a lesson is released for who has this access: another moment for each learner where it goes by when
 * access began. NULL: for everybody, as free previews are, which goes by the lesson's own time alone.
 */
int64_t entitlement_release_us(const struct lesson_info *lesson, const struct access *a);

/*
 * Whether the caller sees what a place holds, of which the lesson is given or, where that is 0, the course;
 * the rest is set, the revision as the view has it. LESSON_NOT_FOUND or COURSE_NOT_FOUND,
 * NOT_COURSE_INSTRUCTOR.
 */
int entitlement_see(struct rpc_call *call, CourseView view, struct content_place *place, struct error *err)
	__attribute__((warn_unused_result));

#endif
