/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_CHANGE_H
#define APP_CHANGE_H

#include "server/app/app.h"

/*
 * One way to change an object that has a version: it is locked and read, then it is asked whether the caller
 * may, whether the etag still holds and whether the object is in a state from which the step leads on; the
 * step is applied; the object is written with its next version, its event and, if the step has one, its audit
 * row; the reply is put together; all of it commits, or nothing. What an area's objects are is a struct
 * change_kind, and what may become of them a table of struct transition. Callbacks take the object as its
 * struct; they may run more than once, each time on the object as it is read anew.
 */
struct change;

struct transition {
	/* By the state it is in, the state this leads to, for every state of the kind; 0: it does not lead on
	 * from there. NULL: from any, and it stays. */
	const uint8_t *to;
	const char *event;  /* its kind; an area's EVENT_... */
	const char *audit;  /* the action, an area's AUDIT_...; NULL: none is written */
	bool own_unaudited; /* who changes himself leaves no audit row */

	/* In the transaction, before the object is locked; NULL: nothing. */
	int (*prepare)(struct change *change, struct error *err);
	/* Whether the caller may; NULL: who the method's policy admits. */
	int (*may)(const struct change *change, const void *object, struct error *err);
	/* Conditions of the step, and what else it changes, in the object and elsewhere; NULL: nothing. */
	int (*apply)(struct change *change, void *object, struct error *err);
};

struct change_kind {
	size_t size;               /* of the object's struct, and where in it these are */
	size_t version, update_us; /* int64_t */
	size_t state;              /* an enum, the contract's numbers */

	int (*lock)(struct db_conn *conn, struct arena *arena, int64_t id, void *ret, struct error *err);
	int (*write)(struct db_conn *conn, struct arena *arena, const void *object, struct error *err);
	/* The object as the contract shows it, in the arena; see arena_check(). */
	void *(*to_proto)(struct arena *arena, const void *object);
	/* Whom and what the event is about, besides its subject. */
	void (*concerns)(const struct change *change, const void *object, struct event *e);
	/* It has changed, or may have: see app_perhaps_done(). NULL: nobody remembers it. */
	void (*changed)(const struct change *change);

	/* Raised when a step does not lead on from the state the object is in. */
	const struct error_reason *state_reason;
	const char *(*state_name)(int state);
};

struct change {
	struct rpc_call *call;
	const struct change_kind *kind;
	const struct transition *step;
	int64_t id;
	const char *etag; /* "" asks for no check */
	int64_t keep_us;  /* how long its request id is; 0: the method takes none */
	void *arg;        /* the step's own */
	void *ret; /* address of the reply's pointer to the object's message; NULL: `apply` fills the reply */

	/* Set for the callbacks. */
	struct db_conn *conn;
	struct arena *arena;
	const struct principal *who;
	int64_t now_us; /* read when the object was locked */
	/* Of the event and the audit row; `subject_id` is the object's unless set before. For the audit row:
	 * as the actor gave it, and what changed, a JSON object; NULL: none. */
	int64_t event_id, audit_id, subject_id;
	const char *reason, *detail;
};

/* Runs the change as a transaction of its own, once per request id, as app_transaction() does it. */
int change_run(struct change *change, ProtobufCMessage *reply, struct error *err)
	__attribute__((warn_unused_result));

#endif
