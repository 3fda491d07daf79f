/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_NAMES_H
#define APP_NAMES_H

/*
 * Names live with their owners: each area lists what it calls its own, once, in its <area>_names.h, as rows
 * of an X macro, and makes the constants by one of these. server/check_names.sh holds the lists of all areas
 * against each other and against the contract when the server is built.
 */

/* A kind of ids: X(ID_COURSE, "crs"). */
#define NAME_ID(constant, kind) static const char constant[] = kind;

/* A kind of events, "noun.what_became_of_it", and the kind of its subject's id: X(EVENT_COURSE_CREATED,
 * "course.created", ID_COURSE). */
#define NAME_EVENT(constant, kind, subject) static const char constant[] = kind;

/* Those that payments or notifications are made from, and that the platform's own organization therefore
 * reads, stand in a list of their own, <AREA>_PLATFORM_EVENTS. Of it, for an array: */
#define NAME_OF(constant, kind, subject) constant,

/* An action of the audit, which is a method or a command of the server, and the kind of its subject's id:
 * X(AUDIT_APPROVE_COURSE, "ApproveCourse", ID_COURSE). Who reads another's data is recorded under the
 * method's name, which no list has: app_record_read(). */
#define NAME_AUDIT(constant, action, subject) static const char constant[] = action;

#endif
