/* SPDX-License-Identifier: Apache-2.0 */
/* What a server does when more is asked of it than its threads can do. The handler takes a known time. */
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

#include "probe/v1/probe.tables.h"
#include "proto/runtime/array.h"
#include "tests/lib/probe_server.h"
#include "tests/lib/raw_client.h"

#define ECHO_ON_DB "/probe.v1.Probe/EchoOnDb"
#define READ_ON_DB "/probe.v1.Probe/ReadOnDb"

enum { THREADS = 2, TASK_MS = 20 };

struct fixture {
	struct rpc_server_config config;
	struct rpc_server *server;
	char target[64];
};

static void server_up(struct fixture *f)
{
	struct error err;

	if (rpc_server_new(&f->config, probe_rows, probe_services, &f->server, &err) < 0 ||
	    rpc_server_start(f->server, &err) < 0)
		fail_msg("%s", err.message);
	snprintf(f->target, sizeof(f->target), "127.0.0.1:%d", rpc_server_port(f->server));
	probe_handled = probe_interrupted = 0;
}

/* Room for thousands by count: what bounds the line is time. */
static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	probe_config(&f->config);
	f->config.max_calls = 10000;
	f->config.executors[RPC_ON_DB].threads = THREADS;
	f->config.executors[RPC_ON_DB].queue = 10000;
	f->config.executors[RPC_ON_DB].wait_ms = 200;
	f->config.executors[RPC_ON_DB].stranger_threads = 1;
	server_up(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	rpc_server_free(f->server);
	free(f);
	return 0;
}

/* --- callers --- */

/* One thread that calls again and again. */
struct caller {
	const char *target;
	int timeout_ms, task_ms;
	int64_t until_us;
	pthread_t thread;
	int ok, overloaded, late, other;
	int64_t refused_us; /* the longest that a refusal took */
};

static struct raw_call *begin(struct raw_client *client, const char *path, const char *token, int task_ms,
			      int timeout_ms)
{
	struct raw_options options = {.timeout_ms = timeout_ms, .token = token};
	EchoRequest req = ECHO_REQUEST_INIT;
	struct raw_call *call = raw_open(client, path, &options);

	req.sleep_ms = (uint32_t)task_ms;
	raw_send_message(call, &req.base);
	raw_half_close(call);
	return call;
}

static int end(struct raw_call *call, struct raw_reply *reply)
{
	struct arena arena;
	int code;

	arena_init(&arena, SIZE_MAX / 2);
	raw_finish(call, &arena, reply);
	code = reply->code;
	arena_done(&arena);
	return code;
}

static int call_once(struct raw_client *client, const char *path, const char *token, int task_ms,
		     int timeout_ms)
{
	struct raw_reply reply;

	return end(begin(client, path, token, task_ms, timeout_ms), &reply);
}

static void caller_note(struct caller *c, int code, int64_t took_us)
{
	c->ok += code == STATUS_OK;
	c->overloaded += code == STATUS_UNAVAILABLE;
	c->late += code == STATUS_DEADLINE_EXCEEDED;
	c->other += code != STATUS_OK && code != STATUS_UNAVAILABLE && code != STATUS_DEADLINE_EXCEEDED;
	if (code == STATUS_UNAVAILABLE && took_us > c->refused_us)
		c->refused_us = took_us;
}

static void *caller_main(void *arg)
{
	struct caller *c = arg;
	struct raw_client *client = raw_client_new(c->target);
	int64_t began_us;

	while ((began_us = monotonic_us()) < c->until_us) {
		int code = call_once(client, ECHO_ON_DB, NULL, c->task_ms, c->timeout_ms);

		caller_note(c, code, monotonic_us() - began_us);
		if (code == STATUS_UNAVAILABLE)
			usleep(TASK_MS * 1000);
	}
	raw_client_free(client);
	return NULL;
}

/* So many callers for so long; the sums of what they saw. */
static struct caller callers_run(const struct fixture *f, unsigned n, int timeout_ms, int ms)
{
	struct caller all[64] = {0}, sum = {0};

	for (unsigned i = 0; i < n; i++) {
		all[i] = (struct caller){.target = f->target,
					 .timeout_ms = timeout_ms,
					 .task_ms = TASK_MS,
					 .until_us = monotonic_us() + ms * INT64_C(1000)};
		pthread_create(&all[i].thread, NULL, caller_main, &all[i]);
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(all[i].thread, NULL);
		sum.ok += all[i].ok;
		sum.overloaded += all[i].overloaded;
		sum.late += all[i].late;
		sum.other += all[i].other;
		if (all[i].refused_us > sum.refused_us)
			sum.refused_us = all[i].refused_us;
	}
	return sum;
}

