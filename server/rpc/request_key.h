/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_REQUEST_KEY_H
#define RPC_REQUEST_KEY_H

#include "proto/runtime/arena.h"
#include "server/base/principal.h"
#include "server/base/request_key.h"
#include "server/rpc/method.h"

/*
 * The key of a request that carries a request_id and whose caller is signed in; otherwise ret->present is
 * false: an anonymous caller has nothing that would keep its keys apart from another's. The request is as it
 * was on return.
 */
int request_key_make(const struct method *m, const struct principal *who, ProtobufCMessage *request,
		     struct arena *arena, struct request_key *ret, struct error *err)
	__attribute__((warn_unused_result));

#endif
