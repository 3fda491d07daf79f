/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/base/metrics.h"
#include "server/config.h"
#include "server/db/lease.h"
#include "server/db/migrate.h"
#include "server/rpc/server.h"
#include "server/service.h"
#include "server/user/user_admin.h"

static int fail(const char *what, const struct error *err)
{
	fprintf(stderr, "edu-server: %s: %s\n", what, err->message);
	return 1;
}

static int read_db_config(const struct config *c, char password[SECRET_MAX], struct db_config *ret)
{
	struct service_config defaults;

	service_config_defaults(&defaults);
	*ret = defaults.db;
	ret->socket = c->db_socket;
	ret->host = c->db_host;
	ret->port = c->db_port;
	ret->user = c->db_user;
	ret->database = c->db_name;
	ret->ca_file = c->db_ca;
	if (!c->db_password_file)
		return 0;
	ret->password = password;
	return config_read_secret(c->db_password_file, password);
}

/* --- migrate --- */

static void print_line(void *arg, const char *line)
{
	puts(line);
}

static int run_migrate(const struct db_config *db)
{
	struct error err;

	error_clear(&err);
	if (migrate_apply(db, print_line, NULL, &err) < 0)
		return fail("migrate", &err);
	puts("the schema is up to date");
	return 0;
}

/* --- create-admin --- */

/* Ids need a node, as a server's do: the lease is held for as long as the one statement takes. */
static int create_admin(const struct db_config *db, const struct user_admin *admin, struct error *err)
{
	struct node_lease *lease = NULL;
	struct db_conn *conn = NULL;
	const struct node_lease_config config = {.db = db, .clock = &clock_system};
	int64_t user_id;
	int r = migrate_check(db, err);

	if (r == 0)
		r = node_lease_start(&config, &lease, err);
	if (r == 0)
		r = db_open(db, user_admin_stmts, &conn, err);
	if (r == 0)
		r = user_admin_create(conn, &clock_system, lease, admin, &user_id, err);
	db_close(conn);
	node_lease_stop(lease);
	return r;
}

static int run_create_admin(const struct config *c, const struct db_config *db)
{
	char password[SECRET_MAX];
	const struct user_admin admin = {
		.user_name = c->user_name,
		.email = c->email,
		.password = password,
		.argon2_kib = c->argon2_mib * 1024,
		.argon2_passes = c->argon2_passes,
	};
	struct error err;

	if (config_read_secret(c->password_file, password) < 0)
		return 1;
	error_clear(&err);
	int r = create_admin(db, &admin, &err);
	explicit_bzero(password, sizeof(password));
	if (r < 0)
		return fail("create-admin", &err);
	printf("administrator %s created\n", c->user_name);
	return 0;
}

/* --- serve --- */

/* Splits "address:port"; an IPv6 address stands in brackets. False when it is neither that nor ":port". */
static bool split_address(const char *text, char *host, size_t size, int *ret_port)
{
	const char *colon = strrchr(text, ':');
	char *end;
	long port = colon ? strtol(colon + 1, &end, 10) : -1;

	if (!colon || end == colon + 1 || *end || port < 0 || port > 65535)
		return false;
	size_t len = (size_t)(colon - text);
	bool brackets = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	if (brackets) {
		text++;
		len -= 2;
	}
	if (len >= size)
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	*ret_port = (int)port;
	return true;
}

static int start_metrics(const struct config *c, struct service *service, struct metrics_http **ret)
{
	char host[256];
	struct metrics_http_config config = {
		.address = host, .ready = service_ready, .jwks = service_jwks, .arg = service};

	*ret = NULL;
	if (!strcmp(c->metrics_listen, "off"))
		return 0;
	if (split_address(c->metrics_listen, host, sizeof(host), &config.port) &&
	    metrics_http_start(&config, ret) == 0)
		return 0;
	fprintf(stderr,
		"edu-server: cannot serve metrics at \"%s\": give a free ADDRESS:PORT with --metrics-listen, "
		"or \"off\"\n",
		c->metrics_listen);
	return -1;
}

