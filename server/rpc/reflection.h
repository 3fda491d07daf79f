/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_REFLECTION_H
#define RPC_REFLECTION_H

#include "server/rpc/call.h"

/*
 * Server reflection: v1, and v1alpha from the same handler, since the two are the same on the wire and some
 * tools ask for the old one only.
 */
struct reflection;

/* Over these services (NULL-terminated), health and reflection itself. */
int reflection_new(const struct service_desc *const *services, struct reflection **ret, struct error *err)
	__attribute__((warn_unused_result));
void reflection_free(struct reflection *reflection); /* NULL is fine */

/* NULL-terminated. */
extern const struct rpc_row *const reflection_rows[];

#endif
