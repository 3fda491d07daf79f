/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "client/session/session.h"
#include "edu/v1/edu_service.client.h"
#include "tests/lib/session_server.h"

static struct client_channel *channel;
static struct client_session *session;
static struct arena arena;
static struct error err;

static int setup(void **state)
{
	static const struct service_desc *const services[] = {&edu_service_desc, NULL};
	char target[64];

	snprintf(target, sizeof(target), "127.0.0.1:%d", session_server_start());
	arena_init(&arena, 4 << 20);
	return client_channel_new(&(struct client_options){.target = target}, services, &channel, &err);
}

static int teardown(void **state)
{
	client_channel_free(channel);
	client_session_free(session);
	session = NULL;
	session_server_stop();
	arena_done(&arena);
	return 0;
}

static int64_t now_ms(void)
{
	return (int64_t)time(NULL) * 1000;
}

static void begin_with(int64_t access_expire_ms, const struct session_store *store)
{
	const struct session_tokens tokens = {
		.access = strdup("a0"), .refresh = strdup("r0"), .access_expire_ms = access_expire_ms};

	assert_int_equal(client_session_new(channel, &tokens, store, &session, &err), 0);
	struct client_credentials credentials = client_session_credentials(session);
	client_channel_set_credentials(channel, &credentials);
}

static int call(struct arena *a, struct error *e)
{
	GetUserRequest request = GET_USER_REQUEST_INIT;
	GetUserResponse *reply;
	int r = edu_service_get_user_call(channel, &request, NULL, a, &reply, e);

	if (r == 0)
		assert_string_equal(reply->user->user_id, "7");
	return r;
}

static void test_a_good_token_is_just_sent(void **state)
{
	begin_with(now_ms() + 900000, NULL);
	assert_int_equal(call(&arena, &err), 0);
	assert_int_equal(session_refreshes, 0);
}

static void test_a_refused_token_is_exchanged_and_the_call_repeated(void **state)
{
	begin_with(0, NULL);
	session_oldest = 1;
	assert_int_equal(call(&arena, &err), 0);
	assert_int_equal(session_refreshes, 1);
	assert_int_equal(session_refused, 1);
	assert_int_equal(call(&arena, &err), 0);
	assert_int_equal(session_refreshes, 1);
}

static void test_a_token_near_its_end_is_exchanged_before(void **state)
{
	begin_with(now_ms() + 5000, NULL);
	session_oldest = 1;
	assert_int_equal(call(&arena, &err), 0);
	assert_int_equal(session_refreshes, 1);
	assert_int_equal(session_refused, 0);
}

/* By a clock that runs ahead every token has ended: asking each time would exchange for ever. */
static void test_a_wrong_clock_does_not_exchange_each_time(void **state)
{
	begin_with(now_ms() - 1000, NULL);
	session_lifetime = -100;
	for (int i = 0; i < 5; i++)
		assert_int_equal(call(&arena, &err), 0);
	assert_int_equal(session_refreshes, 1);
}

static void test_repeated_once_only(void **state)
{
	begin_with(0, NULL);
	session_oldest = 100;
	assert_int_equal(call(&arena, &err), -STATUS_UNAUTHENTICATED);
	assert_string_equal(err.reason->name, "TOKEN_EXPIRED");
	assert_int_equal(session_refreshes, 1);
	assert_int_equal(session_refused, 2);
}

static void test_an_ended_session_says_so(void **state)
{
	GetCourseRequest request = GET_COURSE_REQUEST_INIT;
	GetCourseResponse *reply;

	begin_with(0, NULL);
	session_oldest = 1;
	session_newest = 5;
	assert_int_equal(call(&arena, &err), -STATUS_UNAUTHENTICATED);
	assert_string_equal(err.reason->name, "REFRESH_TOKEN_REUSED");
	/* What is public goes on without a token. */
	request.course_id = (char *)"crs_0000000000001";
	assert_int_equal(edu_service_get_course_call(channel, &request, NULL, &arena, &reply, &err), 0);
	assert_string_equal(reply->course->creator_id, "0");
}

/* --- many at once --- */

enum { THREADS = 8 };
static pthread_barrier_t barrier;

