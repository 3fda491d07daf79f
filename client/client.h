/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EDU_CLIENT_H
#define EDU_CLIENT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"
#include "proto/runtime/service.h"

/*
 * A gRPC client over C core. A channel is made once per process and shared by every thread; calls are
 * synchronous and block the calling thread, except client_call_start(), whose answer comes on a thread of the
 * channel. Replies live in the arena the caller passes.
 *
 * Failures come back as `struct error`, whatever their origin. `reason` is the server's, and lives in the
 * arena of the call; where the server gave none (the connection was lost, the deadline passed here, a proxy
 * answered) it is named like the code itself ("UNAVAILABLE", "CANCELLED", client_plain_reason()), and then
 * nobody knows whether the call was executed. Methods that the contract calls retryable are repeated a few
 * times before such a failure is told; others never.
 */
struct client_channel;

struct client_options {
	const char *target; /* "localhost:50051", "unix:/path" */
	bool tls;
	const char *ca_file;   /* PEM; NULL: the system's roots */
	const char *authority; /* NULL: from the target */
	int64_t timeout_ms;    /* of a call that sets none; 0: 10,000 */
	bool no_retries;       /* ignore the retry policy made from the contract */
	const char *user_agent;
	const char *replayed_header; /* by which the service says that an answer was stored before; NULL: it
					has none */
};

/*
 * `services` is NULL-terminated and copied; its methods are called by handles made now, and the retry policy
 * is theirs. Connects when the first call needs it.
 */
int client_channel_new(const struct client_options *options, const struct service_desc *const *services,
		       struct client_channel **ret, struct error *err) __attribute__((warn_unused_result));
/*
 * Connects now, within the time given (0: the channel's) or at the first failure: who asks before a call
 * knows that nothing was sent, and so nothing was done, when the server is not there or its name or
 * certificate is wrong. Blocks. Fails with CLIENT_REASON_NOT_CONNECTED.
 */
int client_channel_connect(struct client_channel *c, int64_t timeout_ms, struct error *err)
	__attribute__((warn_unused_result));
extern const struct error_reason CLIENT_REASON_NOT_CONNECTED;

void client_channel_free(struct client_channel *c); /* no call may be under way; NULL is fine */

/*
 * Asked for the bearer token of each call; and asked again, with `refused` the token that was just answered
 * TOKEN_EXPIRED or TOKEN_REVOKED, whereupon the call is repeated once (a refused call was not executed). *ret
 * NULL sends none. A failure fails the call with this error, unless its method is public: that goes without a
 * token. May block; called from any thread that calls, and from the channel's own when a call of
 * client_call_start() is refused.
 */
struct client_credentials {
	int (*token)(void *arg, const char *refused, struct arena *arena, const char **ret,
		     struct error *err);
	void *arg;
};
void client_channel_set_credentials(
	struct client_channel *c, const struct client_credentials *credentials); /* before any call; copied */

struct client_call_options {
	int64_t timeout_ms;          /* 0: the channel's; of a stream: none */
	const char *token;           /* overrides the channel's credentials; "" sends none */
	const char *const *metadata; /* key, value, key, value, NULL */
	/* Filled when not NULL: */
	bool *replayed; /* the answer was stored under this request_id before: replayed_header came */
};

/* One unary call. Returns 0, or negative with *err. The typed stubs call this. */
int client_unary(struct client_channel *c, const struct method_desc *method, const ProtobufCMessage *request,
		 const struct client_call_options *options, struct arena *arena, ProtobufCMessage **ret,
		 struct error *err) __attribute__((warn_unused_result));

/*
 * The same without waiting: `done` runs once on a thread of the channel and may start further calls, but must
 * not block. Returns 0 when `done` will run, negative when it will not. `arena` belongs to the call until
 * `done`.
 */
typedef void (*client_done)(void *arg, int r, const ProtobufCMessage *reply, const struct error *err);
int client_call_start(struct client_channel *c, const struct method_desc *method,
		      const ProtobufCMessage *request, const struct client_call_options *options,
		      struct arena *arena, client_done done, void *arg, struct error *err)
	__attribute__((warn_unused_result));

/*
 * A stream of any of the three kinds. One thread may send while another receives; client_stream_cancel() may
 * be called from any. A token refused is not sent again by itself: what was sent is gone.
 */
struct client_stream;
int client_stream_open(struct client_channel *c, const struct method_desc *method,
		       const struct client_call_options *options, struct client_stream **ret,
		       struct error *err) __attribute__((warn_unused_result));
/* 0; 1 when the stream is over and client_stream_receive() says why; negative when the message cannot be
 * sent. */
int client_stream_send(struct client_stream *s, const ProtobufCMessage *message, struct error *err)
	__attribute__((warn_unused_result));
int client_stream_half_close(struct client_stream *s, struct error *err) __attribute__((warn_unused_result));
/* 1 and *ret; 0 when the server ended with OK; negative with its error. */
int client_stream_receive(struct client_stream *s, struct arena *arena, ProtobufCMessage **ret,
			  struct error *err) __attribute__((warn_unused_result));
void client_stream_cancel(struct client_stream *s);
void client_stream_free(struct client_stream *s); /* cancels what is open; NULL is fine */

/* The reason of an error that came without one; for what is no code, that of UNKNOWN. */
const struct error_reason *client_plain_reason(int code);

/* The gRPC service config (JSON) whose retry policy names the methods the contract calls retryable. In the
 * arena. */
const char *client_service_config(const struct service_desc *const *services, struct arena *arena);

#endif
