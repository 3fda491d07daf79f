/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/values.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/cli/names.h"
#include "proto/runtime/field.h"
#include "proto/runtime/json.h"
#include "proto/runtime/money.h"

enum { TEXT_MAX = 4096 };

static bool message_is(const ProtobufCMessageDescriptor *desc, const char *name)
{
	return strcmp(desc->name, name) == 0;
}

static bool message_is_money(const ProtobufCMessageDescriptor *desc)
{
	return strcmp(desc->short_name, "Money") == 0 && desc->n_fields == 2 &&
	       protobuf_c_message_descriptor_get_field_by_name(desc, "currency_code") &&
	       protobuf_c_message_descriptor_get_field_by_name(desc, "minor_units");
}

bool value_is_special(const ProtobufCMessageDescriptor *desc)
{
	return message_is_money(desc) || message_is(desc, "google.protobuf.Timestamp") ||
	       message_is(desc, "google.protobuf.Duration") || message_is(desc, "google.protobuf.FieldMask");
}

/* --- enums --- */

static const char *enum_strip(const ProtobufCEnumDescriptor *desc, const char *name)
{
	char prefix[NAME_SIZE];

	name_upper_snake(desc->short_name, prefix);
	size_t n = strlen(prefix);
	return strncmp(name, prefix, n) == 0 && name[n] == '_' ? name + n + 1 : name;
}

/* The name of an enum's value without the enum's own, in lower case: "video". */
static void enum_short(const ProtobufCEnumDescriptor *desc, const char *name, char *out, size_t size)
{
	char kebab[NAME_SIZE];

	name_kebab(enum_strip(desc, name), kebab);
	snprintf(out, size, "%s", kebab);
}

static json_t *parse_enum(const ProtobufCEnumDescriptor *desc, const char *text)
{
	char wanted[NAME_SIZE];

	name_upper_snake(text, wanted);
	for (unsigned i = 0; i < desc->n_values; i++) {
		const char *name = desc->values[i].name;
		/* "InReview" and "IN-REVIEW" are both asked for IN_REVIEW. */
		if (strcasecmp(name, wanted) == 0 || strcasecmp(enum_strip(desc, name), wanted) == 0 ||
		    strcasecmp(name, text) == 0 || strcasecmp(enum_strip(desc, name), text) == 0)
			return json_string(name);
	}
	return NULL;
}

/* --- numbers --- */

static int text_base(const char *text)
{
	return strncmp(text, "0x", 2) == 0 ? 16 : 10;
}

static json_t *parse_signed(const char *text, bool wide)
{
	char *end;

	errno = 0;
	long long n = strtoll(text, &end, text_base(text));
	if (errno != 0 || end == text || *end || isspace((unsigned char)*text))
		return NULL;
	if (!wide)
		return n >= INT32_MIN && n <= INT32_MAX ? json_integer(n) : NULL;
	return json_sprintf("%lld", n);
}

static json_t *parse_unsigned(const char *text, bool wide)
{
	char *end;

	errno = 0;
	unsigned long long n = strtoull(text, &end, text_base(text));
	if (errno != 0 || end == text || *end || !isdigit((unsigned char)*text))
		return NULL;
	if (!wide)
		return n <= UINT32_MAX ? json_integer((json_int_t)n) : NULL;
	return json_sprintf("%llu", n);
}

static json_t *parse_real(const char *text)
{
	char *end;
	double n = strtod(text, &end);

	return end != text && *end == '\0' ? json_real(n) : NULL;
}

/* --- messages --- */

