/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_NAMES_H
#define COURSE_COURSE_NAMES_H

#include "server/app/names.h"

#define COURSE_IDS(X)                                                                                        \
	X(ID_COURSE, "crs")                                                                                  \
	X(ID_SECTION, "sec")                                                                                 \
	X(ID_LESSON, "les")                                                                                  \
	X(ID_SUBJECT, "sbj")                                                                                 \
	X(ID_CONTENT, "cnt")

/* For who listens to whatever becomes of one. */
#define NOUN_COURSE "course"
#define NOUN_SECTION "section"
#define NOUN_LESSON "lesson"

#define COURSE_EVENTS(X)                                                                                     \
	X(EVENT_COURSE_CREATED, "course.created", ID_COURSE)                                                 \
	X(EVENT_COURSE_UPDATED, "course.updated", ID_COURSE)                                                 \
	X(EVENT_COURSE_SUBMITTED, "course.submitted", ID_COURSE)                                             \
	X(EVENT_COURSE_WITHDRAWN, "course.withdrawn", ID_COURSE)                                             \
	X(EVENT_COURSE_REJECTED, "course.rejected", ID_COURSE)                                               \
	X(EVENT_COURSE_PUBLISHED, "course.published", ID_COURSE)                                             \
	X(EVENT_COURSE_ARCHIVED, "course.archived", ID_COURSE)                                               \
	X(EVENT_COURSE_UNARCHIVED, "course.unarchived", ID_COURSE)                                           \
	X(EVENT_COURSE_REORDERED, "course.reordered", ID_COURSE)                                             \
	X(EVENT_SECTION_CREATED, "section.created", ID_SECTION)                                              \
	X(EVENT_SECTION_UPDATED, "section.updated", ID_SECTION)                                              \
	X(EVENT_SECTION_DELETED, "section.deleted", ID_SECTION)                                              \
	X(EVENT_LESSON_CREATED, "lesson.created", ID_LESSON)                                                 \
	X(EVENT_LESSON_UPDATED, "lesson.updated", ID_LESSON)                                                 \
	X(EVENT_LESSON_DELETED, "lesson.deleted", ID_LESSON)

#define COURSE_AUDITS(X)                                                                                     \
	X(AUDIT_REJECT_COURSE, "RejectCourse", ID_COURSE)                                                    \
	X(AUDIT_APPROVE_COURSE, "ApproveCourse", ID_COURSE)                                                  \
	X(AUDIT_ARCHIVE_COURSE, "ArchiveCourse", ID_COURSE)                                                  \
	X(AUDIT_UNARCHIVE_COURSE, "UnarchiveCourse", ID_COURSE)                                              \
	X(AUDIT_CREATE_SUBJECT, "CreateSubject", ID_SUBJECT)

COURSE_IDS(NAME_ID)
COURSE_EVENTS(NAME_EVENT)
COURSE_AUDITS(NAME_AUDIT)

#endif
