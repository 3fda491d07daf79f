/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_LESSON_ROW_H
#define COURSE_LESSON_ROW_H

#include "server/db/table.h"

/* Columns of lesson_revision, for the statements that read or write one. */

/* Which lesson it is; what revisions have of it, and of that what is wanted most. `in` is the way to it in
 * the struct. */
#define LESSON_KEY_COLUMNS(F, C, R, in)                                                                      \
	F(R, "lesson_revision.lesson_id", I64, in lesson_id)                                                 \
	C(R, "lesson_revision.course_id", I64, in course_id)
#define LESSON_EDITED_COLUMNS(F, C, R, in)                                                                   \
	F(R, "lesson_revision.section_id", I64, in section_id)                                               \
	C(R, "lesson_revision.duration_seconds", I64, in duration_seconds)                                   \
	C(R, "lesson_revision.weight", INT, in weight)                                                       \
	C(R, "lesson_revision.position", INT, in position)                                                   \
	C(R, "lesson_revision.free_preview", BOOL, in free_preview)                                          \
	C(R, "lesson_revision.release_time", I64_OR_NULL, in release_us)                                     \
	C(R, "lesson_revision.release_after_days", I64, in release_after_days)                               \
	C(R, "lesson_revision.quiz_id", I64, in quiz_id)

#endif
