/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "proto/runtime/field.h"

/* What the value of a field is, once repetition is set aside. */
enum value { VALUE_NUMBER, VALUE_BOOL, VALUE_STRING, VALUE_BYTES, VALUE_ENUM, VALUE_MESSAGE };

static enum value value_of(const FieldProto *f)
{
	switch (f->type) {
	case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_BOOL:
		return VALUE_BOOL;
	case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_STRING:
		return VALUE_STRING;
	case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_BYTES:
		return VALUE_BYTES;
	case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_ENUM:
		return VALUE_ENUM;
	case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_MESSAGE:
	case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_GROUP:
		return VALUE_MESSAGE;
	default:
		return VALUE_NUMBER;
	}
}

static const char *value_name(enum value value)
{
	static const char *const names[] = {"a number", "a bool",  "a string",
					    "bytes",    "an enum", "a message"};

	return names[value];
}

static bool is_unsigned(const FieldProto *f)
{
	switch (f->type) {
	case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_UINT32:
	case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_UINT64:
	case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_FIXED32:
	case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_FIXED64:
		return true;
	default:
		return false;
	}
}

static void misfit(struct model *m, const struct field *f, const char *rule, const char *wants)
{
	problems_add(
		&m->problems, &f->place,
		"field %s: rule `%s` is for %s, and this is %s; take the rule out or change the field's type",
		f->proto->name, rule, wants, value_name(value_of(f->proto)));
}

static void check_fit(struct model *m, const struct field *f)
{
	const FieldRules *r = f->rules;
	enum value value = value_of(f->proto);

	if (r->min_length > 0 && value != VALUE_STRING && value != VALUE_BYTES)
		misfit(m, f, "min_length", "a string or bytes");
	if (r->max_length > 0 && value != VALUE_STRING && value != VALUE_BYTES)
		misfit(m, f, "max_length", "a string or bytes");
	if (r->range && value != VALUE_NUMBER)
		misfit(m, f, "range", "a number");
	if (r->format != GRPC_C__V1__STRING_FORMAT__STRING_FORMAT_UNSPECIFIED && value != VALUE_STRING)
		misfit(m, f, "format", "a string");
	if (*r->id_kind && value != VALUE_STRING)
		misfit(m, f, "id_kind", "a string");
	if (r->required && value == VALUE_BOOL && !model_is_repeated(f) && !f->proto->has_oneof_index)
		misfit(m, f, "required", "a field whose zero value means absent");
	if (!model_is_repeated(f) && r->min_items > 0)
		misfit(m, f, "min_items", "a repeated field");
	if (!model_is_repeated(f) && r->max_items > 0)
		misfit(m, f, "max_items", "a repeated field");
}

static void check_limits(struct model *m, const struct field *f)
{
	const FieldRules *r = f->rules;
	const char *name = f->proto->name;

	if (r->max_length > 0 && r->min_length > r->max_length)
		problems_add(&m->problems, &f->place,
			     "field %s: min_length %u is above max_length %u; swap them", name, r->min_length,
			     r->max_length);
	if (r->min_items > model_max_items(f))
		problems_add(&m->problems, &f->place, "field %s: min_items %u is above max_items %u; %s",
			     name, r->min_items, model_max_items(f),
			     r->max_items ? "swap them" : "say how many there may be");
	if (r->range && r->range->min > r->range->max)
		problems_add(&m->problems, &f->place,
			     "field %s: range min %" PRId64 " is above max %" PRId64
			     "; set both, least first",
			     name, r->range->min, r->range->max);
	if (r->range && r->range->min == 0 && r->range->max == 0)
		problems_add(&m->problems, &f->place,
			     "field %s: range is empty and would allow only 0; set both min and max", name);
	if (r->range && r->range->min < 0 && is_unsigned(f->proto))
		problems_add(&m->problems, &f->place,
			     "field %s is unsigned, and its range starts at %" PRId64 "; use 0", name,
			     r->range->min);
}

static bool is_id_kind(const char *kind)
{
	return strlen(kind) == 3 && islower((unsigned char)kind[0]) && islower((unsigned char)kind[1]) &&
	       islower((unsigned char)kind[2]);
}

static void check_form(struct model *m, const struct field *f)
{
	const FieldRules *r = f->rules;
	const char *name = f->proto->name;

	if (!protobuf_c_enum_descriptor_get_value(&grpc_c__v1__string_format__descriptor, r->format))
		problems_add(&m->problems, &f->place,
			     "field %s: this generator knows no string format %d; use one of "
			     "grpc_c.v1.StringFormat",
			     name, r->format);
	if (*r->id_kind && !is_id_kind(r->id_kind))
		problems_add(
			&m->problems, &f->place,
			"field %s: id_kind \"%s\" is not a kind; write 3 lower-case letters, such as \"crs\"",
			name, r->id_kind);
	if (*r->id_kind && r->format != GRPC_C__V1__STRING_FORMAT__STRING_FORMAT_UNSPECIFIED)
		problems_add(&m->problems, &f->place, "field %s has both id_kind and format; keep one", name);
	if (r->required && r->output_only)
		problems_add(&m->problems, &f->place,
			     "field %s is required of the client and output_only; keep one of the two", name);
}

static bool says_nothing(const FieldRules *r)
{
	for (unsigned i = 0; i < r->base.descriptor->n_fields; i++) {
		if (field_is_set(&r->base.descriptor->fields[i], &r->base))
			return false;
	}
	return r->base.n_unknown_fields == 0;
}

static void check_field(struct model *m, const struct field *f)
{
	if (!f->rules)
		return;
	if (says_nothing(f->rules))
		problems_add(&m->problems, &f->place,
			     "field %s: option (grpc_c.v1.rules) sets no rule; take it out or set one",
			     f->proto->name);
	check_fit(m, f);
	check_limits(m, f);
	check_form(m, f);
}

static void check_request_id(struct model *m, const struct method *method)
{
	const struct message *request = method->request;
	const struct field *f = request ? model_field(request, "request_id", strlen("request_id")) : NULL;

	if (!f || !method->request->file->has_tables)
		return;
	if (method->request_id_field < 0)
		problems_add(&m->problems, &f->place,
			     "field request_id of %s must be a singular string; change its type or its name",
			     method->request->full_name);
	else if (!f->rules || f->rules->format != GRPC_C__V1__STRING_FORMAT__STRING_FORMAT_UUID)
		problems_add(
			&m->problems, &f->place,
			"field request_id of %s must say it is a UUID; add [(grpc_c.v1.rules) = {format: "
			"STRING_FORMAT_UUID}]",
			method->request->full_name);
}

void check_rules(struct model *m)
{
	for (size_t i = 0; i < m->n_files; i++) {
		const struct file *file = &m->files[i];

		if (!file->generate)
			continue;
		for (size_t k = 0; k < file->n_messages; k++) {
			for (size_t n = 0; n < file->messages[k].n_fields; n++)
				check_field(m, &file->messages[k].fields[n]);
		}
		for (size_t k = 0; m->settings.require_policy && k < file->n_services; k++) {
			for (size_t n = 0; n < file->services[k].n_methods; n++)
				check_request_id(m, &file->services[k].methods[n]);
		}
	}
}