static void *call_at_once(void *arg)
{
	struct arena own;
	struct error mine;

	arena_init(&own, 1 << 20);
	pthread_barrier_wait(&barrier);
	*(int *)arg = call(&own, &mine);
	if (*(int *)arg != 0 && strcmp(mine.reason->name, "REFRESH_TOKEN_REUSED") != 0)
		*(int *)arg = 1;
	arena_done(&own);
	return NULL;
}

static void call_from_threads(int results[THREADS])
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call_at_once, &results[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);
}

static void test_threads_share_one_exchange(void **state)
{
	int results[THREADS];

	begin_with(0, NULL);
	session_oldest = 1;
	call_from_threads(results);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(results[i], 0);
	assert_int_equal(session_refreshes, 1);
}

static void test_threads_share_the_failure_of_an_exchange(void **state)
{
	int results[THREADS];

	begin_with(0, NULL);
	session_oldest = 1;
	session_newest = 5;
	call_from_threads(results);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(results[i], -STATUS_UNAUTHENTICATED);
	assert_true(session_refreshes < THREADS);
}

static _Atomic int done_r = 1;

static void on_done(void *arg, int r, const GetUserResponse *reply, const struct error *e)
{
	done_r = r;
}

static void test_a_call_nobody_waits_for_is_repeated_too(void **state)
{
	GetUserRequest request = GET_USER_REQUEST_INIT;

	begin_with(0, NULL);
	session_oldest = 1;
	assert_int_equal(edu_service_get_user_start(channel, &request, NULL, &arena, on_done, NULL, &err), 0);
	for (int i = 0; i < 500 && done_r == 1; i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	assert_int_equal(done_r, 0);
	assert_int_equal(session_refreshes, 1);
}

/* --- kept outside --- */

struct memory {
	const char *access, *refresh; /* what another process has kept */
	char saved[16];
	int locked;
};

static int memory_lock(void *arg, struct session_tokens *ret, struct error *e)
{
	struct memory *m = arg;

	m->locked++;
	*ret = (struct session_tokens){.access = m->access ? strdup(m->access) : NULL,
				       .refresh = m->refresh ? strdup(m->refresh) : NULL};
	return 0;
}

static void memory_save(void *arg, const struct session_tokens *tokens)
{
	struct memory *m = arg;

	snprintf(m->saved, sizeof(m->saved), "%s %s", tokens->access, tokens->refresh);
}

static void memory_unlock(void *arg)
{
	((struct memory *)arg)->locked--;
}

static struct session_store store_of(struct memory *m)
{
	return (struct session_store){
		.lock = memory_lock, .save = memory_save, .unlock = memory_unlock, .arg = m};
}

static void test_new_tokens_are_kept(void **state)
{
	struct memory m = {.access = "a0", .refresh = "r0"};
	struct session_store store = store_of(&m);

	begin_with(0, &store);
	session_oldest = 1;
	assert_int_equal(call(&arena, &err), 0);
	assert_string_equal(m.saved, "a1 r1");
	assert_int_equal(m.locked, 0);
}

static void test_what_another_process_has_exchanged_is_taken(void **state)
{
	struct memory m = {.access = "a3", .refresh = "r3"};
	struct session_store store = store_of(&m);

	begin_with(0, &store);
	session_oldest = session_newest = 3;
	assert_int_equal(call(&arena, &err), 0);
	assert_int_equal(session_refreshes, 0);
	assert_int_equal(m.locked, 0);
}

/* Tokens kept by another process may have ended as well; then its refresh token is the one to show. */
static void test_the_newest_refresh_token_is_shown(void **state)
{
	struct memory m = {.access = "a0", .refresh = "r3"};
	struct session_store store = store_of(&m);

	begin_with(0, &store);
	session_oldest = session_newest = 3;
	assert_int_equal(call(&arena, &err), 0);
	assert_int_equal(session_refreshes, 1);
	assert_string_equal(m.saved, "a4 r4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_good_token_is_just_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_refused_token_is_exchanged_and_the_call_repeated,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_token_near_its_end_is_exchanged_before, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_wrong_clock_does_not_exchange_each_time, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_repeated_once_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_ended_session_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads_share_one_exchange, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads_share_the_failure_of_an_exchange, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_call_nobody_waits_for_is_repeated_too, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_new_tokens_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_another_process_has_exchanged_is_taken, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_the_newest_refresh_token_is_shown, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
