/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "client/internal.h"
#include "proto/runtime/handover.h"

/*
 * Calls nobody waits for: one completion queue and one thread per channel, both made by the first such call.
 * A call owns a copy of all it needs except the arena, which the caller leaves to it.
 */
struct async_call {
	struct client_channel *channel;
	const struct method_desc *method;
	struct client_call_options options; /* token and metadata live in the arena */
	struct client_attempt attempt;
	grpc_slice payload;
	gpr_timespec deadline;
	const char *token; /* sent; NULL: none */
	bool repeated;
	struct arena *arena;
	client_done done;
	void *arg;
	struct error err;
};

static int async_try(struct async_call *call, struct error *err)
{
	return client_attempt_start(&call->attempt, call->channel, call->method, call->payload, call->token,
				    call->options.metadata, call->deadline, call->channel->queue, call, err);
}

static void async_finish(struct async_call *call, int r, const ProtobufCMessage *reply)
{
	call->done(call->arg, r, reply, &call->err);
	grpc_slice_unref(call->payload);
	free(call);
}

/* Sends a call refused for its token again with another. 0 when it is under way. */
static int async_repeat(struct async_call *call)
{
	int r = client_token(call->channel, call->method, &call->options, call->token, call->arena,
			     &call->token, &call->err);

	call->repeated = true;
	return r < 0 ? r : async_try(call, &call->err);
}

static void async_complete(struct async_call *call)
{
	ProtobufCMessage *reply = NULL;
	int r = client_attempt_end(&call->attempt, call->method, call->options.replayed, call->arena, &reply,
				   &call->err);
	bool repeat =
		client_token_refused(r, &call->err) && !call->options.token && call->token && !call->repeated;

	if (repeat) {
		r = async_repeat(call);
		if (r == 0)
			return;
	}
	async_finish(call, r, reply);
}

static void *async_serve(void *queue)
{
	for (;;) {
		grpc_event event =
			grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);

		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (event.type != GRPC_OP_COMPLETE)
			continue;
		handover_take(event.tag);
		async_complete(event.tag);
	}
}

static int async_ready(struct client_channel *c, struct error *err)
{
	int r = 0;

	pthread_mutex_lock(&c->lock);
	if (!c->queue) {
		c->queue = grpc_completion_queue_create_for_next(NULL);
		r = pthread_create(&c->thread, NULL, async_serve, c->queue);
		if (r != 0) {
			grpc_completion_queue_shutdown(c->queue);
			grpc_completion_queue_destroy(c->queue);
			c->queue = NULL;
		}
	}
	pthread_mutex_unlock(&c->lock);
	return r == 0 ? 0 : error_internal(err, "no thread for a channel: %s", strerror(r));
}

void client_async_stop(struct client_channel *c)
{
	if (!c->queue)
		return;
	grpc_completion_queue_shutdown(c->queue);
	pthread_join(c->thread, NULL);
	grpc_completion_queue_destroy(c->queue);
}

/* The headers outlive the caller's array, because the call may be sent again. */
static int async_copy_options(struct async_call *call, const struct client_call_options *options,
			      struct error *err)
{
	size_t n = 0;

	if (!options)
		return 0;
	call->options = *options;
	while (options->metadata && options->metadata[n])
		n += 2;
	const char **pairs = arena_array(call->arena, n + 1, sizeof(*pairs));
	bool whole = pairs;
	for (size_t i = 0; whole && i < n; i++) {
		pairs[i] = arena_strdup(call->arena, options->metadata[i]);
		whole = pairs[i];
	}
	if (whole && options->token) {
		call->options.token = arena_strdup(call->arena, options->token);
		whole = call->options.token;
	}
	call->options.metadata = pairs;
	return whole ? 0
		     : error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
				   "the headers exceed the call's memory");
}

static int async_begin(struct async_call *call, const ProtobufCMessage *request,
		       const struct client_call_options *options, struct error *err)
{
	int r = async_copy_options(call, options, err);
	if (r < 0)
		return r;
	call->deadline = client_deadline(call->options.timeout_ms ? call->options.timeout_ms
								  : call->channel->timeout_ms);
	r = client_token(call->channel, call->method, &call->options, NULL, call->arena, &call->token, err);
	if (r < 0)
		return r;
	r = client_payload_pack(request, &call->payload, err);
	if (r < 0)
		return r;
	r = async_try(call, err);
	if (r < 0)
		grpc_slice_unref(call->payload);
	return r;
}

int client_call_start(struct client_channel *c, const struct method_desc *method,
		      const ProtobufCMessage *request, const struct client_call_options *options,
		      struct arena *arena, client_done done, void *arg, struct error *err)
{
	error_clear(err);
	int r = async_ready(c, err);
	if (r < 0)
		return r;
	struct async_call *call = calloc(1, sizeof(*call));
	if (!call)
		return error_internal(err, "no memory for a call");
	call->channel = c;
	call->method = method;
	call->arena = arena;
	call->done = done;
	call->arg = arg;
	r = async_begin(call, request, options, err);
	if (r < 0)
		free(call);
	return r;
}
