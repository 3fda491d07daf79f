/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_WIRE_H
#define RUNTIME_WIRE_H

#include <protobuf-c/protobuf-c.h>

#include "proto/runtime/error.h"
#include "proto/runtime/span.h"

/* Limits of one message; wire_limits_default are the contract's. */
struct wire_limits {
	size_t bytes;    /* of the whole message */
	unsigned depth;  /* nested messages */
	unsigned fields; /* all fields of all nested messages, unknown ones included, packed elements counted
			    each */
};

extern const struct wire_limits wire_limits_default; /* 4 MiB, 16, 20,000 */

/*
 * One pass over the bytes of a message, driven by its descriptor, before protobuf-c sees them: refuses what
 * protobuf-c 1.4 accepts or crashes on (embedded NUL and invalid UTF-8 in strings, nesting without end, field
 * floods, groups, truncated or overlong varints, field number 0). Unknown fields are skipped, counted, and
 * nothing more. Allocates nothing. Returns 0, -STATUS_INVALID_ARGUMENT or -STATUS_RESOURCE_EXHAUSTED; the
 * message names the field.
 */
int wire_scan(const ProtobufCMessageDescriptor *desc, struct span bytes, const struct wire_limits *limits,
	      struct error *err) __attribute__((warn_unused_result));

/* The first of wire_scan()'s checks alone: MESSAGE_TOO_LARGE for more bytes than are taken. */
int wire_check_size(size_t len, const struct wire_limits *limits, struct error *err)
	__attribute__((warn_unused_result));

#endif
