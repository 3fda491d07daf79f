/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_CALL_STATE_H
#define RPC_CALL_STATE_H

#include <grpc/grpc.h>
#include <stdatomic.h>

#include "server/rpc/metadata.h"
#include "server/rpc/method.h"
#include "server/rpc/tag.h"

/*
 * A call inside this room.
 *
 * It belongs to one poller: taken from that poller's free list when it arrives, given back on that poller's
 * thread when core has handed back every tag. In between it is at one place at a time: on its poller, in an
 * executor's line or on an executor's thread, or with whoever deferred it.
 */
enum { CALL_HEADERS_MAX = 4 };

struct rpc_server;
struct poller;
struct stream;

/*
 * Whether core was asked to tell when the call is over. That costs a batch and an event, 8 % of what a call
 * that is answered by one short query costs: only those are watched that take longer.
 */
enum call_watch { CALL_UNWATCHED, CALL_WATCHED_LATER, CALL_WATCHED };

/* Whether it stands whom the call is about: see subject.h. */
enum call_subject {
	CALL_SUBJECT_OPEN,
	CALL_SUBJECT_UNRECORDED, /* decided: somebody else's data, and that is not recorded yet */
	CALL_SUBJECT_SETTLED,
};

struct rpc_call {
	struct rpc_server *server;
	struct poller *poller;
	const struct method *method; /* NULL: no such method */
	grpc_call *core;
	int64_t began_us, deadline_us, answered_us; /* monotonic */
	int64_t in_line_us, expected_us; /* an executor's: when it joined the line; what it will take there */
	struct principal principal;
	struct span token; /* the principal's, core's own; while the database is to be asked about it */
	struct request_key key;
	enum call_subject subject;
	int64_t subject_id, recorded_id; /* who is to be recorded; who was last */
	char label[REQUEST_LABEL_MAX + 1];
	const char *peer; /* NULL until asked for */
	struct arena arena;

	grpc_metadata_array metadata;
	grpc_byte_buffer *payload; /* until it is unpacked */
	ProtobufCMessage *request, *reply;
	grpc_byte_buffer *packed; /* the answer, when the handler gave it packed */
	struct stream *stream;    /* NULL: unary */

	void (*task)(struct rpc_call *call); /* what runs when its turn comes */
	struct rpc_call *next;               /* in an executor's line, or in the free list */
	struct rpc_call *ahead, *behind;     /* in the poller's line */
	void *context;                       /* of the executor's thread it runs on */
	rpc_continuation continuation;
	void *continuation_state;
	enum rpc_place continuation_place;
	void (*admitted)(struct rpc_call *call, int r); /* what comes after admission */
	int admission;

	struct {
		const char *key, *value;
	} headers[CALL_HEADERS_MAX];
	unsigned n_headers;
	struct tag payload_tag, task_tag, answer_tag, close_tag, release_tag;
	int close_cancelled; /* written by core */
	_Atomic enum call_watch watch;
	bool closed, done; /* the poller's: that core told so; that nobody works on it any more */
	_Atomic bool gone; /* the caller is: he cancelled, or his connection broke */
	_Atomic bool finished;
	/* Since when it is the caller's turn, to send the message or to read what is sent; 0: it is not. */
	_Atomic int64_t with_caller_us;
	size_t held; /* bytes of what is sent and not read, counted in the server's memory */
	struct error error;
};

/* It is the caller's turn since then; 0: not any more. */
static inline void call_turn(struct rpc_call *call, int64_t since_us)
{
	atomic_store_explicit(&call->with_caller_us, since_us, memory_order_release);
}

#endif
