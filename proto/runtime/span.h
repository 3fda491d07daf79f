/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_SPAN_H
#define RUNTIME_SPAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A run of bytes somebody else owns. */
struct span {
	const uint8_t *data; /* may be NULL when len is 0 */
	size_t len;
};

static inline struct span span_of(const void *data, size_t len)
{
	return (struct span){.data = data, .len = len};
}

/* The bytes of a string without its NUL; NULL is the empty span. */
static inline struct span span_str(const char *s)
{
	return span_of(s, s ? strlen(s) : 0);
}

#endif
