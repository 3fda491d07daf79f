/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "proto/runtime/codec.h"
#include "proto/runtime/field.h"
#include "proto/runtime/json.h"
#include "proto/runtime/json_form.h"
#include "proto/runtime/path.h"

struct reader {
	struct arena *arena;
	struct error *err;
	struct path path;
	unsigned depth;
};

/* A whole number before it is known to fit: -18446744073709551615 to 18446744073709551615. */
struct whole {
	bool negative;
	uint64_t magnitude;
};

#define refuse(r, ...) error_field((r)->err, (r)->path.len ? (r)->path.text : "message", __VA_ARGS__)

/* The text of a JSON string; NULL of anything else, and of text with U+0000, which no C string holds. */
static const char *text_of(const json_t *json)
{
	const char *text = json_string_value(json);

	return text && strlen(text) == json_string_length(json) ? text : NULL;
}

/* ---- Numbers ---- */

static bool whole_from_digits(const char *text, struct whole *ret)
{
	*ret = (struct whole){.negative = *text == '-'};
	text += ret->negative;
	if (!*text || (text[0] == '0' && text[1]))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' ||
		    __builtin_mul_overflow(ret->magnitude, UINT64_C(10), &ret->magnitude) ||
		    __builtin_add_overflow(ret->magnitude, (uint64_t)(*text - '0'), &ret->magnitude))
			return false;
	}
	return true;
}

static bool whole_from_real(double value, struct whole *ret)
{
	*ret = (struct whole){.negative = value < 0};
	/* 2^64; NaN fails the comparison. */
	if (!(fabs(value) < 18446744073709551616.0) || value != trunc(value))
		return false;
	ret->magnitude = (uint64_t)fabs(value);
	return true;
}

static bool whole_from_json(const json_t *json, struct whole *ret)
{
	json_int_t value = json_integer_value(json);

	if (json_is_real(json))
		return whole_from_real(json_real_value(json), ret);
	if (!json_is_integer(json))
		return false;
	ret->negative = value < 0;
	ret->magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
	return true;
}

/* A number in a string is a JSON number; jansson reads it whatever the locale. */
static json_t *number_from_text(const json_t *json, size_t flags)
{
	return json_loadb(json_string_value(json), json_string_length(json), JSON_DECODE_ANY | flags, NULL);
}

static bool read_whole(const json_t *json, struct whole *ret)
{
	json_auto_t *number = NULL;

	if (!json_is_string(json))
		return whole_from_json(json, ret);
	if (text_of(json) && whole_from_digits(text_of(json), ret))
		return true;
	number = number_from_text(json, 0);
	return json_is_real(number) && whole_from_json(number, ret);
}

static int read_signed(struct reader *r, const json_t *json, int64_t min, int64_t max, int64_t *ret)
{
	uint64_t most_below = -(uint64_t)min;
	struct whole whole;

	if (!read_whole(json, &whole) || whole.magnitude > (whole.negative ? most_below : (uint64_t)max))
		return refuse(r, "must be a whole number from %" PRId64 " to %" PRId64, min, max);
	*ret = (int64_t)(whole.negative ? -whole.magnitude : whole.magnitude);
	return 0;
}

static int read_unsigned(struct reader *r, const json_t *json, uint64_t max, uint64_t *ret)
{
	struct whole whole;

	if (!read_whole(json, &whole) || whole.magnitude > (whole.negative ? 0 : max))
		return refuse(r, "must be a whole number from 0 to %" PRIu64, max);
	*ret = whole.magnitude;
	return 0;
}

static bool real_from_name(const char *text, double *ret)
{
	if (strcmp(text, "NaN") == 0)
		*ret = NAN;
	else if (strcmp(text, "Infinity") == 0)
		*ret = INFINITY;
	else if (strcmp(text, "-Infinity") == 0)
		*ret = -INFINITY;
	else
		return false;
	return true;
}

static int read_real(struct reader *r, const json_t *json, double *ret)
{
	json_auto_t *number = NULL;

	if (json_is_string(json)) {
		if (text_of(json) && real_from_name(text_of(json), ret))
			return 0;
		number = number_from_text(json, JSON_DECODE_INT_AS_REAL);
		json = number;
	}
	if (!json_is_number(json))
		return refuse(r, "must be a number, or \"NaN\", \"Infinity\" or \"-Infinity\"");
	*ret = json_number_value(json);
	return 0;
}

