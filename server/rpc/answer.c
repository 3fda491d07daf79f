/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/answer.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/runtime/error_details.h"
#include "server/base/log.h"
#include "server/rpc/lifecycle.h"
#include "server/rpc/payload.h"
#include "server/rpc/refusal.h"
#include "server/rpc/server_state.h"
#include "server/rpc/subject.h"
#include "server/rpc/watch.h"

enum { DETAILS_ARENA_CAP = 64 * 1024 };

void answer_init(struct answer *a, struct rpc_call *call)
{
	a->call = call;
	a->n_ops = 0;
	a->payload = NULL;
	a->message = grpc_empty_slice();
}

static grpc_op *op_add(struct answer *a, grpc_op_type type)
{
	grpc_op *op = &a->ops[a->n_ops++];

	op->op = type;
	op->flags = 0;
	op->reserved = NULL;
	return op;
}

/* Keys are constants. Values are copied: core may write them out after the call's memory is used again. */
static grpc_metadata header(const char *key, struct span value)
{
	return (grpc_metadata){
		.key = grpc_slice_from_static_string(key),
		.value = grpc_slice_from_copied_buffer((const char *)value.data, value.len),
	};
}

void answer_add_headers(struct answer *a)
{
	struct rpc_call *call = a->call;
	grpc_op *op = op_add(a, GRPC_OP_SEND_INITIAL_METADATA);
	size_t n = 0;

	a->initial[n++] = header("x-request-id", span_str(call->label));
	for (unsigned i = 0; i < call->n_headers; i++)
		a->initial[n++] = header(call->headers[i].key, span_str(call->headers[i].value));
	op->data.send_initial_metadata.count = n;
	op->data.send_initial_metadata.metadata = a->initial;
	op->data.send_initial_metadata.maybe_compression_level.is_set = 0;
}

void answer_add_packed(struct answer *a, grpc_byte_buffer *payload)
{
	a->payload = payload;
	op_add(a, GRPC_OP_SEND_MESSAGE)->data.send_message.send_message = payload;
}

void answer_add_message(struct answer *a, const ProtobufCMessage *message)
{
	answer_add_packed(a, payload_pack(message));
}

void answer_add_close(struct answer *a)
{
	op_add(a, GRPC_OP_RECV_CLOSE_ON_SERVER)->data.recv_close_on_server.cancelled =
		&a->call->close_cancelled;
}

static const char *method_path(const struct rpc_call *call)
{
	return call->method ? call->method->desc->path : "(unknown)";
}

/* An error as it leaves: a handler that failed without saying why is an internal fault of its own. */
static void error_settle(struct rpc_call *call, int r)
{
	struct error *err = &call->error;
	struct log_text text;

	if (err->code == STATUS_OK || !err->reason)
		(void)!error_internal(err, "the handler returned %d and no error", r);
	/* What the arena's cap refuses is the caller's doing; what the memory of all refuses is not. */
	if (call->arena.starved && err->reason == &RPC_REASON_MESSAGE_TOO_LARGE)
		(void)!refuse_starved(err);
	if (err->code != STATUS_INTERNAL)
		return;
	/* A longer label of the caller's is cut; the log has it whole. */
	snprintf(err->correlation_id, sizeof(err->correlation_id), "%.31s", call->label);
	log_error("internal fault: %s method=%s user=%" PRId64 " request=%s", log_quote(&text, err->message),
		  method_path(call), call->principal.user_id, call->label);
}

/* The trailers of an error. The arena of the call may be what is exhausted, so this one is its own. */
static size_t error_trailers(const struct rpc_call *call, grpc_metadata trailing[2])
{
	const struct error *err = &call->error;
	struct arena arena;
	struct span details;
	char delay[24];
	size_t n = 0;

	arena_init(&arena, DETAILS_ARENA_CAP);
	if (error_encode(err, call->server->config.error_domain, &arena, &details) == 0)
		trailing[n++] = header("grpc-status-details-bin", details);
	arena_done(&arena);
	if (err->code == STATUS_UNAVAILABLE && err->retry_delay_ms >= 0) {
		snprintf(delay, sizeof(delay), "%" PRId64, err->retry_delay_ms);
		trailing[n++] = header("grpc-retry-pushback-ms", span_str(delay));
	}
	return n;
}

