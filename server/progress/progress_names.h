/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRESS_PROGRESS_NAMES_H
#define PROGRESS_PROGRESS_NAMES_H

#include "server/app/names.h"
#include "server/course/course_names.h"

#define PROGRESS_EVENTS(X)                                                                                   \
	X(EVENT_PROGRESS_LESSON_COMPLETED, "progress.lesson_completed", ID_LESSON)                           \
	X(EVENT_PROGRESS_RECORDED, "progress.recorded", ID_COURSE)

PROGRESS_EVENTS(NAME_EVENT)

#endif
