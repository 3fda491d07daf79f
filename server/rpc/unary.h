/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_UNARY_H
#define RPC_UNARY_H

#include "server/rpc/call_impl.h"

/*
 * Unary calls, and the beginning of server streams, which also bring one message: two events for a hot method
 * (it arrived, it was answered), three for the rest, whose message is asked for.
 */

/* On the poller. Takes unknown methods too, to refuse them. */
void unary_arrived(struct rpc_call *call, const struct call_headers *headers);

/*
 * Answers and ends a call that has not been answered in any part: with call->reply when r is 0, else with
 * call->error. Any thread; nothing of the call may be touched afterwards.
 */
void unary_answer(struct rpc_call *call, int r);

/* Raises OVERLOADED for a place whose line is full. */
int overloaded(struct rpc_call *call);

#endif
