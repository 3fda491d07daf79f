/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "proto/runtime/field.h"
#include "proto/runtime/format.h"
#include "proto/runtime/ids.h"
#include "proto/runtime/path.h"
#include "proto/runtime/utf8.h"

enum { NANOS_MAX = 999999999 };
#define TIMESTAMP_MIN INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define TIMESTAMP_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define DURATION_MAX INT64_C(315576000000)  /* 10,000 years, duration.proto's bound */

/* ---- Where we are ---- */

struct check {
	struct error *err;
	struct arena *arena;
	struct path path;
};

#define violate(c, ...)                                                                                      \
	do {                                                                                                 \
		if ((c)->err->code == STATUS_OK)                                                             \
			(void)error_raise((c)->err, &RPC_REASON_FIELD_INVALID, "%s", "");                    \
		(void)error_add_violation((c)->err, (c)->path.text, __VA_ARGS__);                            \
	} while (0)

/* ---- Single values ---- */

static bool check_length(struct check *c, const struct field_rule *rule, size_t len, const char *unit)
{
	uint32_t min = rule->min_length, max = rule->max_length;

	if (len >= min && (max == 0 || len <= max))
		return true;
	if (min > 0 && min == max)
		violate(c, "must be %" PRIu32 " %s long, is %zu", min, unit, len);
	else if (min > 0 && max > 0)
		violate(c, "must be %" PRIu32 " to %" PRIu32 " %s long, is %zu", min, max, unit, len);
	else if (min > 0)
		violate(c, "must be at least %" PRIu32 " %s long, is %zu", min, unit, len);
	else
		violate(c, "must be at most %" PRIu32 " %s long, is %zu", max, unit, len);
	return false;
}

/* In form C a text has no less than a quarter of its characters, each of at most four bytes: what is longer
 * than that is too long in any form. */
static bool is_far_too_long(const struct field_rule *rule, const char *text)
{
	return rule->max_length > 0 && strlen(text) / 16 > rule->max_length;
}

/* Text in the form it is kept in; false when it has none. */
static bool normalize(struct check *c, char **text)
{
	char *nfc = utf8_nfc(c->arena, *text);

	if (nfc)
		*text = nfc;
	else if (!c->arena->exhausted)
		violate(c, "must not put more than 30 combining marks on a character");
	return nfc != NULL;
}

static void check_string(struct check *c, const struct field_rule *rule, char **value)
{
	int64_t id;

	if (format_is_text(rule->format) && !is_far_too_long(rule, *value) && !normalize(c, value))
		return;
	const char *s = *value;
	if (!check_length(c, rule, utf8_length(span_str(s)), "characters"))
		return;
	if (rule->id_kind && !id_parse(rule->id_kind, s, &id))
		violate(c, ID_MUST, rule->id_kind);
	else if (!format_check(rule->format, s))
		violate(c, "%s", format_must(rule->format));
}

static void check_signed(struct check *c, const struct field_rule *rule, int64_t value)
{
	if (value < rule->min || value > rule->max)
		violate(c, "must be %" PRId64 " to %" PRId64 ", is %" PRId64, rule->min, rule->max, value);
}

static void check_unsigned(struct check *c, const struct field_rule *rule, uint64_t value)
{
	if (value > INT64_MAX || (int64_t)value < rule->min || (int64_t)value > rule->max)
		violate(c, "must be %" PRId64 " to %" PRId64 ", is %" PRIu64, rule->min, rule->max, value);
}

static void check_real(struct check *c, const struct field_rule *rule, double value)
{
	/* Written so that NaN is refused. */
	if (!(value >= (double)rule->min && value <= (double)rule->max))
		violate(c, "must be %" PRId64 " to %" PRId64 ", is %g", rule->min, rule->max, value);
}

static void check_number(struct check *c, const struct field_rule *rule, ProtobufCType type,
			 const void *value)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		check_signed(c, rule, *(const int32_t *)value);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		check_signed(c, rule, *(const int64_t *)value);
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		check_unsigned(c, rule, *(const uint32_t *)value);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		check_unsigned(c, rule, *(const uint64_t *)value);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
		check_real(c, rule, (double)*(const float *)value);
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		check_real(c, rule, *(const double *)value);
		break;
	default:
		break;
	}
}

static void check_enum(struct check *c, const ProtobufCEnumDescriptor *desc, int value)
{
	if (!protobuf_c_enum_descriptor_get_value(desc, value))
		violate(c, "must be a value of %s, is %d", desc->name, value);
}

