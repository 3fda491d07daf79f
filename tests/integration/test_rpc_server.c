/* SPDX-License-Identifier: Apache-2.0 */
/* A real server on a free port of the loopback, and a client that sends it what it likes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/health/v1/health.tables.h"
#include "grpc/reflection/v1/reflection.tables.h"
#include "probe/v1/probe.tables.h"
#include "proto/runtime/array.h"
#include "tests/lib/probe_server.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/temp_dir.h"

#define ECHO "/probe.v1.Probe/Echo"
#define ECHO_COLD "/probe.v1.Probe/EchoCold"
#define ECHO_ON_DB "/probe.v1.Probe/EchoOnDb"
#define ECHO_CHAIN "/probe.v1.Probe/EchoChain"
#define ECHO_DEFERRED "/probe.v1.Probe/EchoDeferred"
#define GUARDED "/probe.v1.Probe/Guarded"
#define PLANT "/probe.v1.Probe/Plant"
#define POUR "/probe.v1.Probe/Pour"
#define GATHER "/probe.v1.Probe/Gather"
#define TALK "/probe.v1.Probe/Talk"
#define CHECK "/grpc.health.v1.Health/Check"
#define WATCH "/grpc.health.v1.Health/Watch"
#define REFLECTION "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
#define REFLECTION_ALPHA "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"

struct fixture {
	struct rpc_server *server;
	struct raw_client *client;
	struct arena arena;
	char target[64];
};

static void server_up(struct fixture *f, const struct rpc_server_config *config)
{
	struct error err;

	if (rpc_server_new(config, probe_rows, probe_services, &f->server, &err) < 0 ||
	    rpc_server_start(f->server, &err) < 0)
		fail_msg("%s", err.message);
	rpc_server_set_serving(f->server, true);
	snprintf(f->target, sizeof(f->target), "127.0.0.1:%d", rpc_server_port(f->server));
	f->client = raw_client_new(f->target);
	arena_init(&f->arena, SIZE_MAX / 2);
}

/* A server with the probe's config, changed by this. */
static int setup_with(void **state, void (*change)(struct rpc_server_config *config))
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct rpc_server_config config;

	probe_config(&config);
	if (change)
		change(&config);
	server_up(f, &config);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	raw_client_free(f->client);
	rpc_server_free(f->server);
	probe_join();
	arena_done(&f->arena);
	free(f);
	return 0;
}

static EchoResponse *echo_call(struct fixture *f, const char *path, const EchoRequest *req,
			       const struct raw_options *options, struct raw_reply *reply)
{
	return (EchoResponse *)raw_unary_message(f->client, path, &req->base, ECHO_RESPONSE_DESC, options,
						 &f->arena, reply);
}

static EchoRequest echo_request(const char *payload)
{
	EchoRequest req = ECHO_REQUEST_INIT;

	req.payload.data = (uint8_t *)payload;
	req.payload.len = strlen(payload);
	return req;
}

static void assert_reason(const struct raw_reply *reply, const struct error_reason *reason)
{
	assert_int_equal(reply->code, reason->code);
	assert_int_equal(reply->error.code, reason->code);
	assert_non_null(reply->error.reason);
	assert_string_equal(reply->error.reason->name, reason->name);
	assert_true(strlen(reply->message) > 0);
	assert_non_null(reply->label);
}

/* --- unary --- */

static void test_echo_everywhere(void **state)
{
	static const struct {
		const char *path, *token, *places;
	} cases[] = {
		{ECHO, NULL, "none"},
		{ECHO_COLD, NULL, "none"},
		{ECHO_ON_DB, NULL, "db"},
		{ECHO_CHAIN, "learner", "none,db,password,none"},
		{ECHO_DEFERRED, NULL, "thread"},
	};
	EchoRequest req = echo_request("hello");
	struct fixture *f = *state;
	struct raw_reply reply;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct raw_options options = {.token = cases[i].token};
		EchoResponse *ret = echo_call(f, cases[i].path, &req, &options, &reply);

		assert_int_equal(reply.code, STATUS_OK);
		assert_non_null(ret);
		assert_string_equal(ret->places, cases[i].places);
		assert_int_equal(ret->payload.len, 5);
		assert_memory_equal(ret->payload.data, "hello", 5);
		assert_string_equal(ret->address, "127.0.0.1");
	}
}

static void test_request_label(void **state)
{
	EchoRequest req = echo_request("");
	struct raw_options options = {.label = "my-label-1"};
	struct fixture *f = *state;
	struct raw_reply reply;
	const char *first;

	echo_call(f, ECHO, &req, &options, &reply);
	assert_string_equal(reply.label, "my-label-1");
	/* One with a space is not taken. */
	options.label = "my label";
	echo_call(f, ECHO, &req, &options, &reply);
	assert_int_equal(strlen(reply.label), 20);
	first = reply.label;
	echo_call(f, ECHO, &req, NULL, &reply);
	assert_int_equal(strlen(reply.label), 20);
	assert_string_not_equal(reply.label, first);
}

static void test_errors_carry_details(void **state)
{
	EchoRequest req = echo_request("");
	struct fixture *f = *state;
	struct raw_reply reply;

	req.fail_code = STATUS_ABORTED;
	echo_call(f, ECHO, &req, NULL, &reply);
	assert_reason(&reply, &RPC_REASON_CONFLICT);
	assert_string_equal(reply.message, "as asked");
	assert_null(reply.pushback);

	req.fail_code = STATUS_UNAVAILABLE;
	echo_call(f, ECHO_ON_DB, &req, NULL, &reply);
	assert_reason(&reply, &RPC_REASON_DATABASE_UNAVAILABLE);
	assert_string_equal(reply.pushback, "321");
	assert_int_equal(reply.error.retry_delay_ms, 321);
}

