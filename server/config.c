/* SPDX-License-Identifier: Apache-2.0 */
#include "server/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/array.h"
#include "proto/runtime/money.h"
#include "server/progress/progress_store.h"

enum {
	ON_SERVE = 1 << COMMAND_SERVE,
	ON_MIGRATE = 1 << COMMAND_MIGRATE,
	ON_CREATE_ADMIN = 1 << COMMAND_CREATE_ADMIN,
	ON_ALL = ON_SERVE | ON_MIGRATE | ON_CREATE_ADMIN,
};

enum kind { KIND_TEXT, KIND_NUMBER, KIND_SWITCH };

struct flag {
	const char *name, *argument;
	enum kind kind;
	size_t offset;
	const char *text;          /* default of a KIND_TEXT */
	unsigned number, min, max; /* default and bounds of a KIND_NUMBER */
	unsigned commands;
	const char *help;
};

#define AT(member) offsetof(struct config, member)

static const struct flag flags[] = {
	{"db-socket", "PATH", KIND_TEXT, AT(db_socket), NULL, 0, 0, 0, ON_ALL,
	 "unix socket of MariaDB; or use --db-host"},
	{"db-host", "HOST", KIND_TEXT, AT(db_host), NULL, 0, 0, 0, ON_ALL, "host of MariaDB"},
	{"db-port", "PORT", KIND_NUMBER, AT(db_port), NULL, 3306, 1, 65535, ON_ALL, "port of MariaDB"},
	{"db-user", "NAME", KIND_TEXT, AT(db_user), "edu", 0, 0, 0, ON_ALL,
	 "database user; to migrate it needs ALL on the database, else SELECT, INSERT, UPDATE and DELETE"},
	{"db-password-file", "FILE", KIND_TEXT, AT(db_password_file), NULL, 0, 0, 0, ON_ALL,
	 "file whose first line is the database password"},
	{"db-name", "NAME", KIND_TEXT, AT(db_name), "edu", 0, 0, 0, ON_ALL, "database"},
	{"db-ca", "FILE", KIND_TEXT, AT(db_ca), NULL, 0, 0, 0, ON_ALL,
	 "require TLS to MariaDB, checked against this PEM file"},
	{"db-insecure", NULL, KIND_SWITCH, AT(db_insecure), NULL, 0, 0, 0, ON_ALL,
	 "allow a MariaDB on another host without --db-ca: whoever is on the way reads and changes "
	 "everything"},
	{"log-level", "LEVEL", KIND_TEXT, AT(log_level), "info", 0, 0, 0, ON_ALL,
	 "debug, info, warning or error"},

	{"listen", "ADDRESS", KIND_TEXT, AT(listen), "127.0.0.1:50051", 0, 0, 0, ON_SERVE,
	 "host:port or unix:/path; port 0 takes a free one. Keep it on loopback, behind the edge"},
	{"metrics-listen", "ADDRESS:PORT", KIND_TEXT, AT(metrics_listen), "127.0.0.1:9464", 0, 0, 0, ON_SERVE,
	 "/metrics, /healthz, /readyz and /.well-known/jwks.json; \"off\" serves none"},
	{"tls-cert", "FILE", KIND_TEXT, AT(tls_certificate), NULL, 0, 0, 0, ON_SERVE,
	 "PEM certificate chain; with --tls-key"},
	{"tls-key", "FILE", KIND_TEXT, AT(tls_key), NULL, 0, 0, 0, ON_SERVE, "PEM private key"},
	{"key-dir", "DIR", KIND_TEXT, AT(key_dir), "keys", 0, 0, 0, ON_SERVE,
	 "token signing keys and the page token secret; made on first start, mode 0600; replicas share it"},
	{"pollers", "N", KIND_NUMBER, AT(pollers), NULL, 0, 0, 64, ON_SERVE,
	 "completion queues, one thread each; 0 is one for two processors"},
	{"db-workers", "N", KIND_NUMBER, AT(db_workers), NULL, 16, 1, 512, ON_SERVE,
	 "threads for calls, with a database connection each, besides the four that every server has"},
	{"db-queue", "N", KIND_NUMBER, AT(db_queue), NULL, 1024, 1, 1000000, ON_SERVE,
	 "calls that may wait for one of them"},
	{"password-workers", "N", KIND_NUMBER, AT(password_workers), NULL, 2, 1, 64, ON_SERVE,
	 "threads that hash passwords, --argon2-mib of memory each"},
	{"password-queue", "N", KIND_NUMBER, AT(password_queue), NULL, 256, 1, 100000, ON_SERVE,
	 "calls that may wait for one of them"},
	{"queue-wait-ms", "N", KIND_NUMBER, AT(queue_wait_ms), NULL, 500, 1, 60000, ON_SERVE,
	 "who would wait longer for a database connection or a hash is told to come back later"},
	{"default-deadline-seconds", "N", KIND_NUMBER, AT(default_deadline_seconds), NULL, 30, 1, 3600,
	 ON_SERVE, "time of a call that says none; streams have no end"},
	{"hot-slots", "N", KIND_NUMBER, AT(hot_slots), NULL, 64, 1, 10000, ON_SERVE,
	 "calls accepted ahead per hot method and queue"},
	{"catch-all-slots", "N", KIND_NUMBER, AT(catch_all_slots), NULL, 32, 1, 10000, ON_SERVE,
	 "calls accepted ahead per queue for the other methods"},
	{"max-calls", "N", KIND_NUMBER, AT(max_calls), NULL, 20000, 1, 1000000, ON_SERVE,
	 "calls under way at once; more are refused"},
	{"memory-mib", "N", KIND_NUMBER, AT(memory_mib), NULL, 160, 16, 1048576, ON_SERVE,
	 "memory for calls, half for what comes in and half for what they make of it; more are refused"},
	{"caller-seconds", "N", KIND_NUMBER, AT(caller_seconds), NULL, 10, 1, 3600, ON_SERVE,
	 "time a caller has to send a call's message, and to read its answer"},
	{"combiner-lanes", "N", KIND_NUMBER, AT(combiner_lanes), NULL, 2, 1, 64, ON_SERVE,
	 "threads that write progress, with a database connection each"},
	{"combiner-batch", "N", KIND_NUMBER, AT(combiner_batch), NULL, 512, 1, 10000, ON_SERVE,
	 "progress writes in one transaction; 1 writes row by row"},
	{"record-seconds", "N", KIND_NUMBER, AT(record_seconds), NULL, 900, 1, 86400, ON_SERVE,
	 "how long the feed gathers what a member does in a course before it tells organizations of it"},
	{"job-workers", "N", KIND_NUMBER, AT(job_workers), NULL, 2, 1, 64, ON_SERVE,
	 "threads that do what waits in the table due, such as removing old rows, with a database connection "
	 "each"},
	{"keep-replies-hours", "N", KIND_NUMBER, AT(keep_replies_hours), NULL, 24, 1, 87600, ON_SERVE,
	 "how long replies stored for repeats (table idempotency) are kept once they have expired"},
	{"keep-sessions-days", "N", KIND_NUMBER, AT(keep_sessions_days), NULL, 30, 2, 3650, ON_SERVE,
	 "how long sign-ins (table session) are kept once their last refresh token has ended"},
	{"keep-events-days", "N", KIND_NUMBER, AT(keep_events_days), NULL, 90, 1, 3650, ON_SERVE,
	 "how long events (table event) are kept: who reads the feed and is away for longer begins anew"},
	{"keep-progress-days", "N", KIND_NUMBER, AT(keep_progress_days), NULL, 35,
	 PROGRESS_KEEP_SESSIONS_DAYS_MIN, 3650, ON_SERVE,
	 "how long sessions of learning (table progress_session) are kept once they were last heard of; what "
	 "they add up to stays"},
	{"keep-leases-days", "N", KIND_NUMBER, AT(keep_leases_days), NULL, 7, 1, 3650, ON_SERVE,
	 "how long leases (table lease) are kept once they have ended"},
	{"keep-misses-days", "N", KIND_NUMBER, AT(keep_misses_days), NULL, 90, 1, 3650, ON_SERVE,
	 "how long it is kept how often something was sought on a day and not found (table search_miss)"},
	{"cache-mib", "N", KIND_NUMBER, AT(cache_mib), NULL, 64, 1, 65536, ON_SERVE,
	 "memory for what is remembered of courses, lessons and access"},
	{"drain-notice-seconds", "N", KIND_NUMBER, AT(drain_notice_seconds), NULL, 3, 0, 3600, ON_SERVE,
	 "at shutdown, time to serve on while /readyz says 503, until the edge has noticed"},
	{"drain-seconds", "N", KIND_NUMBER, AT(drain_seconds), NULL, 10, 0, 3600, ON_SERVE,
	 "time calls under way have then; after two more the process ends, whatever hangs"},
	{"object-endpoint", "URL", KIND_TEXT, AT(object_endpoint), NULL, 0, 0, 0, ON_SERVE,
	 "the object store that files lie in, as clients reach it: http:// or https:// and its host; S3, MinIO, R2 "
	 "or what is like them. Without it there are no files"},
	{"object-region", "NAME", KIND_TEXT, AT(object_region), "us-east-1", 0, 0, 0, ON_SERVE,
	 "its region; R2 takes auto"},
	{"object-bucket", "NAME", KIND_TEXT, AT(object_bucket), "edu", 0, 0, 0, ON_SERVE, "the bucket"},
	{"object-virtual-host", NULL, KIND_SWITCH, AT(object_virtual_host), NULL, 0, 0, 0, ON_SERVE,
	 "the bucket is part of the host's name, as S3 and OSS want it, and not of the path"},
	{"object-key-id", "ID", KIND_TEXT, AT(object_key_id), NULL, 0, 0, 0, ON_SERVE,
	 "id of the key that signs URLs; required with --object-endpoint"},
	{"object-secret-file", "FILE", KIND_TEXT, AT(object_secret_file), NULL, 0, 0, 0, ON_SERVE,
	 "file whose first line is that key's secret; required with --object-endpoint"},
	{"object-public-url", "URL", KIND_TEXT, AT(object_public_url), NULL, 0, 0, 0, ON_SERVE,
	 "below which anybody reads what lies under public/ in the bucket, such as a CDN; else in the bucket "
	 "itself"},
	{"upload-seconds", "N", KIND_NUMBER, AT(upload_seconds), NULL, 3600, 1, OBJECT_URL_SECONDS_MAX,
	 ON_SERVE, "how long a URL works that a file is put to"},
	{"stream-seconds", "N", KIND_NUMBER, AT(stream_seconds), NULL, 3600, 1, OBJECT_URL_SECONDS_MAX,
	 ON_SERVE, "how long a URL works that a lesson is learned by; clients ask again"},
	{"download-days", "N", KIND_NUMBER, AT(download_days), NULL, 30, 1, 30, ON_SERVE,
	 "how long a learner may keep a lesson on a device; a URL works for 7 at most, and is renewed"},
	{"download-devices", "N", KIND_NUMBER, AT(download_devices), NULL, 5, 1, 1000, ON_SERVE,
	 "devices that a learner keeps lessons on at once"},
	{"download-lessons", "N", KIND_NUMBER, AT(download_lessons), NULL, 100, 1, 10000, ON_SERVE,
	 "lessons that a learner keeps on a device at once"},
	{"keep-uploads-days", "N", KIND_NUMBER, AT(keep_uploads_days), NULL, 7, 1, 3650, ON_SERVE,
	 "how long content is known that no draft and no publication holds (table content)"},
	{"keep-downloads-days", "N", KIND_NUMBER, AT(keep_downloads_days), NULL, 1, 1, 3650, ON_SERVE,
	 "how long downloads are known once they have ended (table download)"},
	{"platform-basis-points", "N", KIND_NUMBER, AT(platform_basis_points), NULL, 3000, 0, BASIS_POINTS,
	 ON_SERVE,
	 "the platform's part of a sale without its tax, in hundredths of a percent, unless the course's row has "
	 "another; the teachers share the rest. The same on every replica"},
	{"access-token-seconds", "N", KIND_NUMBER, AT(access_token_seconds), NULL, 900, 1, 86400, ON_SERVE,
	 "life of an access token"},
	{"refresh-token-days", "N", KIND_NUMBER, AT(refresh_token_days), NULL, 30, 1, 365, ON_SERVE,
	 "life of an unused refresh token; no session lives longer than 365"},
	{"argon2-mib", "N", KIND_NUMBER, AT(argon2_mib), NULL, 19, 1, 4096, ON_SERVE | ON_CREATE_ADMIN,
	 "memory of a password hash"},
	{"argon2-passes", "N", KIND_NUMBER, AT(argon2_passes), NULL, 2, 1, 64, ON_SERVE | ON_CREATE_ADMIN,
	 "passes of a password hash"},
	{"rate-default", "N", KIND_NUMBER, AT(rate_default), NULL, 2000, 0, 10000000, ON_SERVE,
	 "calls per second of one account, on each replica; 0 does not limit"},
	{"rate-stranger", "N", KIND_NUMBER, AT(rate_stranger), NULL, 100, 0, 10000000, ON_SERVE,
	 "calls per second of who is not signed in, and as many with tokens that do not hold, from one "
	 "address; 0 does not limit"},
	{"rate-login", "N", KIND_NUMBER, AT(rate_login), NULL, 20, 0, 10000000, ON_SERVE,
	 "registrations and logins per second from one address; 0 does not limit, nor wrong passwords of a "
	 "name"},
	{"trust-forwarded-for", NULL, KIND_SWITCH, AT(trust_forwarded_for), NULL, 0, 0, 0, ON_SERVE,
	 "count callers by the last x-forwarded-for; for a server that only the edge can reach"},
	{"no-reflection", NULL, KIND_SWITCH, AT(no_reflection), NULL, 0, 0, 0, ON_SERVE,
	 "do not describe the services to clients"},

	{"user-name", "NAME", KIND_TEXT, AT(user_name), NULL, 0, 0, 0, ON_CREATE_ADMIN,
	 "name of the administrator to make; required"},
	{"email", "ADDRESS", KIND_TEXT, AT(email), NULL, 0, 0, 0, ON_CREATE_ADMIN,
	 "and the e-mail address, if there is one"},
	{"password-file", "FILE", KIND_TEXT, AT(password_file), NULL, 0, 0, 0, ON_CREATE_ADMIN,
	 "file whose first line is the password, \"-\" reads standard input; required"},
};
enum { N_FLAGS = ARRAY_SIZE(flags) };

