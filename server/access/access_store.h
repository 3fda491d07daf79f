/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ACCESS_ACCESS_STORE_H
#define ACCESS_ACCESS_STORE_H

#include "server/access/access.h"

/* The SQL of access. Windows come sorted by scope and start, joined where those of a scope overlap or touch;
 * empty ones are left out. */

/* Of a user and a course: the enrollment and the grants of the course. One round trip. */
int access_store_pair(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
		      int64_t now_us, struct access *ret, struct error *err)
	__attribute__((warn_unused_result));

/* A user's grants of catalogues, and the catalogues that hold a course; arrays in the arena. */
int access_store_catalogues_of_user(struct db_conn *conn, struct arena *arena, int64_t user_id,
				    int64_t now_us, struct access_window **ret, unsigned *ret_n,
				    struct error *err) __attribute__((warn_unused_result));
int access_store_catalogues_of_course(struct db_conn *conn, struct arena *arena, int64_t course_id,
				      struct access_window **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list access_stmts;

#endif
