/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/unary.h"

#include "proto/runtime/codec.h"
#include "server/base/log.h"
#include "server/rpc/admission.h"
#include "server/rpc/answer.h"
#include "server/rpc/lifecycle.h"
#include "server/rpc/observe.h"
#include "server/rpc/payload.h"
#include "server/rpc/policy.h"
#include "server/rpc/refusal.h"
#include "server/rpc/request_key.h"
#include "server/rpc/server_state.h"
#include "server/rpc/stream.h"
#include "server/rpc/subject.h"
#include "server/rpc/watch.h"

/* Nobody waits for it any more: it ends as it is. */
static bool unary_dropped(struct rpc_call *call)
{
	if (!atomic_load(&call->gone))
		return false;
	observe_answer(&call->method->observe, STATUS_CANCELLED, monotonic_us() - call->began_us);
	call_release_elsewhere(call);
	return true;
}

/* Asked when its turn comes: what cannot end in time would only keep others from it. */
static int time_check(struct rpc_call *call)
{
	int r = policy_deadline(call->deadline_us, &call->error);

	if (r == 0 && call->expected_us && call->deadline_us - monotonic_us() < call->expected_us)
		r = refuse_busy(&call->error);
	return r;
}

static void record_run(struct rpc_call *call)
{
	if (unary_dropped(call))
		return;
	int r = time_check(call);
	if (r == 0)
		r = subject_record(call);
	call_answer(call, r);
}

/* Done: answered at once, but for a read of another's data, which a thread of the database records first. */
static void unary_conclude(struct rpc_call *call, int r, bool on_db)
{
	const bool record = r == 0 && subject_unrecorded(call);

	if (record && !on_db) {
		call->task = record_run;
		call_watch_later(call);
		if (call_run_at(call, RPC_ON_DB, false, true))
			return;
		r = refuse_busy(&call->error);
	} else if (record) {
		r = subject_record(call);
	}
	call_answer(call, r);
}

/* After a handler or a continuation returned. */
static void unary_settle(struct rpc_call *call, int r, enum rpc_place place)
{
	/* Moved or deferred: it may be over by now. */
	if (r > 0)
		return;
	unary_conclude(call, r, place == RPC_ON_DB);
}

static void unary_run(struct rpc_call *call)
{
	const struct rpc_row *row = call->method->row;

	if (unary_dropped(call))
		return;
	int r = time_check(call);
	if (r == 0)
		r = row->thunk(row, call, call->request, call->reply, &call->error);
	unary_settle(call, r, row->place);
}

static void continuation_run(struct rpc_call *call)
{
	const enum rpc_place place = call->continuation_place;

	if (unary_dropped(call))
		return;
	int r = time_check(call);
	if (r == 0)
		r = call->continuation(call, call->continuation_state, &call->error);
	unary_settle(call, r, place);
}

static int unary_prepare(struct rpc_call *call)
{
	const struct method *m = call->method;
	grpc_byte_buffer *payload = call->payload;
	struct rpc_server *s = call->server;

	call->payload = NULL;
	int r = payload_unpack(m, payload, &s->config.limits, &call->arena, &call->request, &call->error);
	if (r == 0)
		r = request_key_make(m, &call->principal, call->request, &call->arena, &call->key,
				     &call->error);
	if (r == 0)
		r = subject_of_message(call, call->request, &call->error);
	if (r < 0 || m->desc->kind != METHOD_UNARY)
		return r;
	call->reply = codec_new(m->desc->response, &call->arena);
	if (!call->reply)
		return arena_full(&call->error);
	return 0;
}

/* The message is there. */
static void unary_begin(struct rpc_call *call)
{
	int r = unary_prepare(call);

	if (r < 0) {
		call_answer(call, r);
		return;
	}
	if (call->method->desc->kind != METHOD_UNARY) {
		stream_begin(call);
		return;
	}
	call->task = unary_run;
	if (call->method->row->place != RPC_ON_POLLER)
		call_watch_later(call);
	if (!call_run_at(call, call->method->row->place, true, true))
		call_answer(call, refuse_busy(&call->error));
}

static void payload_came(struct tag *tag, bool ok)
{
	struct rpc_call *call = TAG_OWNER(tag, struct rpc_call, payload_tag);

	/* Not with the caller any more: given up for another (server/rpc/line.h), whatever came. */
	if (atomic_exchange(&call->with_caller_us, 0) == 0 || !ok)
		call_release(call);
	else
		unary_begin(call);
}

static void payload_ask(struct rpc_call *call)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

	op.data.recv_message.recv_message = &call->payload;
	call->payload_tag.run = payload_came;
	call_turn(call, call->began_us);
	grpc_call_error e = batch_start(call->core, &op, 1, &call->payload_tag);
	if (e == GRPC_CALL_OK)
		return;
	call_answer(call, error_internal(&call->error, "core refused to receive: %s",
					 grpc_call_error_to_string(e)));
}

/* A hot method's message came with the call. */
static void unary_admitted(struct rpc_call *call, int r)
{
	if (r < 0)
		call_answer(call, r);
	else if (call->method->registered)
		unary_begin(call);
	else
		payload_ask(call);
}

void unary_arrived(struct rpc_call *call, const struct call_headers *headers)
{
	call_admit(call, headers, unary_admitted);
}

/* --- other ways for a handler to return --- */

int rpc_run_on(struct rpc_call *call, enum rpc_place place, rpc_continuation next, void *state)
{
	call->task = continuation_run;
	call->continuation = next;
	call->continuation_state = state;
	call->continuation_place = place;
	if (place != RPC_ON_POLLER)
		call_watch_later(call);
	if (!call_run_at(call, place, false, true))
		return refuse_busy(&call->error);
	return RPC_MOVED;
}

int rpc_reply_packed(struct rpc_call *call, struct span bytes)
{
	grpc_slice slice = grpc_slice_from_copied_buffer((const char *)bytes.data, bytes.len);

	call->packed = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	return RPC_DONE;
}

int rpc_defer(struct rpc_call *call)
{
	return RPC_DEFERRED;
}

void rpc_call_finish(struct rpc_call *call, int r, const struct error *err)
{
	if (atomic_exchange(&call->finished, true)) {
		log_error("a call was finished twice: method=%s request=%s", call->method->desc->path,
			  call->label);
		return;
	}
	if (r < 0 && err != &call->error)
		call->error = *err;
	unary_conclude(call, r, false);
}
