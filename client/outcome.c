/* SPDX-License-Identifier: Apache-2.0 */
#include "client/internal.h"

#include "proto/runtime/error_details.h"

static const struct error_reason plain_reasons[] = {
#define PLAIN_REASON(code) [STATUS_##code] = {#code, STATUS_##code}
	PLAIN_REASON(OK),
	PLAIN_REASON(CANCELLED),
	PLAIN_REASON(UNKNOWN),
	PLAIN_REASON(INVALID_ARGUMENT),
	PLAIN_REASON(DEADLINE_EXCEEDED),
	PLAIN_REASON(NOT_FOUND),
	PLAIN_REASON(ALREADY_EXISTS),
	PLAIN_REASON(PERMISSION_DENIED),
	PLAIN_REASON(RESOURCE_EXHAUSTED),
	PLAIN_REASON(FAILED_PRECONDITION),
	PLAIN_REASON(ABORTED),
	PLAIN_REASON(OUT_OF_RANGE),
	PLAIN_REASON(UNIMPLEMENTED),
	PLAIN_REASON(INTERNAL),
	PLAIN_REASON(UNAVAILABLE),
	PLAIN_REASON(DATA_LOSS),
	PLAIN_REASON(UNAUTHENTICATED),
#undef PLAIN_REASON
};

const struct error_reason *client_plain_reason(int code)
{
	if (code < STATUS_OK || code > STATUS_UNAUTHENTICATED)
		code = STATUS_UNKNOWN;
	return &plain_reasons[code];
}

void client_outcome_init(struct client_outcome *o)
{
	grpc_metadata_array_init(&o->trailing);
	o->status = GRPC_STATUS_UNKNOWN;
	o->message = grpc_empty_slice();
}

void client_outcome_done(struct client_outcome *o)
{
	grpc_metadata_array_destroy(&o->trailing);
	grpc_slice_unref(o->message);
}

/* False when there are no details, or none that can be read. */
static bool outcome_details(const struct client_outcome *o, struct arena *arena, struct error *err)
{
	const grpc_slice *details = client_metadata_find(&o->trailing, "grpc-status-details-bin");

	if (!details)
		return false;
	struct span bytes = span_of(GRPC_SLICE_START_PTR(*details), GRPC_SLICE_LENGTH(*details));
	return error_decode(bytes, arena, err) == 0 && err->reason;
}

int client_outcome_read(const struct client_outcome *o, struct client_channel *c, struct arena *arena,
			struct error *err)
{
	const struct error_reason *plain = client_plain_reason((int)o->status);

	if (o->status == GRPC_STATUS_OK)
		return 0;
	if (!outcome_details(o, arena, err)) {
		client_reconnect_want(c);
		return error_raise(err, plain, "%.*s", (int)GRPC_SLICE_LENGTH(o->message),
				   (const char *)GRPC_SLICE_START_PTR(o->message));
	}
	err->code = plain->code; /* the status that came with the call is what every other client sees */
	return -err->code;
}