static const struct {
	const char *name, *help;
} commands[] = {
	[COMMAND_SERVE] = {"serve", "serve edu.v1.EduService"},
	[COMMAND_MIGRATE] = {"migrate", "bring the database to this release's schema"},
	[COMMAND_CREATE_ADMIN] = {"create-admin", "make an administrator"},
};
enum { N_COMMANDS = ARRAY_SIZE(commands) };

static void print_usage(FILE *out)
{
	fprintf(out,
		"Usage: edu-server COMMAND [flags]\n\nThe EduService backend over MariaDB.\n\nCommands:\n");
	for (unsigned i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-14s %s\n", commands[i].name, commands[i].help);
	fprintf(out, "\nedu-server COMMAND --help lists the flags of a command.\n"
		     "\nSignals: SIGTERM and SIGINT drain and stop; a second one stops at once.\n"
		     "Exit status: 0 stopped or done; 1 failed, or did not stop in time, with the reason on "
		     "standard error; 2 the command line is wrong.\n");
}

static void print_command_usage(enum command command, FILE *out)
{
	fprintf(out, "Usage: edu-server %s [flags]\n\n%s.\n\nFlags, with their defaults in parentheses:\n",
		commands[command].name, commands[command].help);
	for (unsigned i = 0; i < N_FLAGS; i++) {
		const struct flag *f = &flags[i];
		char left[64];
		if (!(f->commands & (1u << command)))
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", f->name, f->argument ? " " : "",
			 f->argument ? f->argument : "");
		fprintf(out, "  %-29s  %s", left, f->help);
		if (f->kind == KIND_NUMBER)
			fprintf(out, " (%u)", f->number);
		else if (f->text)
			fprintf(out, " (%s)", f->text);
		fputc('\n', out);
	}
}

