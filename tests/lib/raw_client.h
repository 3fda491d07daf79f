/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_RAW_CLIENT_H
#define TESTS_RAW_CLIENT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"
#include "proto/runtime/span.h"

/*
 * A gRPC client for tests of the server: sends any bytes under any path and shows all that came back. One
 * thread per client.
 */
struct raw_client;
struct raw_call;

struct raw_client *raw_client_new(const char *target);
/* Over TLS, trusting this PEM certificate, which must name "localhost". */
struct raw_client *raw_client_new_tls(const char *target, const char *ca);
void raw_client_free(struct raw_client *c);

/* How a call goes out. */
struct raw_options {
	const char *token; /* NULL: none */
	const char *label; /* x-request-id; NULL: none */
	int timeout_ms;    /* 0: 10,000; -1: none */
	bool gzip;         /* compress the messages */
	bool no_message;   /* unary: half-close without one */
};

/* What came back; in the arena given. */
struct raw_reply {
	int code;
	const char *message;
	bool has_payload;
	struct span payload;
	struct error error;   /* decoded from grpc-status-details-bin; code 0 when there was none */
	const char *label;    /* x-request-id of the answer */
	const char *pushback; /* grpc-retry-pushback-ms; NULL: none */
};

/* A unary call. */
void raw_unary(struct raw_client *c, const char *path, struct span request, const struct raw_options *options,
	       struct arena *arena, struct raw_reply *ret);

/* The same with messages; *ret_message is NULL unless the answer is OK. */
ProtobufCMessage *raw_unary_message(struct raw_client *c, const char *path, const ProtobufCMessage *request,
				    const ProtobufCMessageDescriptor *response,
				    const struct raw_options *options, struct arena *arena,
				    struct raw_reply *ret);

/* A stream, one step after another. */
struct raw_call *raw_open(struct raw_client *c, const char *path, const struct raw_options *options);
bool raw_send(struct raw_call *call, struct span message);
bool raw_send_message(struct raw_call *call, const ProtobufCMessage *message);
bool raw_half_close(struct raw_call *call);
/* False when no more messages come. */
bool raw_receive(struct raw_call *call, struct arena *arena, struct span *ret);
/* Waits for the status, past messages nobody took, then frees the call. */
void raw_finish(struct raw_call *call, struct arena *arena, struct raw_reply *ret);
void raw_cancel(struct raw_call *call);

#endif
