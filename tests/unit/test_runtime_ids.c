/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/array.h"
#include "proto/runtime/ids.h"

static void test_text_is_kind_and_base32(void **state)
{
	char text[ID_TEXT_MAX];

	assert_string_equal(id_format("crs", 1, text), "crs_0000000000001");
	assert_string_equal(id_format("usr", 31, text), "usr_000000000000z");
	assert_string_equal(id_format("usr", 32, text), "usr_0000000000010");
	assert_string_equal(id_format("usr", INT64_MAX, text), "usr_7zzzzzzzzzzzz");
}

static void test_text_comes_back(void **state)
{
	char text[ID_TEXT_MAX];
	int64_t back;

	for (int bit = 0; bit < 63; bit++) {
		int64_t id = INT64_C(1) << bit;

		assert_true(id_parse("les", id_format("les", id, text), &back));
		assert_int_equal(back, id);
		assert_true(id_parse("les", id_format("les", INT64_MAX - id + 1, text), &back));
		assert_int_equal(back, INT64_MAX - id + 1);
		assert_int_equal(id_of("les", text), back);
		assert_int_equal(id_of("crs", text), 0);
	}
	assert_int_equal(id_of("les", ""), 0);
}

/* Text order is id order: a listing sorted by either is the same. */
static void test_text_sorts_as_the_id(void **state)
{
	char a[ID_TEXT_MAX], b[ID_TEXT_MAX];

	for (int64_t id = 1; id < INT64_MAX / 3; id = id * 3 + 1)
		assert_true(strcmp(id_format("usr", id, a), id_format("usr", id + 1, b)) < 0);
}

static void test_refuses_other_texts(void **state)
{
	static const char *const texts[] = {
		"",
		"crs",
		"crs_",
		"usr_0000000000001", /* another kind */
		"crs-0000000000001",
		"CRS_0000000000001",
		"crs_000000000001",   /* short */
		"crs_00000000000001", /* long */
		"crs_0000000000000",  /* zero */
		"crs_8000000000000",  /* 64 bits */
		"crs_z000000000000",
		"crs_000000000000A", /* a second text of the same id */
		"crs_000000000000o",
		"crs_000000000000i",
		"crs_000000000000l",
		"crs_000000000000u",
		"crs_00000000 0001",
		" crs_000000000001",
		"crs_000000000001\n",
	};
	int64_t id = 77;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (id_parse("crs", texts[i], &id))
			fail_msg("took '%s'", texts[i]);
	}
	assert_int_equal(id, 77);
}

static struct id_maker maker_of(unsigned node)
{
	struct id_maker m = {0};

	id_maker_lease(&m, node, 0, INT64_MAX);
	return m;
}

static void test_parts_are_time_and_node(void **state)
{
	struct id_maker m = maker_of(777);
	int64_t id;

	id = id_make(&m, INT64_C(1750000000123));
	assert_true(id > 0);
	assert_int_equal(id_time_ms(id), INT64_C(1750000000123));
	assert_int_equal(id_node(id), 777);
}

static void test_ids_grow_within_a_millisecond_and_beyond_its_4096(void **state)
{
	struct id_maker m = maker_of(1023);
	int64_t last = 0;

	for (int i = 0; i < 10000; i++) {
		int64_t id = id_make(&m, INT64_C(1750000000000));

		assert_true(id > last);
		assert_int_equal(id_node(id), 1023);
		last = id;
	}
	/* Two whole milliseconds were borrowed, and are given back when the clock is past them. */
	assert_int_equal(id_time_ms(last), INT64_C(1750000000002));
	assert_int_equal(id_time_ms(id_make(&m, INT64_C(1750000000003))), INT64_C(1750000000003));
}

static void test_ids_grow_when_the_clock_steps_back(void **state)
{
	struct id_maker m = maker_of(0);
	int64_t before, after;

	before = id_make(&m, INT64_C(1750000060000));
	after = id_make(&m, INT64_C(1750000000000));
	assert_true(after > before);
	assert_int_equal(id_time_ms(after), INT64_C(1750000060000));
}

static void test_clock_before_the_epoch_makes_ids(void **state)
{
	struct id_maker m = maker_of(0);

	assert_true(id_make(&m, 0) > 0);
	assert_true(id_make(&m, -5) > 0);
}

static void test_clock_after_the_last_year_makes_none(void **state)
{
	struct id_maker m = maker_of(1023);

	assert_int_equal(id_make(&m, INT64_MAX), 0);
	assert_true(id_make(&m, INT64_C(3900000000000)) > 0);
}

#define T0 INT64_C(1750000000000)

static void test_nothing_is_made_without_a_lease_or_after_it(void **state)
{
	struct id_maker m = {0};

	assert_int_equal(id_make(&m, T0), 0);
	id_maker_lease(&m, 7, T0, T0 + 10);
	assert_true(id_make(&m, T0 + 9) > 0);
	assert_int_equal(id_make(&m, T0 + 10), 0);
	assert_int_equal(id_make(&m, T0 + 100000), 0);
	/* What failed used nothing up. */
	assert_int_equal(id_time_ms(id_make(&m, T0 + 9)), T0 + 9);
	id_maker_lease(&m, 7, T0 + 9, T0 + 20);
	assert_int_equal(id_time_ms(id_make(&m, T0 + 10)), T0 + 10);
	id_maker_lease(&m, 7, T0, 0);
	assert_int_equal(id_make(&m, T0 + 10), 0);
}

