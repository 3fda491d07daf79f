/* SPDX-License-Identifier: Apache-2.0 */
#include <grpc/support/alloc.h>
#include <stdlib.h>

#include "client/internal.h"

const struct error_reason CLIENT_REASON_NOT_CONNECTED = {"NOT_CONNECTED", STATUS_UNAVAILABLE};

static int not_connected(struct client_channel *c, const char *why, size_t n, struct error *err)
{
	char *target = grpc_channel_get_target(c->core);
	int r = error_raise(err, &CLIENT_REASON_NOT_CONNECTED, "there is no connection to %.64s: %.*s",
			    target, (int)n, why);

	gpr_free(target);
	return r;
}

/* Core says why only to a call; this one changes nothing where it arrives after all. */
static int connect_failed(struct client_channel *c, grpc_completion_queue *queue, gpr_timespec deadline,
			  struct error *err)
{
	static const char path[] = "/grpc.health.v1.Health/Check";
	struct client_outcome outcome;
	grpc_op op = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
		      .data.recv_status_on_client = {.trailing_metadata = &outcome.trailing,
						     .status = &outcome.status,
						     .status_details = &outcome.message}};
	grpc_op open = {.op = GRPC_OP_SEND_INITIAL_METADATA};
	grpc_call *call = grpc_channel_create_call(c->core, NULL, GRPC_PROPAGATE_DEFAULTS, queue,
						   grpc_slice_from_static_string(path), NULL, deadline, NULL);
	int r = 0;

	client_outcome_init(&outcome);
	if (grpc_call_start_batch(call, (grpc_op[]){open, op}, 2, call, NULL) != GRPC_CALL_OK)
		abort(); /* both are legal on a new call */
	grpc_completion_queue_pluck(queue, call, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	if (grpc_channel_check_connectivity_state(c->core, 0) != GRPC_CHANNEL_READY)
		r = not_connected(c, (const char *)GRPC_SLICE_START_PTR(outcome.message),
				  GRPC_SLICE_LENGTH(outcome.message), err);
	client_outcome_done(&outcome);
	grpc_call_unref(call);
	return r;
}

int client_channel_connect(struct client_channel *c, int64_t timeout_ms, struct error *err)
{
	static const char late[] = "nobody answered in time";
	gpr_timespec deadline = client_deadline(timeout_ms ? timeout_ms : c->timeout_ms);
	grpc_completion_queue *queue = client_thread_queue();

	error_clear(err);
	if (!queue)
		return error_internal(err, "no completion queue for this thread");
	for (;;) {
		grpc_connectivity_state state = grpc_channel_check_connectivity_state(c->core, 1);
		if (state == GRPC_CHANNEL_READY)
			return 0;
		if (state == GRPC_CHANNEL_TRANSIENT_FAILURE)
			return connect_failed(c, queue, deadline, err);
		grpc_channel_watch_connectivity_state(c->core, state, deadline, queue, &deadline);
		if (!grpc_completion_queue_pluck(queue, &deadline, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL)
			     .success)
			return not_connected(c, late, sizeof(late) - 1, err);
	}
}
