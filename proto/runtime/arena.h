/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_ARENA_H
#define RUNTIME_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "proto/runtime/budget.h"
#include "proto/runtime/span.h"

/*
 * A capped bump allocator: everything one call allocates, freed at once. Memory is valid until the arena is
 * reset or done; nothing outlives the call without a copy. Under AddressSanitizer what is not allocated is
 * poisoned.
 *
 * Not thread-safe: one thread at a time, which is what a call's life gives.
 */
struct arena_block;

/* Bytes of the block that arena_reset() keeps; holds a usual call: request, reply, a few strings. */
enum { ARENA_FIRST_BLOCK = 8 * 1024 };

struct arena {
	struct arena_block *first, *current;
	size_t used, cap;      /* bytes handed out, and the most that may be */
	bool exhausted;        /* an allocation was refused since the last reset */
	bool starved;          /* and not by the cap: the shared budget, or the system, had no more */
	struct budget *budget; /* what its blocks are taken from; NULL: of nobody's */
	ProtobufCAllocator allocator;
};

/* Readies an arena that hands out at most `cap` bytes. Allocates nothing until asked. */
void arena_init(struct arena *a, size_t cap);

/* Takes its blocks from a budget that it shares with others, and that must outlive it; right after
 * arena_init(). */
void arena_share(struct arena *a, struct budget *budget);

/* Forgets every allocation; keeps the first block for the next call. */
void arena_reset(struct arena *a);

/* Frees everything. */
void arena_done(struct arena *a);

/* `size` bytes aligned for any type, not cleared. NULL when the cap or memory is exhausted; `a->exhausted` is
 * then true. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, alloc_size(2), warn_unused_result));

/* The same, cleared. */
void *arena_zalloc(struct arena *a, size_t size) __attribute__((malloc, alloc_size(2), warn_unused_result));

/* A cleared array; NULL also when the product overflows. */
void *arena_array(struct arena *a, size_t n, size_t size) __attribute__((warn_unused_result));

/* Copies; NULL when exhausted. The string functions add a NUL. */
void *arena_memdup(struct arena *a, const void *data, size_t len) __attribute__((warn_unused_result));
char *arena_strdup(struct arena *a, const char *s) __attribute__((warn_unused_result));
char *arena_strndup(struct arena *a, const char *s, size_t len) __attribute__((warn_unused_result));
char *arena_printf(struct arena *a, const char *format, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));

/* The arena as protobuf-c takes it: its free does nothing. The pointer lives as long as the arena. */
ProtobufCAllocator *arena_allocator(struct arena *a);

#endif
