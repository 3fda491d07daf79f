/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_ADMISSION_H
#define RPC_ADMISSION_H

#include "server/rpc/call_state.h"

/* Whether a call that arrived may be served, before its message is looked at. On the poller. */

/* Reads headers, label and deadline once metadata is there. */
void call_read_headers(struct rpc_call *call, gpr_timespec deadline, struct call_headers *ret);

/*
 * Room, deadline, token, policy; then next(call, r), on the poller, r being 0 or what to refuse the call
 * with. At once, unless the database has to be asked about the token.
 */
void call_admit(struct rpc_call *call, const struct call_headers *headers,
		void (*next)(struct rpc_call *call, int r));

#endif
