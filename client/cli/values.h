/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"

/* One value as people write and read it, against the type of its field. */

/*
 * Text to proto3 JSON; one element of a repeated field. `text` NULL: the flag stood without a value.
 * FIELD_INVALID names `flag`. The caller owns *ret.
 */
int value_parse(const ProtobufCFieldDescriptor *field, const char *flag, const char *text, json_t **ret,
		struct error *err) __attribute__((warn_unused_result));

/* What a value of this field looks like, for help: "TEXT", "video|text|quiz", "TIME". In the arena. */
const char *value_shape(const ProtobufCFieldDescriptor *field, struct arena *arena);

/* A member of a message as people read it, repeated ones joined; "" when it is not set. In the arena. */
const char *value_text(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
		       struct arena *arena);

/* True for the messages that have a text of their own: Timestamp, Duration, FieldMask, Money. */
bool value_is_special(const ProtobufCMessageDescriptor *desc);

/* A singular message member, or NULL. */
const ProtobufCMessage *value_message(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* A repeated message member: its elements, and how many. */
ProtobufCMessage *const *value_messages(const ProtobufCMessage *message,
					const ProtobufCFieldDescriptor *field, size_t *n);

#endif