static void set_default(struct config *c, const struct flag *f)
{
	void *member = (char *)c + f->offset;
	if (f->kind == KIND_TEXT)
		*(const char **)member = f->text;
	else if (f->kind == KIND_NUMBER)
		*(unsigned *)member = f->number;
}

static int set_flag(struct config *c, const struct flag *f, const char *value)
{
	void *member = (char *)c + f->offset;
	if (f->kind == KIND_SWITCH) {
		*(bool *)member = true;
		return 0;
	}
	if (f->kind == KIND_TEXT) {
		*(const char **)member = value;
		return 0;
	}
	char *end;
	errno = 0;
	unsigned long n = strtoul(value, &end, 10);
	if (errno || end == value || *end || value[0] == '-' || n < f->min || n > f->max) {
		fprintf(stderr, "edu-server: --%s takes a number from %u to %u, not \"%s\"\n", f->name,
			f->min, f->max, value);
		return -1;
	}
	*(unsigned *)member = (unsigned)n;
	return 0;
}

static int find_command(const char *name)
{
	for (unsigned i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return (int)i;
	return -1;
}

static bool is_loopback(const char *host)
{
	struct in_addr v4;
	return !strcmp(host, "localhost") || !strcmp(host, "::1") ||
	       (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET);
}

static int check(const struct config *c)
{
	const char *wrong = NULL;
	if (!c->db_socket == !c->db_host)
		wrong = "give either --db-socket or --db-host";
	else if (c->db_host && !is_loopback(c->db_host) && !c->db_ca && !c->db_insecure)
		wrong = "a MariaDB on another host needs --db-ca, or --db-insecure where the network is "
			"trusted";
	else if (c->command == COMMAND_SERVE && !c->tls_certificate != !c->tls_key)
		wrong = "--tls-cert and --tls-key go together";
	else if (c->command == COMMAND_SERVE && c->object_endpoint &&
		 (!c->object_key_id || !c->object_secret_file))
		wrong = "--object-endpoint needs --object-key-id and --object-secret-file";
	else if (c->command == COMMAND_CREATE_ADMIN && (!c->user_name || !c->password_file))
		wrong = "give --user-name and --password-file";
	if (wrong)
		fprintf(stderr, "edu-server %s: %s; --help lists the flags\n", commands[c->command].name,
			wrong);
	return wrong ? -1 : 0;
}

static int refuse_flag(enum command command, const char *flag, bool known)
{
	fprintf(stderr, "edu-server %s: %s %s; --help lists the flags\n", commands[command].name, flag,
		known ? "needs a value" : "is no flag, or takes no value");
	return -1;
}

/* getopt_long() takes any beginning of a name, whose meaning a flag added later would change. */
static const char *abbreviated(char *const *argv, const char *name)
{
	const char *word = argv[optind - 1] == optarg ? argv[optind - 2] : argv[optind - 1];

	return !strncmp(word, "--", 2) && strcspn(word + 2, "=") != strlen(name) ? word : NULL;
}

static int parse_flags(int argc, char **argv, struct config *ret)
{
	struct option options[N_FLAGS + 2] = {0};
	int n = 0;
	for (int i = 0; i < N_FLAGS; i++)
		if (flags[i].commands & (1u << ret->command))
			options[n++] = (struct option){flags[i].name,
						       flags[i].argument ? required_argument : no_argument,
						       NULL, 256 + i};
	options[n] = (struct option){"help", no_argument, NULL, 'h'};

	int o;
	opterr = 0;
	while ((o = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (o == '?' || o == ':')
			return refuse_flag(ret->command, argv[optind - 1], o == ':');
		const char *word = abbreviated(argv, o == 'h' ? "help" : flags[o - 256].name);
		if (word)
			return refuse_flag(ret->command, word, false);
		if (o == 'h') {
			print_command_usage(ret->command, stdout);
			return 0;
		}
		if (set_flag(ret, &flags[o - 256], optarg) < 0)
			return -1;
	}
	if (optind < argc) {
		fprintf(stderr, "edu-server %s: \"%s\" is no flag; --help lists them\n",
			commands[ret->command].name, argv[optind]);
		return -1;
	}
	return check(ret) < 0 ? -1 : 1;
}

int config_parse(int argc, char **argv, struct config *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned i = 0; i < N_FLAGS; i++)
		set_default(ret, &flags[i]);

	if (argc >= 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))) {
		print_usage(stdout);
		return 0;
	}
	if (argc >= 2 && !strcmp(argv[1], "--version")) {
		puts("edu-server " EDU_VERSION);
		return 0;
	}
	int command = argc >= 2 ? find_command(argv[1]) : -1;
	if (command < 0) {
		if (argc >= 2)
			fprintf(stderr, "edu-server: there is no command \"%s\"\n\n", argv[1]);
		print_usage(stderr);
		return -1;
	}
	ret->command = (enum command)command;
	return parse_flags(argc - 1, argv + 1, ret);
}

