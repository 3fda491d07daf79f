/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_STORE_H
#define COURSE_COURSE_STORE_H

#include "server/course/course_row.h"

/* Reading and writing courses. */

/* COURSE_NOT_FOUND when there is none. */
int course_store_read(struct db_conn *conn, struct arena *arena, int64_t course_id, struct course *ret,
		      struct error *err) __attribute__((warn_unused_result));

/* The same with the draft beside it, where there is one. */
int course_store_read_draft(struct db_conn *conn, struct arena *arena, int64_t course_id, struct course *ret,
			    struct error *err) __attribute__((warn_unused_result));

/* The same, and locked until the transaction ends. Whoever writes a course, its lists or its lessons locks it
 * first. */
int course_store_lock(struct db_conn *conn, struct arena *arena, int64_t course_id, struct course *ret,
		      struct error *err) __attribute__((warn_unused_result));

/* Writes a new course with its lists. EXTERNAL_ID_IN_USE names the other. */
int course_store_insert(struct db_conn *conn, struct arena *arena, const struct course *c, struct error *err)
	__attribute__((warn_unused_result));

/* Raises it, for lessons too; the statement `holder` finds the other's id by these two. */
int course_external_id_in_use(struct db_conn *conn, const struct db_stmt *holder, int64_t owner_id,
			      const char *external_id, const struct app_resource *resource, struct error *err)
	__attribute__((warn_unused_result));

/* Writes everything of a locked course but its lists; and those. */
int course_store_update(struct db_conn *conn, struct arena *arena, const struct course *c, struct error *err)
	__attribute__((warn_unused_result));
int course_store_set_instructors(struct db_conn *conn, const struct course *c, struct error *err)
	__attribute__((warn_unused_result));
int course_store_set_prices(struct db_conn *conn, const struct course *c, struct error *err)
	__attribute__((warn_unused_result));

#endif
