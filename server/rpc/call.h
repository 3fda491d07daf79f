/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_CALL_H
#define RPC_CALL_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"
#include "proto/runtime/service.h"
#include "server/base/principal.h"
#include "server/base/request_key.h"

/*
 * What a handler sees of a call, and how methods are put in the server's table. Areas include this header and
 * no other of this room.
 *
 * A handler starts with a valid request, a caller the method's policy admits, and time left before the
 * deadline. It returns
 *
 *  - RPC_DONE: `ret` is sent;
 *  - RPC_DEFERRED, from rpc_defer(): somebody will call rpc_call_finish() once, from any thread;
 *  - RPC_MOVED, from rpc_run_on(): the rest runs on another executor;
 *  - a negative code: the error in `err` is sent.
 *
 * What it reads from the request and puts into `ret` lives in the call's arena, until the call is over. A
 * handler is never entered twice at once for one call.
 */
struct rpc_call;

enum { RPC_DONE = 0, RPC_DEFERRED = 1, RPC_MOVED = 2 };

/* Where a handler runs. */
enum rpc_place {
	RPC_ON_POLLER,   /* answered from memory: must not block */
	RPC_ON_DB,       /* a thread that owns a database connection: rpc_context() is its struct db_conn */
	RPC_ON_PASSWORD, /* a thread for work that burns CPU and memory; rpc_context() is NULL */
	RPC_PLACES,
};

/* --- what a handler may ask --- */

struct arena *rpc_arena(struct rpc_call *call);
const struct principal *rpc_principal(const struct rpc_call *call); /* user_id 0 when anonymous */
const struct method_desc *rpc_method(const struct rpc_call *call);
const struct request_key *rpc_request_key(const struct rpc_call *call);
const char *rpc_request_label(const struct rpc_call *call); /* as echoed to the caller and put in logs */
const char *rpc_peer_address(struct rpc_call *call); /* no port; what the edge says, if trusted; "" unknown */

/* The application's own, given to rpc_server_new(). */
void *rpc_app(const struct rpc_call *call);

/* The executor thread's own (what its thread_start returned); NULL on a poller. */
void *rpc_context(const struct rpc_call *call);

/* Deadline on the monotonic clock (base/clock.h), in microseconds: the caller's, or the default for a unary
 * call; INT64_MAX: none. */
int64_t rpc_deadline_us(const struct rpc_call *call);

/* Becomes true when the caller goes away, on a poller: nobody waits for the answer any more. */
const _Atomic bool *rpc_caller_gone(const struct rpc_call *call);

/* Adds a header to the answer; key and value are constants or live in the arena. At most 4. */
void rpc_add_header(struct rpc_call *call, const char *key, const char *value);

/*
 * Says whom the call is about, where the contract leaves that to the handler (SUBJECT_HANDLER) or leaves it
 * the others (`delegates`): a user, or a thing by its id. 0 when that is the caller, when the caller `acts`
 * for it as the area's data has it, and when he holds one of the subject's roles or scopes; else ROLE_MISSING
 * or SCOPE_MISSING, in whose place the handler may raise what hides the object. Before the answer: an OK
 * without it is INTERNAL. What a NO_SIDE_EFFECTS method shows of another is recorded before it is sent.
 * The id 0 is nobody: it asks the same and decides nothing.
 */
int rpc_subject(struct rpc_call *call, int64_t subject_id, bool acts, struct error *err)
	__attribute__((warn_unused_result));

/* 0 once that is decided, and where the contract says that a request is about nobody; else INTERNAL. Asked
 * before a transaction commits: an answer that may not leave must have changed nothing. */
int rpc_subject_decided(const struct rpc_call *call, struct error *err) __attribute__((warn_unused_result));

/* --- other ways to return --- */

/*
 * Continues on another executor. A full queue answers OVERLOADED by itself, and a deadline that passes
 * meanwhile DEADLINE_PASSED: both say that nothing was done, so nothing may have been changed before. `state`
 * lives in the arena.
 */
typedef int (*rpc_continuation)(struct rpc_call *call, void *state, struct error *err);
int rpc_run_on(struct rpc_call *call, enum rpc_place place, rpc_continuation next, void *state);

/*
 * Answers with these bytes, a packed response message, instead of packing `ret`: for answers that are kept
 * packed. They are copied before this returns. Returns RPC_DONE, so that `return rpc_reply_packed(...)` reads
 * well. Unary only.
 */
