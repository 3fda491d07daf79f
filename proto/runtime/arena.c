/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
/* Bytes left poisoned after each allocation, so that running off its end is seen. */
enum { ARENA_REDZONE = 16 };
#define ARENA_POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define ARENA_UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
enum { ARENA_REDZONE = 0 };
#define ARENA_POISON(p, n) ((void)(p), (void)(n))
#define ARENA_UNPOISON(p, n) ((void)(p), (void)(n))
#endif

enum {
	ARENA_ALIGN = alignof(max_align_t),
	ARENA_BLOCK_MAX = 256 * 1024,
};

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	alignas(max_align_t) unsigned char data[];
};

static void *allocator_alloc(void *data, size_t size)
{
	return arena_alloc(data, size);
}

static void allocator_free(void *data, void *pointer)
{
}

void arena_init(struct arena *a, size_t cap)
{
	*a = (struct arena){.cap = cap};
	a->allocator = (ProtobufCAllocator){
		.alloc = allocator_alloc,
		.free = allocator_free,
		.allocator_data = a,
	};
}

void arena_share(struct arena *a, struct budget *budget)
{
	a->budget = budget;
}

static void blocks_free(struct arena *a, struct arena_block *block)
{
	while (block) {
		struct arena_block *next = block->next;

		if (a->budget)
			budget_give(a->budget, sizeof(*block) + block->size);
		ARENA_UNPOISON(block->data, block->size);
		free(block);
		block = next;
	}
}

void arena_reset(struct arena *a)
{
	if (a->first) {
		blocks_free(a, a->first->next);
		a->first->next = NULL;
		a->first->used = 0;
		ARENA_POISON(a->first->data, a->first->size);
	}
	a->current = a->first;
	a->used = 0;
	a->exhausted = a->starved = false;
}

void arena_done(struct arena *a)
{
	blocks_free(a, a->first);
	a->first = a->current = NULL;
	a->used = 0;
	a->exhausted = a->starved = false;
}

static struct arena_block *block_new(struct arena *a, size_t bytes)
{
	struct arena_block *block = NULL;

	if (!a->budget || budget_take(a->budget, bytes)) {
		block = malloc(bytes);
		if (!block && a->budget)
			budget_give(a->budget, bytes);
	}
	a->starved |= !block;
	return block;
}

/* Blocks double, so that their number stays small, and are larger only for one large allocation. */
static struct arena_block *block_append(struct arena *a, size_t need)
{
	size_t size = a->current ? a->current->size * 2 : ARENA_FIRST_BLOCK;

	if (size > ARENA_BLOCK_MAX)
		size = ARENA_BLOCK_MAX;
	if (size < need)
		size = need;
	struct arena_block *block = block_new(a, sizeof(*block) + size);
	if (!block)
		return NULL;
	block->next = NULL;
	block->used = 0;
	block->size = size;
	ARENA_POISON(block->data, block->size);
	if (a->current)
		a->current->next = block;
	else
		a->first = block;
	a->current = block;
	return block;
}

/* The cap counts whole units of alignment, so that a flood of tiny allocations meets it too. */
void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *block = a->current;

	if (size > SIZE_MAX / 2)
		goto refuse;
	/* Two allocations never share an address, not even of 0 bytes. */
	size_t charge = ((size ? size : 1) + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (charge > a->cap - a->used)
		goto refuse;
	if (!block || charge + ARENA_REDZONE > block->size - block->used)
		block = block_append(a, charge + ARENA_REDZONE);
	if (!block)
		goto refuse;
	void *p = block->data + block->used;
	block->used += charge + ARENA_REDZONE;
	a->used += charge;
	ARENA_UNPOISON(p, size);
	return p;
refuse:
	a->exhausted = true;
	return NULL;
}

void *arena_zalloc(struct arena *a, size_t size)
{
	void *p = arena_alloc(a, size);

	return p ? memset(p, 0, size) : NULL;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		a->exhausted = true;
		return NULL;
	}
	return arena_zalloc(a, bytes);
}

void *arena_memdup(struct arena *a, const void *data, size_t len)
{
	void *p = arena_alloc(a, len);

	if (p && len > 0)
		memcpy(p, data, len);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	len = strnlen(s, len);
	char *p = arena_alloc(a, len + 1);
	if (!p)
		return NULL;
	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list args, again;
	char *p = NULL;

	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	if (len >= 0)
		p = arena_alloc(a, (size_t)len + 1);
	if (p)
		vsnprintf(p, (size_t)len + 1, format, again);
	va_end(again);
	va_end(args);
	return p;
}

ProtobufCAllocator *arena_allocator(struct arena *a)
{
	return &a->allocator;
}
