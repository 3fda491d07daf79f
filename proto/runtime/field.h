/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_FIELD_H
#define RUNTIME_FIELD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

/* Reading and writing the members of any message by its descriptor. */

/* The bytes that one value of the type takes in a C struct or array. */
size_t field_value_size(ProtobufCType type);

/* The member at an offset of the message. */
static inline void *field_member(const ProtobufCMessage *message, unsigned offset)
{
	return (char *)message + offset;
}

/* Items of a repeated field, and where they begin (NULL when there are none). */
static inline size_t field_count(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	return *(const size_t *)field_member(message, field->quantifier_offset);
}

static inline char *field_items(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	return *(char **)field_member(message, field->offset);
}

static inline bool field_in_oneof(const ProtobufCFieldDescriptor *field)
{
	return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

/* True for members of one oneof, the same member included. */
static inline bool field_same_oneof(const ProtobufCFieldDescriptor *a, const ProtobufCFieldDescriptor *b)
{
	return field_in_oneof(a) && field_in_oneof(b) && a->quantifier_offset == b->quantifier_offset;
}

/* The number of the oneof member that is set, 0 for none. The field must be in a oneof. */
static inline unsigned field_oneof_case(const ProtobufCFieldDescriptor *field,
					const ProtobufCMessage *message)
{
	return *(const unsigned *)field_member(message, field->quantifier_offset);
}

/* True for a scalar of proto2 that has a has_ member. */
static inline bool field_has_flag(const ProtobufCFieldDescriptor *field)
{
	return field->label == PROTOBUF_C_LABEL_OPTIONAL && !field_in_oneof(field) &&
	       field->quantifier_offset != 0;
}

/* True for a string or bytes without content, a message that is not there, a number of zero bits. */
bool field_value_is_zero(const ProtobufCFieldDescriptor *field, const void *value);

/* True when the field would be sent: not empty, or present where presence is kept. */
bool field_is_set(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message);

/*
 * True for a map field of the message `owner`. Descriptors of protobuf-c do not say so: a map is told by its
 * entry, which protoc names after the field, nests in the owner and gives the fields key = 1 and value = 2. A
 * message written by hand that has all of these is taken for one, and means the same on the wire.
 */
bool field_is_map(const ProtobufCMessageDescriptor *owner, const ProtobufCFieldDescriptor *field);

#endif