/* --- overload --- */

/*
 * Deadlines shorter and longer than the line: 60 callers of 2 threads, which would wait 600 ms for their
 * turn. Nearly all that ran was still wanted, and what was refused did not run.
 */
static void test_work_is_done_for_who_still_waits(void **state)
{
	static const int timeouts_ms[] = {200, 2000, 20000};
	struct fixture *f = *state;

	callers_run(f, 1, 20000, 100); /* so that the mean is known */
	for (size_t i = 0; i < ARRAY_SIZE(timeouts_ms); i++) {
		struct caller sum;
		int handled;

		probe_handled = 0;
		sum = callers_run(f, 60, timeouts_ms[i], 1500);
		handled = probe_handled;
		printf("deadline %d ms: %d ran, %d of them in time; %d refused, %d late, slowest refusal "
		       "%lld us\n",
		       timeouts_ms[i], handled, sum.ok, sum.overloaded, sum.late, (long long)sum.refused_us);
		assert_true(sum.overloaded > 0);
		assert_int_equal(sum.other, 0);
		assert_true(sum.ok <= handled);
		assert_true(sum.ok * 10 >= handled * 9);
		/* And the threads were not idle: what two of them can do in the time, halved for a slow
		 * machine. */
		assert_true(handled >= THREADS * 1500 / TASK_MS / 2);
	}
}

/* With 20 s of patience nobody waits longer than the line may last, so it is short soon after the rush. */
static void test_a_line_is_short_after_a_rush(void **state)
{
	enum { RUSH = 400 };
	struct fixture *f = *state;
	struct raw_client *client = raw_client_new(f->target);
	struct raw_call *calls[RUSH];
	struct raw_reply reply;
	int ok = 0, refused = 0;

	/* The mean is known. */
	assert_int_equal(call_once(client, ECHO_ON_DB, NULL, TASK_MS, 20000), STATUS_OK);
	usleep(100 * 1000);
	probe_handled = 0;
	for (int i = 0; i < RUSH; i++)
		calls[i] = begin(client, ECHO_ON_DB, NULL, TASK_MS, 20000);
	for (int i = 0; i < RUSH; i++) {
		int code = end(calls[i], &reply);

		ok += code == STATUS_OK;
		refused += code == STATUS_UNAVAILABLE;
	}
	assert_int_equal(ok + refused, RUSH);
	assert_int_equal(probe_handled, ok);
	/* 200 ms of two threads, and what they did while the rush came: without the bound it would be all. */
	assert_in_range(refused, RUSH / 4, RUSH - 200 / TASK_MS);
	raw_client_free(client);
}

/* The first of a line says how fast it moves, whatever the means say. */
static void test_a_line_that_stands_refuses(void **state)
{
	struct fixture *f = *state;
	struct raw_client *client = raw_client_new(f->target);
	struct raw_call *busy[THREADS + 1];
	struct raw_reply reply;

	for (int i = 0; i < THREADS; i++)
		busy[i] = begin(client, ECHO_ON_DB, NULL, 1500, 20000);
	usleep(100 * 1000);
	busy[THREADS] = begin(client, ECHO_ON_DB, NULL, 0, 20000);
	usleep(400 * 1000);
	assert_int_equal(call_once(client, ECHO_ON_DB, NULL, 0, 20000), STATUS_UNAVAILABLE);
	for (int i = 0; i <= THREADS; i++)
		assert_int_equal(end(busy[i], &reply), STATUS_OK);
	assert_int_equal(call_once(client, ECHO_ON_DB, NULL, 0, 20000), STATUS_OK);
	raw_client_free(client);
}

/* A method that was slow is not refused to who has no such time, unless he would keep others waiting. */
static void test_who_need_not_wait_is_tried(void **state)
{
	struct fixture *f = *state;
	struct raw_client *client = raw_client_new(f->target);

	assert_int_equal(call_once(client, ECHO_ON_DB, NULL, 3000, 20000), STATUS_OK);
	usleep(100 * 1000); /* the time is counted after the answer is out */
	assert_int_equal(call_once(client, ECHO_ON_DB, NULL, 0, 1000), STATUS_OK);
	raw_client_free(client);
}

/* --- callers without a deadline --- */

