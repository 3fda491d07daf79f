/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_LISTENER_H
#define RPC_LISTENER_H

#include <grpc/grpc.h>

#include "server/rpc/server.h"

/* Core's server with the channel arguments we want; NULL when out of memory. */
grpc_server *listener_make(const struct rpc_server_config *config);

/* Binds config->address, with TLS if keys are named; the port (1 for a unix socket) in *ret. */
int listener_bind(grpc_server *core, const struct rpc_server_config *config, int *ret, struct error *err)
	__attribute__((warn_unused_result));

#endif
