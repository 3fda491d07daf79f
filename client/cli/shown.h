/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SHOWN_H
#define CLI_SHOWN_H

#include <protobuf-c/protobuf-c.h>

#include "proto/runtime/arena.h"

/* What came, as people read it. */

/*
 * A member of a message, repeated ones joined; "" when it is not set. In the arena. A message is the values
 * of its members. By name, basis points are a percentage and coverage, 64 slices of something, is a bar.
 */
const char *shown_text(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
		       struct arena *arena);

/* One element of such a member, a message. */
const char *shown_element(const ProtobufCMessage *element, struct arena *arena);

/* A singular message member, or NULL. */
const ProtobufCMessage *shown_message(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* A repeated message member: its elements, and how many. */
ProtobufCMessage *const *shown_list(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
				    size_t *n);

#endif
