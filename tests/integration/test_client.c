/* SPDX-License-Identifier: Apache-2.0 */
/* The client against a real server of ours: every kind of call, every way one ends. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/client.h"
#include "probe/v1/probe.client.h"
#include "tests/lib/probe_server.h"
#include "tests/lib/temp_dir.h"
#include "tests/lib/tls_files.h"

enum { ARENA_CAP = 16 << 20 };

static struct rpc_server *server;
static struct client_channel *channel;
static struct arena arena;
static struct error err;
static char target[64];

static void serve(const struct rpc_server_config *config)
{
	assert_int_equal(rpc_server_new(config, probe_rows, probe_services, &server, &err), 0);
	assert_int_equal(rpc_server_start(server, &err), 0);
	rpc_server_set_serving(server, true);
	snprintf(target, sizeof(target), "127.0.0.1:%d", rpc_server_port(server));
}

static void connect_with(const struct client_options *options)
{
	assert_int_equal(client_channel_new(options, probe_services, &channel, &err), 0);
}

static int setup(void **state)
{
	struct rpc_server_config config;

	probe_config(&config);
	serve(&config);
	connect_with(&(struct client_options){.target = target});
	arena_init(&arena, ARENA_CAP);
	return 0;
}

static int teardown(void **state)
{
	client_channel_free(channel);
	rpc_server_stop(server);
	rpc_server_free(server);
	probe_join();
	arena_done(&arena);
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- unary --- */

static void test_unary(void **state)
{
	EchoRequest request = ECHO_REQUEST_INIT;
	EchoResponse *reply;

	request.payload = (ProtobufCBinaryData){.len = 5, .data = (uint8_t *)"hello"};
	for (int i = 0; i < 100; i++) {
		assert_int_equal(probe_echo_call(channel, &request, NULL, &arena, &reply, &err), 0);
		assert_int_equal(reply->payload.len, 5);
		assert_memory_equal(reply->payload.data, "hello", 5);
		assert_int_equal(reply->user_id, 0);
	}
}

static void test_large_messages_both_ways(void **state)
{
	enum { SIZE = 3 << 20 };
	EchoRequest request = ECHO_REQUEST_INIT;
	EchoResponse *reply;

	request.payload = (ProtobufCBinaryData){.len = SIZE, .data = arena_zalloc(&arena, SIZE)};
	request.payload.data[SIZE - 1] = 7;
	assert_int_equal(probe_echo_call(channel, &request, NULL, &arena, &reply, &err), 0);
	assert_int_equal(reply->payload.len, SIZE);
	assert_int_equal(reply->payload.data[SIZE - 1], 7);
	request.payload.len = 5 << 20;
	request.payload.data = malloc(5 << 20);
	assert_int_equal(probe_echo_call(channel, &request, NULL, &arena, &reply, &err),
			 -STATUS_RESOURCE_EXHAUSTED);
	assert_string_equal(err.reason->name, "MESSAGE_TOO_LARGE");
	free(request.payload.data);
}

static void test_token_and_headers(void **state)
{
	EchoRequest request = ECHO_REQUEST_INIT;
	EchoResponse *reply;
	const struct client_call_options options = {.token = "admin",
						    .metadata = (const char *[]){"x-test", "1", NULL}};
	const struct client_call_options illegal = {.metadata = (const char *[]){"X-Test", "1", NULL}};
	const struct client_call_options injected = {.token = "admin\r\nx-test: 2"};

	assert_int_equal(probe_guarded_call(channel, &request, &options, &arena, &reply, &err), 0);
	assert_int_equal(reply->user_id, 7);
	assert_int_equal(probe_guarded_call(channel, &request, &illegal, &arena, &reply, &err),
			 -STATUS_INVALID_ARGUMENT);
	assert_int_equal(probe_guarded_call(channel, &request, &injected, &arena, &reply, &err),
			 -STATUS_INVALID_ARGUMENT);
}

static void test_error_details_arrive(void **state)
{
	EchoRequest request = ECHO_REQUEST_INIT;
	EchoResponse *reply;
	const struct client_call_options slow = {.token = "slow"};

	assert_int_equal(probe_guarded_call(channel, &request, NULL, &arena, &reply, &err),
			 -STATUS_UNAUTHENTICATED);
	assert_string_equal(err.reason->name, "TOKEN_MISSING");
	assert_int_equal(probe_guarded_call(channel, &request, &slow, &arena, &reply, &err),
			 -STATUS_RESOURCE_EXHAUSTED);
	assert_string_equal(err.reason->name, "RATE_LIMITED");
	assert_int_equal(err.retry_delay_ms, 1500);
	request.sleep_ms = 99999;
	request.request_id = (char *)"no uuid";
	assert_int_equal(probe_echo_call(channel, &request, NULL, &arena, &reply, &err),
			 -STATUS_INVALID_ARGUMENT);
	assert_string_equal(err.reason->name, "FIELD_INVALID");
	assert_int_equal(err.n_violations, 2);
	assert_string_equal(err.violations[0].field, "sleep_ms");
	assert_string_equal(err.violations[1].field, "request_id");
}

