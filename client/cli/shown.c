/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/shown.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/kinds.h"
#include "client/cli/names.h"
#include "proto/runtime/field.h"
#include "proto/runtime/json.h"
#include "proto/runtime/json_form.h"
#include "proto/runtime/money.h"

const ProtobufCMessage *shown_message(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	if (field->type != PROTOBUF_C_TYPE_MESSAGE || field->label == PROTOBUF_C_LABEL_REPEATED ||
	    !field_is_set(field, message))
		return NULL;
	return *(ProtobufCMessage *const *)field_member(message, field->offset);
}

ProtobufCMessage *const *shown_list(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
				    size_t *n)
{
	bool repeated = field->type == PROTOBUF_C_TYPE_MESSAGE && field->label == PROTOBUF_C_LABEL_REPEATED;

	*n = repeated ? field_count(field, message) : 0;
	return repeated ? (ProtobufCMessage *const *)field_items(field, message) : NULL;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* As the JSON mapping writes it, without quotes, and times to the second. */
static const char *text_json(const ProtobufCMessage *message, struct arena *arena)
{
	struct error err;
	json_t *json;

	if (json_from_message(message, false, &json, &err) < 0)
		return "";
	const char *text = json_is_string(json) ? json_string_value(json) : "";
	const char *fraction = kind_is_timestamp(message->descriptor) ? strchr(text, '.') : NULL;
	const char *ret = fraction ? arena_printf(arena, "%.*sZ", (int)(fraction - text), text)
				   : arena_strdup(arena, text);
	json_decref(json);
	return or_empty(ret);
}

static const char *text_money(const ProtobufCMessage *message, struct arena *arena)
{
	const ProtobufCMessageDescriptor *desc = message->descriptor;
	const ProtobufCFieldDescriptor *code =
		protobuf_c_message_descriptor_get_field_by_name(desc, "currency_code");
	const ProtobufCFieldDescriptor *units =
		protobuf_c_message_descriptor_get_field_by_name(desc, "minor_units");
	const char *currency = *(char *const *)field_member(message, code->offset);
	const int64_t number = *(const int64_t *)field_member(message, units->offset);
	char out[64];

	if (strcmp(currency, CURRENCY_NONE) == 0)
		return or_empty(arena_printf(arena, "%lld", (long long)number));
	money_format(currency, number, out, sizeof(out));
	return or_empty(arena_strdup(arena, out));
}

/* "name=value name=value"; a message of one field is that field's value. */
static const char *text_members(const ProtobufCMessage *message, struct arena *arena)
{
	const ProtobufCMessageDescriptor *desc = message->descriptor;
	const char *out = "";

	if (desc->n_fields == 0)
		return "yes";
	if (desc->n_fields == 1)
		return shown_text(message, &desc->fields[0], arena);
	for (unsigned i = 0; i < desc->n_fields; i++) {
		const char *text = shown_text(message, &desc->fields[i], arena);
		if (*text)
			out = or_empty(arena_printf(arena, "%s%s%s=%s", out, *out ? " " : "",
						    kind_shown_name(&desc->fields[i], arena), text));
	}
	return out;
}

static const char *text_message(const ProtobufCMessage *message, struct arena *arena)
{
	if (kind_is_money(message->descriptor))
		return text_money(message, arena);
	if (kind_has_text(message->descriptor))
		return text_json(message, arena);
	return text_members(message, arena);
}

static const char *text_enum(const ProtobufCEnumDescriptor *desc, int number, struct arena *arena)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(desc, number);
	char out[NAME_SIZE];

	if (!value)
		return or_empty(arena_printf(arena, "%d", number));
	kind_enum_short(desc, value->name, out, sizeof(out));
	return or_empty(arena_strdup(arena, out));
}

enum { BYTES_SHOWN_MAX = 64 /* a hash, and no file */ };

/* A few as flags take them; of many, how many they are. */
static const char *text_bytes(const ProtobufCBinaryData *data, struct arena *arena)
{
	char *text = data->len <= BYTES_SHOWN_MAX ? arena_alloc(arena, json_base64_size(data->len)) : NULL;

	if (!text)
		return or_empty(arena_printf(arena, "%zu bytes", data->len));
	json_base64_write(span_of(data->data, data->len), text);
	return text;
}

