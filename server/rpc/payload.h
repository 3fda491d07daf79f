/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_PAYLOAD_H
#define RPC_PAYLOAD_H

#include <grpc/grpc.h>

#include "server/rpc/method.h"
#include "server/rpc/server.h"

/*
 * Messages between core's buffers and the arena.
 */

/*
 * Unpacks a message and checks it against the method's rules. Takes the buffer, which may be NULL: a call
 * that brought no message.
 */
int payload_unpack(const struct method *m, grpc_byte_buffer *buffer, const struct wire_limits *limits,
		   struct arena *arena, ProtobufCMessage **ret, struct error *err)
	__attribute__((warn_unused_result));

/* The packed message; the caller destroys it, at once after it was given to a batch. */
grpc_byte_buffer *payload_pack(const ProtobufCMessage *message);

#endif
