/* SPDX-License-Identifier: Apache-2.0 */
#include <grpc/byte_buffer.h>

#include "client/internal.h"
#include "proto/runtime/array.h"
#include "proto/runtime/handover.h"

static void attempt_done(struct client_attempt *a)
{
	client_metadata_done(&a->metadata);
	client_outcome_done(&a->outcome);
	grpc_metadata_array_destroy(&a->initial);
	if (a->request)
		grpc_byte_buffer_destroy(a->request);
	if (a->reply)
		grpc_byte_buffer_destroy(a->reply);
	if (a->call)
		grpc_call_unref(a->call);
}

static grpc_call_error attempt_batch(struct client_attempt *a, void *tag)
{
	grpc_op ops[] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA,
		 .data.send_initial_metadata = {.count = a->metadata.n, .metadata = a->metadata.pairs}},
		{.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = a->request},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
		{.op = GRPC_OP_RECV_INITIAL_METADATA,
		 .data.recv_initial_metadata.recv_initial_metadata = &a->initial},
		{.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &a->reply},
		{.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
		 .data.recv_status_on_client = {.trailing_metadata = &a->outcome.trailing,
						.status = &a->outcome.status,
						.status_details = &a->outcome.message}},
	};

	handover_give(tag);
	return grpc_call_start_batch(a->call, ops, ARRAY_SIZE(ops), tag, NULL);
}

int client_attempt_start(struct client_attempt *a, struct client_channel *c, const struct method_desc *method,
			 grpc_slice payload, const char *token, const char *const *metadata,
			 gpr_timespec deadline, grpc_completion_queue *queue, void *tag, struct error *err)
{
	*a = (struct client_attempt){.channel = c};
	int r = client_metadata_fill(&a->metadata, token, metadata, err);
	if (r < 0)
		return r;
	client_outcome_init(&a->outcome);
	grpc_metadata_array_init(&a->initial);
	a->request = grpc_raw_byte_buffer_create(&payload, 1);
	a->call = client_channel_call(c, method, queue, deadline);
	grpc_call_error refused = attempt_batch(a, tag);
	if (refused != GRPC_CALL_OK) {
		attempt_done(a);
		return error_internal(err, "core refused to start %s: error %d", method->path, (int)refused);
	}
	return 0;
}

static int attempt_read(struct client_attempt *a, const struct method_desc *method, struct arena *arena,
			ProtobufCMessage **ret, struct error *err)
{
	int r = client_outcome_read(&a->outcome, a->channel, arena, err);
	if (r < 0)
		return r;
	if (!a->reply)
		return error_raise(err, client_plain_reason(STATUS_UNIMPLEMENTED),
				   "%s ended with OK and no message: whoever answered does not implement it",
				   method->name);
	return client_payload_unpack(method->response, a->reply, arena, ret, err);
}

static bool attempt_replayed(const struct client_attempt *a)
{
	const char *header = a->channel->replayed_header;
	const grpc_slice *value = header ? client_metadata_find(&a->initial, header) : NULL;

	return value && grpc_slice_str_cmp(*value, "1") == 0;
}

int client_attempt_end(struct client_attempt *a, const struct method_desc *method, bool *replayed,
		       struct arena *arena, ProtobufCMessage **ret, struct error *err)
{
	int r = attempt_read(a, method, arena, ret, err);

	if (replayed)
		*replayed = attempt_replayed(a);
	attempt_done(a);
	return r;
}

bool client_token_refused(int r, const struct error *err)
{
	return r == -STATUS_UNAUTHENTICATED && err->reason &&
	       (strcmp(err->reason->name, RPC_REASON_TOKEN_EXPIRED.name) == 0 ||
		strcmp(err->reason->name, RPC_REASON_TOKEN_REVOKED.name) == 0);
}