static void test_internal_faults_stay_inside(void **state)
{
	const struct raw_options options = {.label = "trace-me"};
	EchoRequest req = echo_request("");
	struct fixture *f = *state;
	struct raw_reply reply;

	req.fail_code = STATUS_INTERNAL;
	echo_call(f, ECHO_DEFERRED, &req, &options, &reply);
	assert_reason(&reply, &RPC_REASON_INTERNAL);
	assert_null(strstr(reply.message, "secret"));
	assert_null(strstr(reply.error.message, "secret"));
	assert_string_equal(reply.error.correlation_id, "trace-me");
	/* A handler that fails without a word is one too. */
	req.fail_code = STATUS_UNKNOWN;
	echo_call(f, ECHO, &req, NULL, &reply);
	assert_reason(&reply, &RPC_REASON_INTERNAL);
}

static void test_rules(void **state)
{
	EchoRequest req = echo_request("");
	struct fixture *f = *state;
	struct raw_reply reply;
	int handled = probe_handled;

	req.sleep_ms = 10001;
	req.fail_code = 17;
	echo_call(f, ECHO, &req, NULL, &reply);
	assert_reason(&reply, &RPC_REASON_FIELD_INVALID);
	assert_int_equal(reply.error.n_violations, 2);
	assert_string_equal(reply.error.violations[0].field, "sleep_ms");
	assert_int_equal(probe_handled, handled);
	/* Whoever may not call learns nothing of the rules. */
	echo_call(f, GUARDED, &req, NULL, &reply);
	assert_reason(&reply, &RPC_REASON_TOKEN_MISSING);
}

/* Whose token the database is asked about goes on where the method runs, as anybody else. */
static void test_confirmed_callers_go_on(void **state)
{
	static const struct {
		const char *path, *places;
	} cases[] = {{ECHO, "none"},
		     {ECHO_COLD, "none"},
		     {ECHO_ON_DB, "db"},
		     {ECHO_CHAIN, "none,db,password,none"}};
	const struct raw_options options = {.token = "doubted"}, gone = {.token = "gone"};
	EchoRequest req = echo_request("");
	struct fixture *f = *state;
	struct raw_reply reply;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		EchoResponse *ret = echo_call(f, cases[i].path, &req, &options, &reply);

		assert_non_null(ret);
		assert_string_equal(ret->places, cases[i].places);
		assert_int_equal(ret->user_id, 12);
		echo_call(f, cases[i].path, &req, &gone, &reply);
		assert_reason(&reply, &RPC_REASON_TOKEN_REVOKED);
	}
}

static void test_policy(void **state)
{
	static const struct {
		const char *token;
		const struct error_reason *reason; /* NULL: admitted */
		int64_t user_id;
	} cases[] = {
		{NULL, &RPC_REASON_TOKEN_MISSING, 0},
		{"", &RPC_REASON_TOKEN_INVALID, 0},
		{"nobody", &RPC_REASON_TOKEN_INVALID, 0},
		{"expired", &RPC_REASON_TOKEN_EXPIRED, 0},
		{"learner", &RPC_REASON_ROLE_MISSING, 0},
		{"reader", &RPC_REASON_SCOPE_MISSING, 0},
		{"slow", &RPC_REASON_RATE_LIMITED, 0},
		{"admin", NULL, 7},
		{"payer", NULL, 8},
		{"learner", &RPC_REASON_ROLE_MISSING, 0},
		{"doubted", NULL, 12},
		{"doubted learner", &RPC_REASON_ROLE_MISSING, 0},
		{"gone", &RPC_REASON_TOKEN_REVOKED, 0},
	};
	EchoRequest req = echo_request("");
	struct fixture *f = *state;
	struct raw_reply reply;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct raw_options options = {.token = cases[i].token};
		EchoResponse *ret = echo_call(f, GUARDED, &req, &options, &reply);

		if (cases[i].reason) {
			assert_reason(&reply, cases[i].reason);
		} else {
			assert_non_null(ret);
			assert_int_equal(ret->user_id, cases[i].user_id);
		}
	}
}

static void test_token_on_public_method(void **state)
{
	struct raw_options options = {.token = "learner"};
	EchoRequest req = echo_request("");
	struct fixture *f = *state;
	struct raw_reply reply;
	EchoResponse *ret = echo_call(f, ECHO, &req, &options, &reply);

	assert_non_null(ret);
	assert_int_equal(ret->user_id, 9);
	options.token = "nobody";
	echo_call(f, ECHO, &req, &options, &reply);
	assert_reason(&reply, &RPC_REASON_TOKEN_INVALID);
	/* The one before leaves nothing behind. */
	ret = echo_call(f, ECHO, &req, NULL, &reply);
	assert_non_null(ret);
	assert_int_equal(ret->user_id, 0);
}

static void test_request_key(void **state)
{
	const struct raw_options options = {.token = "learner"};
	EchoRequest req = echo_request("x");
	struct fixture *f = *state;
	struct raw_reply reply;
	EchoResponse *ret, *other;

	req.request_id = (char *)"123e4567-e89b-12d3-a456-426614174000";
	ret = echo_call(f, ECHO, &req, &options, &reply);
	assert_non_null(ret);
	assert_int_equal(ret->body_hash.len, 32);
	req.request_id = (char *)"00000000-0000-0000-0000-000000000001";
	other = echo_call(f, ECHO, &req, &options, &reply);
	assert_memory_equal(ret->body_hash.data, other->body_hash.data, 32);
	req.payload.len = 0;
	other = echo_call(f, ECHO, &req, &options, &reply);
	assert_memory_not_equal(ret->body_hash.data, other->body_hash.data, 32);
	/* Nobody's requests have no keys. */
	ret = echo_call(f, ECHO, &req, NULL, &reply);
	assert_non_null(ret);
	assert_int_equal(ret->body_hash.len, 0);
}

static void test_unknown_method(void **state)
{
	struct fixture *f = *state;
	struct raw_reply reply;

	raw_unary(f->client, "/probe.v1.Probe/Nope", span_str("x"), NULL, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_METHOD_UNKNOWN);
	raw_unary(f->client, "/", span_str("x"), NULL, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_METHOD_UNKNOWN);
}

