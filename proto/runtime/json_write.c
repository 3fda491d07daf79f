/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "proto/runtime/field.h"
#include "proto/runtime/json.h"
#include "proto/runtime/json_form.h"
#include "proto/runtime/path.h"

struct writer {
	struct error *err;
	struct path path;
	unsigned depth;
	bool defaults;
};

static void free_pointer(void *p)
{
	free(*(void **)p);
}
#define _cleanup_free_ __attribute__((cleanup(free_pointer)))

#define refuse(w, ...) error_field((w)->err, (w)->path.len ? (w)->path.text : "message", __VA_ARGS__)

/* jansson has one way to say no: memory is short, or text is no UTF-8. */
static int give(struct writer *w, json_t *json, json_t **ret)
{
	if (!json)
		return error_internal(w->err, "No JSON for %s: out of memory, or no UTF-8.", w->path.text);
	*ret = json;
	return 0;
}

/* Takes the reference to `value`. */
static int put(struct writer *w, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		return error_internal(w->err, "No JSON for key of %s: out of memory, or no UTF-8.",
				      w->path.text);
	return 0;
}

static json_t *real_json(double value)
{
	if (isnan(value))
		return json_string("NaN");
	if (isinf(value))
		return json_string(value > 0 ? "Infinity" : "-Infinity");
	return json_real(value);
}

/* The double nearest to the shortest decimal that reads back as this float: 0.1, not 0.10000000149011612. */
static json_t *float_json(float value)
{
	char text[32];

	if (!isfinite(value))
		return real_json((double)value);
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, (double)value);
		if (strtof(text, NULL) == value)
			break;
	}
	return json_real(strtod(text, NULL));
}

static json_t *enum_json(const ProtobufCEnumDescriptor *desc, int value)
{
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(desc, value);

	return known ? json_string(known->name) : json_integer(value);
}

static json_t *bytes_json(const ProtobufCBinaryData *bytes)
{
	_cleanup_free_ char *text = malloc(json_base64_size(bytes->len));

	if (!text)
		return NULL;
	json_base64_write(span_of(bytes->data, bytes->len), text);
	return json_string(text);
}

static json_t *text_json(const char *text)
{
	return json_string(text ? text : "");
}

static int write_message(struct writer *w, const ProtobufCMessage *message, json_t **ret);

/* A map entry may come without its message; it then stands for an empty one. */
static int write_submessage(struct writer *w, const ProtobufCMessageDescriptor *desc,
			    const ProtobufCMessage *message, json_t **ret)
{
	_cleanup_free_ ProtobufCMessage *empty = NULL;

	if (message)
		return write_message(w, message, ret);
	empty = malloc(desc->sizeof_message);
	if (!empty)
		return give(w, NULL, ret);
	protobuf_c_message_init(desc, empty);
	return write_message(w, empty, ret);
}

static int write_value(struct writer *w, const ProtobufCFieldDescriptor *field, const void *value,
		       json_t **ret)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return give(w, json_integer(*(const int32_t *)value), ret);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return give(w, json_integer(*(const uint32_t *)value), ret);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return give(w, json_sprintf("%" PRId64, *(const int64_t *)value), ret);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return give(w, json_sprintf("%" PRIu64, *(const uint64_t *)value), ret);
	case PROTOBUF_C_TYPE_FLOAT:
		return give(w, float_json(*(const float *)value), ret);
	case PROTOBUF_C_TYPE_DOUBLE:
		return give(w, real_json(*(const double *)value), ret);
	case PROTOBUF_C_TYPE_BOOL:
		return give(w, json_boolean(*(const protobuf_c_boolean *)value), ret);
	case PROTOBUF_C_TYPE_ENUM:
		return give(w, enum_json(field->descriptor, *(const int *)value), ret);
	case PROTOBUF_C_TYPE_STRING:
		return give(w, text_json(*(char *const *)value), ret);
	case PROTOBUF_C_TYPE_BYTES:
		return give(w, bytes_json(value), ret);
	case PROTOBUF_C_TYPE_MESSAGE:
		return write_submessage(w, field->descriptor, *(ProtobufCMessage *const *)value, ret);
	}
	return error_internal(w->err, "No JSON for %s: unknown type %d.", w->path.text, (int)field->type);
}

static int write_array(struct writer *w, const ProtobufCFieldDescriptor *field,
		       const ProtobufCMessage *message, json_t **ret)
{
	size_t n = field_count(field, message), size = field_value_size(field->type);
	const char *items = field_items(field, message);
	json_auto_t *array = json_array();
	int r;

	for (size_t i = 0; i < n; i++) {
		size_t len = w->path.len;
		json_t *item;

		path_push_index(&w->path, i);
		r = write_value(w, field, items + i * size, &item);
		if (r < 0)
			return r;
		if (json_array_append_new(array, item) < 0)
			return give(w, NULL, ret);
		path_cut(&w->path, len);
	}
	return give(w, json_incref(array), ret);
}

