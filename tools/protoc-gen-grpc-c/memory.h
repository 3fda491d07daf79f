/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_MEMORY_H
#define GEN_MEMORY_H

#include <stdio.h>
#include <stdlib.h>

#include "proto/runtime/arena.h"

/* The generator lives in one arena and gives up when memory runs out. */

static inline void *gen_must(void *p)
{
	if (!p) {
		fputs("protoc-gen-grpc-c: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	return p;
}

static inline void *gen_alloc(struct arena *a, size_t size)
{
	return gen_must(arena_zalloc(a, size));
}

static inline void *gen_array(struct arena *a, size_t n, size_t size)
{
	return gen_must(arena_array(a, n ? n : 1, size));
}

static inline char *gen_strndup(struct arena *a, const char *s, size_t len)
{
	return gen_must(arena_strndup(a, s, len));
}

#define gen_printf(a, ...) ((char *)gen_must(arena_printf((a), __VA_ARGS__)))

#endif
