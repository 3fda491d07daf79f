/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/lifecycle.h"

#include <stdlib.h>

#include "server/rpc/line.h"
#include "server/rpc/server_state.h"

enum {
	HELD_MIN = 8 * 1024, /* smaller replies are bounded by the number of calls */
};

static void task_due(struct tag *tag, bool ok)
{
	struct rpc_call *call = TAG_OWNER(tag, struct rpc_call, task_tag);

	call->context = NULL;
	call->task(call);
}

/* Core's last word on a call: it is over, or its caller has gone away. */
static void close_came(struct tag *tag, bool ok)
{
	struct rpc_call *call = TAG_OWNER(tag, struct rpc_call, close_tag);
	struct rpc_server *s = call->server;

	call->closed = true;
	if (call->done) {
		call_release(call);
		return;
	}
	if (!call->close_cancelled)
		return;
	atomic_store(&call->gone, true);
	for (unsigned i = RPC_ON_POLLER + 1; i < s->n_executors; i++)
		executor_interrupt(&s->executors[i], call);
}

static void release_due(struct tag *tag, bool ok)
{
	call_release(TAG_OWNER(tag, struct rpc_call, release_tag));
}

static struct rpc_call *call_new(struct poller *p)
{
	struct rpc_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->poller = p;
	call->server = p->server;
	call->task_tag.run = task_due;
	call->release_tag.run = release_due;
	call->close_tag.run = close_came;
	grpc_metadata_array_init(&call->metadata);
	arena_init(&call->arena, p->server->config.arena_cap);
	arena_share(&call->arena, &p->server->memory);
	error_clear(&call->error);
	return call;
}

struct rpc_call *call_take(struct poller *p)
{
	struct rpc_call *call = p->free;

	if (call) {
		p->free = call->next;
		p->n_free--;
	} else {
		call = call_new(p);
		if (!call)
			return NULL;
	}
	call->began_us = monotonic_us();
	line_add(p, call);
	atomic_fetch_add_explicit(&p->server->under_way, 1, memory_order_relaxed);
	metric_add(p->server->under_way_gauge, 1);
	return call;
}

void call_free(struct rpc_call *call)
{
	grpc_metadata_array_destroy(&call->metadata);
	arena_done(&call->arena);
	free(call);
}

void call_hold(struct rpc_call *call, size_t bytes)
{
	if (bytes < HELD_MIN)
		return;
	call->held = bytes;
	budget_charge(&call->server->memory, bytes);
}

void call_let_go(struct rpc_call *call)
{
	if (call->held)
		budget_give(&call->server->memory, call->held);
	call->held = 0;
}

/* Back to what call_take() promises. */
static void call_reset(struct rpc_call *call)
{
	grpc_call_unref(call->core);
	call->core = NULL;
	if (call->payload)
		grpc_byte_buffer_destroy(call->payload);
	call->payload = NULL;
	if (call->packed)
		grpc_byte_buffer_destroy(call->packed);
	call->packed = NULL;
	call_let_go(call);
	call->metadata.count = 0;
	call->method = NULL;
	call->request = call->reply = NULL;
	call->stream = NULL;
	call->peer = NULL;
	call->context = NULL;
	call->key.present = false;
	call->subject = CALL_SUBJECT_OPEN;
	call->recorded_id = 0;
	call->principal = (struct principal){0};
	call->n_headers = 0;
	call->expected_us = 0;
	call->closed = call->done = false;
	call->close_cancelled = 0;
	atomic_store_explicit(&call->watch, CALL_UNWATCHED, memory_order_relaxed);
	atomic_store_explicit(&call->gone, false, memory_order_relaxed);
	atomic_store_explicit(&call->finished, false, memory_order_relaxed);
	call_turn(call, 0);
	if (call->error.code != STATUS_OK)
		error_clear(&call->error);
	arena_reset(&call->arena);
}

void call_release(struct rpc_call *call)
{
	struct rpc_server *s = call->server;
	struct poller *p = call->poller;

	call->done = true;
	if (atomic_load(&call->watch) == CALL_WATCHED && !call->closed)
		return;
	line_remove(p, call);
	call_reset(call);
	if (p->n_free < s->calls_kept) {
		call->next = p->free;
		p->free = call;
		p->n_free++;
	} else {
		call_free(call);
	}
	metric_add(s->under_way_gauge, -1);
	/* Last: a server that stops frees everything once this is 0. */
	atomic_fetch_sub_explicit(&s->under_way, 1, memory_order_release);
}

void call_release_elsewhere(struct rpc_call *call)
{
	batch_start(call->core, NULL, 0, &call->release_tag);
}

bool call_run_at(struct rpc_call *call, enum rpc_place place, bool on_poller, bool bounded)
{
	if (place != RPC_ON_POLLER)
		return executor_push(&call->server->executors[place], call, bounded);
	call->expected_us = 0;
	if (on_poller)
		call->task(call);
	else
		batch_start(call->core, NULL, 0, &call->task_tag);
	return true;
}