static void test_no_message(void **state)
{
	const struct raw_options options = {.no_message = true};
	struct fixture *f = *state;
	struct raw_reply reply;

	raw_unary(f->client, ECHO, span_str(""), &options, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_MESSAGE_MALFORMED);
	raw_unary(f->client, ECHO_COLD, span_str(""), &options, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_MESSAGE_MALFORMED);
}

static void test_malformed(void **state)
{
	struct fixture *f = *state;
	struct raw_reply reply;

	raw_unary(f->client, ECHO, span_of("\x0a\xff", 2), NULL, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_MESSAGE_MALFORMED);
	raw_unary(f->client, ECHO_COLD, span_of("\x1a\x02\xc3\x28", 4), NULL, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_MESSAGE_MALFORMED);
}

/* --- floods, alone --- */

static void assert_alive(struct fixture *f)
{
	EchoRequest req = echo_request("still here");
	struct raw_reply reply;

	assert_non_null(echo_call(f, ECHO, &req, NULL, &reply));
}

static void test_oversize(void **state)
{
	const size_t len = 5 * 1024 * 1024;
	uint8_t *bytes = calloc(1, len);
	struct fixture *f = *state;
	struct raw_reply reply;

	raw_unary(f->client, ECHO, span_of(bytes, len), NULL, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_MESSAGE_TOO_LARGE);
	raw_unary(f->client, ECHO_COLD, span_of(bytes, len), NULL, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_MESSAGE_TOO_LARGE);
	free(bytes);
	assert_alive(f);
}

static void test_what_a_method_takes(void **state)
{
	const struct raw_options admin = {.token = "admin"};
	struct fixture *f = *state;
	struct raw_reply reply;
	EchoRequest req = ECHO_REQUEST_INIT;

	/* The contract says nothing of either, so a stranger sends 16 KiB at most and others 256. */
	req.payload.len = 16 * 1024;
	req.payload.data = calloc(1, 256 * 1024);
	echo_call(f, ECHO_ON_DB, &req, NULL, &reply);
	assert_reason(&reply, &RPC_REASON_MESSAGE_TOO_LARGE);
	echo_call(f, GUARDED, &req, &admin, &reply);
	assert_int_equal(reply.code, STATUS_OK);
	req.payload.len = 256 * 1024;
	echo_call(f, GUARDED, &req, &admin, &reply);
	assert_reason(&reply, &RPC_REASON_MESSAGE_TOO_LARGE);
	free(req.payload.data);
}

/* Lengths are varints, so the outermost tree is made last, from the end of the buffer. */
static struct span deep_tree(uint8_t *buffer, size_t size, unsigned depth)
{
	uint8_t *at = buffer + size;

	while (depth-- > 0) {
		size_t len = (size_t)(buffer + size - at);
		uint8_t varint[10];
		unsigned n = 0;

		do {
			varint[n++] = (uint8_t)((len & 0x7f) | (len > 0x7f ? 0x80 : 0));
			len >>= 7;
		} while (len);
		at -= n + 1;
		at[0] = 0x0a;
		memcpy(at + 1, varint, n);
	}
	return span_of(at, (size_t)(buffer + size - at));
}

static void test_nesting(void **state)
{
	static uint8_t buffer[128 * 1024];
	struct fixture *f = *state;
	struct raw_reply reply;

	raw_unary(f->client, PLANT, deep_tree(buffer, sizeof(buffer), 20000), NULL, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_MESSAGE_TOO_DEEP);
	raw_unary(f->client, PLANT, deep_tree(buffer, sizeof(buffer), 3), NULL, &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_OK);
	assert_alive(f);
}

static void test_unknown_fields(void **state)
{
	const size_t len = 2 * 1024 * 1024;
	uint8_t *bytes = malloc(len);
	struct fixture *f = *state;
	struct raw_reply reply;

	for (size_t i = 0; i < len; i += 2) {
		bytes[i] = 0x78; /* field 15, a varint */
		bytes[i + 1] = 1;
	}
	raw_unary(f->client, ECHO, span_of(bytes, len), NULL, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_MESSAGE_TOO_LARGE);
	free(bytes);
	assert_alive(f);
}

static void test_compressed_is_refused(void **state)
{
	const size_t len = 4 * 1024 * 1024;
	const struct raw_options options = {.gzip = true};
	uint8_t *bytes = calloc(1, len);
	struct fixture *f = *state;
	struct raw_reply reply;

	raw_unary(f->client, ECHO, span_of(bytes, len), &options, &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_UNIMPLEMENTED);
	free(bytes);
	assert_alive(f);
}

/* --- time --- */

static void test_deadline_in_line(void **state)
{
	struct raw_options options = {.timeout_ms = 10000};
	EchoRequest req = echo_request("");
	struct fixture *f = *state;
	struct raw_call *busy[2], *late;
	struct raw_client *other = raw_client_new(f->target);
	struct raw_reply reply;
	int handled = probe_handled;

	/* Both threads are busy for 300 ms; what waits behind them with 100 ms left is dropped, not run. */
	req.sleep_ms = 300;
	for (int i = 0; i < 2; i++) {
		busy[i] = raw_open(f->client, ECHO_ON_DB, &options);
		raw_send_message(busy[i], &req.base);
		raw_half_close(busy[i]);
	}
	usleep(50 * 1000);
	options.timeout_ms = 100;
	req.sleep_ms = 0;
	late = raw_open(other, ECHO_ON_DB, &options);
	raw_send_message(late, &req.base);
	raw_half_close(late);
	raw_finish(late, &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_DEADLINE_EXCEEDED);
	for (int i = 0; i < 2; i++) {
		raw_finish(busy[i], &f->arena, &reply);
		assert_int_equal(reply.code, STATUS_OK);
	}
	usleep(50 * 1000);
	assert_int_equal(probe_handled, handled + 2);
	raw_client_free(other);
}

