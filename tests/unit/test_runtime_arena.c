/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "proto/runtime/arena.h"

static void test_gives_aligned_memory_that_does_not_overlap(void **state)
{
	struct arena a;
	char *p[200];

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < 200; i++) {
		p[i] = arena_alloc(&a, i);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
		memset(p[i], (int)i, i);
	}
	for (size_t i = 0; i < 200; i++) {
		for (size_t j = 0; j < i; j++)
			assert_int_equal((unsigned char)p[i][j], i);
	}
	arena_done(&a);
}

static void test_allocations_of_nothing_differ(void **state)
{
	struct arena a;

	arena_init(&a, 1024);
	assert_ptr_not_equal(arena_alloc(&a, 0), arena_alloc(&a, 0));
	arena_done(&a);
}

static void test_arenas_share_a_budget(void **state)
{
	struct budget budget = {.max = 24 * 1024};
	struct arena a, b;

	arena_init(&a, 1 << 20);
	arena_share(&a, &budget);
	arena_init(&b, 1 << 20);
	arena_share(&b, &budget);
	assert_non_null(arena_alloc(&a, 1000));
	assert_non_null(arena_alloc(&b, 1000));
	assert_non_null(arena_alloc(&b, 1000));
	/* 8 KiB each; 16 more are not there, whoever asks. */
	assert_null(arena_alloc(&b, 16 * 1024));
	assert_true(b.exhausted && b.starved && !a.starved);
	assert_false(budget_spent(&budget));
	arena_done(&a);
	arena_reset(&b);
	assert_false(b.exhausted || b.starved);
	assert_non_null(arena_alloc(&b, 4 * 1024));
	assert_null(arena_alloc(&b, (1 << 20) + 1));
	assert_true(b.exhausted && !b.starved);
	arena_done(&b);
	assert_int_equal(budget.used, 0);
}

static void test_refuses_over_the_cap_and_says_so(void **state)
{
	volatile size_t huge = SIZE_MAX; /* out of the compiler's sight, which refuses it */
	struct arena a;

	arena_init(&a, 4096);
	assert_non_null(arena_alloc(&a, 4096));
	assert_false(a.exhausted);
	assert_null(arena_alloc(&a, 1));
	assert_true(a.exhausted);
	arena_reset(&a);
	assert_false(a.exhausted);
	assert_null(arena_alloc(&a, 4097));
	assert_null(arena_alloc(&a, huge));
	assert_null(arena_alloc(&a, huge - 8));
	assert_non_null(arena_alloc(&a, 1));
	arena_done(&a);
}

/* A message of many tiny parts must not take more memory than the cap says. */
static void test_counts_tiny_allocations_as_the_memory_they_take(void **state)
{
	struct arena a;
	unsigned n = 0;

	arena_init(&a, 16 * 100);
	while (arena_alloc(&a, 1))
		n++;
	assert_int_equal(n, 100);
	arena_done(&a);
}

static void test_reset_keeps_the_first_block_and_starts_anew(void **state)
{
	struct arena a;
	struct arena_block *first;

	arena_init(&a, 1 << 20);
	assert_non_null(arena_alloc(&a, 10));
	first = a.first;
	assert_non_null(arena_alloc(&a, 500000));
	assert_ptr_not_equal(a.current, first);
	arena_reset(&a);
	assert_ptr_equal(a.first, first);
	assert_ptr_equal(a.current, first);
	assert_int_equal(a.used, 0);
	assert_non_null(arena_alloc(&a, 1 << 20));
	arena_done(&a);
	assert_null(a.first);
}

static void test_arrays_are_cleared_and_do_not_overflow(void **state)
{
	struct arena a;
	unsigned char *p;

	arena_init(&a, 1 << 20);
	memset(arena_alloc(&a, 5000), 0xff, 5000);
	arena_reset(&a);
	p = arena_array(&a, 100, 50);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(p[i], 0);
	assert_null(arena_array(&a, SIZE_MAX / 2, 4));
	assert_true(a.exhausted);
	arena_done(&a);
}

static void test_copies_and_prints(void **state)
{
	struct arena a;

	arena_init(&a, 1 << 16);
	assert_string_equal(arena_strdup(&a, "course"), "course");
	assert_string_equal(arena_strndup(&a, "course", 3), "cou");
	assert_string_equal(arena_strndup(&a, "co", 30), "co");
	assert_string_equal(arena_printf(&a, "%s-%d", "a", 7), "a-7");
	assert_memory_equal(arena_memdup(&a, "\0\1\2", 3), "\0\1\2", 3);
	arena_done(&a);
}

static void test_print_fails_over_the_cap(void **state)
{
	struct arena a;

	arena_init(&a, 16);
	assert_null(arena_printf(&a, "%100d", 1));
	assert_true(a.exhausted);
	arena_done(&a);
}

static void test_allocator_is_the_arena(void **state)
{
	ProtobufCAllocator *allocator;
	struct arena a;
	void *p;

	arena_init(&a, 1024);
	allocator = arena_allocator(&a);
	p = allocator->alloc(allocator->allocator_data, 1000);
	assert_non_null(p);
	allocator->free(allocator->allocator_data, p);
	assert_null(allocator->alloc(allocator->allocator_data, 1000));
	assert_true(a.exhausted);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_aligned_memory_that_does_not_overlap),
		cmocka_unit_test(test_allocations_of_nothing_differ),
		cmocka_unit_test(test_refuses_over_the_cap_and_says_so),
		cmocka_unit_test(test_arenas_share_a_budget),
		cmocka_unit_test(test_counts_tiny_allocations_as_the_memory_they_take),
		cmocka_unit_test(test_reset_keeps_the_first_block_and_starts_anew),
		cmocka_unit_test(test_arrays_are_cleared_and_do_not_overflow),
		cmocka_unit_test(test_copies_and_prints),
		cmocka_unit_test(test_print_fails_over_the_cap),
		cmocka_unit_test(test_allocator_is_the_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