/* Whatever the clock says: the times borrowed when it steps back, or within a millisecond, end with the
 * lease. */
static void test_borrowed_time_ends_with_the_lease(void **state)
{
	struct id_maker m = {0};
	unsigned n = 0;

	id_maker_lease(&m, 7, T0, T0 + 2);
	while (id_make(&m, T0 - 5000))
		n++;
	assert_int_equal(n, 2 * 4096 - 1);
}

static void test_another_node_begins_after_its_last_holder(void **state)
{
	struct id_maker m = {0};

	id_maker_lease(&m, 7, T0, T0 + 10);
	assert_int_equal(id_node(id_make(&m, T0)), 7);
	id_maker_lease(&m, 8, T0 + 50, T0 + 60);
	/* The clock was read before the new lease. */
	int64_t id = id_make(&m, T0 + 1);
	assert_int_equal(id_node(id), 8);
	assert_int_equal(id_time_ms(id), T0 + 50);
}

enum { THREADS = 4, PER_THREAD = 20000 };

struct worker {
	struct id_maker *maker;
	int64_t ids[PER_THREAD];
};

/* One thread changes the node back and forth, as if its leases ended; the ids of a node never leave them. */
static void *make_while_leased(void *data)
{
	struct worker *w = data;

	for (int i = 0; i < PER_THREAD; i++)
		w->ids[i] = id_make(w->maker, 0);
	return NULL;
}

enum { LEASES = 200 };

static void test_a_thread_that_sleeps_between_two_leases_stays_within_them(void **state)
{
	struct worker *workers = calloc(THREADS, sizeof(*workers));
	pthread_t threads[THREADS];
	struct id_maker m = {0};

	for (int t = 0; t < THREADS; t++) {
		workers[t].maker = &m;
		assert_int_equal(pthread_create(&threads[t], NULL, make_while_leased, &workers[t]), 0);
	}
	for (int i = 0; i < LEASES; i++) {
		id_maker_lease(&m, (unsigned)i % 1024, T0 + i * 10, T0 + i * 10 + 10);
		sched_yield();
	}
	for (int t = 0; t < THREADS; t++)
		pthread_join(threads[t], NULL);
	for (int t = 0; t < THREADS; t++)
		for (int i = 0; i < PER_THREAD; i++)
			if (workers[t].ids[i])
				assert_int_equal((id_time_ms(workers[t].ids[i]) - T0) / 10,
						 id_node(workers[t].ids[i]));
	free(workers);
}

static void *make_many(void *data)
{
	struct worker *w = data;

	for (int i = 0; i < PER_THREAD; i++)
		w->ids[i] = id_make(w->maker, INT64_C(1750000000000) + i / 5000);
	return NULL;
}

static int compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void test_threads_never_share_an_id(void **state)
{
	struct worker *workers = calloc(THREADS, sizeof(*workers));
	int64_t *all = malloc(sizeof(*all) * THREADS * PER_THREAD);
	pthread_t threads[THREADS];
	struct id_maker m = maker_of(5);

	for (int t = 0; t < THREADS; t++) {
		workers[t].maker = &m;
		assert_int_equal(pthread_create(&threads[t], NULL, make_many, &workers[t]), 0);
	}
	for (int t = 0; t < THREADS; t++) {
		pthread_join(threads[t], NULL);
		memcpy(all + (size_t)t * PER_THREAD, workers[t].ids, sizeof(workers[t].ids));
	}
	qsort(all, (size_t)THREADS * PER_THREAD, sizeof(*all), compare_ids);
	for (int i = 1; i < THREADS * PER_THREAD; i++)
		assert_true(all[i] > all[i - 1]);
	free(all);
	free(workers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_kind_and_base32),
		cmocka_unit_test(test_text_comes_back),
		cmocka_unit_test(test_text_sorts_as_the_id),
		cmocka_unit_test(test_refuses_other_texts),
		cmocka_unit_test(test_parts_are_time_and_node),
		cmocka_unit_test(test_ids_grow_within_a_millisecond_and_beyond_its_4096),
		cmocka_unit_test(test_ids_grow_when_the_clock_steps_back),
		cmocka_unit_test(test_clock_before_the_epoch_makes_ids),
		cmocka_unit_test(test_clock_after_the_last_year_makes_none),
		cmocka_unit_test(test_nothing_is_made_without_a_lease_or_after_it),
		cmocka_unit_test(test_borrowed_time_ends_with_the_lease),
		cmocka_unit_test(test_another_node_begins_after_its_last_holder),
		cmocka_unit_test(test_a_thread_that_sleeps_between_two_leases_stays_within_them),
		cmocka_unit_test(test_threads_never_share_an_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
