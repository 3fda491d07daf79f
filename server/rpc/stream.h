/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_STREAM_H
#define RPC_STREAM_H

#include "server/rpc/call_state.h"

/*
 * Streams of the three kinds.
 *
 * Core's events (a message came, a message is out, the call is over) and rpc_stream_wake() only note what
 * happened and see that the stream's task is on its way to the row's place. The task, of which there is one
 * at a time, does all the rest: it runs the callbacks and starts what core is to do next. So callbacks need
 * no lock, and nothing waits for a client but the stream itself.
 */

/* A client or bidirectional stream came. On the poller. */
void stream_arrived(struct rpc_call *call, const struct call_headers *headers);

/* A server stream whose request is in call->request. On the poller. */
void stream_begin(struct rpc_call *call);

#endif
