/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_KEEPER_H
#define RPC_KEEPER_H

#include <pthread.h>
#include <stdbool.h>

struct error;
struct rpc_server;

/*
 * The thread that looks after a server once a second: calls that have waited for their caller too long are
 * ended, and memory that a flood left behind goes back to the system.
 */
struct keeper {
	struct rpc_server *server;
	pthread_t thread;
	pthread_mutex_t lock; /* of stopping */
	pthread_cond_t wake;
	bool running, stopping;
};

int keeper_start(struct keeper *k, struct rpc_server *server, struct error *err)
	__attribute__((warn_unused_result));

/* Whether it was started or not. */
void keeper_stop(struct keeper *k);

#endif
