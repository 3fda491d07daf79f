/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_CHANGE_H
#define COURSE_COURSE_CHANGE_H

#include "edu/v1/edu_service.tables.h"
#include "server/course/course_store.h"
#include "server/rpc/call.h"

/*
 * A change of one course: locks it, asks whether the caller may and whether the etag still holds, lets
 * `apply` decide and change it, then writes it with its next version and its event, commits, and forgets the
 * cached answer.
 */
struct course_change {
	struct rpc_call *call;
	int64_t course_id;
	const char *etag; /* "" asks for no check */
	const char *event_kind;
	/* In the transaction, on the locked course; may run more than once, each time on the course read
	 * anew. */
	int (*apply)(struct course_change *change, struct course *c, struct error *err);
	void *arg;
	Course **ret; /* set to the changed course */

	struct db_conn *conn;         /* set for `apply` */
	int64_t event_id, subject_id; /* made when 0; subject: the course */
};

/* As a transaction of its own. */
int course_change_run(struct course_change *change, struct error *err) __attribute__((warn_unused_result));

/* The transaction's body (`arg` is the change), and what follows its end; for creates inside
 * app_transaction(). */
int course_change_begin(struct course_change *change, struct error *err) __attribute__((warn_unused_result));
int course_change_body(struct db_conn *conn, void *arg, struct error *err)
	__attribute__((warn_unused_result));
void course_change_settle(struct course_change *change, int r, const struct error *err);

/* INSTRUCTOR_NOT_QUALIFIED unless every instructor of the course is an active user with the role. */
int course_check_qualified(struct db_conn *conn, struct arena *arena, const struct course *c,
			   struct error *err) __attribute__((warn_unused_result));

int course_append_event(struct db_conn *conn, struct rpc_call *call, const char *kind, int64_t event_id,
			int64_t course_id, struct error *err) __attribute__((warn_unused_result));

#endif
