/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_KEEPER_H
#define RPC_KEEPER_H

struct error;
struct rpc_server;

/*
 * The thread that looks after a server: calls that take long are watched, those that have waited for their
 * caller too long are ended, memory that a flood left behind goes back to the system, and the gate is looked
 * at.
 */
int keeper_start(struct rpc_server *server, struct error *err) __attribute__((warn_unused_result));

/* Whether it was started or not. */
void keeper_stop(struct rpc_server *server);

#endif
