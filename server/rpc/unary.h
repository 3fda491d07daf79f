/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_UNARY_H
#define RPC_UNARY_H

#include "server/rpc/call_state.h"

/*
 * Unary calls, and the beginning of server streams, which also bring one message: two events for a hot method
 * (it arrived, it was answered), three for the rest, whose message is asked for.
 */

/* On the poller. Takes unknown methods too, to refuse them. */
void unary_arrived(struct rpc_call *call, const struct call_headers *headers);

#endif
