/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_SLOT_H
#define RPC_SLOT_H

#include <grpc/grpc.h>

#include "server/rpc/method.h"
#include "server/rpc/tag.h"

struct poller;

/*
 * A request for one call, posted to core: for one hot method, or for any. It is small, since many wait; what
 * comes is moved to a call, and the slot is posted again before the call is looked at.
 */
struct slot {
	struct tag tag;
	struct poller *poller;
	struct method *method; /* NULL: the catch-all */
	grpc_call *core;
	gpr_timespec deadline;
	grpc_metadata_array metadata;
	grpc_byte_buffer *payload;
	grpc_call_details details; /* of the catch-all */
};

/* Makes and posts every slot of a poller. */
bool slots_post(struct poller *p) __attribute__((warn_unused_result));

/* Frees them; the queue is drained. */
void slots_free(struct poller *p);

#endif
