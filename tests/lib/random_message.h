/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_RANDOM_MESSAGE_H
#define TESTS_RANDOM_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/runtime/arena.h"

/* A small generator of its own, so that a seed means the same everywhere (splitmix64). */
struct random {
	uint64_t state;
};

uint64_t random_next(struct random *r);

/* 0 to n - 1; n must not be 0. */
uint64_t random_below(struct random *r, uint64_t n);

/*
 * A valid message of any type with about half its fields set, edge values among them, nested at most `depth`
 * deep. Timestamps, durations and masks are such that JSON can show them; map keys are distinct. The arena
 * must suffice.
 */
ProtobufCMessage *random_message(struct random *r, const ProtobufCMessageDescriptor *desc, unsigned depth,
				 struct arena *arena);

/* Field by field; floats by their bits, strings NULL as empty, maps in any order. Unknown fields are not
 * compared. */
bool message_equal(const ProtobufCMessage *a, const ProtobufCMessage *b);

#endif