static int read_float(struct reader *r, const json_t *json, float *ret)
{
	double value;
	int res = read_real(r, json, &value);

	if (res < 0)
		return res;
	*ret = (float)value;
	if (isinf(*ret) && !isinf(value))
		return refuse(r, "must fit a 32-bit float");
	return 0;
}

/* ---- Single values ---- */

static int read_bool(struct reader *r, const json_t *json, protobuf_c_boolean *ret)
{
	if (!json_is_boolean(json))
		return refuse(r, "must be true or false");
	*ret = json_is_true(json);
	return 0;
}

static int read_enum(struct reader *r, const ProtobufCEnumDescriptor *desc, const json_t *json, int *ret)
{
	int64_t number;
	int res;

	if (!json_is_string(json)) {
		res = read_signed(r, json, INT32_MIN, INT32_MAX, &number);
		*ret = res < 0 ? 0 : (int)number;
		return res;
	}
	const ProtobufCEnumValue *known =
		text_of(json) ? protobuf_c_enum_descriptor_get_value_by_name(desc, text_of(json)) : NULL;
	if (!known)
		return refuse(r, "must be a value of %s, is '%s'", desc->name, json_string_value(json));
	*ret = known->value;
	return 0;
}

static int read_string(struct reader *r, const json_t *json, char **ret)
{
	if (!text_of(json))
		return refuse(r, "must be a string without U+0000");
	*ret = arena_strdup(r->arena, text_of(json));
	return *ret ? 0 : arena_full(r->err);
}

static int read_bytes(struct reader *r, const json_t *json, ProtobufCBinaryData *ret)
{
	size_t len = json_string_length(json);

	if (!json_is_string(json))
		return refuse(r, "must be a string of base64");
	uint8_t *data = arena_alloc(r->arena, json_base64_capacity(len));
	if (!data)
		return arena_full(r->err);
	if (!json_base64_read(span_of(json_string_value(json), len), data, &ret->len))
		return refuse(r, "must be base64");
	ret->data = data;
	return 0;
}

static int read_message(struct reader *r, const ProtobufCMessageDescriptor *desc, const json_t *json,
			ProtobufCMessage **ret);

/* Whole numbers of all sizes, through 64 bits. */
static int read_integer(struct reader *r, ProtobufCType type, const json_t *json, void *value)
{
	uint64_t u = 0;
	int64_t i = 0;
	int res;

	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return read_signed(r, json, INT64_MIN, INT64_MAX, value);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return read_unsigned(r, json, UINT64_MAX, value);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		res = read_unsigned(r, json, UINT32_MAX, &u);
		*(uint32_t *)value = (uint32_t)u;
		return res;
	default:
		res = read_signed(r, json, INT32_MIN, INT32_MAX, &i);
		*(int32_t *)value = (int32_t)i;
		return res;
	}
}

static int read_value(struct reader *r, const ProtobufCFieldDescriptor *field, const json_t *json,
		      void *value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_FLOAT:
		return read_float(r, json, value);
	case PROTOBUF_C_TYPE_DOUBLE:
		return read_real(r, json, value);
	case PROTOBUF_C_TYPE_BOOL:
		return read_bool(r, json, value);
	case PROTOBUF_C_TYPE_ENUM:
		return read_enum(r, field->descriptor, json, value);
	case PROTOBUF_C_TYPE_STRING:
		return read_string(r, json, value);
	case PROTOBUF_C_TYPE_BYTES:
		return read_bytes(r, json, value);
	case PROTOBUF_C_TYPE_MESSAGE:
		return read_message(r, field->descriptor, json, value);
	default:
		return read_integer(r, field->type, json, value);
	}
}

/* ---- Fields ---- */

/* Room for the items of a repeated field, which is thereby set. */
static char *new_items(struct reader *r, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message,
		       size_t n)
{
	char *items = arena_array(r->arena, n, field_value_size(field->type));

	if (items) {
		*(char **)field_member(message, field->offset) = items;
		*(size_t *)field_member(message, field->quantifier_offset) = n;
	}
	return items;
}

