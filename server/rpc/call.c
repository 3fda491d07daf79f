/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/call_impl.h"

#include <grpc/support/alloc.h>
#include <stdlib.h>

#include "server/base/log.h"
#include "server/rpc/line.h"
#include "server/rpc/policy.h"
#include "server/rpc/server_impl.h"
#include "server/rpc/unary.h"

enum {
	HELD_MIN = 8 * 1024, /* smaller replies are bounded by the number of calls */
};

static void task_due(struct tag *tag, bool ok)
{
	struct rpc_call *call = TAG_OWNER(tag, struct rpc_call, task_tag);

	call->context = NULL;
	call->task(call);
}

/* The answer is out, or the caller is gone. */
static void close_came(struct tag *tag, bool ok)
{
	struct rpc_call *call = TAG_OWNER(tag, struct rpc_call, close_tag);
	struct rpc_server *s = call->server;

	call->closed = true;
	if (call->done) {
		call_release(call);
		return;
	}
	if (!call->close_cancelled)
		return;
	atomic_store(&call->gone, true);
	for (unsigned i = RPC_ON_POLLER + 1; i < s->n_executors; i++)
		executor_interrupt(&s->executors[i], call);
}

static void release_due(struct tag *tag, bool ok)
{
	call_release(TAG_OWNER(tag, struct rpc_call, release_tag));
}

static struct rpc_call *call_new(struct poller *p)
{
	struct rpc_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->poller = p;
	call->server = p->server;
	call->task_tag.run = task_due;
	call->release_tag.run = release_due;
	call->close_tag.run = close_came;
	grpc_metadata_array_init(&call->metadata);
	arena_init(&call->arena, p->server->config.arena_cap);
	arena_share(&call->arena, &p->server->memory);
	error_clear(&call->error);
	return call;
}

struct rpc_call *call_take(struct poller *p)
{
	struct rpc_call *call = p->free;

	if (call) {
		p->free = call->next;
		p->n_free--;
	} else {
		call = call_new(p);
		if (!call)
			return NULL;
	}
	call->began_us = monotonic_us();
	line_add(p, call);
	atomic_fetch_add_explicit(&p->server->under_way, 1, memory_order_relaxed);
	metric_add(p->server->under_way_gauge, 1);
	return call;
}

void call_free(struct rpc_call *call)
{
	grpc_metadata_array_destroy(&call->metadata);
	arena_done(&call->arena);
	free(call);
}

void call_hold(struct rpc_call *call, size_t bytes)
{
	if (bytes < HELD_MIN)
		return;
	call->held = bytes;
	budget_charge(&call->server->memory, bytes);
}

void call_let_go(struct rpc_call *call)
{
	if (call->held)
		budget_give(&call->server->memory, call->held);
	call->held = 0;
}

/* Back to what call_take() promises. */
static void call_reset(struct rpc_call *call)
{
	grpc_call_unref(call->core);
	call->core = NULL;
	if (call->payload)
		grpc_byte_buffer_destroy(call->payload);
	call->payload = NULL;
	if (call->packed)
		grpc_byte_buffer_destroy(call->packed);
	call->packed = NULL;
	call_let_go(call);
	call->metadata.count = 0;
	call->method = NULL;
	call->request = call->reply = NULL;
	call->stream = NULL;
	call->peer = NULL;
	call->context = NULL;
	call->key.present = false;
	call->principal = (struct principal){0};
	call->n_headers = 0;
	call->expected_us = 0;
	call->closed = call->done = false;
	call->close_cancelled = 0;
	atomic_store_explicit(&call->watch, CALL_UNWATCHED, memory_order_relaxed);
	atomic_store_explicit(&call->gone, false, memory_order_relaxed);
	atomic_store_explicit(&call->finished, false, memory_order_relaxed);
	call_turn(call, 0);
	if (call->error.code != STATUS_OK)
		error_clear(&call->error);
	arena_reset(&call->arena);
}

