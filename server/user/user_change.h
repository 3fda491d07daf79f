/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USER_USER_CHANGE_H
#define USER_USER_CHANGE_H

#include "edu/v1/edu_service.tables.h"
#include "server/rpc/call.h"
#include "server/user/user_store.h"

/*
 * A change of one user: locks it, asks whether the etag still holds, lets `apply` change it, then writes it
 * with its next version and its event, and commits.
 */
struct user_change {
	struct rpc_call *call;
	int64_t user_id;
	const char *etag; /* "" asks for no check */
	const char *event_kind;
	/* In the transaction, before the user is locked; may be NULL. */
	int (*prepare)(struct user_change *change, struct error *err);
	/* On the locked user, read anew each time; may run more than once. */
	int (*apply)(struct user_change *change, struct user *u, struct error *err);
	void *arg;
	User **ret; /* set to the changed user */

	/* Set for the callbacks. */
	struct db_conn *conn;
	int64_t now_us; /* read while the user was locked */
	int64_t event_id;
};

int user_change_run(struct user_change *change, struct error *err) __attribute__((warn_unused_result));

/* An event about the user, of the moment of its last change. */
int user_append_event(struct db_conn *conn, const char *kind, int64_t event_id, const struct user *u,
		      struct error *err) __attribute__((warn_unused_result));

#endif
