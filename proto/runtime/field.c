/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/field.h"

#include <string.h>

size_t field_value_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	default:
		return 4;
	}
}

bool field_value_is_zero(const ProtobufCFieldDescriptor *field, const void *value)
{
	static const char zero[8];

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return !*(char *const *)value || !**(char *const *)value;
	case PROTOBUF_C_TYPE_MESSAGE:
		return !*(ProtobufCMessage *const *)value;
	case PROTOBUF_C_TYPE_BYTES:
		return ((const ProtobufCBinaryData *)value)->len == 0;
	default:
		return memcmp(value, zero, field_value_size(field->type)) == 0;
	}
}

bool field_is_set(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return field_count(field, message) > 0;
	if (field_in_oneof(field))
		return field_oneof_case(field, message) == field->id;
	if (field_has_flag(field))
		return *(const protobuf_c_boolean *)field_member(message, field->quantifier_offset);
	return field->label == PROTOBUF_C_LABEL_REQUIRED ||
	       !field_value_is_zero(field, field_member(message, field->offset));
}

/* protoc names the entry of the map `foo_bar` of message M "M.FooBarEntry". */
static bool has_entry_name(const ProtobufCMessageDescriptor *owner, const ProtobufCFieldDescriptor *field)
{
	const char *name = ((const ProtobufCMessageDescriptor *)field->descriptor)->name;
	size_t len = strlen(owner->name);
	bool upper = true;

	if (strncmp(name, owner->name, len) != 0 || name[len] != '.')
		return false;
	name += len + 1;
	for (const char *p = field->name; *p; p++) {
		char c = upper && *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;

		upper = *p == '_';
		if (!upper && *name++ != c)
			return false;
	}
	return strcmp(name, "Entry") == 0;
}

static bool may_be_key(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return false;
	default:
		return field->id == 1 && strcmp(field->name, "key") == 0 &&
		       field->label != PROTOBUF_C_LABEL_REPEATED;
	}
}

static bool may_be_value(const ProtobufCFieldDescriptor *field)
{
	return field->id == 2 && strcmp(field->name, "value") == 0 &&
	       field->label != PROTOBUF_C_LABEL_REPEATED;
}

bool field_is_map(const ProtobufCMessageDescriptor *owner, const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *entry = field->descriptor;

	return field->label == PROTOBUF_C_LABEL_REPEATED && field->type == PROTOBUF_C_TYPE_MESSAGE &&
	       entry->n_fields == 2 && may_be_key(&entry->fields[0]) && may_be_value(&entry->fields[1]) &&
	       has_entry_name(owner, field);
}