static void test_deadline_is_kept_here_and_starts_now(void **state)
{
	EchoRequest request = ECHO_REQUEST_INIT;
	EchoResponse *reply;
	const struct client_call_options options = {.timeout_ms = 100};
	int64_t begun = now_ms();

	request.sleep_ms = 1000;
	assert_int_equal(probe_echo_on_db_call(channel, &request, &options, &arena, &reply, &err),
			 -STATUS_DEADLINE_EXCEEDED);
	assert_in_range(now_ms() - begun, 90, 900);
	request.sleep_ms = 0;
	assert_int_equal(probe_echo_call(channel, &request, &options, &arena, &reply, &err), 0);
}

/* No reason comes from a server that is not there: it is named like the code. */
/* Where no server of ours is. */
static void assert_not_connected(const char *where, const char *why)
{
	struct client_channel *nowhere;

	assert_int_equal(
		client_channel_new(&(struct client_options){.target = where}, probe_services, &nowhere, &err),
		0);
	assert_int_equal(client_channel_connect(nowhere, 2000, &err), -STATUS_UNAVAILABLE);
	assert_ptr_equal(err.reason, &CLIENT_REASON_NOT_CONNECTED);
	if (!strstr(err.message, where) || !strstr(err.message, why))
		fail_msg("%s", err.message);
	client_channel_free(nowhere);
}

static void test_nobody_listens(void **state)
{
	assert_not_connected("127.0.0.1:1", "refused");
	assert_not_connected("nobody.invalid:1", "DNS");
	assert_not_connected("unix:/nonexistent/socket", "No such file");
}

/* Without asking before, nobody can tell whether a call was sent: it may have been repeated. */
static void test_a_call_to_where_nobody_listens(void **state)
{
	const struct client_options options = {.target = "127.0.0.1:1", .timeout_ms = 2000};
	struct client_channel *nowhere;
	EchoRequest request = ECHO_REQUEST_INIT;
	EchoResponse *reply;

	assert_int_equal(client_channel_new(&options, probe_services, &nowhere, &err), 0);
	assert_int_equal(probe_echo_call(nowhere, &request, NULL, &arena, &reply, &err), -STATUS_UNAVAILABLE);
	assert_ptr_equal(err.reason, client_plain_reason(STATUS_UNAVAILABLE));
	assert_true(err.message[0]);
	client_channel_free(nowhere);
}

/* The port is open, and nobody ever speaks on it. */
static void test_connecting_takes_all_the_time(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char mute[64];

	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	snprintf(mute, sizeof(mute), "127.0.0.1:%d", ntohs(address.sin_port));
	assert_not_connected(mute, "in time");
	close(listener);
}

static void test_connecting_first(void **state)
{
	assert_int_equal(client_channel_connect(channel, 0, &err), 0);
	assert_int_equal(client_channel_connect(channel, 0, &err), 0);
	test_unary(state);
}

static void test_small_arena_is_an_error(void **state)
{
	EchoRequest request = ECHO_REQUEST_INIT;
	EchoResponse *reply;
	struct arena small;

	arena_init(&small, 256);
	request.payload = (ProtobufCBinaryData){.len = 100000, .data = arena_zalloc(&arena, 100000)};
	assert_int_equal(probe_echo_call(channel, &request, NULL, &small, &reply, &err),
			 -STATUS_RESOURCE_EXHAUSTED);
	arena_done(&small);
}

/* --- threads and asynchronous calls --- */

static void *call_often(void *arg)
{
	EchoRequest request = ECHO_REQUEST_INIT;
	struct error mine;
	struct arena own;
	EchoResponse *reply;

	arena_init(&own, 1 << 20);
	for (int i = 0; i < 200; i++) {
		arena_reset(&own);
		request.payload = (ProtobufCBinaryData){.len = sizeof(i), .data = (uint8_t *)&i};
		if (probe_echo_call(channel, &request, NULL, &own, &reply, &mine) != 0 ||
		    memcmp(reply->payload.data, &i, sizeof(i)) != 0)
			break;
		*(int *)arg += 1;
	}
	arena_done(&own);
	return NULL;
}

