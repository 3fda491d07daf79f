/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/watch.h"

void call_watch_later(struct rpc_call *call)
{
	enum call_watch expected = CALL_UNWATCHED;

	atomic_compare_exchange_strong(&call->watch, &expected, CALL_WATCHED_LATER);
}

bool call_watch_claim(struct rpc_call *call)
{
	enum call_watch expected = CALL_WATCHED_LATER;

	return atomic_compare_exchange_strong(&call->watch, &expected, CALL_WATCHED);
}

void call_watch(struct rpc_call *call)
{
	grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};

	op.data.recv_close_on_server.cancelled = &call->close_cancelled;
	if (batch_start(call->core, &op, 1, &call->close_tag) != GRPC_CALL_OK)
		batch_start(call->core, NULL, 0, &call->close_tag);
}

bool call_watch_over(struct rpc_call *call)
{
	enum call_watch expected = CALL_WATCHED_LATER;

	return atomic_compare_exchange_strong(&call->watch, &expected, CALL_UNWATCHED) ||
	       expected == CALL_UNWATCHED;
}