static int read_array(struct reader *r, const ProtobufCFieldDescriptor *field, const json_t *json,
		      ProtobufCMessage *message)
{
	size_t size = field_value_size(field->type), i;
	const json_t *item;

	if (!json_is_array(json))
		return refuse(r, "must be an array");
	if (json_array_size(json) == 0)
		return 0;
	char *items = new_items(r, field, message, json_array_size(json));
	if (!items)
		return arena_full(r->err);
	json_array_foreach(json, i, item)
	{
		size_t len = r->path.len;

		path_push_index(&r->path, i);
		int res = read_value(r, field, item, items + i * size);
		if (res < 0)
			return res;
		path_cut(&r->path, len);
	}
	return 0;
}

static int read_key(struct reader *r, const ProtobufCFieldDescriptor *field, const char *key, void *value)
{
	json_auto_t *text = NULL;

	if (field->type == PROTOBUF_C_TYPE_BOOL) {
		*(protobuf_c_boolean *)value = strcmp(key, "true") == 0;
		return strcmp(key, "true") == 0 || strcmp(key, "false") == 0
			       ? 0
			       : refuse(r, "must have a key of true or false");
	}
	text = json_string(key);
	return text ? read_value(r, field, text, value) : arena_full(r->err);
}

static int read_entry(struct reader *r, const ProtobufCMessageDescriptor *desc, const char *key,
		      const json_t *json, ProtobufCMessage **ret)
{
	const ProtobufCFieldDescriptor *fields = desc->fields;
	ProtobufCMessage *entry = codec_new(desc, r->arena);

	if (!entry)
		return arena_full(r->err);
	*ret = entry;
	int res = read_key(r, &fields[0], key, field_member(entry, fields[0].offset));
	return res < 0 ? res : read_value(r, &fields[1], json, field_member(entry, fields[1].offset));
}

static int read_map(struct reader *r, const ProtobufCFieldDescriptor *field, const json_t *json,
		    ProtobufCMessage *message)
{
	const json_t *value;
	const char *key;

	if (!json_is_object(json))
		return refuse(r, "must be an object");
	if (json_object_size(json) == 0)
		return 0;
	ProtobufCMessage **entries =
		(ProtobufCMessage **)new_items(r, field, message, json_object_size(json));
	if (!entries)
		return arena_full(r->err);
	json_object_foreach((json_t *)json, key, value)
	{
		size_t len = r->path.len;

		path_push_key(&r->path, key);
		int res = read_entry(r, field->descriptor, key, value, entries++);
		if (res < 0)
			return res;
		path_cut(&r->path, len);
	}
	return 0;
}

static int read_singular(struct reader *r, const ProtobufCFieldDescriptor *field, const json_t *json,
			 ProtobufCMessage *message)
{
	if (field_in_oneof(field)) {
		unsigned *set = field_member(message, field->quantifier_offset);

		if (*set != 0)
			return refuse(
				r, "may not be set together with %s",
				protobuf_c_message_descriptor_get_field(message->descriptor, *set)->name);
		*set = field->id;
	} else if (field_has_flag(field)) {
		*(protobuf_c_boolean *)field_member(message, field->quantifier_offset) = 1;
	}
	return read_value(r, field, json, field_member(message, field->offset));
}

static int read_field(struct reader *r, const ProtobufCFieldDescriptor *field, const json_t *json,
		      ProtobufCMessage *message)
{
	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return read_singular(r, field, json, message);
	if (field_is_map(message->descriptor, field))
		return read_map(r, field, json, message);
	return read_array(r, field, json, message);
}

/* ---- Messages ---- */

/* By its JSON name, or by the one in the .proto. */
static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *desc, const char *key)
{
	for (unsigned i = 0; i < desc->n_fields; i++) {
		char name[JSON_NAME_MAX];

		json_field_name(desc->fields[i].name, name, sizeof(name));
		if (strcmp(name, key) == 0)
			return &desc->fields[i];
	}
	return protobuf_c_message_descriptor_get_field_by_name(desc, key);
}