static void test_threads_share_a_channel(void **state)
{
	pthread_t threads[8];
	int done[8] = {0};

	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call_often, &done[i]), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(done[i], 200);
	}
}

static _Atomic int finished, finished_ok;

static void on_done(void *arg, int r, const EchoResponse *reply, const struct error *e)
{
	if (r == 0 && reply->payload.len == 3)
		atomic_fetch_add(&finished_ok, 1);
	if (r == -STATUS_ABORTED && strcmp(e->reason->name, "CONFLICT") == 0)
		atomic_fetch_add(&finished_ok, 1);
	atomic_fetch_add(&finished, 1);
}

static void test_calls_that_are_not_waited_for(void **state)
{
	enum { CALLS = 50 };
	static struct arena arenas[CALLS];
	EchoRequest request = ECHO_REQUEST_INIT;

	request.payload = (ProtobufCBinaryData){.len = 3, .data = (uint8_t *)"abc"};
	finished = finished_ok = 0;
	for (int i = 0; i < CALLS; i++) {
		arena_init(&arenas[i], 1 << 20);
		request.fail_code = i % 2 ? STATUS_ABORTED : 0;
		assert_int_equal(probe_echo_start(channel, &request, NULL, &arenas[i], on_done, NULL, &err),
				 0);
	}
	for (int i = 0; i < 500 && finished < CALLS; i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	assert_int_equal(finished, CALLS);
	assert_int_equal(finished_ok, CALLS);
	for (int i = 0; i < CALLS; i++)
		arena_done(&arenas[i]);
}

/* --- streams --- */

static void test_server_stream(void **state)
{
	PourRequest request = POUR_REQUEST_INIT;
	struct probe_pour_client *stream;
	PourResponse *message;

	request.count = 100;
	request.size = 1000;
	assert_int_equal(probe_pour_open(channel, &request, NULL, &stream, &err), 0);
	for (unsigned i = 1; i <= 100; i++) {
		assert_int_equal(probe_pour_receive(stream, &arena, &message, &err), 1);
		assert_int_equal(message->number, i);
	}
	assert_int_equal(probe_pour_receive(stream, &arena, &message, &err), 0);
	assert_int_equal(probe_pour_receive(stream, &arena, &message, &err), 0);
	probe_pour_free(stream);
}

static void test_server_stream_fails_after_messages(void **state)
{
	PourRequest request = POUR_REQUEST_INIT;
	struct probe_pour_client *stream;
	PourResponse *message;

	request.count = 10;
	request.fail_after = 3;
	assert_int_equal(probe_pour_open(channel, &request, NULL, &stream, &err), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(probe_pour_receive(stream, &arena, &message, &err), 1);
	assert_int_equal(probe_pour_receive(stream, &arena, &message, &err), -STATUS_ABORTED);
	assert_string_equal(err.reason->name, "CONFLICT");
	probe_pour_free(stream);
}

static void test_client_stream(void **state)
{
	const struct client_call_options options = {.token = "learner"};
	struct probe_gather_client *stream;
	GatherRequest message = GATHER_REQUEST_INIT;
	GatherResponse *reply;

	message.payload = (ProtobufCBinaryData){.len = 1000, .data = arena_zalloc(&arena, 1000)};
	assert_int_equal(probe_gather_open(channel, &options, &stream, &err), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(probe_gather_send(stream, &message, &err), 0);
	assert_int_equal(probe_gather_finish(stream, &arena, &reply, &err), 0);
	assert_int_equal(reply->messages, 100);
	assert_int_equal(reply->bytes, 100000);
	probe_gather_free(stream);
}

/* The server ends the stream while we send: sending says that it is over, receiving says why. */
static void test_client_stream_refused_midway(void **state)
{
	const struct client_call_options options = {.token = "learner"};
	struct probe_gather_client *stream;
	GatherRequest message = GATHER_REQUEST_INIT;
	GatherResponse *reply;
	int r = 0;

	message.payload = (ProtobufCBinaryData){.len = 13, .data = arena_zalloc(&arena, 13)};
	assert_int_equal(probe_gather_open(channel, &options, &stream, &err), 0);
	for (int i = 0; i < 10000 && r == 0; i++)
		r = probe_gather_send(stream, &message, &err);
	assert_int_equal(r, 1);
	assert_int_equal(probe_gather_finish(stream, &arena, &reply, &err), -STATUS_ABORTED);
	assert_string_equal(err.reason->name, "CONFLICT");
	probe_gather_free(stream);
}

static void test_both_ways(void **state)
{
	struct probe_talk_client *stream;
	TalkRequest say = TALK_REQUEST_INIT;
	TalkResponse *heard;

	say.words = (char *)"nevermore";
	say.times = 2;
	assert_int_equal(probe_talk_open(channel, NULL, &stream, &err), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(probe_talk_send(stream, &say, &err), 0);
		for (int j = 0; j < 2; j++) {
			assert_int_equal(probe_talk_receive(stream, &arena, &heard, &err), 1);
			assert_string_equal(heard->words, "nevermore");
		}
	}
	assert_int_equal(probe_talk_half_close(stream, &err), 0);
	assert_int_equal(probe_talk_receive(stream, &arena, &heard, &err), 0);
	probe_talk_free(stream);
}

static void *cancel_soon(void *arg)
{
	nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	probe_talk_cancel(arg);
	return NULL;
}

static void test_cancelled_by_another_thread(void **state)
{
	struct probe_talk_client *stream;
	TalkResponse *heard;
	pthread_t thread;

	assert_int_equal(probe_talk_open(channel, NULL, &stream, &err), 0);
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, stream), 0);
	assert_int_equal(probe_talk_receive(stream, &arena, &heard, &err), -STATUS_CANCELLED);
	pthread_join(thread, NULL);
	probe_talk_free(stream);
}

static void test_freed_while_open(void **state)
{
	PourRequest request = POUR_REQUEST_INIT;
	struct probe_pour_client *stream;
	PourResponse *message;

	request.count = 1000000;
	request.size = 10000;
	assert_int_equal(probe_pour_open(channel, &request, NULL, &stream, &err), 0);
	assert_int_equal(probe_pour_receive(stream, &arena, &message, &err), 1);
	probe_pour_free(stream);
	for (int i = 0; i < 200 && probe_streams_open > 0; i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	assert_int_equal(probe_streams_open, 0);
}

/* --- TLS --- */

static void test_tls_by_a_certificate_file(void **state)
{
	struct rpc_server_config config;
	struct tls_files files;
	EchoRequest request = ECHO_REQUEST_INIT;
	EchoResponse *reply;

	teardown(state);
	tls_files_make(&files, "edu.test");
	probe_config(&config);
	config.tls_certificate = files.certificate;
	config.tls_key = files.key;
	serve(&config);
	arena_init(&arena, ARENA_CAP);
	connect_with(&(struct client_options){
		.target = target, .tls = true, .ca_file = files.certificate, .authority = "edu.test"});
	assert_int_equal(probe_echo_call(channel, &request, NULL, &arena, &reply, &err), 0);
	client_channel_free(channel);
	/* The certificate is for another name. */
	connect_with(&(struct client_options){
		.target = target, .tls = true, .ca_file = files.certificate, .authority = "other.test"});
	assert_int_equal(probe_echo_call(channel, &request, NULL, &arena, &reply, &err), -STATUS_UNAVAILABLE);
	client_channel_free(channel);
	/* It is signed by nobody the system trusts. */
	connect_with(&(struct client_options){.target = target, .tls = true, .authority = "edu.test"});
	assert_int_equal(client_channel_connect(channel, 0, &err), -STATUS_UNAVAILABLE);
	assert_ptr_equal(err.reason, &CLIENT_REASON_NOT_CONNECTED);
	assert_non_null(strstr(err.message, "certificate"));
	assert_int_equal(probe_echo_call(channel, &request, NULL, &arena, &reply, &err), -STATUS_UNAVAILABLE);
	tls_files_remove(&files);
}

static void test_certificate_file_that_is_none(void **state)
{
	const struct client_options options = {
		.target = target, .tls = true, .ca_file = "/nonexistent/ca.pem"};
	struct client_channel *c;

	assert_int_equal(client_channel_new(&options, probe_services, &c, &err), -STATUS_INVALID_ARGUMENT);
	assert_non_null(strstr(err.violations[0].description, "/nonexistent/ca.pem"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_unary, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_messages_both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(test_token_and_headers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_error_details_arrive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deadline_is_kept_here_and_starts_now, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_listens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_call_to_where_nobody_listens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connecting_takes_all_the_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connecting_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_small_arena_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads_share_a_channel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_calls_that_are_not_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(test_server_stream, setup, teardown),
		cmocka_unit_test_setup_teardown(test_server_stream_fails_after_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client_stream, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client_stream_refused_midway, setup, teardown),
		cmocka_unit_test_setup_teardown(test_both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancelled_by_another_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(test_freed_while_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tls_by_a_certificate_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_certificate_file_that_is_none, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
