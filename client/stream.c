/* SPDX-License-Identifier: Apache-2.0 */
#include <grpc/byte_buffer.h>
#include <stdlib.h>

#include "client/internal.h"

/*
 * A stream has a queue of its own, because the thread that opens it need not be the one that uses it. Two
 * batches are under way as long as it lives: the opening one, and the one that waits for the status; sends
 * and receives are waited for where they are made. The address of a member is its batch's tag.
 */
struct client_stream {
	struct client_channel *channel;
	const struct method_desc *method;
	grpc_completion_queue *queue;
	grpc_call *call;
	struct client_metadata metadata;
	grpc_metadata_array initial;   /* tag of the opening batch */
	struct client_outcome outcome; /* tag of the status */
	grpc_byte_buffer *out, *in;    /* tags of a send and of a receive */
	char half_close;               /* tag */
	bool ended;                    /* the status came; only the receiving thread asks */
};

static bool stream_wait(struct client_stream *s, void *tag)
{
	return grpc_completion_queue_pluck(s->queue, tag, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).success;
}

static bool stream_batch(struct client_stream *s, const grpc_op *ops, size_t n, void *tag)
{
	return grpc_call_start_batch(s->call, ops, n, tag, NULL) == GRPC_CALL_OK;
}

static bool stream_start(struct client_stream *s)
{
	grpc_op opening[] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA,
		 .data.send_initial_metadata = {.count = s->metadata.n, .metadata = s->metadata.pairs}},
		{.op = GRPC_OP_RECV_INITIAL_METADATA,
		 .data.recv_initial_metadata.recv_initial_metadata = &s->initial},
	};
	grpc_op status = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
			  .data.recv_status_on_client = {.trailing_metadata = &s->outcome.trailing,
							 .status = &s->outcome.status,
							 .status_details = &s->outcome.message}};

	/* Neither can be refused: both are legal on a new call, and the headers were checked. */
	return stream_batch(s, opening, 2, &s->initial) && stream_batch(s, &status, 1, &s->outcome);
}

static void stream_queue_free(grpc_completion_queue *queue)
{
	grpc_completion_queue_shutdown(queue);
	grpc_completion_queue_destroy(queue);
}

int client_stream_open(struct client_channel *c, const struct method_desc *method,
		       const struct client_call_options *options, struct client_stream **ret,
		       struct error *err)
{
	static const struct client_call_options defaults;
	struct arena arena; /* of the token */
	const char *token;

	options = options ? options : &defaults;
	error_clear(err);
	struct client_stream *s = calloc(1, sizeof(*s));
	if (!s)
		return error_internal(err, "no memory for a stream");
	arena_init(&arena, 64 << 10);
	int r = client_token(c, method, options, NULL, &arena, &token, err);
	if (r == 0)
		r = client_metadata_fill(&s->metadata, token, options->metadata, err);
	arena_done(&arena);
	if (r < 0) {
		free(s);
		return r;
	}
	s->channel = c;
	s->method = method;
	s->queue = grpc_completion_queue_create_for_pluck(NULL);
	s->call = client_channel_call(c, method, s->queue, client_deadline(options->timeout_ms));
	grpc_metadata_array_init(&s->initial);
	client_outcome_init(&s->outcome);
	if (!stream_start(s))
		abort();
	*ret = s;
	return 0;
}

int client_stream_send(struct client_stream *s, const ProtobufCMessage *message, struct error *err)
{
	grpc_slice payload;
	int r = client_payload_pack(message, &payload, err);
	if (r < 0)
		return r;
	s->out = grpc_raw_byte_buffer_create(&payload, 1);
	grpc_slice_unref(payload);
	grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = s->out};
	bool started = stream_batch(s, &op, 1, &s->out);
	bool sent = started && stream_wait(s, &s->out);
	grpc_byte_buffer_destroy(s->out);
	if (!started)
		return error_internal(err, "a message was sent on %s after its half-close", s->method->path);
	return sent ? 0 : 1;
}

int client_stream_half_close(struct client_stream *s, struct error *err)
{
	grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};

	if (!stream_batch(s, &op, 1, &s->half_close))
		return error_internal(err, "%s was half-closed twice", s->method->path);
	stream_wait(s, &s->half_close); /* a failure means the stream is over: receive says why */
	return 0;
}

static int stream_status(struct client_stream *s, struct arena *arena, struct error *err)
{
	if (!s->ended)
		stream_wait(s, &s->outcome);
	s->ended = true;
	return client_outcome_read(&s->outcome, s->channel, arena, err);
}

int client_stream_receive(struct client_stream *s, struct arena *arena, ProtobufCMessage **ret,
			  struct error *err)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &s->in};

	error_clear(err);
	if (s->ended)
		return stream_status(s, arena, err);
	s->in = NULL;
	if (!stream_batch(s, &op, 1, &s->in))
		return error_internal(err, "two threads receive on %s at once", s->method->path);
	stream_wait(s, &s->in);
	if (!s->in)
		return stream_status(s, arena, err);
	int r = client_payload_unpack(s->method->response, s->in, arena, ret, err);
	grpc_byte_buffer_destroy(s->in);
	return r < 0 ? r : 1;
}

void client_stream_cancel(struct client_stream *s)
{
	grpc_call_cancel(s->call, NULL);
}

void client_stream_free(struct client_stream *s)
{
	if (!s)
		return;
	if (!s->ended) {
		grpc_call_cancel(s->call, NULL);
		stream_wait(s, &s->outcome);
	}
	stream_wait(s, &s->initial);
	client_metadata_done(&s->metadata);
	client_outcome_done(&s->outcome);
	grpc_metadata_array_destroy(&s->initial);
	grpc_call_unref(s->call);
	stream_queue_free(s->queue);
	free(s);
}