/* null leaves the field as it is: absent. */
static int read_member(struct reader *r, const char *key, const json_t *json, ProtobufCMessage *message,
		       bool *seen)
{
	const ProtobufCFieldDescriptor *field = find_field(message->descriptor, key);
	size_t len = r->path.len;
	int res = 0;

	path_push(&r->path, field ? field->name : key);
	if (!field)
		return refuse(r, "is no field of %s", message->descriptor->name);
	if (seen[field - message->descriptor->fields])
		return refuse(r, "is given twice");
	seen[field - message->descriptor->fields] = true;
	if (!json_is_null(json))
		res = read_field(r, field, json, message);
	if (res == 0)
		path_cut(&r->path, len);
	return res;
}

static int read_object(struct reader *r, const json_t *json, ProtobufCMessage *message)
{
	bool *seen = arena_array(r->arena, message->descriptor->n_fields, sizeof(*seen));
	const json_t *value;
	const char *key;

	if (!seen)
		return arena_full(r->err);
	json_object_foreach((json_t *)json, key, value)
	{
		int res = read_member(r, key, value, message, seen);

		if (res < 0)
			return res;
	}
	return 0;
}

static int read_timestamp(struct reader *r, const json_t *json, Google__Protobuf__Timestamp *t)
{
	if (!text_of(json) || !json_timestamp_read(text_of(json), &t->seconds, &t->nanos))
		return refuse(r,
			      "must be a time such as \"2026-01-31T10:00:00Z\", in the years 0001 to 9999");
	return 0;
}

static int read_duration(struct reader *r, const json_t *json, Google__Protobuf__Duration *d)
{
	if (!text_of(json) || !json_duration_read(text_of(json), &d->seconds, &d->nanos))
		return refuse(r, "must be a duration such as \"1.5s\"");
	return 0;
}

static int read_mask(struct reader *r, const json_t *json, Google__Protobuf__FieldMask *mask)
{
	const char *text = text_of(json);
	size_t n = 1;

	if (!text)
		return refuse(r, "must be a string of field names joined by commas");
	if (!*text)
		return 0;
	for (const char *p = text; *p; p++)
		n += *p == ',';
	mask->paths = arena_array(r->arena, n, sizeof(*mask->paths));
	if (!mask->paths)
		return arena_full(r->err);
	for (; mask->n_paths < n; mask->n_paths++) {
		size_t len = strcspn(text, ","), size = 2 * len + 2;
		char *path = arena_alloc(r->arena, size);

		if (!path)
			return arena_full(r->err);
		if (!json_path_read(text, len, path, size))
			return refuse(r, "must have names in lowerCamelCase, without '_'");
		mask->paths[mask->n_paths] = path;
		text += len + 1;
	}
	return 0;
}

static int read_form(struct reader *r, const json_t *json, ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *desc = message->descriptor;

	switch (json_form_of(desc)) {
	case JSON_FORM_TIMESTAMP:
		return read_timestamp(r, json, (Google__Protobuf__Timestamp *)message);
	case JSON_FORM_DURATION:
		return read_duration(r, json, (Google__Protobuf__Duration *)message);
	case JSON_FORM_FIELD_MASK:
		return read_mask(r, json, (Google__Protobuf__FieldMask *)message);
	case JSON_FORM_WRAPPER:
		return read_value(r, &desc->fields[0], json, field_member(message, desc->fields[0].offset));
	case JSON_FORM_UNSUPPORTED:
		return refuse(r, "is a %s, which JSON cannot give here", desc->name);
	case JSON_FORM_OBJECT:
		break;
	}
	return json_is_object(json) ? read_object(r, json, message) : refuse(r, "must be an object");
}

static int read_message(struct reader *r, const ProtobufCMessageDescriptor *desc, const json_t *json,
			ProtobufCMessage **ret)
{
	if (r->depth == JSON_DEPTH_MAX)
		return refuse(r, "is nested deeper than %d messages", JSON_DEPTH_MAX);
	ProtobufCMessage *message = codec_new(desc, r->arena);
	if (!message)
		return arena_full(r->err);
	r->depth++;
	int res = read_form(r, json, message);
	r->depth--;
	if (res == 0)
		*ret = message;
	return res;
}

int json_to_message(const ProtobufCMessageDescriptor *desc, const json_t *json, struct arena *arena,
		    ProtobufCMessage **ret, struct error *err)
{
	struct reader r = {.arena = arena, .err = err};

	return read_message(&r, desc, json, ret);
}
