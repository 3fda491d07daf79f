/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_SUBJECT_STORE_H
#define COURSE_SUBJECT_STORE_H

#include "server/app/app.h"

/* The subjects that courses are of: rows that are never changed and never removed. */
struct subject {
	int64_t subject_id;
	char *name_en, *name_zh; /* in the arena */
	int64_t create_us;
};

/* SUBJECT_NAME_IN_USE names the other. */
int subject_store_insert(struct db_conn *conn, const struct subject *s, struct error *err)
	__attribute__((warn_unused_result));

/* At most `limit` of those made after `after_id`, in the order they were made, into an array of the arena. */
int subject_store_list(struct db_conn *conn, struct arena *arena, int64_t after_id, unsigned limit,
		       struct subject **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

/* 0 when there is such a subject, or the id is 0, which is none; SUBJECT_NOT_FOUND otherwise. */
int subject_require(struct db_conn *conn, int64_t subject_id, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list subject_stmts;

#endif
