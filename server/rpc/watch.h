/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_WATCH_H
#define RPC_WATCH_H

#include "server/rpc/call_state.h"

/*
 * Whether core is asked to tell when a call's caller goes away (enum call_watch). lifecycle.c hears of it.
 */

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

#endif
