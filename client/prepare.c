/* SPDX-License-Identifier: Apache-2.0 */
#include "client/internal.h"

static void *channel_handle(const struct client_channel *c, const struct method_desc *method)
{
	for (size_t i = 0; c->services[i]; i++) {
		if (c->services[i] == method->service)
			return c->handles[i][method - method->service->methods];
	}
	return NULL;
}

grpc_call *client_channel_call(struct client_channel *c, const struct method_desc *method,
			       grpc_completion_queue *queue, gpr_timespec deadline)
{
	void *handle = channel_handle(c, method);

	if (handle)
		return grpc_channel_create_registered_call(c->core, NULL, GRPC_PROPAGATE_DEFAULTS, queue,
							   handle, deadline, NULL);
	grpc_slice path = grpc_slice_from_copied_string(method->path);
	grpc_call *call = grpc_channel_create_call(c->core, NULL, GRPC_PROPAGATE_DEFAULTS, queue, path, NULL,
						   deadline, NULL);
	grpc_slice_unref(path);
	return call;
}

gpr_timespec client_deadline(int64_t timeout_ms)
{
	if (timeout_ms <= 0)
		return gpr_inf_future(GPR_CLOCK_MONOTONIC);
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
}

int client_token(struct client_channel *c, const struct method_desc *method,
		 const struct client_call_options *options, const char *refused, struct arena *arena,
		 const char **ret, struct error *err)
{
	*ret = NULL;
	if (options->token) {
		*ret = options->token[0] ? options->token : NULL;
		return 0;
	}
	if (!c->credentials.token)
		return 0;
	int r = c->credentials.token(c->credentials.arg, refused, arena, ret, err);
	if (r < 0 && method->policy.access == METHOD_ACCESS_PUBLIC) {
		*ret = NULL;
		return 0;
	}
	return r;
}
