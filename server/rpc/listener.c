/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/listener.h"

#include <grpc/grpc_security.h>
#include <limits.h>
#include <string.h>

#include "proto/runtime/array.h"
#include "server/rpc/tls.h"

enum {
	STREAMS_PER_CONNECTION = 1000,
	METADATA_MAX = 16 * 1024,
	KEEPALIVE_MS = 120 * 1000, /* after that long without a sign, a ping finds out who is gone */
	KEEPALIVE_TIMEOUT_MS = 20 * 1000,
};

static grpc_arg arg_quota(grpc_resource_quota *quota)
{
	return (grpc_arg){
		.type = GRPC_ARG_POINTER,
		.key = (char *)GRPC_ARG_RESOURCE_QUOTA,
		.value.pointer = {.p = quota, .vtable = grpc_resource_quota_arg_vtable()},
	};
}

static grpc_arg arg_int(const char *key, int value)
{
	return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

/* Above our own cap, so that a message over it is refused by us, with a reason. */
static int receive_max(const struct rpc_server_config *config)
{
	return config->limits.bytes > INT_MAX / 2 ? INT_MAX : (int)config->limits.bytes * 2;
}

grpc_server *listener_make(const struct rpc_server_config *config)
{
	grpc_resource_quota *quota = grpc_resource_quota_create("edu");
	grpc_server *core;
	grpc_arg args[] = {
		/* Core asks how large a message is only once it has all of it; without a quota one call that
		 * announces 4 GiB is read to its end. Past it core ends calls with RESOURCE_EXHAUSTED. */
		arg_quota(quota),
		/* On by default: a second server on the port would silently share its calls. */
		arg_int(GRPC_ARG_ALLOW_REUSEPORT, 0),
		arg_int(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, receive_max(config)),
		arg_int(GRPC_ARG_MAX_METADATA_SIZE, METADATA_MAX),
		arg_int(GRPC_ARG_MAX_CONCURRENT_STREAMS, STREAMS_PER_CONNECTION),
		arg_int(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_MS),
		arg_int(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS),
		arg_int(GRPC_ARG_ENABLE_CHANNELZ, 0),
		/* No compression: the receive limit is asked before a message is inflated, never after. */
		arg_int(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1 << GRPC_COMPRESS_NONE),
		/* So its filters, which every operation of every call would pass, are not needed either. */
		arg_int(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0),
		arg_int(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
	};
	const grpc_channel_args all = {.num_args = ARRAY_SIZE(args), .args = args};

	grpc_resource_quota_resize(quota, config->memory / 2);
	core = grpc_server_create(&all, NULL);
	grpc_resource_quota_unref(quota);
	return core;
}

static int credentials_make(const struct rpc_server_config *config, grpc_server_credentials **ret,
			    struct error *err)
{
	if (config->tls_certificate || config->tls_key)
		return tls_credentials(config->tls_certificate, config->tls_key, ret, err);
	*ret = grpc_insecure_server_credentials_create();
	return 0;
}

int listener_bind(grpc_server *core, const struct rpc_server_config *config, int *ret, struct error *err)
{
	grpc_server_credentials *credentials;
	int r = credentials_make(config, &credentials, err);

	if (r < 0)
		return r;
	*ret = grpc_server_add_http2_port(core, config->address, credentials);
	grpc_server_credentials_release(credentials);
	if (*ret > 0)
		return 0;
	return error_internal(
		err, "cannot listen on %s: %s", config->address,
		strncmp(config->address, "unix:", 5) == 0
			? "its directory is missing or may not be written to, or its path is too long"
			: "the port is taken or not permitted, or the address is not this machine's");
}
