/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_LIFECYCLE_H
#define RPC_LIFECYCLE_H

#include "server/rpc/call_state.h"

/*
 * From a call's arrival to its end: taken from its poller, run at one place after the other, given back.
 */

/* Free calls a poller keeps for the next, each with the first block of its arena. */
enum { CALLS_KEPT_MAX = 512 };

/* A call for something that arrived, fresh but for its metadata array's memory. NULL when out of memory. */
struct rpc_call *call_take(struct poller *p);

/* Gives it back to its poller, on whose thread this runs, as soon as core is done with it. */
void call_release(struct rpc_call *call);

/* The same from any thread, by way of the poller. */
void call_release_elsewhere(struct rpc_call *call);

/* Frees the memory of a call that is in no list. */
void call_free(struct rpc_call *call);

/* Counts what is sent in the server's memory, until it is out. */
void call_hold(struct rpc_call *call, size_t bytes);
void call_let_go(struct rpc_call *call);

/*
 * Runs call->task where it belongs: at once when that is the poller and this is its thread, through the
 * poller's queue when it is another thread. False when an executor's line is full and `bounded` was asked
 * for.
 */
bool call_run_at(struct rpc_call *call, enum rpc_place place, bool on_poller, bool bounded)
	__attribute__((warn_unused_result));

#endif