static void test_full_queue(void **state)
{
	EchoRequest req = echo_request("");
	struct fixture *f = *state;
	struct raw_call *calls[6];
	struct raw_reply reply;

	/* 2 run, 4 wait; one more is told so at once. */
	req.sleep_ms = 200;
	for (int i = 0; i < 6; i++) {
		calls[i] = raw_open(f->client, ECHO_ON_DB, NULL);
		raw_send_message(calls[i], &req.base);
		raw_half_close(calls[i]);
		if (i < 2)
			usleep(30 * 1000);
	}
	usleep(30 * 1000);
	echo_call(f, ECHO_ON_DB, &req, NULL, &reply);
	assert_reason(&reply, &RPC_REASON_OVERLOADED);
	assert_non_null(reply.pushback);
	/* Nor is there anybody to ask about a token. */
	echo_call(f, ECHO, &req, &(struct raw_options){.token = "doubted"}, &reply);
	assert_reason(&reply, &RPC_REASON_OVERLOADED);
	/* A call that was let in and then moved meets the same full line. */
	echo_call(f, ECHO_CHAIN, &req, &(struct raw_options){.token = "learner"}, &reply);
	assert_reason(&reply, &RPC_REASON_OVERLOADED);
	assert_alive(f);
	for (int i = 0; i < 6; i++) {
		raw_finish(calls[i], &f->arena, &reply);
		assert_int_equal(reply.code, STATUS_OK);
	}
}

static void test_too_many_calls(void **state)
{
	struct fixture *f = *state;
	struct raw_call *calls[64];
	EchoRequest req = echo_request("");
	struct raw_reply reply;

	for (int i = 0; i < 64; i++)
		calls[i] = raw_open(f->client, TALK, NULL);
	usleep(100 * 1000);
	echo_call(f, ECHO, &req, NULL, &reply);
	assert_reason(&reply, &RPC_REASON_OVERLOADED);
	for (int i = 0; i < 64; i++) {
		raw_half_close(calls[i]);
		raw_finish(calls[i], &f->arena, &reply);
		assert_int_equal(reply.code, STATUS_OK);
	}
	usleep(50 * 1000);
	assert_alive(f);
}

/* --- streams --- */

static void await_streams(int open)
{
	for (int i = 0; i < 1000 && probe_streams_open != open; i++)
		usleep(10 * 1000);
	assert_int_equal(probe_streams_open, open);
}

static void assert_streams_closed(void)
{
	await_streams(0);
}

static struct raw_call *pour(struct fixture *f, const PourRequest *req)
{
	struct raw_call *call = raw_open(f->client, POUR, NULL);

	raw_send_message(call, &req->base);
	raw_half_close(call);
	return call;
}

static uint32_t pour_receive(struct fixture *f, struct raw_call *call)
{
	PourResponse *message;
	struct span bytes;

	if (!raw_receive(call, &f->arena, &bytes))
		return 0;
	message = (PourResponse *)protobuf_c_message_unpack(POUR_RESPONSE_DESC, arena_allocator(&f->arena),
							    bytes.len, bytes.data);
	assert_non_null(message);
	return message->number;
}

static void test_server_stream(void **state)
{
	PourRequest req = POUR_REQUEST_INIT;
	struct fixture *f = *state;
	struct raw_reply reply;
	struct raw_call *call;

	req.count = 100;
	req.size = 100;
	call = pour(f, &req);
	for (uint32_t i = 1; i <= 100; i++)
		assert_int_equal(pour_receive(f, call), i);
	assert_int_equal(pour_receive(f, call), 0);
	raw_finish(call, &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_OK);
	assert_non_null(reply.label);

	req.fail_after = 2;
	call = pour(f, &req);
	assert_int_equal(pour_receive(f, call), 1);
	assert_int_equal(pour_receive(f, call), 2);
	assert_int_equal(pour_receive(f, call), 0);
	raw_finish(call, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_CONFLICT);

	req = (PourRequest)POUR_REQUEST_INIT;
	call = pour(f, &req);
	raw_finish(call, &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_OK);
	assert_streams_closed();
}

static void test_stream_waits_and_wakes(void **state)
{
	PourRequest req = POUR_REQUEST_INIT;
	struct fixture *f = *state;
	struct raw_reply reply;
	struct raw_call *call;

	req.count = 2;
	req.wait = true;
	call = pour(f, &req);
	usleep(50 * 1000);
	assert_int_equal(probe_streams_open, 1);
	probe_wake();
	assert_int_equal(pour_receive(f, call), 1);
	assert_int_equal(pour_receive(f, call), 2);
	raw_finish(call, &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_OK);
	assert_streams_closed();
}

static void test_cancelled_stream_is_closed(void **state)
{
	PourRequest req = POUR_REQUEST_INIT;
	struct fixture *f = *state;
	struct raw_reply reply;
	struct raw_call *call;
	int closed = probe_streams_closed;

	req.count = UINT32_MAX;
	req.size = 1000;
	call = pour(f, &req);
	assert_int_equal(pour_receive(f, call), 1);
	raw_cancel(call);
	raw_finish(call, &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_CANCELLED);
	req.wait = true;
	call = pour(f, &req);
	usleep(20 * 1000);
	raw_cancel(call);
	raw_finish(call, &f->arena, &reply);
	assert_streams_closed();
	assert_int_equal(probe_streams_closed, closed + 2);
}

static void test_client_stream(void **state)
{
	const struct raw_options options = {.token = "doubted learner"};
	GatherRequest req = GATHER_REQUEST_INIT;
	struct fixture *f = *state;
	struct raw_reply reply;
	struct raw_call *call;
	GatherResponse *ret;
	struct span bytes;
	uint8_t payload[1000] = {0};

	req.payload.data = payload;
	req.payload.len = sizeof(payload);
	call = raw_open(f->client, GATHER, &options);
	for (int i = 0; i < 50; i++)
		assert_true(raw_send_message(call, &req.base));
	raw_half_close(call);
	assert_true(raw_receive(call, &f->arena, &bytes));
	ret = (GatherResponse *)protobuf_c_message_unpack(GATHER_RESPONSE_DESC, arena_allocator(&f->arena),
							  bytes.len, bytes.data);
	assert_int_equal(ret->messages, 50);
	assert_int_equal(ret->bytes, 50000);
	raw_finish(call, &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_OK);
	assert_streams_closed();
}

