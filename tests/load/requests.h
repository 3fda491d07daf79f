/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOAD_REQUESTS_H
#define LOAD_REQUESTS_H

#include <grpc/slice.h>
#include <stdbool.h>
#include <stddef.h>

/* What is sent: packed messages and tokens, read once and drawn in order, over and over. */
struct requests {
	grpc_slice *payloads;
	size_t n_payloads, payloads_room;
	grpc_slice *tokens; /* whole header values: "Bearer ..." */
	size_t n_tokens, tokens_room;
};

/* Each says on standard error what is wrong and returns false. */
bool requests_add_hex(struct requests *r, const char *hex);
bool requests_add_file(struct requests *r, const char *path); /* the file is one message */
bool requests_add_delimited(struct requests *r,
			    const char *path); /* many, each after its length as a varint */
bool requests_add_token(struct requests *r, const char *token);
bool requests_add_tokens(struct requests *r, const char *path); /* one a line */
void requests_free(struct requests *r);

#endif
