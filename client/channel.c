/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <grpc/grpc_security.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/internal.h"
#include "proto/runtime/array.h"

enum {
	/* Servers that follow gRPC's defaults close a connection pinged more often than every 5 minutes. */
	CHANNEL_KEEPALIVE_MS = 6 * 60 * 1000,
	CHANNEL_KEEPALIVE_TIMEOUT_MS = 20 * 1000,
	/* Each pause is 1.6 times the last, give or take a fifth, so that the server is found within three
	 * quarters of the time it was away: core's own 1 s to 120 s would leave clients waiting long after a
	 * restart. */
	CHANNEL_BACKOFF_MIN_MS = 100,
	CHANNEL_BACKOFF_MAX_MS = 2000,
	CHANNEL_CONNECT_MS = 5000, /* what one try may take */
	CHANNEL_CA_MAX = 1 << 20,
	CHANNEL_CONFIG_MAX = 1 << 20,
};

static char *file_text(const char *path, struct error *err)
{
	FILE *f = fopen(path, "re");
	char *text = f ? malloc(CHANNEL_CA_MAX + 1) : NULL;
	size_t n = text ? fread(text, 1, CHANNEL_CA_MAX + 1, f) : 0;
	bool whole = text && n > 0 && n <= CHANNEL_CA_MAX && !ferror(f);

	if (whole)
		text[n] = '\0';
	else
		error_field(err, "ca_file", "%s cannot be read as PEM certificates: %s", path,
			    f ? "it is empty or not a file of at most 1 MiB" : strerror(errno));
	if (f)
		fclose(f);
	if (whole)
		return text;
	free(text);
	return NULL;
}

static int channel_tls(const char *ca_file, grpc_channel_credentials **ret, struct error *err)
{
	char *roots = NULL;

	if (ca_file) {
		roots = file_text(ca_file, err);
		if (!roots)
			return -err->code;
	}
	*ret = grpc_ssl_credentials_create(roots, NULL, NULL, NULL);
	free(roots);
	return *ret ? 0 : error_field(err, "ca_file", "holds no certificate that can be used");
}

/* A proxy named by the environment is for what is outside this machine. */
static bool target_is_local(const char *target)
{
	static const char *const local[] = {"localhost:", "127.", "[::1]:", "unix:", "unix-abstract:"};

	for (size_t i = 0; i < ARRAY_SIZE(local); i++) {
		if (strncmp(target, local[i], strlen(local[i])) == 0)
			return true;
	}
	return false;
}

static grpc_arg arg_string(const char *key, const char *value)
{
	return (grpc_arg){.type = GRPC_ARG_STRING, .key = (char *)key, .value.string = (char *)value};
}

static grpc_arg arg_int(const char *key, int value)
{
	return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

static grpc_channel *channel_core(const struct client_options *options, const char *config,
				  grpc_channel_credentials *credentials)
{
	grpc_arg args[16] = {
		arg_int(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, CLIENT_MESSAGE_MAX),
		arg_int(GRPC_ARG_KEEPALIVE_TIME_MS, CHANNEL_KEEPALIVE_MS),
		arg_int(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, CHANNEL_KEEPALIVE_TIMEOUT_MS),
		arg_int(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, CHANNEL_BACKOFF_MIN_MS),
		arg_int(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CHANNEL_CONNECT_MS),
		arg_int(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, CHANNEL_BACKOFF_MAX_MS),
		arg_int(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1),
		arg_int(GRPC_ARG_ENABLE_HTTP_PROXY, !target_is_local(options->target)),
		arg_int(GRPC_ARG_ENABLE_RETRIES, !options->no_retries),
	};
	size_t n = 9;

	if (!options->no_retries)
		args[n++] = arg_string(GRPC_ARG_SERVICE_CONFIG, config);
	if (options->user_agent)
		args[n++] = arg_string(GRPC_ARG_PRIMARY_USER_AGENT_STRING, options->user_agent);
	if (options->authority) {
		args[n++] = arg_string(GRPC_ARG_DEFAULT_AUTHORITY, options->authority);
		args[n++] = arg_string(GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, options->authority);
	}
	return grpc_channel_create(options->target, credentials,
				   &(grpc_channel_args){.num_args = n, .args = args});
}

static int channel_connectable(struct client_channel *c, const struct client_options *options,
			       struct error *err)
{
	grpc_channel_credentials *credentials = NULL;
	struct arena arena;
	int r = 0;

	if (options->tls)
		r = channel_tls(options->ca_file, &credentials, err);
	else
		credentials = grpc_insecure_credentials_create();
	if (r < 0)
		return r;
	arena_init(&arena, CHANNEL_CONFIG_MAX);
	const char *config = client_service_config(c->services, &arena);
	if (config)
		c->core = channel_core(options, config, credentials);
	else
		r = error_internal(err, "no memory for the service config");
	arena_done(&arena);
	grpc_channel_credentials_release(credentials);
	return r;
}

static bool channel_copy(struct client_channel *c, const struct client_options *options,
			 const struct service_desc *const *services)
{
	size_t n = 0;

	if (options->replayed_header) {
		c->replayed_header = strdup(options->replayed_header);
		if (!c->replayed_header)
			return false;
	}
	while (services[n])
		n++;
	c->services = calloc(n + 1, sizeof(*c->services));
	c->handles = calloc(n + 1, sizeof(*c->handles));
	if (!c->services || !c->handles)
		return false;
	for (size_t i = 0; i < n; i++) {
		c->services[i] = services[i];
		c->handles[i] = calloc(services[i]->n_methods + 1, sizeof(void *));
		if (!c->handles[i])
			return false;
	}
	return true;
}

static void channel_register(struct client_channel *c)
{
	for (size_t i = 0; c->services[i]; i++) {
		const struct service_desc *service = c->services[i];
		void **handles = c->handles[i];

		for (unsigned j = 0; handles && j < service->n_methods; j++)
			handles[j] =
				grpc_channel_register_call(c->core, service->methods[j].path, NULL, NULL);
	}
}

int client_channel_new(const struct client_options *options, const struct service_desc *const *services,
		       struct client_channel **ret, struct error *err)
{
	error_clear(err);
	struct client_channel *c = calloc(1, sizeof(*c));
	if (!c)
		return error_internal(err, "no memory for a channel");
	grpc_init();
	pthread_mutex_init(&c->lock, NULL);
	client_reconnect_init(c);
	c->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : CLIENT_TIMEOUT_DEFAULT_MS;
	int r = channel_copy(c, options, services) ? 0 : error_internal(err, "no memory for a channel");
	if (r == 0)
		r = channel_connectable(c, options, err);
	if (r < 0) {
		client_channel_free(c);
		return r;
	}
	channel_register(c);
	*ret = c;
	return 0;
}

void client_channel_free(struct client_channel *c)
{
	if (!c)
		return;
	client_async_stop(c);
	client_reconnect_stop(c);
	client_thread_queue_drop();
	for (size_t i = 0; c->services && c->handles && c->services[i]; i++)
		free(c->handles[i]);
	free(c->handles);
	free(c->services);
	free(c->replayed_header);
	pthread_mutex_destroy(&c->lock);
	free(c);
	grpc_shutdown();
}

void client_channel_set_credentials(struct client_channel *c, const struct client_credentials *credentials)
{
	c->credentials = *credentials;
}
