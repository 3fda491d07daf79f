/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_TAG_H
#define RPC_TAG_H

#include <grpc/grpc.h>
#include <stdbool.h>
#include <stddef.h>

#include "proto/runtime/handover.h"

/* What a completion queue hands back: embedded in whatever waits, `run` is called on the poller's thread. */
struct tag {
	void (*run)(struct tag *tag, bool ok);
};

/* The structure a tag is embedded in. */
#define TAG_OWNER(tag, type, member) ((type *)((char *)(tag)-offsetof(type, member)))

/* Starts a batch whose event runs the tag. A batch of nothing only puts the tag in the poller's queue. */
static inline grpc_call_error batch_start(grpc_call *call, const grpc_op *ops, size_t n_ops, struct tag *tag)
{
	handover_give(tag);
	return grpc_call_start_batch(call, ops, n_ops, tag, NULL);
}

#endif
