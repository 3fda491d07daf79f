/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/call.h"

#include <grpc/support/alloc.h>

#include "server/base/log.h"
#include "server/rpc/call_state.h"
#include "server/rpc/server_state.h"

struct arena *rpc_arena(struct rpc_call *call)
{
	return &call->arena;
}

const struct principal *rpc_principal(const struct rpc_call *call)
{
	return &call->principal;
}

const struct method_desc *rpc_method(const struct rpc_call *call)
{
	return call->method->desc;
}

const struct request_key *rpc_request_key(const struct rpc_call *call)
{
	return &call->key;
}

const char *rpc_request_label(const struct rpc_call *call)
{
	return call->label;
}

/* Where the edge says the call came from. */
static const char *forwarded_address(struct rpc_call *call)
{
	struct span address = metadata_forwarded_for(&call->metadata);

	return address.len ? arena_strndup(&call->arena, (const char *)address.data, address.len) : NULL;
}

const char *rpc_peer_address(struct rpc_call *call)
{
	if (!call->peer && call->server->config.trust_forwarded_for)
		call->peer = forwarded_address(call);
	if (call->peer)
		return call->peer;
	char *uri = grpc_call_get_peer(call->core);
	call->peer = uri ? arena_strdup(&call->arena, peer_address(uri)) : NULL;
	gpr_free(uri);
	return call->peer ? call->peer : "";
}

void *rpc_app(const struct rpc_call *call)
{
	return call->server->config.app;
}

const _Atomic bool *rpc_caller_gone(const struct rpc_call *call)
{
	return &call->gone;
}

void *rpc_context(const struct rpc_call *call)
{
	return call->context;
}

int64_t rpc_deadline_us(const struct rpc_call *call)
{
	return call->deadline_us;
}

void rpc_add_header(struct rpc_call *call, const char *key, const char *value)
{
	if (call->n_headers == CALL_HEADERS_MAX) {
		log_warning("header %s does not fit; method=%s", key, call->method->desc->path);
		return;
	}
	call->headers[call->n_headers].key = key;
	call->headers[call->n_headers].value = value;
	call->n_headers++;
}

struct error *rpc_call_error(struct rpc_call *call)
{
	return &call->error;
}