static void check_timestamp(struct check *c, const Google__Protobuf__Timestamp *t)
{
	if (t->seconds < TIMESTAMP_MIN || t->seconds > TIMESTAMP_MAX)
		violate(c, "must be a time in the years 0001 to 9999");
	else if (t->nanos < 0 || t->nanos > NANOS_MAX)
		violate(c, "must have nanos of 0 to 999999999, has %" PRId32, t->nanos);
}

static void check_duration(struct check *c, const Google__Protobuf__Duration *d)
{
	if (d->seconds < -DURATION_MAX || d->seconds > DURATION_MAX)
		violate(c, "must be a duration of at most 10,000 years");
	else if (d->nanos < -NANOS_MAX || d->nanos > NANOS_MAX)
		violate(c, "must have nanos of -999999999 to 999999999, has %" PRId32, d->nanos);
	else if ((d->seconds > 0 && d->nanos < 0) || (d->seconds < 0 && d->nanos > 0))
		violate(c, "must have seconds and nanos of the same sign");
}

static void check_message(struct check *c, const struct message_rules *rules, ProtobufCMessage *message);

static void check_submessage(struct check *c, const struct field_rule *rule, ProtobufCMessage *message)
{
	if (message->descriptor == &google__protobuf__timestamp__descriptor)
		check_timestamp(c, (const Google__Protobuf__Timestamp *)message);
	else if (message->descriptor == &google__protobuf__duration__descriptor)
		check_duration(c, (const Google__Protobuf__Duration *)message);
	else
		check_message(c, rule->nested, message);
}

/* A value that is there: a set member, or an item of a repeated field. */
static void check_value(struct check *c, const struct field_rule *rule, const ProtobufCFieldDescriptor *field,
			void *value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		check_string(c, rule, value);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		(void)check_length(c, rule, ((const ProtobufCBinaryData *)value)->len, "bytes");
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		check_submessage(c, rule, *(ProtobufCMessage **)value);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		check_enum(c, field->descriptor, *(const int *)value);
		break;
	default:
		if (rule->has_range)
			check_number(c, rule, field->type, value);
	}
}

/* ---- Fields ---- */

/* False when there are too many to be looked at one by one. */
static bool check_count(struct check *c, const struct field_rule *rule, size_t n)
{
	uint32_t min = rule->min_items, max = rule->max_items;

	if (n == 0 && rule->required)
		violate(c, "must have at least one item");
	else if (n < min)
		violate(c, "must have at least %" PRIu32 " items, has %zu", min, n);
	else if (max > 0 && n > max)
		violate(c, "must have at most %" PRIu32 " items, has %zu", max, n);
	return max == 0 || n <= max;
}

static void check_repeated(struct check *c, const struct field_rule *rule,
			   const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	size_t n = field_count(field, message), size = field_value_size(field->type);
	char *items = field_items(field, message);

	if (!check_count(c, rule, n))
		return;
	for (size_t i = 0; i < n; i++) {
		size_t len = c->path.len;

		path_push_index(&c->path, i);
		check_value(c, rule, field, items + i * size);
		path_cut(&c->path, len);
	}
}

/* True when an earlier member of the oneof is required too, and has reported it. */
static bool oneof_reported(const struct message_rules *rules, const struct field_rule *rule)
{
	const ProtobufCFieldDescriptor *field = &rules->desc->fields[rule->index];

	for (const struct field_rule *r = rules->fields; r < rule; r++) {
		if (r->required && field_same_oneof(field, &rules->desc->fields[r->index]))
			return true;
	}
	return false;
}

static void violate_oneof(struct check *c, const ProtobufCMessageDescriptor *desc,
			  const ProtobufCFieldDescriptor *field)
{
	char members[sizeof(((struct error_violation *)0)->description)] = "";
	size_t len = 0;

	for (unsigned i = 0; i < desc->n_fields && len < sizeof(members); i++) {
		if (field_same_oneof(field, &desc->fields[i]))
			len += (size_t)snprintf(members + len, sizeof(members) - len, "%s%s", len ? ", " : "",
						desc->fields[i].name);
	}
	violate(c, "must be set, or another of: %s", members);
}

