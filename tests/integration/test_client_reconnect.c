/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that is killed and comes back, and a client that calls now and then: it has its server back within
 * one and a half times the outage and a second. The server is this program, started again.
 */
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/client.h"
#include "probe/v1/probe.client.h"
#include "tests/lib/probe_server.h"

static struct client_channel *channel;
static struct arena arena;
static struct error err;
static pid_t server;
static char target[64];

/* --- the server --- */

static int serve(const char *address)
{
	struct rpc_server_config config;
	struct rpc_server *rpc;

	probe_config(&config);
	config.address = address;
	if (rpc_server_new(&config, probe_rows, probe_services, &rpc, &err) < 0 ||
	    rpc_server_start(rpc, &err) < 0)
		return 1;
	printf("%d\n", rpc_server_port(rpc));
	fflush(stdout);
	for (;;)
		pause();
}

/* Answers when it listens. */
static void server_start(void)
{
	char *argv[] = {(char *)"server", target, NULL}, port[16];
	posix_spawn_file_actions_t actions;
	int out[2];

	assert_int_equal(pipe(out), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&actions, out[0]);
	assert_int_equal(posix_spawn(&server, "/proc/self/exe", &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	FILE *f = fdopen(out[0], "r");
	assert_non_null(fgets(port, sizeof(port), f));
	fclose(f);
	snprintf(target, sizeof(target), "127.0.0.1:%d", atoi(port));
}

static void server_kill(void)
{
	if (server == 0)
		return;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	server = 0;
}

/* --- the client --- */

/* Retries would poll for a while: without them every call is one look. */
static int setup(void **state)
{
	strcpy(target, "127.0.0.1:0");
	server_start();
	arena_init(&arena, 1 << 20);
	const struct client_options options = {.target = target, .no_retries = true};
	assert_int_equal(client_channel_new(&options, probe_services, &channel, &err), 0);
	return 0;
}

static int teardown(void **state)
{
	client_channel_free(channel);
	server_kill();
	arena_done(&arena);
	return 0;
}

static int call(void)
{
	EchoRequest request = ECHO_REQUEST_INIT;
	EchoResponse *reply;
	const struct client_call_options options = {.timeout_ms = 1000};

	arena_reset(&arena);
	return probe_echo_call(channel, &request, &options, &arena, &reply, &err);
}

static void rest_ms(int64_t ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/*
 * Looks only at the beginning, and then when it must be there: looking helps. The first call meets the lost
 * connection, the second that there is no other.
 */
static void outage(int64_t ms)
{
	server_kill();
	assert_int_equal(call(), -STATUS_UNAVAILABLE);
	assert_int_equal(call(), -STATUS_UNAVAILABLE);
	rest_ms(ms);
	server_start();
	rest_ms(ms * 3 / 2 + 1000);
	assert_int_equal(call(), 0);
}

static void test_a_short_outage(void **state)
{
	assert_int_equal(call(), 0);
	outage(500);
}

static void test_a_longer_outage(void **state)
{
	assert_int_equal(call(), 0);
	outage(3000);
}

/* The next outage may come with the client still at the last one. */
static void test_a_server_that_comes_and_goes(void **state)
{
	for (int i = 0; i < 5; i++) {
		server_kill();
		assert_int_equal(call(), -STATUS_UNAVAILABLE);
		server_start();
	}
	rest_ms(3000);
	assert_int_equal(call(), 0);
}

/* Freed at every moment of it: the thread ends with the channel. */
static void test_a_channel_is_freed_in_an_outage(void **state)
{
	const struct client_options options = {.target = target, .no_retries = true};

	server_kill();
	for (int i = 0; i < 50; i++) {
		assert_int_equal(call(), -STATUS_UNAVAILABLE);
		if (i % 10)
			rest_ms(i % 10);
		client_channel_free(channel);
		assert_int_equal(client_channel_new(&options, probe_services, &channel, &err), 0);
	}
	server_start();
	assert_int_equal(call(), 0);
}

static int64_t switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_nvcsw;
}

/* Core has timers, and so has ThreadSanitizer; polling would be hundreds. */
static void test_nothing_runs_once_connected(void **state)
{
	outage(500);
	int64_t before = switches();
	rest_ms(2000);
	assert_in_range(switches() - before, 0, 60);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_short_outage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_longer_outage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_server_that_comes_and_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_channel_is_freed_in_an_outage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_runs_once_connected, setup, teardown),
	};

	return argc > 1 ? serve(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