static void test_client_stream_ends_early(void **state)
{
	const struct raw_options options = {.token = "learner"};
	GatherRequest req = GATHER_REQUEST_INIT;
	struct fixture *f = *state;
	struct raw_reply reply;
	struct raw_call *call;
	uint8_t payload[13] = {0};

	/* By the callback, by the rules' bytes, and before it began. */
	req.payload.data = payload;
	req.payload.len = sizeof(payload);
	call = raw_open(f->client, GATHER, &options);
	raw_send_message(call, &req.base);
	raw_finish(call, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_CONFLICT);
	call = raw_open(f->client, GATHER, &options);
	raw_send(call, span_of("\x0a\x05", 2));
	raw_finish(call, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_MESSAGE_MALFORMED);
	call = raw_open(f->client, GATHER, NULL);
	raw_finish(call, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_TOKEN_MISSING);
	call = raw_open(f->client, GATHER, &(struct raw_options){.token = "gone"});
	raw_finish(call, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_TOKEN_REVOKED);
	assert_streams_closed();
}

static void talk_expect(struct fixture *f, struct raw_call *call, const char *words)
{
	TalkResponse *message;
	struct span bytes;

	assert_true(raw_receive(call, &f->arena, &bytes));
	message = (TalkResponse *)protobuf_c_message_unpack(TALK_RESPONSE_DESC, arena_allocator(&f->arena),
							    bytes.len, bytes.data);
	assert_string_equal(message->words, words);
}

static void test_bidi(void **state)
{
	TalkRequest req = TALK_REQUEST_INIT;
	struct fixture *f = *state;
	struct raw_reply reply;
	struct raw_call *call = raw_open(f->client, TALK, NULL);

	req.words = (char *)"once";
	req.times = 1;
	raw_send_message(call, &req.base);
	talk_expect(f, call, "once");
	/* Two at once: each is answered in full before the next is read. */
	req.words = (char *)"thrice";
	req.times = 3;
	raw_send_message(call, &req.base);
	req.words = (char *)"twice";
	req.times = 2;
	raw_send_message(call, &req.base);
	raw_half_close(call);
	for (int i = 0; i < 3; i++)
		talk_expect(f, call, "thrice");
	for (int i = 0; i < 2; i++)
		talk_expect(f, call, "twice");
	raw_finish(call, &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_OK);
	assert_streams_closed();
}

