/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_TAG_H
#define RPC_TAG_H

#include <grpc/grpc.h>
#include <stdbool.h>
#include <stddef.h>

/* What a completion queue hands back: embedded in whatever waits, `run` is called on the poller's thread. */
struct tag {
	void (*run)(struct tag *tag, bool ok);
};

/* The structure a tag is embedded in. */
#define TAG_OWNER(tag, type, member) ((type *)((char *)(tag)-offsetof(type, member)))

/*
 * Core orders what happened before a batch before its event, but ThreadSanitizer sees nothing of core, which
 * is not built with it, and has to be told.
 */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
static inline void tag_give(struct tag *tag)
{
	__tsan_release(tag);
}
static inline void tag_take(struct tag *tag)
{
	__tsan_acquire(tag);
}
#else
static inline void tag_give(struct tag *tag)
{
}
static inline void tag_take(struct tag *tag)
{
}
#endif

/* Starts a batch whose event runs the tag. A batch of nothing only puts the tag in the poller's queue. */
static inline grpc_call_error batch_start(grpc_call *call, const grpc_op *ops, size_t n_ops, struct tag *tag)
{
	tag_give(tag);
	return grpc_call_start_batch(call, ops, n_ops, tag, NULL);
}

#endif
