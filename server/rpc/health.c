/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/health.h"

#include "grpc/health/v1/health.server.h"
#include "server/rpc/call_state.h"
#include "server/rpc/server_state.h"

/* Of the health protocol, not of the contract. */
static const struct error_reason service_unknown = {"SERVICE_UNKNOWN", STATUS_NOT_FOUND};

/* One watch; lives in the call's arena. */
struct health_watch {
	struct standing_stream standing;
	bool known; /* the service watched */
	bool told;
	HealthCheckResponse_ServingStatus last;
};

static bool service_known(const struct health *h, const char *name)
{
	if (!*name)
		return true;
	for (const struct service_desc *const *service = h->services; *service; service++) {
		if (strcmp((*service)->name, name) == 0)
			return true;
	}
	return false;
}

static HealthCheckResponse_ServingStatus health_status(const struct health *h)
{
	return atomic_load(&h->serving) ? HealthCheckResponse_SERVING : HealthCheckResponse_NOT_SERVING;
}

static int health_check(struct rpc_call *call, const HealthCheckRequest *req, HealthCheckResponse *ret,
			struct error *err)
{
	const struct health *h = &call->server->health;

	if (!service_known(h, req->service))
		return error_raise(err, &service_unknown, "This server has no such service.");
	ret->status = health_status(h);
	return 0;
}

static int watch_open(struct rpc_call *call, const HealthCheckRequest *req, struct error *err)
{
	struct health_watch *w = arena_zalloc(rpc_arena(call), sizeof(*w));

	if (!w)
		return error_internal(err, "no memory for a health watch");
	w->known = service_known(&call->server->health, req->service);
	int r = standing_add(&call->server->standing, &w->standing, call, err);
	if (r == 0)
		rpc_set_state(call, w);
	return r;
}

/* The state at once, then every change. A service nobody knows is SERVICE_UNKNOWN for as long as the watch
 * lasts. */
static int watch_next(struct rpc_call *call, HealthCheckResponse *ret, struct error *err)
{
	struct health_watch *w = rpc_state(call);

	ret->status = w->known ? health_status(&call->server->health) : HealthCheckResponse_SERVICE_UNKNOWN;
	if (!w->told || ret->status != w->last) {
		w->told = true;
		w->last = ret->status;
		return RPC_SEND;
	}
	return server_draining(call->server) ? standing_drained(err) : RPC_WAIT;
}

static void watch_closed(struct rpc_call *call)
{
	struct health_watch *w = rpc_state(call);

	if (w)
		standing_remove(&call->server->standing, &w->standing);
}

static const struct health_watch_stream watch = {
	.open = watch_open,
	.next = watch_next,
	.closed = watch_closed,
};

HEALTH_CHECK(health_check, RPC_ON_POLLER, .uncounted = true);
HEALTH_WATCH(&watch, RPC_ON_POLLER, .uncounted = true);

const struct rpc_row *const health_rows[] = HEALTH_ROWS;
