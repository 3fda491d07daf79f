/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_SERVER_H
#define RPC_SERVER_H

#include "proto/runtime/service.h"
#include "proto/runtime/wire.h"
#include "server/base/clock.h"
#include "server/rpc/call.h"

/* The gRPC server: wiring, not rules. Used by main and by tests; thread-safe where it says so. */
struct rpc_server;

/* What a caller shows. */
struct rpc_bearer {
	struct span token;   /* what follows "Bearer " */
	const char *address; /* without the port; "" unknown */
	int64_t began_us;    /* when the call came, on the monotonic clock */
};

/* Says who calls. */
struct rpc_authenticator {
	/*
	 * 0 and *ret; or RPC_UNCONFIRMED and *ret, when a database has to be asked; or negative. Called on a
	 * poller: answers from memory or by pure CPU.
	 */
	int (*authenticate)(void *arg, const struct rpc_bearer *bearer, struct principal *ret,
			    struct error *err);
	/*
	 * Asks it, on RPC_ON_DB: 0, or negative. rpc_principal() is what authenticate() made of the token.
	 * May be NULL when authenticate() is never in doubt.
	 */
	int (*confirm)(struct rpc_call *call, struct span token, struct error *err);
	/* Counts a call against its class; 0, or negative with RATE_LIMITED. NULL: no limits. */
	int (*admit)(void *arg, const char *rate_class, const struct principal *who, const char *address,
		     struct error *err);
	void *arg;
};

enum { RPC_UNCONFIRMED = 1 };

struct rpc_executor_config {
	unsigned threads;
	unsigned queue;            /* calls that may wait in each line; one more is OVERLOADED */
	int wait_ms;               /* how long a call may wait; who would longer is OVERLOADED at once */
	unsigned stranger_threads; /* of them, for reads of callers without a token; 0: all */
	void *(*thread_start)(void *arg, unsigned index); /* returns the thread's context; NULL is fine */
	void (*thread_stop)(void *context);
	/* The caller of what the thread works on is gone. On a poller: returns at once. NULL is fine. */
	void (*interrupt)(void *context);
	void *arg;
};

struct rpc_server_config {
	const char *address; /* "127.0.0.1:50051"; port 0 asks for a free one; "unix:/path" */
	const char *tls_certificate, *tls_key; /* PEM file paths; both or neither */
	unsigned pollers;                      /* completion queues, one thread each */
	unsigned hot_slots;                    /* posted per hot method and queue */
	unsigned catch_all_slots;              /* posted per queue */
	unsigned max_calls;                    /* under way at once; one more is OVERLOADED */
	size_t arena_cap;                      /* bytes a call may allocate */
	/* Bytes all calls may hold: half of it what core has read and not given over yet, half their arenas
	 * and the replies nobody has read yet. */
	size_t memory;
	int caller_ms; /* how long a caller may take to send a message, or to read an answer */
	struct wire_limits limits;
	const char *error_domain; /* the package of the contract, for ErrorInfo */
	int drain_notice_ms;      /* how long a server that stops serves on, after health says NOT_SERVING */
	int drain_ms;             /* how long calls under way may take then */
	int default_deadline_ms;  /* of a unary call that has none of its own; 0: none */
	bool reflection;
	/* Take a caller's address from x-forwarded-for, as the edge sets it; only where nobody else can
	 * connect. */
	bool trust_forwarded_for;
	struct rpc_authenticator auth; /* authenticate NULL: only public methods are served */
	/*
	 * Records, before the answer is sent, that the caller reads another's data: on RPC_ON_DB, durable
	 * when it returns 0. NULL is fine when no method of the contract does.
	 */
	int (*record_read)(struct rpc_call *call, int64_t subject_id, struct error *err);
	struct rpc_executor_config executors[RPC_PLACES]; /* RPC_ON_POLLER's is not read */
	void *app;
};

/* Every field set to what ships. */
void rpc_server_config_defaults(struct rpc_server_config *config);

/*
 * Raises the limit of descriptors as far as may be: every connection is one, and a shell's is often 1,024. A
 * program that serves calls it also for another reason: so it links, before libc, what stands in for
 * accept4() (server/rpc/gate.h).
 */
void rpc_server_widen(void);

/*
 * Makes a server that serves these rows (NULL-terminated array of pointers), health, and reflection over
 * `services`. The rows must outlive it. A method of a service without a row is refused: STATUS_INTERNAL.
 */
int rpc_server_new(const struct rpc_server_config *config, const struct rpc_row *const *rows,
		   const struct service_desc *const *services, struct rpc_server **ret, struct error *err)
	__attribute__((warn_unused_result));

/* Binds and serves; returns once listening. A busy port or an unreadable key is an error that says so. */
int rpc_server_start(struct rpc_server *s, struct error *err) __attribute__((warn_unused_result));

/*
 * Does the port still answer? Found out once a second by connecting to it: 0 when it does, else for how many
 * looks in a row it did not. Thread-safe.
 */
unsigned rpc_server_deaf(const struct rpc_server *s);

/* The port bound. */
int rpc_server_port(const struct rpc_server *s);

/* What health answers for the whole server and for each service; starts NOT_SERVING. Thread-safe. */
void rpc_server_set_serving(struct rpc_server *s, bool serving);

/*
 * Drains: health NOT_SERVING, while calls are served for another drain_notice_ms; then new calls are answered
 * DRAINING, and those under way have drain_ms. Those that are not over a second later are cancelled. Blocks.
 */
void rpc_server_stop(struct rpc_server *s);
void rpc_server_free(struct rpc_server *s);

#endif