/* "12.34 EUR" or "12.34EUR": as many decimals as the currency has, or none. */
static json_t *parse_money(const char *text)
{
	char code[CURRENCY_MAX] = "", tail;
	int whole_end = 0, decimals = 0;
	const char *digits = text + (*text == '-');
	int64_t units = 0;

	for (; isdigit((unsigned char)digits[whole_end]); whole_end++)
		;
	const char *rest = digits + whole_end;
	if (*rest == '.')
		decimals = (int)strspn(rest + 1, "0123456789");
	if (whole_end == 0 || (*rest == '.' && decimals == 0) ||
	    sscanf(rest + (decimals ? decimals + 1 : 0), " %3[A-Z]%c", code, &tail) != 1)
		return NULL;
	int exponent = currency_exponent(code);
	if (exponent < 0 || decimals > exponent)
		return NULL;
	for (int i = 0; i < whole_end + exponent; i++) {
		int at = i - whole_end;
		char digit = at < 0 ? digits[i] : at < decimals ? rest[1 + at] : '0';
		if (__builtin_mul_overflow(units, 10, &units) ||
		    __builtin_add_overflow(units, digit - '0', &units))
			return NULL;
	}
	return json_pack("{s:s, s:o}", "currencyCode", code, "minorUnits",
			 json_sprintf("%s%lld", *text == '-' ? "-" : "", (long long)units));
}

static json_t *parse_time(const char *text)
{
	struct timespec now;
	struct tm tm;
	char out[32];

	if (strcmp(text, "now") != 0)
		return json_string(text);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	size_t n = strftime(out, sizeof(out), "%Y-%m-%dT%H:%M:%S", &tm);
	return json_sprintf("%.*s.%03dZ", (int)n, out, (int)(now.tv_nsec / 1000000));
}

/* Paths are lowerCamelCase in JSON; here they may also be written as flags are, or as in the contract. */
static json_t *parse_mask(const char *text)
{
	char snake[TEXT_MAX], camel[TEXT_MAX];
	size_t i;

	for (i = 0; text[i] && i + 1 < sizeof(snake); i++)
		snake[i] = text[i] == '-' ? '_' : text[i];
	snake[i] = '\0';
	json_field_name(snake, camel, sizeof(camel));
	return json_string(camel);
}

static json_t *parse_message(const ProtobufCMessageDescriptor *desc, const char *text)
{
	if (*text == '{') {
		json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
		return json;
	}
	if (message_is(desc, "google.protobuf.Timestamp"))
		return parse_time(text);
	if (message_is(desc, "google.protobuf.Duration"))
		return json_string(text);
	if (message_is(desc, "google.protobuf.FieldMask"))
		return parse_mask(text);
	if (message_is_money(desc))
		return parse_money(text);
	if (desc->n_fields == 0 && strcmp(text, "true") == 0)
		return json_object();
	return NULL;
}

/* --- one value --- */

static json_t *parse_bool(const char *text)
{
	if (strcmp(text, "true") == 0)
		return json_true();
	return strcmp(text, "false") == 0 ? json_false() : NULL;
}

static json_t *parse_text(const ProtobufCFieldDescriptor *field, const char *text)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return parse_signed(text, false);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return parse_signed(text, true);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return parse_unsigned(text, false);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return parse_unsigned(text, true);
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return parse_real(text);
	case PROTOBUF_C_TYPE_BOOL:
		return parse_bool(text);
	case PROTOBUF_C_TYPE_ENUM:
		return parse_enum(field->descriptor, text);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
		return json_string(text);
	case PROTOBUF_C_TYPE_MESSAGE:
		return parse_message(field->descriptor, text);
	}
	return NULL;
}

int value_parse(const ProtobufCFieldDescriptor *field, const char *flag, const char *text, json_t **ret,
		struct error *err)
{
	struct arena arena;

	*ret = parse_text(field, text ? text : "true");
	if (*ret)
		return 0;
	arena_init(&arena, TEXT_MAX * 2);
	const char *shape = value_shape(field, &arena);
	int r = error_field(err, flag, "must be %s, not \"%.64s\"", shape, text ? text : "true");
	arena_done(&arena);
	return r;
}

/* --- shapes --- */

static const char *shape_enum(const ProtobufCEnumDescriptor *desc, struct arena *arena)
{
	char out[TEXT_MAX] = "", name[NAME_SIZE];

	for (unsigned i = 0; i < desc->n_values; i++) {
		size_t n = strlen(out);
		enum_short(desc, desc->values[i].name, name, sizeof(name));
		if (desc->values[i].value != 0) /* the zero value says nothing */
			snprintf(out + n, sizeof(out) - n, "%s%s", n > 0 ? "|" : "", name);
	}
	const char *ret = arena_strdup(arena, out);
	return ret ? ret : "NAME";
}