/* The signals that stop the server; blocked in every thread, taken by sigwait() in main's. */
static void block_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	pthread_sigmask(SIG_BLOCK, ret, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* For what was logged last, if somebody reads it. */
enum { LOG_FLUSH_MS = 500 };

enum { STOP_GRACE_S = 2 /* after the time calls have; then what hangs is left as it is */ };

struct stopping {
	sigset_t *signals;
	const struct service_config *config;
};

/* A second signal, or the time is over. */
static void *stop_at_once(void *arg)
{
	const struct stopping *stopping = arg;
	const int ms = stopping->config->drain_notice_ms + stopping->config->drain_ms;
	const struct timespec limit = {.tv_sec = ms / 1000 + STOP_GRACE_S};
	int which;

	do
		which = sigtimedwait(stopping->signals, NULL, &limit);
	while (which < 0 && errno == EINTR); /* stopped and continued */
	if (which < 0)
		log_error("the server did not stop in time: something hangs; the process ends");
	else
		log_warning("stopping at once");
	log_flush(LOG_FLUSH_MS);
	_exit(1);
}

static void wait_and_drain(sigset_t *signals, const struct service_config *config, struct service *service)
{
	static struct stopping stopping;
	pthread_t impatient;
	int which;

	sigwait(signals, &which);
	log_info("stopping signal=%s", strsignal(which));
	stopping = (struct stopping){signals, config};
	if (pthread_create(&impatient, NULL, stop_at_once, &stopping) == 0)
		pthread_detach(impatient);
	service_drain(service);
}

static void announce(const struct config *c, const struct service *service)
{
	const char *colon = strrchr(c->listen, ':');

	if (!strncmp(c->listen, "unix:", 5) || !colon)
		printf("listening on %s\n", c->listen);
	else
		printf("listening on %.*s:%d\n", (int)(colon - c->listen), c->listen, service_port(service));
	fflush(stdout);
}

static int run_serve(const struct config *c, const struct db_config *db)
{
	static sigset_t signals;
	char secret[SECRET_MAX] = ""; /* of the object store */
	struct metrics_http *metrics;
	struct service_config config;
	struct service *service;
	struct error err;

	rpc_server_widen();
	block_signals(&signals);
	if (log_writer_start() < 0) {
		fprintf(stderr, "edu-server: no thread for writing the log\n");
		return 1;
	}
	config_to_service(c, db, &config);
	config.objects.secret_key = secret;
	if (c->object_endpoint && config_read_secret(c->object_secret_file, secret) < 0)
		return 1;
	error_clear(&err);
	int r = service_start(&config, &service, &err);
	explicit_bzero(secret, sizeof(secret));
	if (r < 0)
		return fail("cannot start", &err);
	if (start_metrics(c, service, &metrics) < 0) {
		service_stop(service);
		return 1;
	}
	announce(c, service);
	wait_and_drain(&signals, &config, service);
	metrics_http_stop(metrics); /* it asks the service */
	bool broken = service_broken(service);
	service_stop(service);
	log_info("stopped");
	return broken ? 1 : 0;
}

/*
 * What is closed of standard input, output and error would become some connection, and be written to. In
 * main() it would be too late: libraries open descriptors while they are loaded.
 */
static void fill_standard_descriptors(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
		;
	if (fd > STDERR_FILENO)
		close(fd);
}

static void (*const before_libraries[])(void)
	__attribute__((section(".preinit_array"), used)) = {fill_standard_descriptors};

int main(int argc, char **argv)
{
	char password[SECRET_MAX];
	struct config config;
	struct db_config db;
	int r = config_parse(argc, argv, &config);

	if (r <= 0)
		return r < 0 ? 2 : 0;
	if (log_level_parse(config.log_level) < 0) {
		fprintf(stderr, "edu-server: --log-level is debug, info, warning or error, not \"%s\"\n",
			config.log_level);
		return 2;
	}
	log_set_level((enum log_level)log_level_parse(config.log_level));
	if (read_db_config(&config, password, &db) < 0)
		return 1;
	switch (config.command) {
	case COMMAND_SERVE:
		r = run_serve(&config, &db);
		log_flush(LOG_FLUSH_MS);
		return r;
	case COMMAND_MIGRATE:
		return run_migrate(&db);
	case COMMAND_CREATE_ADMIN:
		return run_create_admin(&config, &db);
	}
	return 2;
}