static void test_a_call_without_a_deadline_gets_one(void **state)
{
	struct fixture *f = *state;
	struct raw_client *client;
	struct raw_call *busy[THREADS], *patient;
	struct raw_reply reply;

	rpc_server_free(f->server);
	f->config.default_deadline_ms = 300;
	server_up(f);
	client = raw_client_new(f->target);
	for (int i = 0; i < THREADS; i++)
		busy[i] = begin(client, ECHO_ON_DB, NULL, 700, 20000);
	usleep(100 * 1000);
	patient = begin(client, ECHO_ON_DB, NULL, 0, -1);
	assert_int_equal(end(patient, &reply), STATUS_DEADLINE_EXCEEDED);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(end(busy[i], &reply), STATUS_OK);
	assert_int_equal(probe_handled, THREADS);
	raw_client_free(client);
}

/* --- callers that are gone --- */

static void await(const _Atomic int *counter, int wanted)
{
	for (int i = 0; i < 500 && *counter < wanted; i++)
		usleep(10 * 1000);
	assert_int_equal(*counter, wanted);
}

static void test_a_cancelled_call_does_not_run(void **state)
{
	struct fixture *f = *state;
	struct raw_client *client = raw_client_new(f->target);
	struct raw_call *busy[THREADS], *waiting[10];
	struct raw_reply reply;

	for (int i = 0; i < THREADS; i++)
		busy[i] = begin(client, ECHO_ON_DB, NULL, 600, 20000);
	usleep(100 * 1000);
	for (int i = 0; i < 10; i++)
		waiting[i] = begin(client, ECHO_ON_DB, NULL, 0, 20000);
	usleep(100 * 1000);
	for (int i = 0; i < 10; i++) {
		raw_cancel(waiting[i]);
		assert_int_equal(end(waiting[i], &reply), STATUS_CANCELLED);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(end(busy[i], &reply), STATUS_OK);
	assert_int_equal(call_once(client, ECHO_ON_DB, NULL, 0, 20000), STATUS_OK);
	assert_int_equal(probe_handled, THREADS + 1);
	assert_int_equal(probe_interrupted, 0);
	raw_client_free(client);
}

/* What runs is told; the thread is the next caller's afterwards. */
static void test_a_cancelled_call_is_interrupted(void **state)
{
	struct fixture *f = *state;
	struct raw_client *client = raw_client_new(f->target);
	struct raw_call *call = begin(client, ECHO_ON_DB, NULL, 500, 20000);
	struct raw_reply reply;

	usleep(200 * 1000);
	raw_cancel(call);
	end(call, &reply);
	await(&probe_interrupted, 1);
	/* A deadline that passes says the same. */
	call = begin(client, ECHO_ON_DB, NULL, 500, 200);
	assert_int_equal(end(call, &reply), STATUS_DEADLINE_EXCEEDED);
	await(&probe_interrupted, 2);
	assert_int_equal(call_once(client, ECHO_ON_DB, NULL, 0, 20000), STATUS_OK);
	raw_client_free(client);
}

/* --- strangers --- */

static void test_strangers_leave_a_thread(void **state)
{
	enum { STRANGERS = 40 };
	struct fixture *f = *state;
	struct raw_client *client = raw_client_new(f->target), *other = raw_client_new(f->target);
	struct raw_call *calls[STRANGERS];
	struct raw_reply reply;

	for (int i = 0; i < STRANGERS; i++)
		calls[i] = begin(client, READ_ON_DB, NULL, 1000, 20000);
	usleep(100 * 1000);
	/* One of the two threads is theirs, the other is not: three in a row do not wait for a second. */
	int64_t began_us = monotonic_us();
	for (int i = 0; i < 3; i++)
		assert_int_equal(call_once(other, ECHO_ON_DB, "learner", 0, 20000), STATUS_OK);
	assert_true(monotonic_us() - began_us < 800 * 1000);
	for (int i = 0; i < STRANGERS; i++)
		raw_cancel(calls[i]);
	for (int i = 0; i < STRANGERS; i++)
		end(calls[i], &reply);
	raw_client_free(other);
	raw_client_free(client);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		SERVED(test_work_is_done_for_who_still_waits),   SERVED(test_a_line_is_short_after_a_rush),
		SERVED(test_a_line_that_stands_refuses),         SERVED(test_who_need_not_wait_is_tried),
		SERVED(test_a_call_without_a_deadline_gets_one), SERVED(test_a_cancelled_call_does_not_run),
		SERVED(test_a_cancelled_call_is_interrupted),    SERVED(test_strangers_leave_a_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