static long resident_kib(void)
{
	long pages = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (fscanf(file, "%ld %ld", &pages, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void test_client_that_never_reads(void **state)
{
	PourRequest req = POUR_REQUEST_INIT;
	struct fixture *f = *state;
	struct raw_call *calls[8];
	struct raw_reply reply;
	long before, after = 0;

	/* 8 streams of 400 GB each that nobody reads: once their windows are full nothing more becomes
	 * resident. */
	req.count = UINT32_MAX;
	req.size = 100 * 1000;
	for (int i = 0; i < 8; i++)
		calls[i] = pour(f, &req);
	for (int tries = 20; tries && after < 1024 * 1024; tries--) {
		before = after ? after : resident_kib();
		usleep(1000 * 1000);
		after = resident_kib();
		if (labs(after - before) < 2048)
			break;
	}
	assert_true(labs(after - before) < 2048);
	for (int i = 0; i < 8; i++) {
		raw_cancel(calls[i]);
		raw_finish(calls[i], &f->arena, &reply);
	}
	assert_streams_closed();
}

/* --- callers that keep a call waiting, and memory --- */

static void hasty(struct rpc_server_config *config)
{
	config->caller_ms = 1000;
}

static int setup_hasty(void **state)
{
	return setup_with(state, hasty);
}

static void test_calls_that_wait_for_their_caller(void **state)
{
	struct fixture *f = *state;
	const struct raw_options admin = {.token = "admin", .timeout_ms = 60 * 1000},
				 patient = {.timeout_ms = 60 * 1000};
	struct raw_call *idle = raw_open(f->client, TALK, &patient);
	struct raw_call *silent[] = {
		raw_open(f->client, ECHO_COLD, &patient),
		raw_open(f->client, ECHO_CHAIN, &admin),
		raw_open(f->client, POUR, &patient),
	};
	PourRequest req = POUR_REQUEST_INIT;
	struct raw_reply reply;

	/* A message that never comes. */
	for (int i = 0; i < 3; i++) {
		raw_finish(silent[i], &f->arena, &reply);
		assert_int_equal(reply.code, STATUS_CANCELLED);
	}
	/* An answer that is never read. */
	req.count = UINT32_MAX;
	req.size = 100 * 1000;
	silent[0] = pour(f, &req);
	await_streams(2);
	await_streams(1);
	raw_finish(silent[0], &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_CANCELLED);
	/* A stream of which nothing is awaited stands. */
	raw_half_close(idle);
	raw_finish(idle, &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_OK);
}

static void poor(struct rpc_server_config *config)
{
	config->memory = 4 * 1024 * 1024;
}

static int setup_poor(void **state)
{
	return setup_with(state, poor);
}

static void test_memory_is_one_budget(void **state)
{
	struct fixture *f = *state;
	PourRequest req = POUR_REQUEST_INIT;
	struct raw_call *calls[40];
	struct raw_reply reply;
	int refused = 0;

	/* 40 answers of 200 KB that nobody reads are 8 MB; 2 are there for answers. */
	req.count = 1;
	req.size = 200 * 1000;
	for (int i = 0; i < 40; i++)
		calls[i] = pour(f, &req);
	usleep(300 * 1000);
	for (int i = 0; i < 40; i++) {
		raw_finish(calls[i], &f->arena, &reply);
		if (reply.code == STATUS_OK)
			continue;
		assert_reason(&reply, &RPC_REASON_OVERLOADED);
		refused++;
	}
	assert_in_range(refused, 5, 39);
	assert_streams_closed();
	assert_alive(f);
}

static void test_writer_nobody_reads(void **state)
{
	TalkRequest req = TALK_REQUEST_INIT;
	struct fixture *f = *state;
	struct raw_client *other = raw_client_new(f->target);
	const struct raw_options options = {.timeout_ms = 300};
	struct raw_call *call = raw_open(other, TALK, &options);
	struct raw_reply reply;
	char words[250];
	int sent = 0;

	/* The answers wait, so requests are not read any more, and the writer is held back until its
	 * deadline. */
	memset(words, 'x', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	req.words = words;
	req.times = 1000000;
	while (sent < 100000 && raw_send_message(call, &req.base))
		sent++;
	assert_in_range(sent, 1, 99999);
	raw_finish(call, &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_DEADLINE_EXCEEDED);
	raw_client_free(other);
	assert_streams_closed();
}

/* --- health --- */

static HealthCheckResponse *health_unpack(struct fixture *f, struct span bytes)
{
	return (HealthCheckResponse *)protobuf_c_message_unpack(
		HEALTH_CHECK_RESPONSE_DESC, arena_allocator(&f->arena), bytes.len, bytes.data);
}

static void test_health_check(void **state)
{
	static const char *const known[] = {"", "probe.v1.Probe"};
	HealthCheckRequest req = HEALTH_CHECK_REQUEST_INIT;
	struct fixture *f = *state;
	struct raw_reply reply;

	for (int i = 0; i < 2; i++) {
		req.service = (char *)known[i];
		raw_unary_message(f->client, CHECK, &req.base, HEALTH_CHECK_RESPONSE_DESC, NULL, &f->arena,
				  &reply);
		assert_int_equal(reply.code, STATUS_OK);
		assert_int_equal(health_unpack(f, reply.payload)->status, HealthCheckResponse_SERVING);
	}
	rpc_server_set_serving(f->server, false);
	raw_unary_message(f->client, CHECK, &req.base, HEALTH_CHECK_RESPONSE_DESC, NULL, &f->arena, &reply);
	assert_int_equal(health_unpack(f, reply.payload)->status, HealthCheckResponse_NOT_SERVING);
	req.service = (char *)"nope";
	raw_unary_message(f->client, CHECK, &req.base, HEALTH_CHECK_RESPONSE_DESC, NULL, &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_NOT_FOUND);
}

static struct raw_call *watch(struct fixture *f, const char *service)
{
	HealthCheckRequest req = HEALTH_CHECK_REQUEST_INIT;
	struct raw_call *call = raw_open(f->client, WATCH, NULL);

	req.service = (char *)service;
	raw_send_message(call, &req.base);
	raw_half_close(call);
	return call;
}

static void watch_expect(struct fixture *f, struct raw_call *call, int status)
{
	struct span bytes;

	assert_true(raw_receive(call, &f->arena, &bytes));
	assert_int_equal(health_unpack(f, bytes)->status, status);
}

static void test_health_watch(void **state)
{
	struct fixture *f = *state;
	struct raw_call *call = watch(f, "probe.v1.Probe"), *unknown = watch(f, "nope");
	struct raw_reply reply;

	watch_expect(f, call, HealthCheckResponse_SERVING);
	watch_expect(f, unknown, HealthCheckResponse_SERVICE_UNKNOWN);
	rpc_server_set_serving(f->server, false);
	watch_expect(f, call, HealthCheckResponse_NOT_SERVING);
	rpc_server_set_serving(f->server, true);
	watch_expect(f, call, HealthCheckResponse_SERVING);
	raw_cancel(call);
	raw_finish(call, &f->arena, &reply);
	/* The other is still open. */
	raw_cancel(unknown);
	raw_finish(unknown, &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_CANCELLED);
}

static void test_too_many_watches(void **state)
{
	struct fixture *f = *state;
	struct raw_call *calls[8];
	struct raw_reply reply;

	/* An eighth of the 64 calls and one may stand; of them a source leaves a quarter to others. */
	for (int i = 0; i < 7; i++) {
		calls[i] = watch(f, "");
		watch_expect(f, calls[i], HealthCheckResponse_SERVING);
	}
	calls[7] = watch(f, "");
	raw_finish(calls[7], &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_OVERLOADED);
	for (int i = 0; i < 7; i++) {
		raw_cancel(calls[i]);
		raw_finish(calls[i], &f->arena, &reply);
	}
	usleep(50 * 1000);
	calls[0] = watch(f, "");
	watch_expect(f, calls[0], HealthCheckResponse_SERVING);
	raw_cancel(calls[0]);
	raw_finish(calls[0], &f->arena, &reply);
}

/* --- reflection --- */

static ServerReflectionResponse *reflect(struct fixture *f, struct raw_call *call,
					 const ServerReflectionRequest *req)
{
	struct span bytes;
	ProtobufCMessage *message;

	assert_true(raw_send_message(call, &req->base));
	assert_true(raw_receive(call, &f->arena, &bytes));
	message = protobuf_c_message_unpack(SERVER_REFLECTION_RESPONSE_DESC, arena_allocator(&f->arena),
					    bytes.len, bytes.data);
	assert_non_null(message);
	return (ServerReflectionResponse *)message;
}

#define ASK(member) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##member
#define TOLD(member) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##member

static void assert_file(struct fixture *f, const ServerReflectionResponse *ret, const char *name)
{
	const FileDescriptorResponse *files = ret->file_descriptor_response;
	Google__Protobuf__FileDescriptorProto *proto;

	assert_int_equal(ret->message_response_case, TOLD(FILE_DESCRIPTOR_RESPONSE));
	assert_true(files->n_file_descriptor_proto > 0);
	proto = google__protobuf__file_descriptor_proto__unpack(arena_allocator(&f->arena),
								files->file_descriptor_proto[0].len,
								files->file_descriptor_proto[0].data);
	assert_non_null(proto);
	assert_string_equal(proto->name, name);
	/* With all it imports. */
	assert_true(files->n_file_descriptor_proto > proto->n_dependency);
}

static void reflect_all(struct fixture *f, const char *path)
{
	static const char *const symbols[] = {
		"probe.v1.Probe",
		"probe.v1.Probe.Echo",
		"probe.v1.EchoRequest",
		"probe.v1.EchoRequest.payload",
	};
	ServerReflectionRequest req = SERVER_REFLECTION_REQUEST_INIT;
	ExtensionRequest extension = EXTENSION_REQUEST_INIT;
	struct raw_call *call = raw_open(f->client, path, NULL);
	ServerReflectionResponse *ret;
	struct raw_reply reply;
	bool found = false;

	req.host = (char *)"a host";
	req.message_request_case = ASK(LIST_SERVICES);
	req.list_services = (char *)"";
	ret = reflect(f, call, &req);
	assert_int_equal(ret->message_response_case, TOLD(LIST_SERVICES_RESPONSE));
	assert_int_equal(ret->list_services_response->n_service, 4);
	for (size_t i = 0; i < 4; i++)
		found |= strcmp(ret->list_services_response->service[i]->name, "probe.v1.Probe") == 0;
	assert_true(found);
	assert_string_equal(ret->original_request->host, "a host");

	req.message_request_case = ASK(FILE_CONTAINING_SYMBOL);
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		req.file_containing_symbol = (char *)symbols[i];
		assert_file(f, reflect(f, call, &req), "probe/v1/probe.proto");
	}
	req.file_containing_symbol = (char *)"probe.v1.Nope";
	ret = reflect(f, call, &req);
	assert_int_equal(ret->message_response_case, TOLD(ERROR_RESPONSE));
	assert_int_equal(ret->error_response->error_code, STATUS_NOT_FOUND);
	assert_string_equal(ret->original_request->file_containing_symbol, "probe.v1.Nope");

	req.message_request_case = ASK(FILE_BY_FILENAME);
	req.file_by_filename = (char *)"grpc_c/v1/options.proto";
	assert_file(f, reflect(f, call, &req), "grpc_c/v1/options.proto");

	req.message_request_case = ASK(FILE_CONTAINING_EXTENSION);
	req.file_containing_extension = &extension;
	extension.containing_type = (char *)"google.protobuf.MethodOptions";
	extension.extension_number = 51401;
	assert_file(f, reflect(f, call, &req), "grpc_c/v1/options.proto");
	extension.extension_number = 1;
	assert_int_equal(reflect(f, call, &req)->message_response_case, TOLD(ERROR_RESPONSE));

	req.message_request_case = ASK(ALL_EXTENSION_NUMBERS_OF_TYPE);
	req.all_extension_numbers_of_type = (char *)"google.protobuf.MethodOptions";
	ret = reflect(f, call, &req);
	assert_int_equal(ret->message_response_case, TOLD(ALL_EXTENSION_NUMBERS_RESPONSE));
	assert_int_equal(ret->all_extension_numbers_response->n_extension_number, 1);
	assert_int_equal(ret->all_extension_numbers_response->extension_number[0], 51401);

	req.message_request_case = ASK(_NOT_SET);
	assert_int_equal(reflect(f, call, &req)->message_response_case, TOLD(ERROR_RESPONSE));
	raw_half_close(call);
	raw_finish(call, &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_OK);
}

static void test_reflection(void **state)
{
	reflect_all(*state, REFLECTION);
	reflect_all(*state, REFLECTION_ALPHA);
}

/* --- beginning and end --- */

static void test_start_refusals(void **state)
{
	static const struct rpc_row *const no_rows[] = {NULL};
	struct fixture *f = *state;
	struct rpc_server_config config;
	struct rpc_server *server;
	struct error err;

	probe_config(&config);
	assert_int_equal(rpc_server_new(&config, no_rows, probe_services, &server, &err), -STATUS_INTERNAL);
	assert_non_null(strstr(err.message, "/probe.v1.Probe/Echo"));
	config.executors[RPC_ON_PASSWORD].threads = 0;
	config.executors[RPC_ON_DB].threads = 0;
	assert_int_equal(rpc_server_new(&config, probe_rows, probe_services, &server, &err),
			 -STATUS_INTERNAL);
	assert_non_null(strstr(err.message, "no"));
	/* The port is taken. */
	probe_config(&config);
	config.address = f->target;
	assert_int_equal(rpc_server_new(&config, probe_rows, probe_services, &server, &err), 0);
	assert_int_equal(rpc_server_start(server, &err), -STATUS_INTERNAL);
	assert_non_null(strstr(err.message, f->target));
	rpc_server_free(server);
	/* No such certificate. */
	config.address = "127.0.0.1:0";
	config.tls_certificate = config.tls_key = "/nonexistent/key.pem";
	assert_int_equal(rpc_server_new(&config, probe_rows, probe_services, &server, &err), 0);
	assert_int_equal(rpc_server_start(server, &err), -STATUS_INTERNAL);
	assert_non_null(strstr(err.message, "/nonexistent/key.pem"));
	assert_null(strstr(err.message, "port"));
	rpc_server_free(server);
}

static void test_reflection_off(void **state)
{
	struct fixture f = {0};
	struct rpc_server_config config;
	struct raw_reply reply;

	probe_config(&config);
	config.reflection = false;
	server_up(&f, &config);
	raw_unary(f.client, REFLECTION, span_str(""), NULL, &f.arena, &reply);
	assert_reason(&reply, &RPC_REASON_METHOD_UNKNOWN);
	raw_client_free(f.client);
	rpc_server_free(f.server);
	arena_done(&f.arena);
}

/* A key and a certificate for "localhost" that it signs itself, as PEM files; the certificate's text in `ca`.
 */
static void certificate_write(const char *key_path, const char *path, char *ca, size_t size)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
	X509_NAME *name = X509_get_subject_name(certificate);
	FILE *file;

	X509_set_version(certificate, 2);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_add_ext(certificate, names, -1);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	file = fopen(key_path, "we");
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	file = fopen(path, "w+e");
	PEM_write_X509(file, certificate);
	rewind(file);
	ca[fread(ca, 1, size - 1, file)] = '\0';
	fclose(file);
	X509_EXTENSION_free(names);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void test_tls(void **state)
{
	char directory[TEMP_DIR_MAX], key[TEMP_DIR_MAX + 32], certificate[TEMP_DIR_MAX + 32], ca[4096];
	EchoRequest req = echo_request("sealed");
	struct rpc_server_config config;
	struct fixture f = {0};
	struct raw_reply reply;

	temp_dir_make(directory);
	snprintf(key, sizeof(key), "%s/key.pem", directory);
	snprintf(certificate, sizeof(certificate), "%s/certificate.pem", directory);
	certificate_write(key, certificate, ca, sizeof(ca));
	probe_config(&config);
	config.tls_key = key;
	config.tls_certificate = certificate;
	server_up(&f, &config);
	/* In the clear nothing is served. */
	echo_call(&f, ECHO, &req, &(struct raw_options){.timeout_ms = 500}, &reply);
	assert_int_not_equal(reply.code, STATUS_OK);
	raw_client_free(f.client);
	f.client = raw_client_new_tls(f.target, ca);
	assert_non_null(echo_call(&f, ECHO, &req, NULL, &reply));
	raw_client_free(f.client);
	rpc_server_free(f.server);
	arena_done(&f.arena);
	temp_dir_remove(directory);
}

static void *stop_main(void *arg)
{
	rpc_server_stop(arg);
	return NULL;
}

static void test_drain(void **state)
{
	EchoRequest req = echo_request("");
	struct fixture *f = *state;
	struct raw_call *slow, *watching = watch(f, ""), *asking;
	struct raw_client *late;
	struct raw_reply reply;
	pthread_t stopper;
	int stopped = probe_threads_stopped;

	watch_expect(f, watching, HealthCheckResponse_SERVING);
	asking = raw_open(f->client, REFLECTION, NULL);
	req.sleep_ms = 600;
	slow = raw_open(f->client, ECHO_ON_DB, NULL);
	raw_send_message(slow, &req.base);
	raw_half_close(slow);
	usleep(50 * 1000);
	pthread_create(&stopper, NULL, stop_main, f->server);
	/* Watchers and idle tools are told and let go; the slow call is waited for; nothing new comes in. */
	watch_expect(f, watching, HealthCheckResponse_NOT_SERVING);
	raw_finish(watching, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_DRAINING);
	raw_finish(asking, &f->arena, &reply);
	assert_reason(&reply, &RPC_REASON_DRAINING);
	late = raw_client_new(f->target);
	req.sleep_ms = 0;
	raw_unary_message(late, ECHO, &req.base, ECHO_RESPONSE_DESC, &(struct raw_options){.timeout_ms = 200},
			  &f->arena, &reply);
	assert_int_not_equal(reply.code, STATUS_OK);
	raw_client_free(late);
	raw_finish(slow, &f->arena, &reply);
	assert_int_equal(reply.code, STATUS_OK);
	pthread_join(stopper, NULL);
	assert_int_equal(probe_threads_stopped, stopped + 2);
}

static void test_drain_cuts(void **state)
{
	struct fixture f = {0};
	struct rpc_server_config config;
	EchoRequest req = echo_request("");
	PourRequest endless = POUR_REQUEST_INIT;
	struct raw_call *slow, *pouring;
	struct raw_reply reply;
	pthread_t stopper;

	/* A call longer than the drain, and a stream without end, are cancelled; the handler still ends in
	 * peace. */
	probe_config(&config);
	config.drain_ms = 200;
	server_up(&f, &config);
	req.sleep_ms = 2000;
	slow = raw_open(f.client, ECHO_ON_DB, NULL);
	raw_send_message(slow, &req.base);
	raw_half_close(slow);
	endless.count = UINT32_MAX;
	endless.wait = true;
	pouring = pour(&f, &endless);
	usleep(50 * 1000);
	pthread_create(&stopper, NULL, stop_main, f.server);
	raw_finish(slow, &f.arena, &reply);
	assert_int_not_equal(reply.code, STATUS_OK);
	raw_finish(pouring, &f.arena, &reply);
	assert_int_not_equal(reply.code, STATUS_OK);
	pthread_join(stopper, NULL);
	assert_int_equal(probe_streams_open, 0);
	raw_client_free(f.client);
	rpc_server_free(f.server);
	arena_done(&f.arena);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		SERVED(test_echo_everywhere),
		SERVED(test_request_label),
		SERVED(test_errors_carry_details),
		SERVED(test_internal_faults_stay_inside),
		SERVED(test_rules),
		SERVED(test_policy),
		SERVED(test_confirmed_callers_go_on),
		SERVED(test_token_on_public_method),
		SERVED(test_request_key),
		SERVED(test_unknown_method),
		SERVED(test_no_message),
		SERVED(test_malformed),
		SERVED(test_oversize),
		SERVED(test_what_a_method_takes),
		SERVED(test_nesting),
		SERVED(test_unknown_fields),
		SERVED(test_compressed_is_refused),
		SERVED(test_deadline_in_line),
		SERVED(test_full_queue),
		SERVED(test_too_many_calls),
		SERVED(test_server_stream),
		SERVED(test_stream_waits_and_wakes),
		SERVED(test_cancelled_stream_is_closed),
		SERVED(test_client_stream),
		SERVED(test_client_stream_ends_early),
		SERVED(test_bidi),
		SERVED(test_client_that_never_reads),
		SERVED(test_writer_nobody_reads),
		cmocka_unit_test_setup_teardown(test_calls_that_wait_for_their_caller, setup_hasty, teardown),
		cmocka_unit_test_setup_teardown(test_memory_is_one_budget, setup_poor, teardown),
		SERVED(test_health_check),
		SERVED(test_health_watch),
		SERVED(test_too_many_watches),
		SERVED(test_reflection),
		SERVED(test_start_refusals),
		cmocka_unit_test(test_reflection_off),
		cmocka_unit_test(test_tls),
		SERVED(test_drain),
		cmocka_unit_test(test_drain_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
