/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PURCHASE_GRANT_H
#define PURCHASE_GRANT_H

#include "server/db/db.h"

/*
 * Access to a course is a set of grants; whoever has one that is live has access. A grant is never removed:
 * one that ended still says when there was access.
 */

/* Half-open: access from start_us, no longer at end_us. */
struct grant_window {
	int64_t start_us, end_us; /* INT64_MAX: no end */
};

/*
 * When a user has or had access to a course: from every grant, revoked ones up to their revocation. An array
 * in the arena, by start; NULL and 0 when there never was any. Windows may overlap; empty ones are left out.
 * One round trip.
 */
int grant_windows_read(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
		       struct grant_window **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list grant_stmts;

#endif
