/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_POLICY_H
#define RPC_POLICY_H

#include "proto/runtime/span.h"
#include "server/rpc/method.h"
#include "server/rpc/server.h"

/*
 * Who may call what, as the contract says. Nothing here blocks. Asked before the message is looked at: a
 * stranger's 38 KB of 19,000 small fields costs 33 us to refuse, and 1,060 us to unpack.
 */

/* What the checks are made on. */
struct policy_caller {
	struct span authorization; /* the header's value; data NULL when there was none */
	const char *address;       /* without the port */
	int64_t began_us;          /* monotonic: when the call came */
};

/* 0, or DEADLINE_PASSED when nobody waits for the answer any more. */
int policy_deadline(int64_t deadline_us, struct error *err) __attribute__((warn_unused_result));

/*
 * The caller's token, then the rate budget. *who is the principal, zeroed for an anonymous caller.
 * RPC_UNCONFIRMED when a database has to be asked about it first, with *token what to ask about.
 */
int policy_identify(const struct method *m, const struct rpc_authenticator *auth,
		    const struct policy_caller *caller, struct principal *who, struct span *token,
		    struct error *err) __attribute__((warn_unused_result));

/* Whether a caller who is known may call: the method's access, roles and scopes. */
int policy_allow(const struct method *m, const struct principal *who, struct error *err)
	__attribute__((warn_unused_result));

/* Whether a caller who may call may ask about others: the subject's roles and scopes. */
int policy_others(const struct method *m, const struct principal *who, struct error *err)
	__attribute__((warn_unused_result));

#endif