int config_read_secret(const char *path, char out[SECRET_MAX])
{
	struct error err;

	error_clear(&err);
	if (secret_read_file(path, out, &err) < 0) {
		fprintf(stderr, "edu-server: %s\n", err.message);
		return -1;
	}
	if (!out[0]) {
		fprintf(stderr, "edu-server: %s holds no password in its first line\n", path);
		return -1;
	}
	return 0;
}

static void content_to_service(const struct config *c, struct service_config *ret)
{
	ret->objects = (struct object_bucket_config){
		.endpoint = c->object_endpoint,
		.region = c->object_region,
		.bucket = c->object_bucket,
		.virtual_host = c->object_virtual_host,
		.access_key_id = c->object_key_id,
	};
	ret->content = (struct content_config){
		.public_url = c->object_public_url,
		.upload_us = c->upload_seconds * SECOND_US,
		.stream_us = c->stream_seconds * SECOND_US,
		.download_us = c->download_days * DAY_US,
		.download_devices = c->download_devices,
		.download_lessons = c->download_lessons,
	};
}

void config_to_service(const struct config *c, const struct db_config *db, struct service_config *ret)
{
	service_config_defaults(ret);
	ret->db = *db;
	ret->listen = c->listen;
	ret->tls_certificate = c->tls_certificate;
	ret->tls_key = c->tls_key;
	if (c->pollers)
		ret->pollers = c->pollers;
	ret->hot_slots = c->hot_slots;
	ret->catch_all_slots = c->catch_all_slots;
	ret->max_calls = c->max_calls;
	ret->memory = (size_t)c->memory_mib << 20;
	ret->caller_ms = (int)c->caller_seconds * 1000;
	ret->db_workers = c->db_workers;
	ret->db_queue = c->db_queue;
	ret->password_workers = c->password_workers;
	ret->password_queue = c->password_queue;
	ret->queue_wait_ms = (int)c->queue_wait_ms;
	ret->default_deadline_ms = (int)c->default_deadline_seconds * 1000;
	ret->drain_notice_ms = (int)c->drain_notice_seconds * 1000;
	ret->drain_ms = (int)c->drain_seconds * 1000;
	ret->reflection = !c->no_reflection;
	ret->trust_forwarded_for = c->trust_forwarded_for;
	content_to_service(c, ret);
	ret->platform_basis_points = (int)c->platform_basis_points;
	ret->key_dir = c->key_dir;
	ret->access_token_us = c->access_token_seconds * SECOND_US;
	ret->refresh_token_us = c->refresh_token_days * DAY_US;
	ret->argon2_kib = c->argon2_mib * 1024;
	ret->argon2_passes = c->argon2_passes;
	ret->rate_default = c->rate_default;
	ret->rate_stranger = c->rate_stranger;
	ret->rate_login = c->rate_login;
	ret->cache_bytes = (size_t)c->cache_mib << 20;
	ret->combiner_lanes = c->combiner_lanes;
	ret->combiner_batch = c->combiner_batch;
	ret->record_us = c->record_seconds * SECOND_US;
	ret->job_workers = c->job_workers;
	ret->keep_replies_us = c->keep_replies_hours * HOUR_US;
	ret->keep_sessions_us = c->keep_sessions_days * DAY_US;
	ret->keep_progress_us = c->keep_progress_days * DAY_US;
	ret->keep_events_us = c->keep_events_days * DAY_US;
	ret->keep_leases_us = c->keep_leases_days * DAY_US;
	ret->keep_misses_us = c->keep_misses_days * DAY_US;
	ret->keep_uploads_us = c->keep_uploads_days * DAY_US;
	ret->keep_downloads_us = c->keep_downloads_days * DAY_US;
}
