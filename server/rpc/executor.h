/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_EXECUTOR_H
#define RPC_EXECUTOR_H

#include <pthread.h>
#include <stdbool.h>

#include "server/rpc/server.h"

/*
 * Threads that run calls' tasks, for what must not run on a poller. The line of waiting calls is intrusive: a
 * call waits in one line at most, so nothing is allocated and what is already under way never finds the line
 * full.
 */
struct executor {
	const struct rpc_executor_config *config;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct rpc_call *first, **last; /* waiting, linked by rpc_call.next */
	unsigned length, idle;
	bool closed;
	pthread_t *threads;
	unsigned n_threads; /* started */
	struct metric *waiting;
};

/* Starts the threads. `name` is for metrics and the threads' names. `config` outlives the executor. */
int executor_start(struct executor *e, const struct rpc_executor_config *config, const char *name,
		   struct error *err) __attribute__((warn_unused_result));

/*
 * Runs call->task on one of the threads. With `bounded`, false when as many calls wait as may. Otherwise
 * always true: for calls that have a place already, such as streams, whose number is bounded elsewhere.
 */
bool executor_push(struct executor *e, struct rpc_call *call, bool bounded)
	__attribute__((warn_unused_result));

/* Lets the threads finish what waits, and joins them. Nothing may be pushed any more. */
void executor_stop(struct executor *e);

#endif
