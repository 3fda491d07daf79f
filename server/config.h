/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/runtime/secret.h"
#include "server/service.h"

/* The command line of edu-server: which command, and its flags with what they default to. */

enum command { COMMAND_SERVE, COMMAND_MIGRATE, COMMAND_CREATE_ADMIN };

struct config {
	enum command command;

	const char *db_socket, *db_host, *db_user, *db_password_file, *db_name, *db_ca;
	unsigned db_port;
	bool db_insecure;

	const char *listen, *metrics_listen, *tls_certificate, *tls_key, *key_dir, *log_level;
	unsigned pollers, db_workers, db_queue, password_workers, password_queue;
	unsigned memory_mib, caller_seconds;
	unsigned hot_slots, catch_all_slots, max_calls, combiner_lanes, combiner_batch, cache_mib,
		record_seconds;
	unsigned queue_wait_ms, default_deadline_seconds;
	unsigned drain_notice_seconds, drain_seconds, access_token_seconds, refresh_token_days, argon2_mib,
		argon2_passes;
	const char *object_endpoint, *object_region, *object_bucket, *object_key_id, *object_secret_file,
		*object_public_url;
	bool object_virtual_host;
	unsigned upload_seconds, stream_seconds, download_days, download_devices, download_lessons;
	unsigned keep_uploads_days, keep_downloads_days;
	unsigned platform_basis_points;
	unsigned rate_default, rate_stranger, rate_login;
	unsigned job_workers, keep_replies_hours, keep_sessions_days, keep_events_days, keep_leases_days,
		keep_misses_days, keep_progress_days;
	bool no_reflection, trust_forwarded_for;

	const char *user_name, *password_file, *email; /* create-admin */
};

/*
 * Reads the command line. Returns 1 to go on; 0 when --help or --version was answered; -1 when it was wrong,
 * after saying so on standard error. The strings are argv's and the program's own.
 */
int config_parse(int argc, char **argv, struct config *ret);

/* The first line of a file ("-" is standard input), which may not be empty. 0, or -1 after saying why not. */
int config_read_secret(const char *path, char out[SECRET_MAX]);

/* What a server that serves is started with. The strings stay those of the command line; the object store's
 * secret is in a file that is not read here. */
void config_to_service(const struct config *c, const struct db_config *db, struct service_config *ret);

#endif
