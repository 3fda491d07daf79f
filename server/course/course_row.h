/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_ROW_H
#define COURSE_COURSE_ROW_H

#include "server/course/course_store.h"
#include "server/db/table.h"

/* A row of the table course, for the statements that read or write one. */

/* Who made it and when; what a change writes, and of that what lists do not show. */
#define COURSE_MADE_COLUMNS(F, C, R)                                                                         \
	F(R, "course.course_id", I64, course_id)                                                             \
	C(R, "course.creator_id", I64, creator_id)                                                           \
	C(R, "course.external_id", TEXT_OR_NULL, external_id)                                                \
	C(R, "course.create_time", I64, create_us)
#define COURSE_SHOWN_COLUMNS(F, C, R)                                                                        \
	F(R, "course.title", TEXT, title)                                                                    \
	C(R, "course.summary", TEXT, summary)                                                                \
	C(R, "course.subject", TEXT, subject)                                                                \
	C(R, "course.language", TEXT, language)                                                              \
	C(R, "course.license", TEXT, license)                                                                \
	C(R, "course.level", INT, level)                                                                     \
	C(R, "course.pricing", INT, pricing)                                                                 \
	C(R, "course.planned_learning_hours", INT, planned_learning_hours)                                   \
	C(R, "course.state", INT, state)                                                                     \
	C(R, "course.lesson_count", INT, lesson_count)                                                       \
	C(R, "course.version", I64, version)                                                                 \
	C(R, "course.revision", I64, revision)                                                               \
	C(R, "course.update_time", I64, update_us)                                                           \
	C(R, "course.publish_time", I64_OR_NULL, publish_us)
#define COURSE_LONG_COLUMNS(F, C, R)                                                                         \
	F(R, "course.description", TEXT, description)                                                        \
	C(R, "course.audience", TEXT, audience)                                                              \
	C(R, "course.prerequisites", TEXT, prerequisites)                                                    \
	C(R, "course.objectives", TEXT, text.objectives)
/* Two lists ride on a course's row as text, so that a page of courses is one statement. */
#define COURSE_RIDING_COLUMNS(F, C, R)                                                                       \
	F(R,                                                                                                 \
	  "(SELECT GROUP_CONCAT(i.user_id, ':', i.share_basis_points ORDER BY i.position)"                   \
	  " FROM course_instructor i WHERE i.course_id = course.course_id)",                                 \
	  TEXT, text.instructors)                                                                            \
	C(R,                                                                                                 \
	  "(SELECT GROUP_CONCAT(p.currency_code, ':', p.minor_units ORDER BY p.position)"                    \
	  " FROM course_price p WHERE p.course_id = course.course_id)",                                      \
	  TEXT, text.prices)

#define COURSE_LISTED_COLUMNS(F, C, R)                                                                       \
	COURSE_MADE_COLUMNS(F, C, R) COURSE_SHOWN_COLUMNS(C, C, R) COURSE_RIDING_COLUMNS(C, C, R)
#define COURSE_WHOLE_COLUMNS(F, C, R) COURSE_LISTED_COLUMNS(F, C, R) COURSE_LONG_COLUMNS(C, C, R)
#define COURSE_CHANGED_COLUMNS(F, C, R) COURSE_SHOWN_COLUMNS(F, C, R) COURSE_LONG_COLUMNS(C, C, R)
#define COURSE_STORED_COLUMNS(F, C, R) COURSE_MADE_COLUMNS(F, C, R) COURSE_CHANGED_COLUMNS(C, C, R)

/* What a row's text has into the lists; objectives only where it has any. Text and lists lie in the arena. */
int course_of_row(struct course *c, struct arena *arena, struct error *err)
	__attribute__((warn_unused_result));

/* The course with its lists as its row has them. */
int course_to_row(const struct course *c, struct arena *arena, struct course *ret, struct error *err)
	__attribute__((warn_unused_result));

#endif
