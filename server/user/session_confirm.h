/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USER_SESSION_CONFIRM_H
#define USER_SESSION_CONFIRM_H

#include "server/rpc/call.h"

/*
 * Asks the database whether the caller's token still holds: its session lives, and the user's rights are
 * those it was made with. 0, or TOKEN_REVOKED. On RPC_ON_DB; fits rpc_authenticator.confirm.
 */
int session_confirm(struct rpc_call *call, struct span token, struct error *err)
	__attribute__((warn_unused_result));

#endif
