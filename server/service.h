/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_SERVICE_H
#define SERVER_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/runtime/error.h"
#include "server/app/app.h"
#include "server/auth/object_url.h"
#include "server/db/db.h"

/*
 * The whole service, put together and running in this process: database workers, authentication, caches, the
 * event feed, the progress combiner and the gRPC server. main() and the tests start it alike.
 */
struct service;

struct service_config {
	struct db_config db;

	const char *listen; /* "127.0.0.1:50051"; port 0 takes a free one; "unix:/path" */
	const char *tls_certificate, *tls_key;
	unsigned pollers, hot_slots, catch_all_slots, max_calls;
	size_t memory;                 /* of all calls together, in bytes */
	int caller_ms;                 /* a caller's time to send a message, or to read an answer */
	unsigned db_workers, db_queue; /* a thread and a connection each; calls that may wait for one */
	unsigned password_workers, password_queue; /* a thread and argon2_kib of memory each */
	int queue_wait_ms;                         /* how long a call may wait for any of them */
	int default_deadline_ms;                   /* of a call that has none of its own */
	int drain_notice_ms, drain_ms;             /* see rpc/server.h */
	bool reflection;
	bool trust_forwarded_for; /* the edge in front sets it and nobody else can connect */

	/* Where files lie; endpoint NULL: nowhere, so that there are none. */
	struct object_bucket_config objects;
	struct content_config content;

	int platform_basis_points; /* the platform's part of a sale, unless the course has another */

	const char *key_dir; /* NULL: keys of this process, kept in memory, for tests */
	int64_t access_token_us, refresh_token_us;
	unsigned argon2_kib, argon2_passes;
	unsigned rate_default, rate_stranger, rate_login; /* calls per second; 0 does not limit */

	size_t cache_bytes; /* of what is remembered of courses, lessons and access together */
	unsigned combiner_lanes, combiner_batch, combiner_queue;
	int64_t record_us; /* how long changes of a learner's day wait for their event */
	int feed_poll_ms;
	bool sequencer; /* compete for giving events their feed position */

	unsigned job_workers; /* threads that do what is due, with a connection each; 0: none */
	/* How long rows are kept once they are over: see server/duties.c. */
	int64_t keep_replies_us, keep_sessions_us, keep_events_us, keep_leases_us, keep_progress_us,
		keep_misses_us, keep_uploads_us, keep_downloads_us;

	const struct clock *clock;
	const struct clock *lease_clock; /* is held against the database's; see db/lease.h */
};

/* Every field but db set to what ships. */
void service_config_defaults(struct service_config *config);

/*
 * Starts everything and returns once calls are served. Refuses a schema that this server cannot run on
 * (db/migrate.h). The config, and what it points to, must outlive the service. What failed is in err; nothing
 * is left running then.
 */
int service_start(const struct service_config *config, struct service **ret, struct error *err)
	__attribute__((warn_unused_result));

/*
 * Not ready from now on: serves on for drain_notice_ms, then takes no more calls and lets those under way
 * end, within drain_ms. What waits for the database then is cut off from it, and answered so. Blocks. What
 * else asks the service, such as metrics, may go on.
 */
void service_drain(struct service *s);

/* Drains, ends every thread and frees everything: nobody may ask it anything now. Blocks. NULL is fine. */
void service_stop(struct service *s);

/* It had to end by itself: the exit status is to say so. */
bool service_broken(const struct service *s);

int service_port(const struct service *s); /* the port bound */
struct app *service_app(struct service *s);

/* 1 when calls should be sent here; 0 and why not. Any thread; fits metrics_http_config.ready. */
int service_ready(void *service, const char **why);

/* The public keys that verify access tokens, a JWK set. Fits metrics_http_config.jwks. */
const char *service_jwks(void *service);

#endif
