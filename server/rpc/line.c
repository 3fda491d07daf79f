/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/line.h"

#include "server/rpc/call_state.h"
#include "server/rpc/server_state.h"
#include "server/rpc/watch.h"

enum {
	PATIENCE_US =
		1000 * 1000, /* a message follows its headers at once, and answers are read as they come */
	LOOKS_MAX = 64,
	CLAIMS_MAX = 64,
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

/*
 * Claims a call that has been with its caller for too long: it is not any more, and who would go on with it
 * sees that.
 */
static bool claim(struct rpc_call *call, int64_t since_us)
{
	int64_t turn_us = atomic_load_explicit(&call->with_caller_us, memory_order_relaxed);

	return turn_us != 0 && turn_us < since_us &&
	       atomic_compare_exchange_strong(&call->with_caller_us, &turn_us, 0);
}

/* Not UNAVAILABLE: what waits to be read did happen. */
static void give_up(grpc_call *call, const char *why)
{
	grpc_call_cancel_with_status(call, GRPC_STATUS_CANCELLED, why, NULL);
}

static bool evict_from(struct poller *p, int64_t now_us)
{
	for (unsigned i = 0; i < LOOKS_MAX && p->line_first; i++) {
		struct rpc_call *call = p->line_first;

		take_out(p, call);
		append(p, call);
		if (!claim(call, now_us - PATIENCE_US))
			continue;
		give_up(call->core, "the server is busy, and the call waited for its caller too long");
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

/* Some at a time: the poller waits for its line's lock with every call that comes. */
static unsigned claim_overdue(struct poller *p, int64_t since_us, grpc_call *calls[CLAIMS_MAX])
{
	unsigned n = 0;

	pthread_mutex_lock(&p->line_lock);
	for (struct rpc_call *call = p->line_first; call && n < CLAIMS_MAX; call = call->behind) {
		if (!claim(call, since_us))
			continue;
		grpc_call_ref(call->core);
		calls[n++] = call->core;
	}
	pthread_mutex_unlock(&p->line_lock);
	return n;
}

static void end_overdue(struct poller *p, int64_t since_us)
{
	grpc_call *calls[CLAIMS_MAX];
	unsigned n;

	do {
		n = claim_overdue(p, since_us, calls);
		for (unsigned i = 0; i < n; i++) {
			give_up(calls[i], "the call's message did not come, or its answer was not read, in "
					  "the time a caller has");
			grpc_call_unref(calls[i]);
		}
	} while (n == CLAIMS_MAX);
}

void line_tend(struct rpc_server *s)
{
	const int64_t since_us = monotonic_us() - s->config.caller_ms * INT64_C(1000);

	for (unsigned i = 0; i < s->n_pollers; i++)
		end_overdue(&s->pollers[i], since_us);
}

static unsigned claim_unwatched(struct poller *p, int64_t since_us, struct rpc_call *calls[CLAIMS_MAX])
{
	unsigned n = 0;

	pthread_mutex_lock(&p->line_lock);
	for (struct rpc_call *call = p->line_first; call && n < CLAIMS_MAX; call = call->behind) {
		if (call->began_us < since_us && call_watch_claim(call))
			calls[n++] = call;
	}
	pthread_mutex_unlock(&p->line_lock);
	return n;
}

static void watch_old(struct poller *p, int64_t since_us)
{
	struct rpc_call *calls[CLAIMS_MAX];
	unsigned n;

	do {
		n = claim_unwatched(p, since_us, calls);
		for (unsigned i = 0; i < n; i++)
			call_watch(calls[i]);
	} while (n == CLAIMS_MAX);
}

void line_watch(struct rpc_server *s, int64_t since_us)
{
	for (unsigned i = 0; i < s->n_pollers; i++)
		watch_old(&s->pollers[i], since_us);
}