static void check_oneof_member(struct check *c, const struct message_rules *rules,
			       const struct field_rule *rule, const ProtobufCFieldDescriptor *field,
			       ProtobufCMessage *message)
{
	unsigned set = field_oneof_case(field, message);
	void *value = field_member(message, field->offset);

	/* A string or number that is chosen and empty breaks no rule: only the choice was asked for. */
	if (set == field->id && (!field_value_is_zero(field, value) || rule->has_range))
		check_value(c, rule, field, value);
	else if (set == 0 && rule->required && !oneof_reported(rules, rule))
		violate_oneof(c, message->descriptor, field);
}

static void check_singular(struct check *c, const struct field_rule *rule,
			   const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	void *value = field_member(message, field->offset);

	if (field_has_flag(field) && !field_is_set(field, message)) {
		if (rule->required)
			violate(c, "must be set");
		return;
	}
	if (field_value_is_zero(field, value) && rule->required)
		violate(c, "must be set");
	else if (!field_value_is_zero(field, value) || rule->has_range)
		check_value(c, rule, field, value);
}

static void check_field(struct check *c, const struct message_rules *rules, const struct field_rule *rule,
			const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	size_t len = c->path.len;

	/* What the server alone writes is not read. */
	if (rule->output_only)
		return;
	path_push(&c->path, field->name);
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		check_repeated(c, rule, field, message);
	else if (field_in_oneof(field))
		check_oneof_member(c, rules, rule, field, message);
	else
		check_singular(c, rule, field, message);
	path_cut(&c->path, len);
}

static const struct field_rule *rule_of(const struct message_rules *rules, unsigned index)
{
	for (unsigned i = 0; rules && i < rules->n_fields; i++) {
		if (rules->fields[i].index == index)
			return &rules->fields[i];
	}
	return NULL;
}

/* Enums, times and numbers of items have rules that nobody writes, so they and what may hold them are looked
 * at without one too. */
static void check_message(struct check *c, const struct message_rules *rules, ProtobufCMessage *message)
{
	static const struct field_rule no_rule = {.max_items = FIELD_ITEMS_MAX};
	const ProtobufCMessageDescriptor *desc = message->descriptor;

	for (unsigned i = 0; i < desc->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &desc->fields[i];
		const struct field_rule *rule = rule_of(rules, i);

		if (rule || field->type == PROTOBUF_C_TYPE_ENUM || field->type == PROTOBUF_C_TYPE_MESSAGE ||
		    field->label == PROTOBUF_C_LABEL_REPEATED)
			check_field(c, rules, rule ? rule : &no_rule, field, message);
	}
}

static int finish(struct error *err)
{
	return err->n_violations == 0 ? 0 : error_tell_violations(err);
}

int rules_check(const struct message_rules *rules, ProtobufCMessage *message, struct arena *arena,
		struct error *err)
{
	struct check c = {.err = err, .arena = arena};

	error_clear(err);
	check_message(&c, rules, message);
	if (arena->exhausted)
		return arena_full(err);
	return finish(err);
}

/* ---- Masks ---- */

bool mask_has(char *const *paths, size_t n_paths, const char *path)
{
	for (size_t i = 0; i < n_paths; i++) {
		if (strcmp(paths[i], path) == 0)
			return true;
	}
	return false;
}

static void check_mask_path(struct check *c, const struct message_rules *resource, char *const *paths,
			    size_t i)
{
	const char *path = paths[i];
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(resource->desc, path);
	const struct field_rule *rule =
		field ? rule_of(resource, (unsigned)(field - resource->desc->fields)) : NULL;

	if (strcmp(path, "*") == 0)
		violate(c, "must name each field; * is not taken");
	else if (!field && strchr(path, '.'))
		violate(c, "must name top-level fields only, not '%s'", path);
	else if (!field)
		violate(c, "must name fields of %s, which has no '%s'", resource->desc->short_name, path);
	else if (rule && rule->output_only)
		violate(c, "must not name '%s', which the server alone writes", path);
	else if (mask_has(paths, i, path))
		violate(c, "must name '%s' once only", path);
}

int rules_check_mask(const struct message_rules *resource, const char *field, char *const *paths,
		     size_t n_paths, struct error *err)
{
	struct check c = {.err = err};

	error_clear(err);
	path_push(&c.path, field);
	if (n_paths == 0)
		violate(&c, "must name at least one field to change");
	/* Else some path is unknown or comes twice; and each is compared with those before it. */
	if (n_paths > resource->desc->n_fields)
		violate(&c, "must name each field once only; %s has fewer fields",
			resource->desc->short_name);
	for (size_t i = 0; i < n_paths && n_paths <= resource->desc->n_fields; i++)
		check_mask_path(&c, resource, paths, i);
	return finish(err);
}
