/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_NAMES_H
#define COURSE_COURSE_NAMES_H

#include "server/app/names.h"

#define COURSE_IDS(X)                                                                                        \
	X(ID_COURSE, "crs")                                                                                  \
	X(ID_LESSON, "les")

COURSE_IDS(NAME_ID)

#endif