/* A key is text whatever its type; numbers and booleans are written as they would stand as values. */
static int write_entry(struct writer *w, const ProtobufCMessage *entry, json_t *map)
{
	const ProtobufCFieldDescriptor *fields = entry->descriptor->fields;
	json_auto_t *key = NULL;
	json_t *value;
	char number[32];
	const char *text = number;
	int r = write_value(w, &fields[0], field_member(entry, fields[0].offset), &key);
	if (r < 0)
		return r;
	if (json_is_integer(key))
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(key));
	else if (json_is_boolean(key))
		text = json_is_true(key) ? "true" : "false";
	else
		text = json_string_value(key);
	path_push_key(&w->path, text);
	r = write_value(w, &fields[1], field_member(entry, fields[1].offset), &value);
	return r < 0 ? r : put(w, map, text, value);
}

static int write_map(struct writer *w, const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message,
		     json_t **ret)
{
	ProtobufCMessage **entries = (ProtobufCMessage **)field_items(field, message);
	json_auto_t *map = json_object();
	int r;

	for (size_t i = 0; i < field_count(field, message); i++) {
		size_t len = w->path.len;

		r = write_entry(w, entries[i], map);
		if (r < 0)
			return r;
		path_cut(&w->path, len);
	}
	return give(w, json_incref(map), ret);
}

static int write_field(struct writer *w, const ProtobufCFieldDescriptor *field,
		       const ProtobufCMessage *message, json_t **ret)
{
	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return write_value(w, field, field_member(message, field->offset), ret);
	if (field_is_map(message->descriptor, field))
		return write_map(w, field, message, ret);
	return write_array(w, field, message, ret);
}

/* Defaults are shown where a field has no presence of its own. */
static bool is_shown(const struct writer *w, const ProtobufCFieldDescriptor *field,
		     const ProtobufCMessage *message)
{
	if (field_is_set(field, message))
		return true;
	return w->defaults && !field_in_oneof(field) && !field_has_flag(field) &&
	       (field->type != PROTOBUF_C_TYPE_MESSAGE || field->label == PROTOBUF_C_LABEL_REPEATED);
}

static int write_object(struct writer *w, const ProtobufCMessage *message, json_t **ret)
{
	json_auto_t *object = json_object();
	int r;

	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		char name[JSON_NAME_MAX];
		size_t len = w->path.len;
		json_t *value;

		if (!is_shown(w, field, message))
			continue;
		path_push(&w->path, field->name);
		r = write_field(w, field, message, &value);
		if (r < 0)
			return r;
		json_field_name(field->name, name, sizeof(name));
		r = put(w, object, name, value);
		if (r < 0)
			return r;
		path_cut(&w->path, len);
	}
	return give(w, json_incref(object), ret);
}

static int write_timestamp(struct writer *w, const Google__Protobuf__Timestamp *t, json_t **ret)
{
	char text[JSON_TIME_TEXT_MAX];

	if (!json_timestamp_write(t->seconds, t->nanos, text))
		return refuse(w, "must be a time in the years 0001 to 9999");
	return give(w, json_string(text), ret);
}

static int write_duration(struct writer *w, const Google__Protobuf__Duration *d, json_t **ret)
{
	char text[JSON_TIME_TEXT_MAX];

	if (!json_duration_write(d->seconds, d->nanos, text))
		return refuse(w, "must be a duration of at most 10,000 years");
	return give(w, json_string(text), ret);
}

static int write_mask(struct writer *w, const Google__Protobuf__FieldMask *mask, json_t **ret)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 1, n = 0;

	for (size_t i = 0; i < mask->n_paths; i++)
		size += strlen(mask->paths[i]) + 1;
	text = calloc(1, size);
	if (!text)
		return give(w, NULL, ret);
	for (size_t i = 0; i < mask->n_paths; i++) {
		if (i > 0)
			text[n++] = ',';
		if (strchr(mask->paths[i], ',') || !json_path_write(mask->paths[i], text + n, size - n))
			return refuse(w, "has the path '%s', which JSON cannot show", mask->paths[i]);
		n += strlen(text + n);
	}
	return give(w, json_string(text), ret);
}

static int write_message(struct writer *w, const ProtobufCMessage *message, json_t **ret)
{
	const ProtobufCMessageDescriptor *desc = message->descriptor;

	switch (json_form_of(desc)) {
	case JSON_FORM_TIMESTAMP:
		return write_timestamp(w, (const Google__Protobuf__Timestamp *)message, ret);
	case JSON_FORM_DURATION:
		return write_duration(w, (const Google__Protobuf__Duration *)message, ret);
	case JSON_FORM_FIELD_MASK:
		return write_mask(w, (const Google__Protobuf__FieldMask *)message, ret);
	case JSON_FORM_WRAPPER:
		return write_value(w, &desc->fields[0], field_member(message, desc->fields[0].offset), ret);
	case JSON_FORM_UNSUPPORTED:
		return refuse(w, "is a %s, which has no JSON here", desc->name);
	case JSON_FORM_OBJECT:
		break;
	}
	if (w->depth == JSON_DEPTH_MAX)
		return refuse(w, "is nested deeper than %d messages", JSON_DEPTH_MAX);
	w->depth++;
	int r = write_object(w, message, ret);
	w->depth--;
	return r;
}

int json_from_message(const ProtobufCMessage *message, bool defaults, json_t **ret, struct error *err)
{
	struct writer w = {.err = err, .defaults = defaults};

	return write_message(&w, message, ret);
}
