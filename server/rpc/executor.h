/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_EXECUTOR_H
#define RPC_EXECUTOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/rpc/server.h"

/*
 * Threads that run calls' tasks, for what must not run on a poller. The lines of waiting calls are intrusive:
 * a call waits in one line at most, so nothing is allocated.
 *
 * A line is bounded in time, not only in calls: who would wait longer than config->wait_ms, or than half of
 * the time the caller has left, is refused at once, so that the threads work for callers who still wait and a
 * line is short again soon after a rush. What a line takes is guessed twice, and the worse guess counts: by
 * the mean time of the methods in it, and by how long its first has waited already.
 *
 * Strangers who only read wait in a line of their own, and no more than config->stranger_threads run at once:
 * they cannot keep the threads from those who signed in, or want to.
 */
enum executor_line { LINE_OF_CALLERS, LINE_OF_STRANGERS, EXECUTOR_LINES };

struct executor_waiting {
	struct rpc_call *first, **last; /* linked by rpc_call.next */
	unsigned length, running, running_max;
	int64_t work_us; /* what those in line will take, by the means of their methods */
};

struct executor {
	const struct rpc_executor_config *config;
	enum rpc_place place;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct executor_waiting lines[EXECUTOR_LINES];
	unsigned idle;
	bool closed;
	struct executor_thread *threads;
	unsigned n_threads; /* started */
	struct metric *waiting;
};

/* Starts the threads. `name` is for metrics and the threads' names. `config` outlives the executor. */
int executor_start(struct executor *e, const struct rpc_executor_config *config, enum rpc_place place,
		   const char *name, struct error *err) __attribute__((warn_unused_result));

/*
 * Runs call->task on one of the threads. With `bounded`, false when as many calls wait as may, or for as
 * long. Otherwise always true: for calls that have a place already, such as streams, whose number is bounded
 * elsewhere.
 */
bool executor_push(struct executor *e, struct rpc_call *call, bool bounded)
	__attribute__((warn_unused_result));

/* The call's caller is gone: the thread that runs it, if one does, is told so (config->interrupt). */
void executor_interrupt(struct executor *e, const struct rpc_call *call);

/* Lets the threads finish what waits, and joins them. Nothing may be pushed any more. */
void executor_stop(struct executor *e);

#endif
