/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_PROTO_H
#define COURSE_COURSE_PROTO_H

#include "edu/v1/edu_service.tables.h"
#include "server/course/course_row.h"
#include "server/course/lesson_store.h"
#include "server/course/section_store.h"

/* Courses, sections and lessons as the contract shows them. The messages live in the arena; see arena_check()
 * for when it is full. */

CourseRating *course_rating_to_proto(struct arena *arena, const struct course_rating *r);
/* As learners see it. */
Course *course_to_proto(struct arena *arena, const struct course *c);
/* As it is edited, to who may see that; read with its draft. */
Course *course_draft_to_proto(struct arena *arena, const struct course *c);
Lesson *lesson_to_proto(struct arena *arena, const struct lesson *l);
Section *section_to_proto(struct arena *arena, const struct section *s);

#endif
