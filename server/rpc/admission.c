/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/admission.h"

#include "server/rpc/lifecycle.h"
#include "server/rpc/line.h"
#include "server/rpc/policy.h"
#include "server/rpc/refusal.h"
#include "server/rpc/server_state.h"

static char *put_hex(char *out, uint64_t value, int digits)
{
	while (digits-- > 0)
		*out++ = "0123456789abcdef"[value >> 4 * digits & 15];
	return out;
}

/* The caller's own label, or one that no other call of any server has: 20 characters, which core keeps
 * inline. */
static void label_set(struct rpc_call *call, struct span wanted)
{
	struct poller *p = call->poller;
	char *end = call->label;

	if (wanted.len > 0) {
		memcpy(end, wanted.data, wanted.len);
		end += wanted.len;
	} else {
		end = put_hex(end, p->server->boot, 8);
		end = put_hex(end, p->index, 2);
		end = put_hex(end, p->labels++, 10);
	}
	*end = '\0';
}

static int64_t deadline_to_us(gpr_timespec deadline)
{
	if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0)
		return INT64_MAX;
	deadline = gpr_convert_clock_type(deadline, GPR_CLOCK_MONOTONIC);
	return deadline.tv_sec * 1000000 + deadline.tv_nsec / 1000;
}

/* Of a caller who would wait for ever. A stream may last. */
static int64_t default_deadline_us(const struct rpc_call *call)
{
	const int ms = call->server->config.default_deadline_ms;

	if (ms == 0 || !call->method || call->method->desc->kind != METHOD_UNARY)
		return INT64_MAX;
	return call->began_us + ms * INT64_C(1000);
}

void call_read_headers(struct rpc_call *call, gpr_timespec deadline, struct call_headers *ret)
{
	metadata_read(&call->metadata, ret);
	label_set(call, ret->request_label);
	call->deadline_us = deadline_to_us(deadline);
	if (call->deadline_us == INT64_MAX)
		call->deadline_us = default_deadline_us(call);
}

static int drain_check(struct rpc_call *call)
{
	struct rpc_server *s = call->server;

	if (!server_draining(s))
		return 0;
	atomic_store(&s->refused_us, monotonic_us());
	return refuse_draining(&call->error);
}

/* Calls under way are bounded here, because core queues what it has without bound. */
static int load_check(struct rpc_call *call)
{
	struct rpc_server *s = call->server;

	if (budget_spent(&s->memory))
		return refuse_starved(&call->error);
	if (atomic_load_explicit(&s->under_way, memory_order_relaxed) > s->config.max_calls && !line_evict(s))
		return refuse_crowded(&call->error);
	return 0;
}

static int call_identify(struct rpc_call *call, const struct call_headers *headers)
{
	const struct rpc_authenticator *auth = &call->server->config.auth;
	struct policy_caller caller = {.authorization = headers->authorization, .began_us = call->began_us};
	int r = drain_check(call);

	if (r == 0)
		r = load_check(call);
	if (r == 0 && !call->method)
		r = error_raise(&call->error, &RPC_REASON_METHOD_UNKNOWN,
				"There is no such method. Check the service's and the method's name.");
	if (r == 0)
		r = policy_deadline(call->deadline_us, &call->error);
	if (r < 0)
		return r;
	caller.address = auth->admit ? rpc_peer_address(call) : "";
	return policy_identify(call->method, auth, &caller, &call->principal, &call->token, &call->error);
}

/* On the poller. */
static void confirmed(struct rpc_call *call)
{
	int r = call->admission;

	call->admitted(call, r == 0 ? policy_allow(call->method, &call->principal, &call->error) : r);
}

/* On a thread with a database connection. */
static void confirm_run(struct rpc_call *call)
{
	int r = policy_deadline(call->deadline_us, &call->error);

	if (r == 0)
		r = call->server->config.auth.confirm(call, call->token, &call->error);
	call->admission = r;
	call->task = confirmed;
	(void)!call_run_at(call, RPC_ON_POLLER, false, false);
}

void call_admit(struct rpc_call *call, const struct call_headers *headers,
		void (*next)(struct rpc_call *call, int r))
{
	int r = call_identify(call, headers);

	if (r == RPC_UNCONFIRMED) {
		call->admitted = next;
		call->task = confirm_run;
		if (call_run_at(call, RPC_ON_DB, true, true))
			return;
		r = refuse_busy(&call->error);
	}
	next(call, r == 0 ? policy_allow(call->method, &call->principal, &call->error) : r);
}
