/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/progress/progress_access.h"

static void set(struct progress_access *a, const struct grant_window *windows, unsigned n)
{
	memset(a, 0, sizeof(*a));
	progress_access_set_windows(a, windows, n);
}

static void test_windows_are_half_open(void **state)
{
	const struct grant_window windows[] = {{100, 200}, {300, INT64_MAX}};
	struct progress_access a;

	set(&a, windows, 2);
	assert_false(progress_access_covers(&a, 99));
	assert_true(progress_access_covers(&a, 100));
	assert_true(progress_access_covers(&a, 199));
	assert_false(progress_access_covers(&a, 200));
	assert_false(progress_access_covers(&a, 299));
	assert_true(progress_access_covers(&a, 300));
	assert_true(progress_access_covers(&a, INT64_MAX - 1));
}

static void test_nothing_covers_nothing(void **state)
{
	struct progress_access a;

	set(&a, NULL, 0);
	assert_int_equal(a.n_windows, 0);
	assert_false(progress_access_covers(&a, 0));
}

static void test_windows_that_meet_are_joined(void **state)
{
	const struct grant_window windows[] = {{100, 200}, {150, 180}, {200, 250}, {251, 260}};
	struct progress_access a;

	set(&a, windows, 4);
	assert_int_equal(a.n_windows, 2);
	assert_int_equal(a.windows[0].end_us, 250);
	assert_true(progress_access_covers(&a, 249));
	assert_false(progress_access_covers(&a, 250));
	assert_true(progress_access_covers(&a, 251));
}

/* However many short grants came after it. */
static void test_access_that_lasts_is_kept(void **state)
{
	struct grant_window windows[PROGRESS_WINDOWS_MAX + 4] = {{1, INT64_MAX}};
	struct progress_access a;

	for (int i = 1; i < PROGRESS_WINDOWS_MAX + 4; i++)
		windows[i] = (struct grant_window){1000 * i, 1000 * i + 1};
	set(&a, windows, PROGRESS_WINDOWS_MAX + 4);
	assert_int_equal(a.n_windows, 1);
	assert_true(progress_access_covers(&a, 500));
	assert_true(progress_access_covers(&a, INT64_C(1) << 60));
}

static void test_the_newest_are_kept(void **state)
{
	struct grant_window windows[PROGRESS_WINDOWS_MAX + 4];
	struct progress_access a;

	for (int i = 0; i < PROGRESS_WINDOWS_MAX + 4; i++)
		windows[i] = (struct grant_window){10 * i, 10 * i + 5};
	set(&a, windows, PROGRESS_WINDOWS_MAX + 4);
	assert_int_equal(a.n_windows, PROGRESS_WINDOWS_MAX);
	for (int i = 0; i < PROGRESS_WINDOWS_MAX + 4; i++)
		assert_int_equal(progress_access_covers(&a, 10 * i + 1), i >= 4);
}

/* The joined windows cover what the given ones do, at every time. */
static void test_joining_changes_no_answer(void **state)
{
	for (unsigned seed = 1; seed <= 200; seed++) {
		struct grant_window windows[PROGRESS_WINDOWS_MAX];
		struct progress_access a;
		int64_t start = 0;

		srand(seed);
		for (int i = 0; i < PROGRESS_WINDOWS_MAX; i++) {
			start += rand() % 10;
			windows[i] = (struct grant_window){start, start + 1 + rand() % 20};
		}
		set(&a, windows, PROGRESS_WINDOWS_MAX);
		for (int64_t t = 0; t < 120; t++) {
			bool covered = false;
			for (int i = 0; i < PROGRESS_WINDOWS_MAX; i++)
				covered |= t >= windows[i].start_us && t < windows[i].end_us;
			assert_int_equal(progress_access_covers(&a, t), covered);
		}
	}
}

static void test_cache(void **state)
{
	const struct grant_window window = {1, 2};
	struct cache *cache = cache_new(1 << 20);
	struct progress_access a;
	const int64_t key[] = {7, 9};

	assert_false(progress_access_cached(cache, 7, 9, &a));
	set(&a, &window, 1);
	a.enrolled = true;
	a.epoch = 3;
	assert_true(cache_put(cache, span_of(key, sizeof(key)), span_of(&a, sizeof(a)), 0,
			      cache_generation(cache, span_of(key, sizeof(key)))));
	memset(&a, 0, sizeof(a));
	assert_true(progress_access_cached(cache, 7, 9, &a));
	assert_true(a.enrolled);
	assert_int_equal(a.epoch, 3);
	assert_true(progress_access_covers(&a, 1));
	assert_false(progress_access_cached(cache, 9, 7, &a));
	progress_access_invalidate(cache, 7, 9);
	assert_false(progress_access_cached(cache, 7, 9, &a));
	cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows_are_half_open),
		cmocka_unit_test(test_nothing_covers_nothing),
		cmocka_unit_test(test_windows_that_meet_are_joined),
		cmocka_unit_test(test_access_that_lasts_is_kept),
		cmocka_unit_test(test_the_newest_are_kept),
		cmocka_unit_test(test_joining_changes_no_answer),
		cmocka_unit_test(test_cache),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