static const char *shape_message(const ProtobufCMessageDescriptor *desc)
{
	if (message_is(desc, "google.protobuf.Timestamp"))
		return "TIME (RFC 3339, or now)";
	if (message_is(desc, "google.protobuf.Duration"))
		return "SECONDS (such as 1.5s)";
	if (message_is(desc, "google.protobuf.FieldMask"))
		return "FIELD,FIELD...";
	if (message_is_money(desc))
		return "AMOUNT (such as \"12.34 EUR\")";
	return desc->n_fields == 0 ? "true" : "JSON";
}

const char *value_shape(const ProtobufCFieldDescriptor *field, struct arena *arena)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return "NUMBER";
	case PROTOBUF_C_TYPE_BOOL:
		return "true|false";
	case PROTOBUF_C_TYPE_ENUM:
		return shape_enum(field->descriptor, arena);
	case PROTOBUF_C_TYPE_STRING:
		return "TEXT";
	case PROTOBUF_C_TYPE_BYTES:
		return "BASE64";
	case PROTOBUF_C_TYPE_MESSAGE:
		return shape_message(field->descriptor);
	default:
		return "INTEGER";
	}
}

/* --- text of what came --- */

const ProtobufCMessage *value_message(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	if (field->type != PROTOBUF_C_TYPE_MESSAGE || field->label == PROTOBUF_C_LABEL_REPEATED ||
	    !field_is_set(field, message))
		return NULL;
	return *(ProtobufCMessage *const *)field_member(message, field->offset);
}

ProtobufCMessage *const *value_messages(const ProtobufCMessage *message,
					const ProtobufCFieldDescriptor *field, size_t *n)
{
	bool repeated = field->type == PROTOBUF_C_TYPE_MESSAGE && field->label == PROTOBUF_C_LABEL_REPEATED;

	*n = repeated ? field_count(field, message) : 0;
	return repeated ? (ProtobufCMessage *const *)field_items(field, message) : NULL;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* As the JSON mapping writes it, without quotes. */
static const char *text_json(const ProtobufCMessage *message, struct arena *arena)
{
	struct error err;
	json_t *json;

	if (json_from_message(message, false, &json, &err) < 0)
		return "";
	const char *ret = json_is_string(json) ? arena_strdup(arena, json_string_value(json)) : NULL;
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
	char out[64];

	money_format(*(char *const *)field_member(message, code->offset),
		     *(const int64_t *)field_member(message, units->offset), out, sizeof(out));
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
		return value_text(message, &desc->fields[0], arena);
	for (unsigned i = 0; i < desc->n_fields; i++) {
		const char *text = value_text(message, &desc->fields[i], arena);
		if (*text)
			out = or_empty(arena_printf(arena, "%s%s%s=%s", out, *out ? " " : "",
						    desc->fields[i].name, text));
	}
	return out;
}

static const char *text_message(const ProtobufCMessage *message, struct arena *arena)
{
	if (message_is_money(message->descriptor))
		return text_money(message, arena);
	if (value_is_special(message->descriptor))
		return text_json(message, arena);
	return text_members(message, arena);
}

static const char *text_enum(const ProtobufCEnumDescriptor *desc, int number, struct arena *arena)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(desc, number);
	char out[NAME_SIZE];

	if (!value)
		return or_empty(arena_printf(arena, "%d", number));
	enum_short(desc, value->name, out, sizeof(out));
	return or_empty(arena_strdup(arena, out));
}

static const char *text_bytes(const ProtobufCBinaryData *data, struct arena *arena)
{
	return or_empty(arena_printf(arena, "%zu bytes", data->len));
}

static const char *text_value(const ProtobufCFieldDescriptor *field, const void *value, struct arena *arena)
{
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

const char *value_text(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
		       struct arena *arena)
{
	const char *out = "";

	if (!field_is_set(field, message))
		return "";
	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return text_value(field, field_member(message, field->offset), arena);
	for (size_t i = 0; i < field_count(field, message); i++) {
		const char *item = text_value(
			field, field_items(field, message) + i * field_value_size(field->type), arena);
		out = or_empty(arena_printf(arena, "%s%s%s", out, i > 0 ? ", " : "", item));
	}
	return out;
}
