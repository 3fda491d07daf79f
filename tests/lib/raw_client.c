/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/raw_client.h"

#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/codec.h"
#include "proto/runtime/error_details.h"

struct raw_client {
	grpc_channel *channel;
	grpc_completion_queue *queue;
};

struct raw_call {
	struct raw_client *client;
	grpc_call *core;
	grpc_metadata_array initial, trailing;
	bool initial_asked;
	grpc_status_code code;
	grpc_slice details;
	struct raw_options options;
};

static grpc_arg arg_int(const char *key, int value)
{
	return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

static struct raw_client *client_new(const char *target, grpc_channel_credentials *credentials,
				     const char *name)
{
	struct raw_client *c = calloc(1, sizeof(*c));
	grpc_arg args[] = {
		/* Every client its own connection; no retries behind the test's back. */
		arg_int(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
		arg_int(GRPC_ARG_ENABLE_RETRIES, 0),
		arg_int(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1),
		{.type = GRPC_ARG_STRING,
		 .key = (char *)GRPC_SSL_TARGET_NAME_OVERRIDE_ARG,
		 .value.string = (char *)name},
	};
	const grpc_channel_args all = {.num_args = name ? 4 : 3, .args = args};

	c->channel = grpc_channel_create(target, credentials, &all);
	grpc_channel_credentials_release(credentials);
	c->queue = grpc_completion_queue_create_for_pluck(NULL);
	return c;
}

struct raw_client *raw_client_new(const char *target)
{
	grpc_init();
	return client_new(target, grpc_insecure_credentials_create(), NULL);
}

struct raw_client *raw_client_new_tls(const char *target, const char *ca)
{
	grpc_init();
	return client_new(target, grpc_ssl_credentials_create(ca, NULL, NULL, NULL), "localhost");
}

void raw_client_free(struct raw_client *c)
{
	grpc_channel_destroy(c->channel);
	grpc_completion_queue_shutdown(c->queue);
	grpc_completion_queue_destroy(c->queue);
	free(c);
	grpc_shutdown();
}

/* Starts a batch and waits for it. */
static bool batch(struct raw_call *call, const grpc_op *ops, size_t n)
{
	grpc_event event;

	if (grpc_call_start_batch(call->core, ops, n, call, NULL) != GRPC_CALL_OK)
		abort();
	event = grpc_completion_queue_pluck(call->client->queue, call, gpr_inf_future(GPR_CLOCK_REALTIME),
					    NULL);
	return event.success != 0;
}

static grpc_metadata header(const char *key, const char *value)
{
	return (grpc_metadata){
		.key = grpc_slice_from_static_string(key),
		.value = grpc_slice_from_copied_string(value),
	};
}

static void send_headers(struct raw_call *call)
{
	grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA};
	grpc_metadata metadata[3];
	char bearer[2048];
	size_t n = 0;

	if (call->options.token) {
		snprintf(bearer, sizeof(bearer), "Bearer %s", call->options.token);
		metadata[n++] = header("authorization", bearer);
	}
	if (call->options.label)
		metadata[n++] = header("x-request-id", call->options.label);
	if (call->options.gzip)
		metadata[n++] = header("grpc-internal-encoding-request", "gzip");
	op.data.send_initial_metadata.count = n;
	op.data.send_initial_metadata.metadata = metadata;
	batch(call, &op, 1);
	while (n > 0)
		grpc_slice_unref(metadata[--n].value);
}

static gpr_timespec deadline_in(int ms)
{
	if (ms < 0)
		return gpr_inf_future(GPR_CLOCK_MONOTONIC);
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
			    gpr_time_from_millis(ms ? ms : 10000, GPR_TIMESPAN));
}

struct raw_call *raw_open(struct raw_client *c, const char *path, const struct raw_options *options)
{
	struct raw_call *call = calloc(1, sizeof(*call));
	gpr_timespec deadline;

	call->client = c;
	if (options)
		call->options = *options;
	deadline = deadline_in(call->options.timeout_ms);
	call->core = grpc_channel_create_call(c->channel, NULL, GRPC_PROPAGATE_DEFAULTS, c->queue,
					      grpc_slice_from_static_string(path), NULL, deadline, NULL);
	grpc_metadata_array_init(&call->initial);
	grpc_metadata_array_init(&call->trailing);
	send_headers(call);
	return call;
}

bool raw_send(struct raw_call *call, struct span message)
{
	grpc_slice slice = grpc_slice_from_copied_buffer((const char *)message.data, message.len);
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};
	bool ok;

	op.data.send_message.send_message = buffer;
	ok = batch(call, &op, 1);
	grpc_byte_buffer_destroy(buffer);
	grpc_slice_unref(slice);
	return ok;
}

bool raw_send_message(struct raw_call *call, const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = malloc(len + 1);
	bool ok;

	protobuf_c_message_pack(message, bytes);
	ok = raw_send(call, span_of(bytes, len));
	free(bytes);
	return ok;
}

