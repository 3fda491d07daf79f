/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ACCESS_ACCESS_NAMES_H
#define ACCESS_ACCESS_NAMES_H

#include "server/app/names.h"

#define ACCESS_IDS(X)                                                                                        \
	X(ID_GRANT, "gra")                                                                                   \
	X(ID_CATALOGUE, "cat")

/*
 * For who listens to whatever becomes of one, each event naming what it changed:
 *  - an enrollment: the user and the course;
 *  - an access: the user, and the course; or no course, when it is of a catalogue;
 *  - a catalogue: a course that it holds now or no longer holds; a change of several is an event for each.
 */
#define NOUN_ENROLLMENT "enrollment"
#define NOUN_ACCESS "access"
#define NOUN_CATALOGUE "catalogue" /* no call appends one yet */

#define ACCESS_EVENTS(X)                                                                                     \
	X(EVENT_ACCESS_GRANTED, "access.granted", ID_GRANT)                                                  \
	X(EVENT_ACCESS_REVOKED, "access.revoked", ID_GRANT)                                                  \
	X(EVENT_ENROLLMENT_STARTED, "enrollment.started", ID_COURSE)

ACCESS_IDS(NAME_ID)
ACCESS_EVENTS(NAME_EVENT)

#endif