int rpc_reply_packed(struct rpc_call *call, struct span bytes);

/* Says that rpc_call_finish() will come. Before anything is started that may finish the call. */
int rpc_defer(struct rpc_call *call);

/*
 * Ends a deferred call: r is 0 and `ret` filled in, or negative and *err read. Any thread; exactly once.
 * Nothing of the call may be touched afterwards.
 */
void rpc_call_finish(struct rpc_call *call, int r, const struct error *err);

/* The error of a deferred call may be built in place here. */
struct error *rpc_call_error(struct rpc_call *call);

/* --- streaming --- */

/*
 * A stream's callbacks run one at a time, each as a task on the row's place; no thread is held between them.
 * For client- and bidirectional streams `message` takes one incoming message; for server streams and
 * bidirectional ones `next` is asked for one outgoing message whenever the last has been sent. The next
 * incoming message is read only when nothing waits to be sent, which bounds memory whatever the client does.
 *
 *  - open: the call begins. Server streams: `req` is the request; else NULL. Set the state with
 *    rpc_set_state().
 *  - message: one message came. It lives until the callback returns.
 *  - half_closed: the client will send no more. Client streams: fill `ret`. Bidirectional: `next` is asked
 *    until RPC_END.
 *  - next: fill `ret` and return RPC_SEND; RPC_WAIT when there is nothing now (rpc_stream_wake() asks again);
 *    RPC_END ends the stream with OK.
 *  - closed: always last, once, also when the client went away; frees the state.
 *
 * Any of them but closed may return a negative error, which ends the stream with it. A NULL callback does
 * nothing.
 */
enum { RPC_END = 0, RPC_SEND = 1, RPC_WAIT = 2 };

struct rpc_row;

/*
 * The callbacks as rpc calls them. The generator emits one of these per streaming method: each calls the
 * typed callback of row->callbacks, or returns 0 (next: RPC_END) when that is NULL. Which of them a kind has
 * no use for are NULL here.
 */
struct rpc_stream {
	int (*open)(const struct rpc_row *row, struct rpc_call *call, const ProtobufCMessage *req,
		    struct error *err);
	int (*message)(const struct rpc_row *row, struct rpc_call *call, const ProtobufCMessage *message,
		       struct error *err);
	int (*half_closed)(const struct rpc_row *row, struct rpc_call *call, ProtobufCMessage *ret,
			   struct error *err);
	int (*next)(const struct rpc_row *row, struct rpc_call *call, ProtobufCMessage *ret,
		    struct error *err);
	void (*closed)(const struct rpc_row *row, struct rpc_call *call);
};

void rpc_set_state(struct rpc_call *call, void *state);
void *rpc_state(const struct rpc_call *call);

/* Asks `next` again. Any thread, any time before `closed` returns. */
void rpc_stream_wake(struct rpc_call *call);

/* The arena of the message being handled, reset before each callback; rpc_arena() lasts as long as the
 * stream. */
struct arena *rpc_message_arena(struct rpc_call *call);

/* --- the table --- */

/* A pointer to some function; converted back to its own type before it is called. */
typedef void (*rpc_function)(void);

/* Emitted by the generator: calls row->handler by its real type. */
typedef int (*rpc_unary_thunk)(const struct rpc_row *row, struct rpc_call *call, const ProtobufCMessage *req,
			       ProtobufCMessage *ret, struct error *err);

/*
 * One method and what serves it. The generated header gives a macro per method that defines its row, checks
 * the handler's type, and makes the link fail when a method of the service has no row: "undefined reference
 * to ZOO_SERVICE_GET_ANIMAL__must_serve__...".
 *
 *     ZOO_SERVICE_GET_ANIMAL(get_animal, RPC_ON_POLLER, .hot = true);
 */
struct rpc_row {
	const struct method_desc *method;
	rpc_unary_thunk thunk;           /* unary */
	rpc_function handler;            /* unary */
	const struct rpc_stream *stream; /* the other kinds */
	const void *callbacks; /* the other kinds: the method's own struct <service>_<method>_stream */
	enum rpc_place place;
	bool hot;       /* registered with slots of its own; the rest come through the catch-all */
	bool uncounted; /* no budget is asked: whether the server lives, anybody may ask at any time */
};

#endif
