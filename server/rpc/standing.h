/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_STANDING_H
#define RPC_STANDING_H

#include <pthread.h>

struct error;
struct rpc_call;

/*
 * The streams the server itself serves and that may stand open for days: health watches and reflection. They
 * are woken when health changes, and when the server drains, so that they end by themselves and do not hold
 * it up.
 */
struct standing {
	pthread_mutex_t lock;
	unsigned n, max;
	struct standing_stream *first;
};

struct standing_stream {
	struct standing_stream *next, **at;
	struct rpc_call *call;
	const char *source; /* the caller's address */
};

/*
 * `max` bounds how many there may be: anybody may open them, and each takes the place of a call. The last
 * quarter is for sources that hold none yet, so that who opens many leaves a place for the balancer's watch.
 */
void standing_init(struct standing *s, unsigned max);
void standing_done(struct standing *s);

/* From a stream's open, where it raises OVERLOADED when there are too many, and closed. */
int standing_add(struct standing *s, struct standing_stream *stream, struct rpc_call *call, struct error *err)
	__attribute__((warn_unused_result));
void standing_remove(struct standing *s, struct standing_stream *stream);

/* Asks every one of them for its next message. Any thread. */
void standing_wake(struct standing *s);

/* Raises DRAINING: what such a stream ends with when it has nothing left to say. */
int standing_drained(struct error *err);

#endif
