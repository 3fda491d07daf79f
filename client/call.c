/* SPDX-License-Identifier: Apache-2.0 */
#include "client/internal.h"

struct unary {
	struct client_channel *channel;
	const struct method_desc *method;
	const struct client_call_options *options;
	grpc_slice payload;
	gpr_timespec deadline;
	struct arena *arena;
};

static int unary_try(const struct unary *u, const char *token, ProtobufCMessage **ret, struct error *err)
{
	struct client_attempt attempt;
	grpc_completion_queue *queue = client_thread_queue();

	if (!queue)
		return error_internal(err, "no completion queue for this thread");
	int r = client_attempt_start(&attempt, u->channel, u->method, u->payload, token, u->options->metadata,
				     u->deadline, queue, &attempt, err);
	if (r < 0)
		return r;
	/* Core keeps the deadline: past it the batch completes with DEADLINE_EXCEEDED. */
	grpc_completion_queue_pluck(queue, &attempt, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	return client_attempt_end(&attempt, u->method, u->options->replayed, u->arena, ret, err);
}

static int unary_run(const struct unary *u, ProtobufCMessage **ret, struct error *err)
{
	const char *token, *fresh;
	int r = client_token(u->channel, u->method, u->options, NULL, u->arena, &token, err);
	if (r < 0)
		return r;
	r = unary_try(u, token, ret, err);
	if (!client_token_refused(r, err) || u->options->token || !token)
		return r;
	r = client_token(u->channel, u->method, u->options, token, u->arena, &fresh, err);
	return r < 0 ? r : unary_try(u, fresh, ret, err);
}

int client_unary(struct client_channel *c, const struct method_desc *method, const ProtobufCMessage *request,
		 const struct client_call_options *options, struct arena *arena, ProtobufCMessage **ret,
		 struct error *err)
{
	static const struct client_call_options defaults;
	struct unary u = {
		.channel = c, .method = method, .options = options ? options : &defaults, .arena = arena};

	error_clear(err);
	int r = client_payload_pack(request, &u.payload, err);
	if (r < 0)
		return r;
	u.deadline = client_deadline(u.options->timeout_ms ? u.options->timeout_ms : c->timeout_ms);
	r = unary_run(&u, ret, err);
	grpc_slice_unref(u.payload);
	return r;
}
