/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/queue.h"

static void *item(uintptr_t n)
{
	return (void *)n;
}

static void test_in_order_and_bounded(void **state)
{
	struct queue *q = queue_new(3);
	void *got;

	/* Around the ring's end more than once. */
	for (uintptr_t round = 0; round < 5; round++) {
		assert_true(queue_push(q, item(round * 10 + 1)));
		assert_true(queue_push(q, item(round * 10 + 2)));
		assert_true(queue_push(q, item(round * 10 + 3)));
		assert_false(queue_push(q, item(99)));
		assert_int_equal(queue_length(q), 3);
		for (uintptr_t i = 1; i <= 3; i++) {
			assert_true(queue_pop(q, &got));
			assert_ptr_equal(got, item(round * 10 + i));
		}
		assert_int_equal(queue_length(q), 0);
		assert_true(queue_push(q, item(7)));
		assert_true(queue_pop(q, &got));
	}
	queue_free(q);
}

static void test_pop_many(void **state)
{
	struct queue *q = queue_new(8);
	void *got[8];

	for (uintptr_t i = 1; i <= 5; i++)
		assert_true(queue_push(q, item(i)));
	assert_int_equal(queue_pop_many(q, got, 3), 3);
	assert_ptr_equal(got[2], item(3));
	assert_int_equal(queue_pop_many(q, got, 8), 2);
	assert_ptr_equal(got[1], item(5));
	queue_free(q);
}

static void test_closed_hands_out_the_rest(void **state)
{
	struct queue *q = queue_new(4);
	void *got;

	assert_true(queue_push(q, item(1)));
	queue_close(q);
	assert_false(queue_push(q, item(2)));
	assert_true(queue_pop(q, &got));
	assert_ptr_equal(got, item(1));
	assert_false(queue_pop(q, &got));
	assert_int_equal(queue_pop_many(q, &got, 1), 0);
	queue_free(q);
}

static void test_impossible_capacity(void **state)
{
	assert_null(queue_new(0));
	assert_null(queue_new(SIZE_MAX / 4));
	queue_free(NULL);
}

enum { THREADS = 4, EACH = 20000 };

struct race {
	struct queue *q;
	_Atomic uint64_t sum, count;
};

static void *produce(void *arg)
{
	struct race *race = arg;

	for (uintptr_t i = 1; i <= EACH;) {
		if (queue_push(race->q, item(i)))
			i++;
	}
	return NULL;
}

static void *consume(void *arg)
{
	struct race *race = arg;
	void *items[16];
	size_t n;

	while ((n = queue_pop_many(race->q, items, 16)) > 0) {
		for (size_t i = 0; i < n; i++)
			race->sum += (uintptr_t)items[i];
		race->count += n;
	}
	return NULL;
}

static void test_nothing_lost_or_doubled_among_threads(void **state)
{
	struct race race = {.q = queue_new(64)};
	pthread_t producers[THREADS], consumers[THREADS];

	for (int i = 0; i < THREADS; i++) {
		pthread_create(&consumers[i], NULL, consume, &race);
		pthread_create(&producers[i], NULL, produce, &race);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(producers[i], NULL);
	queue_close(race.q);
	for (int i = 0; i < THREADS; i++)
		pthread_join(consumers[i], NULL);
	assert_int_equal(race.count, (uint64_t)THREADS * EACH);
	assert_int_equal(race.sum, (uint64_t)THREADS * EACH * (EACH + 1) / 2);
	queue_free(race.q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order_and_bounded),
		cmocka_unit_test(test_pop_many),
		cmocka_unit_test(test_closed_hands_out_the_rest),
		cmocka_unit_test(test_impossible_capacity),
		cmocka_unit_test(test_nothing_lost_or_doubled_among_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
