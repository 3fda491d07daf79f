/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ACCESS_GRANT_H
#define ACCESS_GRANT_H

#include "server/db/db.h"

/*
 * Giving access and taking it away: by rows of access_grant, in the transaction of what gives or takes it,
 * each with an event, by which every replica hears of it within a second.
 */

/*
 * For compound statements: a grant of a course, and the enrollment of who had none, whose start never moves.
 * An expression for each value, as string literals; `source` is a number of edu.v1.AccessSource.
 */
#define GRANT_COURSE_SQL_OF(grant_id, user_id, course_id, source, source_id, start_time)                     \
	"INSERT INTO access_grant"                                                                           \
	" (user_id, scope_kind, scope_id, grant_id, source_kind, source_id, start_time)"                     \
	" VALUES (" user_id ", 1, " course_id ", " grant_id ", " source ", " source_id ", " start_time "); " \
	"INSERT INTO enrollment (user_id, course_id, start_time)"                                            \
	" VALUES (" user_id ", " course_id ", " start_time ")"                                               \
	" ON DUPLICATE KEY UPDATE start_time = enrollment.start_time;"

#endif
