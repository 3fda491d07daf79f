/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_HEALTH_H
#define RPC_HEALTH_H

#include <stdatomic.h>
#include <stdbool.h>

#include "server/rpc/call.h"

/*
 * grpc.health.v1.Health: one state for the whole server (the service "") and for each of its services, since
 * they stand and fall together.
 */
struct health {
	const struct service_desc *const *services; /* NULL-terminated */
	_Atomic bool serving;
};

/* NULL-terminated. */
extern const struct rpc_row *const health_rows[];

#endif
