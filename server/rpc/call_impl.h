/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_CALL_IMPL_H
#define RPC_CALL_IMPL_H

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

/* Free calls a poller keeps for the next, each with the first block of its arena. */
enum { CALLS_KEPT_MAX = 512 };

/* A call for something that arrived, fresh but for its metadata array's memory. NULL when out of memory. */
struct rpc_call *call_take(struct poller *p);

/* Gives it back to its poller, on whose thread this runs, as soon as core is done with it. */
void call_release(struct rpc_call *call);

/* Before a unary call goes to an executor: once it has been there for a while, it is watched. */
void call_watch_later(struct rpc_call *call);

/* Claims a call in its poller's line for call_watch(), which must follow; false when it is watched already or
 * not to be. With the line's lock, under which no call is given back; a claimed one is not before it was
 * watched and is over, though it may be answered meanwhile. */
bool call_watch_claim(struct rpc_call *call);

/* Asks core to tell when the caller goes away: if it waits then, it is dropped, if it runs, interrupted. */
void call_watch(struct rpc_call *call);

/* Before its answer: true when core is still to be asked how the call ends, which nobody else does then. */
bool call_watch_over(struct rpc_call *call);

/* The same as call_release() from any thread, by way of the poller. */
void call_release_elsewhere(struct rpc_call *call);

/* Frees the memory of a call that is in no list. */
void call_free(struct rpc_call *call);

/* Reads headers, label and deadline once metadata is there. */
void call_read_headers(struct rpc_call *call, gpr_timespec deadline, struct call_headers *ret);

/* Raises OVERLOADED: the memory all calls share is spent. Returns the negated code. */
int call_starved(struct rpc_call *call);

/* It is the caller's turn since then; 0: not any more. */
static inline void call_turn(struct rpc_call *call, int64_t since_us)
{
	atomic_store_explicit(&call->with_caller_us, since_us, memory_order_release);
}

/* Counts what is sent in the server's memory, until it is out. */
void call_hold(struct rpc_call *call, size_t bytes);
void call_let_go(struct rpc_call *call);

/*
 * Deadline, token, policy; then next(call, r), on the poller, r being 0 or what to refuse the call with. At
 * once, unless the database has to be asked about the token.
 */
void call_admit(struct rpc_call *call, const struct call_headers *headers,
		void (*next)(struct rpc_call *call, int r));

/*
 * Runs call->task where it belongs: at once when that is the poller and this is its thread, through the
 * poller's queue when it is another thread. False when an executor's line is full and `bounded` was asked
 * for.
 */
bool call_run_at(struct rpc_call *call, enum rpc_place place, bool on_poller, bool bounded)
	__attribute__((warn_unused_result));

#endif
