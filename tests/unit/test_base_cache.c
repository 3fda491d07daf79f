/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/base/cache.h"
#include "server/base/metrics.h"

enum { MIB = 1024 * 1024 };

static bool put(struct cache *c, const char *key, const char *value, int64_t expire_us)
{
	return cache_put(c, span_str(key), span_str(value), expire_us, cache_generation(c, span_str(key)));
}

static bool holds(struct cache *c, const char *key, const char *value, int64_t now_us)
{
	struct cache_value *v = cache_get(c, span_str(key), now_us);
	bool same = v && cache_value_span(v).len == strlen(value) &&
		    memcmp(cache_value_span(v).data, value, strlen(value)) == 0;

	cache_value_release(v);
	return same;
}

static bool absent(struct cache *c, const char *key)
{
	struct cache_value *v = cache_get(c, span_str(key), 0);

	cache_value_release(v);
	return !v;
}

static void test_put_get_replace(void **state)
{
	struct cache *c = cache_new(2 * MIB, NULL);

	assert_true(absent(c, "a"));
	assert_true(put(c, "a", "one", 0));
	assert_true(put(c, "b", "", 0));
	assert_true(put(c, "", "empty key", 0));
	assert_true(holds(c, "a", "one", INT64_MAX));
	assert_true(holds(c, "b", "", 0));
	assert_true(holds(c, "", "empty key", 0));
	assert_true(put(c, "a", "two", 0));
	assert_true(holds(c, "a", "two", 0));
	cache_free(c);
}

static void test_look_ups_are_counted(void **state)
{
	struct cache *c = cache_new(MIB, "cache=\"test\"");
	const struct metric *hits = metric_counter("edu_cache_hits_total", "", "cache=\"test\"");
	const struct metric *misses = metric_counter("edu_cache_misses_total", "", "cache=\"test\"");

	assert_true(absent(c, "a"));
	assert_true(put(c, "a", "one", 100));
	assert_true(holds(c, "a", "one", 99));
	assert_true(holds(c, "a", "one", 99));
	assert_int_equal(metric_value(hits), 2);
	assert_int_equal(metric_value(misses), 1);
	assert_false(holds(c, "a", "one", 100));
	assert_int_equal(metric_value(hits), 2);
	assert_int_equal(metric_value(misses), 2);
	cache_free(c);
}

static void test_expiry_is_exclusive(void **state)
{
	struct cache *c = cache_new(MIB, NULL);

	assert_true(put(c, "a", "one", 100));
	assert_true(holds(c, "a", "one", 99));
	assert_false(holds(c, "a", "one", 100));
	assert_true(absent(c, "a"));
	cache_free(c);
}

static void test_fill_is_dropped_when_invalidated_meanwhile(void **state)
{
	struct cache *c = cache_new(MIB, NULL);
	uint64_t before = cache_generation(c, span_str("a"));

	cache_invalidate(c, span_str("a"));
	assert_false(cache_put(c, span_str("a"), span_str("old"), 0, before));
	assert_true(absent(c, "a"));
	assert_true(put(c, "a", "new", 0));
	cache_invalidate(c, span_str("a"));
	assert_true(absent(c, "a"));
	before = cache_generation(c, span_str("z"));
	assert_true(put(c, "a", "new", 0));
	cache_clear(c);
	assert_true(absent(c, "a"));
	assert_false(cache_put(c, span_str("z"), span_str("old"), 0, before));
	assert_true(put(c, "a", "newer", 0));
	assert_true(holds(c, "a", "newer", 0));
	cache_free(c);
}

static void test_reference_outlives_the_entry(void **state)
{
	struct cache *c = cache_new(MIB, NULL);
	struct cache_value *v;

	assert_true(put(c, "a", "held", 0));
	v = cache_get(c, span_str("a"), 0);
	cache_invalidate(c, span_str("a"));
	cache_free(c);
	assert_memory_equal(cache_value_span(v).data, "held", 4);
	cache_value_release(v);
	cache_value_release(NULL);
}

static void test_bounded_and_keeps_what_is_used(void **state)
{
	struct cache *c = cache_new(64 * 1024, NULL);
	char key[32], value[1000];
	unsigned kept = 0;

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_true(put(c, "hot", "hot", 0));
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_true(put(c, key, value, 0));
		assert_true(holds(c, "hot", "hot", 0));
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		kept += !absent(c, key);
	}
	assert_in_range(kept, 40, 65);
	assert_false(absent(c, "k999"));
	cache_free(c);
}

static void test_too_large_is_refused(void **state)
{
	static char big[200 * 1024];
	struct cache *c = cache_new(64 * 1024, NULL);

	assert_true(put(c, "a", "one", 0));
	assert_false(cache_put(c, span_str("b"), span_of(big, sizeof(big)), 0,
			       cache_generation(c, span_str("b"))));
	assert_true(holds(c, "a", "one", 0));
	cache_free(c);
}

/*
 * Writers keep a version per key: each sets it, then invalidates. A reader that fills from the version must
 * never leave an old one behind: after the writer's invalidation, whatever the cache holds is that version or
 * a later one.
 */
enum { KEYS = 16, ROUNDS = 20000 };

struct race {
	struct cache *c;
	_Atomic uint64_t versions[KEYS];
	_Atomic bool stop;
	_Atomic unsigned stale;
};

static struct span key_of(const unsigned *k)
{
	return span_of(k, sizeof(*k));
}

static void *fill(void *arg)
{
	struct race *race = arg;

	for (unsigned i = 0; !race->stop; i++) {
		unsigned k = i % KEYS;
		uint64_t generation = cache_generation(race->c, key_of(&k));
		uint64_t version = race->versions[k];

		cache_put(race->c, key_of(&k), span_of(&version, sizeof(version)), 0, generation);
	}
	return NULL;
}

static void *change(void *arg)
{
	struct race *race = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned k = i % KEYS;
		uint64_t version = ++race->versions[k], seen;
		struct cache_value *v;

		cache_invalidate(race->c, key_of(&k));
		v = cache_get(race->c, key_of(&k), 0);
		if (v) {
			memcpy(&seen, cache_value_span(v).data, sizeof(seen));
			race->stale += seen < version;
			cache_value_release(v);
		}
	}
	race->stop = true;
	return NULL;
}

static void test_no_stale_fill_survives_a_race(void **state)
{
	struct race race = {.c = cache_new(2 * MIB, NULL)};
	pthread_t threads[3];

	pthread_create(&threads[0], NULL, fill, &race);
	pthread_create(&threads[1], NULL, fill, &race);
	pthread_create(&threads[2], NULL, change, &race);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(race.stale, 0);
	cache_free(race.c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_get_replace),
		cmocka_unit_test(test_look_ups_are_counted),
		cmocka_unit_test(test_expiry_is_exclusive),
		cmocka_unit_test(test_fill_is_dropped_when_invalidated_meanwhile),
		cmocka_unit_test(test_reference_outlives_the_entry),
		cmocka_unit_test(test_bounded_and_keeps_what_is_used),
		cmocka_unit_test(test_too_large_is_refused),
		cmocka_unit_test(test_no_stale_fill_survives_a_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
