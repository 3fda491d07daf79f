/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/auth/revocation.h"

#define T0 INT64_C(1750000000000000)
#define RETENTION (INT64_C(930) * 1000000)

static struct clock_fixed clock_;

static struct revocations *fresh(void)
{
	clock_fixed_init(&clock_, T0);
	return revocations_new(&clock_.clock, RETENTION);
}

static struct principal caller(int64_t user_id, int64_t session_id, int64_t issued_us)
{
	return (struct principal){.user_id = user_id, .session_id = session_id, .issued_us = issued_us};
}

static bool covers(struct revocations *r, int64_t user_id, int64_t session_id, int64_t issued_us)
{
	struct principal who = caller(user_id, session_id, issued_us);

	return revocations_cover(r, &who);
}

static void test_session(void **state)
{
	struct revocations *r = fresh();

	assert_false(covers(r, 1, 10, T0));
	revocations_add_session(r, 10, T0);
	revocations_add_session(r, 10, T0 - 5);
	assert_int_equal(revocations_count(r), 1);
	assert_true(covers(r, 1, 10, T0 - 100));
	assert_true(covers(r, 1, 10, T0 + 100)); /* a session that ended gets no new tokens */
	assert_false(covers(r, 1, 11, T0 - 100));
	assert_false(covers(r, 10, 11, T0 - 100)); /* users and sessions are not mixed up */
	revocations_free(r);
}

static void test_user_from_a_moment(void **state)
{
	struct revocations *r = fresh();

	revocations_add_user(r, 1, T0);
	assert_true(covers(r, 1, 10, T0 - 1));
	assert_false(covers(r, 1, 10, T0));
	revocations_add_user(r, 1, T0 - 1000); /* late and out of order: nothing is forgotten */
	assert_true(covers(r, 1, 10, T0 - 1));
	revocations_add_user(r, 1, T0 + 1000);
	assert_true(covers(r, 1, 10, T0 + 999));
	assert_false(covers(r, 2, 10, T0 - 1));
	revocations_free(r);
}

static void test_everybody(void **state)
{
	struct revocations *r = fresh();

	revocations_add_everybody(r, T0);
	revocations_add_everybody(r, T0 - 10);
	assert_true(covers(r, 1, 10, T0 - 1));
	assert_false(covers(r, 1, 10, T0));
	revocations_free(r);
}

static void test_kept_as_long_as_a_token_lives(void **state)
{
	struct revocations *r = fresh();

	for (int64_t id = 1; id <= 1000; id++)
		revocations_add_session(r, id, T0);
	assert_int_equal(revocations_count(r), 1000);
	clock_.us = T0 + RETENTION - 1;
	for (int64_t id = 2001; id <= 2200; id++)
		revocations_add_session(r, id, clock_.us);
	assert_true(covers(r, 1, 1, T0 - 1));
	assert_int_equal(revocations_count(r), 1200);
	clock_.us = T0 + RETENTION + 61 * 1000000;
	for (int64_t id = 3001; id <= 3200; id++)
		revocations_add_session(r, id, clock_.us);
	assert_int_equal(revocations_count(r), 400);
	assert_true(covers(r, 1, 2001, T0));
	revocations_free(r);
}

struct race {
	struct revocations *r;
	_Atomic int64_t done; /* sessions up to this are revoked */
	_Atomic unsigned missed;
};

enum { RACE_SESSIONS = 20000 };

static void *revoke(void *arg)
{
	struct race *race = arg;

	for (int64_t id = 1; id <= RACE_SESSIONS; id++) {
		revocations_add_session(race->r, id, T0);
		revocations_add_user(race->r, id % 50 + 1, T0);
		race->done = id;
	}
	return NULL;
}

static void *ask(void *arg)
{
	struct race *race = arg;
	int64_t id;

	do {
		id = race->done;
		if (id > 0 && !covers(race->r, 1000, id, T0 - 1))
			race->missed++;
	} while (id < RACE_SESSIONS);
	return NULL;
}

static void test_seen_by_other_threads_at_once(void **state)
{
	struct race race = {.r = fresh()};
	pthread_t threads[3];

	pthread_create(&threads[0], NULL, revoke, &race);
	pthread_create(&threads[1], NULL, ask, &race);
	pthread_create(&threads[2], NULL, ask, &race);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(race.missed, 0);
	assert_int_equal(revocations_count(race.r), RACE_SESSIONS + 50);
	revocations_free(race.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_user_from_a_moment),
		cmocka_unit_test(test_everybody),
		cmocka_unit_test(test_kept_as_long_as_a_token_lives),
		cmocka_unit_test(test_seen_by_other_threads_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
