/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_POLLER_H
#define RPC_POLLER_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/runtime/error.h"

struct rpc_call;
struct rpc_server;
struct slot;

/*
 * One completion queue and the one thread that serves it. It owns the slots posted on the queue and the calls
 * that arrive there; what is not its thread touches none of it but the
 * line.
 */
struct poller {
	struct rpc_server *server;
	grpc_completion_queue *queue;
	pthread_t thread;
	bool running;
	unsigned index;
	uint64_t labels; /* given so far */
	struct rpc_call *free;
	unsigned n_free;
	pthread_mutex_t line_lock;
	struct rpc_call *line_first, *line_last; /* server/rpc/line.h */
	struct slot *slots;
	unsigned n_slots;
};

/* Makes the queue; before the server starts, which must know it. */
int poller_init(struct poller *p, struct rpc_server *server, unsigned index, struct error *err)
	__attribute__((warn_unused_result));

/* Posts the slots and starts the thread; after the server has started. */
int poller_start(struct poller *p, struct error *err) __attribute__((warn_unused_result));

/* Shuts the queue, waits until it is drained and the thread has ended. No call may be under way. */
void poller_stop(struct poller *p);

/* Frees what is left, whether it was started or not. */
void poller_done(struct poller *p);

#endif