void call_release(struct rpc_call *call)
{
	struct rpc_server *s = call->server;
	struct poller *p = call->poller;

	call->done = true;
	if (atomic_load(&call->watch) == CALL_WATCHED && !call->closed)
		return;
	line_remove(p, call);
	call_reset(call);
	if (p->n_free < s->calls_kept) {
		call->next = p->free;
		p->free = call;
		p->n_free++;
	} else {
		call_free(call);
	}
	metric_add(s->under_way_gauge, -1);
	/* Last: a server that stops frees everything once this is 0. */
	atomic_fetch_sub_explicit(&s->under_way, 1, memory_order_release);
}

void call_watch_later(struct rpc_call *call)
{
	enum call_watch expected = CALL_UNWATCHED;

	atomic_compare_exchange_strong(&call->watch, &expected, CALL_WATCHED_LATER);
}

bool call_watch_claim(struct rpc_call *call)
{
	enum call_watch expected = CALL_WATCHED_LATER;

	return atomic_compare_exchange_strong(&call->watch, &expected, CALL_WATCHED);
}

void call_watch(struct rpc_call *call)
{
	grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};

	op.data.recv_close_on_server.cancelled = &call->close_cancelled;
	if (batch_start(call->core, &op, 1, &call->close_tag) != GRPC_CALL_OK)
		batch_start(call->core, NULL, 0, &call->close_tag);
}

bool call_watch_over(struct rpc_call *call)
{
	enum call_watch expected = CALL_WATCHED_LATER;

	return atomic_compare_exchange_strong(&call->watch, &expected, CALL_UNWATCHED) ||
	       expected == CALL_UNWATCHED;
}

void call_release_elsewhere(struct rpc_call *call)
{
	batch_start(call->core, NULL, 0, &call->release_tag);
}

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

int call_starved(struct rpc_call *call)
{
	(void)!error_raise(&call->error, &RPC_REASON_OVERLOADED,
			   "The server has no memory left for the call. Nothing was done; wait and repeat.");
	return error_set_retry(&call->error, OVERLOADED_RETRY_MS);
}

static int drain_check(struct rpc_call *call)
{
	struct rpc_server *s = call->server;

	if (!server_draining(s))
		return 0;
	atomic_store(&s->refused_us, monotonic_us());
	(void)!error_raise(&call->error, &RPC_REASON_DRAINING,
			   "The server is stopping. Nothing was done; repeat the call elsewhere.");
	return error_set_retry(&call->error, DRAINING_RETRY_MS);
}

/* Calls under way are bounded here, because core queues what it has without bound. */
static int load_check(struct rpc_call *call)
{
	struct rpc_server *s = call->server;

	if (budget_spent(&s->memory))
		return call_starved(call);
	if (atomic_load_explicit(&s->under_way, memory_order_relaxed) > s->config.max_calls &&
	    !line_evict(s)) {
		(void)!error_raise(
			&call->error, &RPC_REASON_OVERLOADED,
			"The server has too many calls under way. Nothing was done; wait and repeat.");
		return error_set_retry(&call->error, OVERLOADED_RETRY_MS);
	}
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
		r = overloaded(call);
	}
	next(call, r == 0 ? policy_allow(call->method, &call->principal, &call->error) : r);
}

bool call_run_at(struct rpc_call *call, enum rpc_place place, bool on_poller, bool bounded)
{
	if (place != RPC_ON_POLLER)
		return executor_push(&call->server->executors[place], call, bounded);
	call->expected_us = 0;
	if (on_poller)
		call->task(call);
	else
		batch_start(call->core, NULL, 0, &call->task_tag);
	return true;
}

/* --- what a handler may ask --- */

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
	char *uri;

	if (!call->peer && call->server->config.trust_forwarded_for)
		call->peer = forwarded_address(call);
	if (call->peer)
		return call->peer;
	uri = grpc_call_get_peer(call->core);
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