bool raw_half_close(struct raw_call *call)
{
	grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};

	return batch(call, &op, 1);
}

static struct span buffer_copy(grpc_byte_buffer *buffer, struct arena *arena)
{
	grpc_byte_buffer_reader reader;
	struct span span;
	grpc_slice flat;

	if (!grpc_byte_buffer_reader_init(&reader, buffer))
		abort();
	flat = grpc_byte_buffer_reader_readall(&reader);
	span.len = GRPC_SLICE_LENGTH(flat);
	span.data = arena_memdup(arena, GRPC_SLICE_START_PTR(flat), span.len);
	if (!span.data)
		abort();
	grpc_slice_unref(flat);
	grpc_byte_buffer_reader_destroy(&reader);
	return span;
}

bool raw_receive(struct raw_call *call, struct arena *arena, struct span *ret)
{
	grpc_byte_buffer *buffer = NULL;
	grpc_op ops[2] = {{.op = GRPC_OP_RECV_MESSAGE}, {.op = GRPC_OP_RECV_INITIAL_METADATA}};
	bool ok;

	ops[0].data.recv_message.recv_message = &buffer;
	ops[1].data.recv_initial_metadata.recv_initial_metadata = &call->initial;
	ok = batch(call, ops, call->initial_asked ? 1 : 2);
	call->initial_asked = true;
	if (!ok || !buffer)
		return false;
	*ret = buffer_copy(buffer, arena);
	grpc_byte_buffer_destroy(buffer);
	return true;
}

void raw_cancel(struct raw_call *call)
{
	grpc_call_cancel(call->core, NULL);
}

static const char *slice_copy(grpc_slice slice, struct arena *arena)
{
	return arena_strndup(arena, (const char *)GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
}

static const grpc_slice *metadata_find(const grpc_metadata_array *array, const char *key)
{
	for (size_t i = 0; i < array->count; i++) {
		if (grpc_slice_str_cmp(array->metadata[i].key, key) == 0)
			return &array->metadata[i].value;
	}
	return NULL;
}

static void reply_read(struct raw_call *call, struct arena *arena, struct raw_reply *ret)
{
	const grpc_slice *value;

	ret->code = (int)call->code;
	ret->message = slice_copy(call->details, arena);
	value = metadata_find(&call->initial, "x-request-id");
	if (!value) /* an error that is all of the answer has its headers among the trailers */
		value = metadata_find(&call->trailing, "x-request-id");
	ret->label = value ? slice_copy(*value, arena) : NULL;
	value = metadata_find(&call->trailing, "grpc-retry-pushback-ms");
	ret->pushback = value ? slice_copy(*value, arena) : NULL;
	error_clear(&ret->error);
	value = metadata_find(&call->trailing, "grpc-status-details-bin");
	if (value && error_decode(span_of(GRPC_SLICE_START_PTR(*value), GRPC_SLICE_LENGTH(*value)), arena,
				  &ret->error) < 0)
		abort();
}

void raw_finish(struct raw_call *call, struct arena *arena, struct raw_reply *ret)
{
	grpc_op op = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
	struct span unread;

	/* Core holds the status back until the messages before it are taken. */
	while (raw_receive(call, arena, &unread))
		;
	op.data.recv_status_on_client.trailing_metadata = &call->trailing;
	op.data.recv_status_on_client.status = &call->code;
	op.data.recv_status_on_client.status_details = &call->details;
	batch(call, &op, 1);
	*ret = (struct raw_reply){0};
	reply_read(call, arena, ret);
	grpc_slice_unref(call->details);
	grpc_metadata_array_destroy(&call->initial);
	grpc_metadata_array_destroy(&call->trailing);
	grpc_call_unref(call->core);
	free(call);
}

void raw_unary(struct raw_client *c, const char *path, struct span request, const struct raw_options *options,
	       struct arena *arena, struct raw_reply *ret)
{
	struct raw_call *call = raw_open(c, path, options);
	struct span payload = {0};
	bool has_payload;

	if (!options || !options->no_message)
		raw_send(call, request);
	raw_half_close(call);
	has_payload = raw_receive(call, arena, &payload);
	raw_finish(call, arena, ret);
	ret->has_payload = has_payload;
	ret->payload = payload;
}

ProtobufCMessage *raw_unary_message(struct raw_client *c, const char *path, const ProtobufCMessage *request,
				    const ProtobufCMessageDescriptor *response,
				    const struct raw_options *options, struct arena *arena,
				    struct raw_reply *ret)
{
	struct error err;
	struct span packed;

	if (codec_pack(request, arena, &packed, &err) < 0)
		abort();
	raw_unary(c, path, packed, options, arena, ret);
	if (ret->code != STATUS_OK)
		return NULL;
	return protobuf_c_message_unpack(response, arena_allocator(arena), ret->payload.len,
					 ret->payload.data);
}
