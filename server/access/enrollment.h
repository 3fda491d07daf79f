/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ACCESS_ENROLLMENT_H
#define ACCESS_ENROLLMENT_H

#include "edu/v1/access.tables.h"
#include "server/db/db.h"

/* An enrollment: its epoch of progress, the accesses behind it, and what they add up to at a time. */

/* The current epoch and when access first began: 1 when enrolled, 0 when not, negative. */
int enrollment_read(struct db_conn *conn, int64_t user_id, int64_t course_id, int64_t *ret_epoch,
		    int64_t *ret_start_us, struct error *err) __attribute__((warn_unused_result));

/*
 * Enrolls who has access already, from when it first began: 1, with an event, or 0 when there is an
 * enrollment, whose start never moves. In a transaction; the event's id is made before it.
 */
struct enrollment_start {
	int64_t user_id, course_id, start_us;
	int64_t event_id, now_us;
};
int enrollment_begin(struct db_conn *conn, const struct enrollment_start *start, struct error *err)
	__attribute__((warn_unused_result));

/* A grant, as long as it opens the course. */
struct enrollment_access {
	int64_t grant_id;
	int64_t catalogue_id; /* by which it opens the course; 0: it is of the course */
	int source;           /* edu.v1.AccessSource */
	int64_t source_id;
	int64_t start_us, expire_us, revoke_us; /* the last two 0: not */
};

/*
 * The accesses of an enrollment `e` as a column of a statement over enrollments, so that a page of these is
 * one statement: a text for enrollment_accesses(). A catalogue's grant opens the course while the catalogue
 * holds it, and is left out where that is never.
 */
#define ENROLLMENT_ACCESSES_SQL                                                                              \
	"CONCAT_WS(',',"                                                                                     \
	" (SELECT GROUP_CONCAT(g.grant_id, ':0:', g.source_kind, ':', g.source_id, ':', g.start_time, ':',"  \
	"   IFNULL(g.expire_time, 0), ':', IFNULL(g.revoke_time, 0))"                                        \
	"  FROM access_grant g"                                                                              \
	"  WHERE g.user_id = e.user_id AND g.scope_kind = 1 AND g.scope_id = e.course_id),"                  \
	" (SELECT GROUP_CONCAT(g.grant_id, ':', g.scope_id, ':', g.source_kind, ':', g.source_id, ':',"      \
	"   GREATEST(g.start_time, h.start_time), ':',"                                                      \
	"   IFNULL(LEAST(IFNULL(g.expire_time, h.end_time), IFNULL(h.end_time, g.expire_time)), 0), ':',"    \
	"   IFNULL(g.revoke_time, 0))"                                                                       \
	"  FROM access_grant g STRAIGHT_JOIN catalogue_course h"                                             \
	"   ON h.course_id = e.course_id AND h.catalogue_id = g.scope_id"                                    \
	"   AND (h.end_time IS NULL OR (h.end_time > g.start_time AND h.end_time > h.start_time))"           \
	"   AND (g.expire_time IS NULL OR g.expire_time > h.start_time)"                                     \
	"  WHERE g.user_id = e.user_id AND g.scope_kind = 2))"

/* Reads that text; an array in the arena, the one that begins last first. NULL when the arena is full. */
struct enrollment_access *enrollment_accesses(struct arena *arena, const char *text, unsigned *ret_n);

/* ACTIVE when one covers the time, else SCHEDULED when one begins later, else ENDED. What was taken away
 * gives nothing, whenever that was. */
EnrollmentState enrollment_state_at(const struct enrollment_access *accesses, unsigned n, int64_t at_us);

extern const struct db_stmt_list enrollment_stmts;

#endif
