/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_ANSWER_H
#define RPC_ANSWER_H

#include <grpc/grpc.h>

#include "server/rpc/call_state.h"

/*
 * What a call is answered with, as core takes it. Lives on the stack for one batch: core takes references.
 */
struct answer {
	struct rpc_call *call;
	grpc_op ops[4];
	size_t n_ops;
	grpc_metadata initial[1 + CALL_HEADERS_MAX], trailing[2 + 1 + CALL_HEADERS_MAX];
	grpc_slice message; /* of the status */
	grpc_byte_buffer *payload;
};

void answer_init(struct answer *a, struct rpc_call *call);
void answer_add_headers(struct answer *a);                                  /* SEND_INITIAL_METADATA */
void answer_add_message(struct answer *a, const ProtobufCMessage *message); /* SEND_MESSAGE */
void answer_add_packed(struct answer *a, grpc_byte_buffer *payload);        /* the same; takes the buffer */
void answer_add_close(struct answer *a);                                    /* RECV_CLOSE_ON_SERVER */

/*
 * SEND_STATUS_FROM_SERVER: OK when r is 0, else call->error, as its caller may see it. Counts the answer;
 * logs an internal fault, and nothing else does.
 */
void answer_add_status(struct answer *a, int r);

/* Starts the batch and lets go of everything. False when core refused it: the tag will not come. */
bool answer_start(struct answer *a, struct tag *tag) __attribute__((warn_unused_result));

/*
 * Answers and ends a call that has not been answered in any part: with call->reply when r is 0, else with
 * call->error. Any thread; nothing of the call may be touched afterwards.
 */
void call_answer(struct rpc_call *call, int r);

#endif
