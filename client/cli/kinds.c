/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/kinds.h"

#include <stdio.h>
#include <string.h>

#include "client/cli/names.h"

/* --- messages --- */

bool kind_is_money(const ProtobufCMessageDescriptor *desc)
{
	return strcmp(desc->short_name, "Money") == 0 && desc->n_fields == 2 &&
	       protobuf_c_message_descriptor_get_field_by_name(desc, "currency_code") &&
	       protobuf_c_message_descriptor_get_field_by_name(desc, "minor_units");
}

bool kind_is_timestamp(const ProtobufCMessageDescriptor *desc)
{
	return strcmp(desc->name, "google.protobuf.Timestamp") == 0;
}

bool kind_is_duration(const ProtobufCMessageDescriptor *desc)
{
	return strcmp(desc->name, "google.protobuf.Duration") == 0;
}

bool kind_is_mask(const ProtobufCMessageDescriptor *desc)
{
	return strcmp(desc->name, "google.protobuf.FieldMask") == 0;
}

bool kind_has_text(const ProtobufCMessageDescriptor *desc)
{
	return kind_is_money(desc) || kind_is_timestamp(desc) || kind_is_duration(desc) || kind_is_mask(desc);
}

/* --- fields --- */

bool kind_name_ends(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n >= m && strcmp(name + n - m, end) == 0;
}

bool kind_is_basis_points(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_INT32 && kind_name_ends(field->name, "basis_points");
}

bool kind_is_hundredths(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_INT32 && kind_name_ends(field->name, "_hundredths");
}

bool kind_is_coverage(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_FIXED64 && kind_name_ends(field->name, "coverage");
}

const char *kind_shown_name(const ProtobufCFieldDescriptor *field, struct arena *arena)
{
	const char *suffix = kind_is_hundredths(field) ? "_hundredths" : "_basis_points", *name = NULL;

	if ((kind_is_basis_points(field) || kind_is_hundredths(field)) && kind_name_ends(field->name, suffix))
		name = arena_strndup(arena, field->name, strlen(field->name) - strlen(suffix));
	return name ? name : field->name;
}

static bool is_whole_number(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_INT32 || field->type == PROTOBUF_C_TYPE_INT64;
}

bool kind_is_limit(const ProtobufCFieldDescriptor *field)
{
	return is_whole_number(field) && kind_name_ends(field->name, "_limit");
}

bool kind_is_plan(const ProtobufCFieldDescriptor *field)
{
	return is_whole_number(field) && strncmp(field->name, "planned_", 8) == 0;
}

bool kind_is_seconds(const ProtobufCFieldDescriptor *field)
{
	return is_whole_number(field) && kind_name_ends(field->name, "_seconds");
}

bool kind_is_milliseconds(const ProtobufCFieldDescriptor *field)
{
	return is_whole_number(field) && kind_name_ends(field->name, "_ms");
}

bool kind_is_amount(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_BOOL:
		return false;
	case PROTOBUF_C_TYPE_MESSAGE:
		return field->label != PROTOBUF_C_LABEL_REPEATED && kind_is_money(field->descriptor);
	default:
		return field->label != PROTOBUF_C_LABEL_REPEATED && !kind_is_coverage(field);
	}
}

/* --- enums --- */

const char *kind_enum_strip(const ProtobufCEnumDescriptor *desc, const char *name)
{
	char prefix[NAME_SIZE];

	name_upper_snake(desc->short_name, prefix);
	size_t n = strlen(prefix);
	return strncmp(name, prefix, n) == 0 && name[n] == '_' ? name + n + 1 : name;
}

/* The name of an enum's value without the enum's own, in lower case: "video". */
void kind_enum_short(const ProtobufCEnumDescriptor *desc, const char *name, char *out, size_t size)
{
	char kebab[NAME_SIZE];

	name_kebab(kind_enum_strip(desc, name), kebab);
	snprintf(out, size, "%s", kebab);
}
