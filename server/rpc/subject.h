/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_SUBJECT_H
#define RPC_SUBJECT_H

#include "server/rpc/call_state.h"

/*
 * Whom a call is about, as the contract's `subject` says: decided by a field of the request, or by the
 * handler through rpc_subject(), and asked of every OK before it leaves. Reads of another's data are recorded
 * between the two.
 */

/*
 * Decides what a message of the call says, where the contract names a field. ROLE_MISSING or SCOPE_MISSING
 * for who may not ask about others; 0 also when that is left to the handler.
 */
int subject_of_message(struct rpc_call *call, const ProtobufCMessage *message, struct error *err)
	__attribute__((warn_unused_result));

/* The answer shows another's data, and nobody has recorded that yet. */
bool subject_unrecorded(const struct rpc_call *call);

/* Records it; on RPC_ON_DB. Raises call->error, and then the answer may not be sent. */
int subject_record(struct rpc_call *call) __attribute__((warn_unused_result));

/* Asked of an OK: 0, or INTERNAL when nobody decided whom the call is about, or what must be recorded was
 * not. */
int subject_check(struct rpc_call *call) __attribute__((warn_unused_result));

#endif
