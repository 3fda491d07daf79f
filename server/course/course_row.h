/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_ROW_H
#define COURSE_COURSE_ROW_H

#include "server/course/course_store.h"

/* A row of the table course (as c), for the statements that read one. */

/*
 * Two lists ride on a course's row as text, so that a page of courses is one statement:
 * "user_id:share,..." and "currency:minor_units,...".
 */
#define COURSE_LISTED_COLUMNS                                                                                  \
	"c.course_id, c.creator_id, c.external_id, c.title, c.summary, c.subject, c.language, c.license, "     \
	"c.level, "                                                                                            \
	"c.pricing, c.planned_learning_hours, c.state, c.lesson_count, c.version, c.revision, c.create_time, " \
	"c.update_time, "                                                                                      \
	"c.publish_time, "                                                                                     \
	"(SELECT GROUP_CONCAT(i.user_id, ':', i.share_basis_points ORDER BY i.position)"                       \
	" FROM course_instructor i WHERE i.course_id = c.course_id), "                                         \
	"(SELECT GROUP_CONCAT(p.currency_code, ':', p.minor_units ORDER BY p.position)"                        \
	" FROM course_price p WHERE p.course_id = c.course_id)"
#define COURSE_LISTED_TYPES "iissssssiiiiiiiiiiss"
#define COURSE_WHOLE_COLUMNS                                                                                 \
	COURSE_LISTED_COLUMNS ", c.description, c.audience, c.prerequisites, c.objectives"
#define COURSE_WHOLE_TYPES COURSE_LISTED_TYPES "ssss"

/* Ask app_built() when the last row was read: a course that does not fit the arena is not whole. The other
 * asks by itself, since what is read whole may be written back. */
void course_row_read_listed(const struct db_rows *rows, struct arena *arena, struct course *ret);
int course_row_read_whole(const struct db_rows *rows, struct arena *arena, struct course *ret,
			  struct error *err) __attribute__((warn_unused_result));

#endif
