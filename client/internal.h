/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLIENT_INTERNAL_H
#define CLIENT_INTERNAL_H

#include <grpc/grpc.h>
#include <pthread.h>

#include "client/client.h"

/* What the files of this room share. */

enum {
	CLIENT_TIMEOUT_DEFAULT_MS = 10000,
	CLIENT_MESSAGE_MAX = 4 << 20, /* bytes of one received message */
	CLIENT_METADATA_MAX = 16,     /* pairs sent with a call, the token included */
	CLIENT_TOKEN_MAX = 6000,      /* bytes; a server takes 8 KiB of metadata in all */
};

/* What connects again after a loss; its thread is made by the first. */
struct client_reconnect {
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	pthread_t thread;
	bool running, wanted, stopping;
};

struct client_channel {
	grpc_channel *core;
	const struct service_desc **services; /* NULL-terminated */
	void ***handles;                      /* [service][method], of grpc_channel_register_call() */
	int64_t timeout_ms;
	char *replayed_header; /* NULL: the service has none */
	struct client_credentials credentials;
	pthread_mutex_t lock;         /* of what follows */
	grpc_completion_queue *queue; /* of calls that are not waited for; made by the first */
	pthread_t thread;             /* serves it */
	struct client_reconnect reconnect;
};

/* --- prepare.c: what a call needs before it starts --- */

grpc_call *client_channel_call(struct client_channel *c, const struct method_desc *method,
			       grpc_completion_queue *queue, gpr_timespec deadline);

gpr_timespec client_deadline(int64_t timeout_ms); /* 0: none */

/* The token to send by options and credentials; *ret NULL sends none. See struct client_credentials. */
int client_token(struct client_channel *c, const struct method_desc *method,
		 const struct client_call_options *options, const char *refused, struct arena *arena,
		 const char **ret, struct error *err) __attribute__((warn_unused_result));

/* --- thread_queue.c --- */

/* The queue this thread waits on, made by its first call; NULL when memory is short. */
grpc_completion_queue *client_thread_queue(void);

/* The main thread returns rather than exits, so its destructors never run. */
void client_thread_queue_drop(void);

/* --- payload.c --- */

int client_payload_pack(const ProtobufCMessage *message, grpc_slice *ret, struct error *err)
	__attribute__((warn_unused_result));
int client_payload_unpack(const ProtobufCMessageDescriptor *desc, grpc_byte_buffer *payload,
			  struct arena *arena, ProtobufCMessage **ret, struct error *err)
	__attribute__((warn_unused_result));

/* --- metadata.c --- */

/* Headers to send. Copies what it is given. */
struct client_metadata {
	grpc_metadata pairs[CLIENT_METADATA_MAX];
	size_t n;
};
int client_metadata_fill(struct client_metadata *m, const char *token, const char *const *pairs,
			 struct error *err) __attribute__((warn_unused_result));
void client_metadata_done(struct client_metadata *m);

/* The value of a received header, or NULL. Valid as long as the call. */
const grpc_slice *client_metadata_find(const grpc_metadata_array *array, const char *key);

/* --- outcome.c --- */

/* How a call ended, as core fills it in. */
struct client_outcome {
	grpc_metadata_array trailing;
	grpc_status_code status;
	grpc_slice message;
};
void client_outcome_init(struct client_outcome *o);
void client_outcome_done(struct client_outcome *o);

/* 0 for OK, else the negated code with *err filled from the details; without any the connection may be lost.
 */
int client_outcome_read(const struct client_outcome *o, struct client_channel *c, struct arena *arena,
			struct error *err) __attribute__((warn_unused_result));

/* --- attempt.c: one try of one unary call --- */

struct client_attempt {
	struct client_channel *channel;
	grpc_call *call;
	struct client_metadata metadata;
	grpc_byte_buffer *request, *reply;
	grpc_metadata_array initial;
	struct client_outcome outcome;
};

/* Starts it; `tag` will come from `queue`. On failure nothing is to be ended. */
int client_attempt_start(struct client_attempt *a, struct client_channel *c, const struct method_desc *method,
			 grpc_slice payload, const char *token, const char *const *metadata,
			 gpr_timespec deadline, grpc_completion_queue *queue, void *tag, struct error *err)
	__attribute__((warn_unused_result));

/* Reads what came, once the tag has, and frees everything. */
int client_attempt_end(struct client_attempt *a, const struct method_desc *method, bool *replayed,
		       struct arena *arena, ProtobufCMessage **ret, struct error *err)
	__attribute__((warn_unused_result));

/* True when the call was refused for its token in a way that another token cures. */
bool client_token_refused(int r, const struct error *err);

/* --- reconnect.c --- */

void client_reconnect_init(struct client_channel *c);

/* After a call that failed: connects again without waiting for the next, if that is why. */
void client_reconnect_want(struct client_channel *c);

/* Ends the thread, and core's channel with it. */
void client_reconnect_stop(struct client_channel *c);

/* --- async.c --- */

void client_async_stop(struct client_channel *c);

#endif