/* Hundredths of a percent: "87.5 %". */
static const char *text_basis_points(int32_t points, struct arena *arena)
{
	int whole = points / 100, rest = abs(points % 100);
	const char *sign = points < 0 && whole == 0 ? "-" : "";

	if (rest == 0)
		return or_empty(arena_printf(arena, "%d %%", whole));
	if (rest % 10 == 0)
		return or_empty(arena_printf(arena, "%s%d.%d %%", sign, whole, rest / 10));
	return or_empty(arena_printf(arena, "%s%d.%02d %%", sign, whole, rest));
}

/* "4.37" */
static const char *text_hundredths(int32_t number, struct arena *arena)
{
	const char *sign = number < 0 && number > -100 ? "-" : "";

	return or_empty(arena_printf(arena, "%s%d.%02d", sign, number / 100, abs(number % 100)));
}

/* A medium from its beginning to its end, four of its 64 slices a character, and how many were watched. */
static const char *text_coverage(uint64_t coverage, struct arena *arena)
{
	char bar[17] = "";

	if (coverage == 0)
		return "";
	for (unsigned i = 0; i < 16; i++) {
		unsigned four = coverage >> (4 * i) & 0xF;
		bar[i] = four == 0xF ? '#' : four ? '+' : '.';
	}
	return or_empty(arena_printf(arena, "[%s] %d/64", bar, __builtin_popcountll(coverage)));
}

static const char *text_value(const ProtobufCFieldDescriptor *field, const void *value, struct arena *arena)
{
	if (kind_is_basis_points(field))
		return text_basis_points(*(const int32_t *)value, arena);
	if (kind_is_hundredths(field))
		return text_hundredths(*(const int32_t *)value, arena);
	if (kind_is_coverage(field))
		return text_coverage(*(const uint64_t *)value, arena);
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return or_empty(arena_printf(arena, "%d", *(const int32_t *)value));
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return or_empty(arena_printf(arena, "%u", *(const uint32_t *)value));
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return or_empty(arena_printf(arena, "%lld", (long long)*(const int64_t *)value));
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return or_empty(arena_printf(arena, "%llu", (unsigned long long)*(const uint64_t *)value));
	case PROTOBUF_C_TYPE_FLOAT:
		return or_empty(arena_printf(arena, "%g", (double)*(const float *)value));
	case PROTOBUF_C_TYPE_DOUBLE:
		return or_empty(arena_printf(arena, "%g", *(const double *)value));
	case PROTOBUF_C_TYPE_BOOL:
		return *(const protobuf_c_boolean *)value ? "yes" : "no";
	case PROTOBUF_C_TYPE_ENUM:
		return text_enum(field->descriptor, *(const int *)value, arena);
	case PROTOBUF_C_TYPE_STRING:
		return or_empty(*(char *const *)value);
	case PROTOBUF_C_TYPE_BYTES:
		return text_bytes(value, arena);
	case PROTOBUF_C_TYPE_MESSAGE:
		return text_message(*(ProtobufCMessage *const *)value, arena);
	}
	return "";
}

/* A number that is not sent is 0, and that says something; a text, a name or a plan says nothing then. */
static bool zero_is_said(const ProtobufCFieldDescriptor *field)
{
	return field->label != PROTOBUF_C_LABEL_REPEATED && !field_in_oneof(field) && !kind_is_plan(field) &&
	       field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_BYTES &&
	       field->type != PROTOBUF_C_TYPE_ENUM && field->type != PROTOBUF_C_TYPE_MESSAGE;
}

const char *shown_text(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
		       struct arena *arena)
{
	const char *out = "";

	if (!field_is_set(field, message) && !zero_is_said(field))
		return "";
	if (!field_is_set(field, message) && kind_is_limit(field))
		return "none";
	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return text_value(field, field_member(message, field->offset), arena);
	for (size_t i = 0; i < field_count(field, message); i++) {
		const char *item = text_value(
			field, field_items(field, message) + i * field_value_size(field->type), arena);
		out = or_empty(arena_printf(arena, "%s%s%s", out, i > 0 ? ", " : "", item));
	}
	return out;
}

const char *shown_element(const ProtobufCMessage *element, struct arena *arena)
{
	return text_message(element, arena);
}
