/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/line.h"

#include "server/rpc/call_impl.h"
#include "server/rpc/poller.h"
#include "server/rpc/server.h"

enum {
	PATIENCE_US =
		1000 * 1000, /* a message follows its headers at once, and answers are read as they come */
	LOOKS_MAX = 64,
};

void line_add(struct poller *p, struct rpc_call *call)
{
	call->ahead = p->line_last;
	call->behind = NULL;
	if (p->line_last)
		p->line_last->behind = call;
	else
		p->line_first = call;
	p->line_last = call;
}

void line_remove(struct poller *p, struct rpc_call *call)
{
	if (call->ahead)
		call->ahead->behind = call->behind;
	else
		p->line_first = call->behind;
	if (call->behind)
		call->behind->ahead = call->ahead;
	else
		p->line_last = call->ahead;
}

static bool is_stuck(const struct rpc_call *call, int64_t now_us)
{
	return atomic_load_explicit(&call->with_caller, memory_order_relaxed) &&
	       now_us - call->began_us > PATIENCE_US;
}

bool line_evict(struct poller *p)
{
	const int64_t now_us = monotonic_us();

	for (unsigned i = 0; i < LOOKS_MAX && p->line_first; i++) {
		struct rpc_call *call = p->line_first;
		bool stuck = is_stuck(call, now_us);

		line_remove(p, call);
		line_add(p, call);
		if (!stuck)
			continue;
		/* Once only: it stays in line until core has given it back. Not UNAVAILABLE: what waits to be
		 * read did happen. */
		call->evicted = true;
		atomic_store_explicit(&call->with_caller, false, memory_order_relaxed);
		grpc_call_cancel_with_status(
			call->core, GRPC_STATUS_CANCELLED,
			"the server is busy, and the call waited for its caller too long", NULL);
		return true;
	}
	return false;
}
