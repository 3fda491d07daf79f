/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_SERVER_STATE_H
#define RPC_SERVER_STATE_H

#include <grpc/grpc.h>
#include <stdatomic.h>

#include "server/rpc/executor.h"
#include "server/rpc/gate.h"
#include "server/rpc/health.h"
#include "server/rpc/path_table.h"
#include "server/rpc/poller.h"
#include "server/rpc/server.h"
#include "server/rpc/standing.h"

struct reflection;

/* How far the server's life is. */
enum server_stage { SERVER_NEW, SERVER_RUNNING, SERVER_DRAINING, SERVER_STOPPED };

struct rpc_server {
	struct rpc_server_config config; /* its strings and pointers are the caller's */
	struct method *methods;
	struct method_times *method_times;
	unsigned n_methods;
	struct path_table paths;
	struct observe unknown; /* calls of methods that are not */
	struct metric *under_way_gauge;

	struct health health;
	struct reflection *reflection; /* NULL: switched off */
	struct standing standing;
	struct ticker *keeper; /* see keeper.h */
	unsigned keeper_ticks;
	struct gate gate;
	_Atomic unsigned silent; /* looks in a row that found nobody at the gate */

	grpc_server *core;
	struct poller *pollers;
	unsigned n_pollers;  /* started */
	unsigned calls_kept; /* that are free, by each poller, with their first block of memory */
	struct executor executors[RPC_PLACES];
	unsigned n_executors; /* started; [RPC_ON_POLLER] counts but has no threads */
	int port;
	uint32_t boot; /* random: tells the labels of two runs apart */
	_Atomic enum server_stage stage;
	_Atomic unsigned under_way; /* calls taken and not released */
	_Atomic int64_t refused_us; /* when the last call met a server that drains; monotonic */
	struct budget memory;       /* of arenas and of replies that are not read yet */
};

static inline bool server_draining(const struct rpc_server *s)
{
	return atomic_load_explicit(&s->stage, memory_order_relaxed) >= SERVER_DRAINING;
}

#endif
