/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/line.h"

#include "server/rpc/call_impl.h"
#include "server/rpc/server_impl.h"

enum {
	PATIENCE_US =
		1000 * 1000, /* a message follows its headers at once, and answers are read as they come */
	LOOKS_MAX = 64,
};

static void append(struct poller *p, struct rpc_call *call)
{
	call->ahead = p->line_last;
	call->behind = NULL;
	if (p->line_last)
		p->line_last->behind = call;
	else
		p->line_first = call;
	p->line_last = call;
}

static void take_out(struct poller *p, struct rpc_call *call)
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

void line_add(struct poller *p, struct rpc_call *call)
{
	pthread_mutex_lock(&p->line_lock);
	append(p, call);
	pthread_mutex_unlock(&p->line_lock);
}

void line_remove(struct poller *p, struct rpc_call *call)
{
	pthread_mutex_lock(&p->line_lock);
	take_out(p, call);
	pthread_mutex_unlock(&p->line_lock);
}

/* Claims a call that is stuck: it is not with its caller any more, and who would go on with it sees that. */
static bool claim(struct rpc_call *call, int64_t now_us)
{
	return now_us - call->began_us > PATIENCE_US && atomic_exchange(&call->with_caller, false);
}

static bool evict_from(struct poller *p, int64_t now_us)
{
	for (unsigned i = 0; i < LOOKS_MAX && p->line_first; i++) {
		struct rpc_call *call = p->line_first;

		take_out(p, call);
		append(p, call);
		if (!claim(call, now_us))
			continue;
		/* Not UNAVAILABLE: what waits to be read did happen. */
		grpc_call_cancel_with_status(
			call->core, GRPC_STATUS_CANCELLED,
			"the server is busy, and the call waited for its caller too long", NULL);
		return true;
	}
	return false;
}

bool line_evict(struct rpc_server *s)
{
	const int64_t now_us = monotonic_us();
	bool evicted = false;

	for (unsigned i = 0; i < s->n_pollers && !evicted; i++) {
		struct poller *p = &s->pollers[i];

		/* In line, a call cannot be given back: it stays itself while it is cancelled. */
		pthread_mutex_lock(&p->line_lock);
		evicted = evict_from(p, now_us);
		pthread_mutex_unlock(&p->line_lock);
	}
	return evicted;
}