static void answer_count(struct rpc_call *call, int code)
{
	const int64_t now_us = monotonic_us(), latency_us = now_us - call->began_us;

	call->answered_us = now_us;
	observe_answer(call->method ? &call->method->observe : &call->server->unknown, code, latency_us);
	log_debug("call method=%s code=%s us=%" PRId64 " user=%" PRId64 " request=%s", method_path(call),
		  status_code_name(code), latency_us, call->principal.user_id, call->label);
}

/*
 * An error that begins the answer has its headers among the trailers: without initial metadata core sends
 * trailers only, and a client that has seen headers no longer repeats the call (gRPC's A6, client retries).
 */
static size_t headers_move(struct answer *a, grpc_metadata *trailing)
{
	grpc_op *first = &a->ops[0];
	size_t n = 0;

	if (a->n_ops == 0 || first->op != GRPC_OP_SEND_INITIAL_METADATA || a->payload)
		return 0;
	for (; n < first->data.send_initial_metadata.count; n++)
		trailing[n] = a->initial[n];
	first->data.send_initial_metadata.count = 0;
	return n;
}

void answer_add_status(struct answer *a, int r)
{
	struct rpc_call *call = a->call;
	int code = STATUS_OK;
	size_t n = 0;

	if (r < 0) {
		error_settle(call, r);
		code = call->error.code;
		n = error_trailers(call, a->trailing);
		n += headers_move(a, a->trailing + n);
		a->message = grpc_slice_from_copied_string(error_public_message(&call->error));
	}
	grpc_op *op = op_add(a, GRPC_OP_SEND_STATUS_FROM_SERVER);
	op->data.send_status_from_server.trailing_metadata_count = n;
	op->data.send_status_from_server.trailing_metadata = a->trailing;
	op->data.send_status_from_server.status = (grpc_status_code)code;
	op->data.send_status_from_server.status_details = r < 0 ? &a->message : NULL;
	answer_count(call, code);
}

static void metadata_unref(grpc_metadata *metadata, size_t n)
{
	for (size_t i = 0; i < n; i++)
		grpc_slice_unref(metadata[i].value);
}

static void answer_done(struct answer *a)
{
	for (size_t i = 0; i < a->n_ops; i++) {
		const grpc_op *op = &a->ops[i];

		if (op->op == GRPC_OP_SEND_INITIAL_METADATA)
			metadata_unref(a->initial, op->data.send_initial_metadata.count);
		else if (op->op == GRPC_OP_SEND_STATUS_FROM_SERVER)
			metadata_unref(a->trailing, op->data.send_status_from_server.trailing_metadata_count);
	}
	grpc_slice_unref(a->message);
	if (a->payload)
		grpc_byte_buffer_destroy(a->payload);
}

bool answer_start(struct answer *a, struct tag *tag)
{
	if (a->payload)
		call_hold(a->call, grpc_byte_buffer_length(a->payload));
	grpc_call_error e = batch_start(a->call->core, a->ops, a->n_ops, tag);

	/* Once the batch is started the call may be over, and another's. */
	answer_done(a);
	if (e == GRPC_CALL_OK)
		return true;
	log_error("core refused an answer: %s method=%s request=%s", grpc_call_error_to_string(e),
		  method_path(a->call), a->call->label);
	return false;
}

/* The answer is out, or the caller is gone. */
static void call_answered(struct tag *tag, bool ok)
{
	call_release(TAG_OWNER(tag, struct rpc_call, answer_tag));
}

void call_answer(struct rpc_call *call, int r)
{
	struct answer a;

	if (r == 0)
		r = subject_check(call);
	call->answer_tag.run = call_answered;
	answer_init(&a, call);
	answer_add_headers(&a);
	if (r == 0 && call->packed) {
		answer_add_packed(&a, call->packed);
		call->packed = NULL;
	} else if (r == 0) {
		answer_add_message(&a, call->reply);
	}
	answer_add_status(&a, r);
	if (call_watch_over(call))
		answer_add_close(&a);
	call_turn(call, call->answered_us);
	if (answer_start(&a, &call->answer_tag))
		return;
	grpc_call_cancel_with_status(call->core, GRPC_STATUS_INTERNAL, "the answer could not be sent", NULL);
	call_release_elsewhere(call);
}
