/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/flags.h"

#include <stdio.h>
#include <string.h>

#include "client/cli/kinds.h"
#include "client/cli/names.h"
#include "client/cli/values.h"
#include "proto/runtime/json.h"

static const ProtobufCMessageDescriptor *field_message(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_MESSAGE ? field->descriptor : NULL;
}

/* Written as one value: Timestamp, Duration, FieldMask, Money (whose fields may be given one by one as well),
 * or one without fields. */
static bool message_is_value(const ProtobufCMessageDescriptor *desc)
{
	return desc->n_fields == 0 || kind_has_text(desc);
}

static bool field_is_nested(const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *desc = field_message(field);

	return desc && !message_is_value(desc);
}

static bool field_is_repeated(const ProtobufCFieldDescriptor *field)
{
	return field->label == PROTOBUF_C_LABEL_REPEATED;
}

/* --- finding --- */

static const ProtobufCFieldDescriptor *field_find(const ProtobufCMessageDescriptor *desc, const char *kebab)
{
	char snake[NAME_SIZE];

	name_snake(kebab, snake);
	return protobuf_c_message_descriptor_get_field_by_name(desc, snake);
}

static bool flag_walk(const ProtobufCMessageDescriptor *desc, const char *name, struct flag_path *path)
{
	char part[NAME_SIZE];

	while (desc && path->n < FLAG_DEPTH) {
		size_t n = strcspn(name, ".");
		if (n == 0 || n >= sizeof(part))
			return false;
		memcpy(part, name, n);
		part[n] = '\0';
		const ProtobufCFieldDescriptor *field = field_find(desc, part);
		if (!field)
			return false;
		path->fields[path->n++] = field;
		if (name[n] == '\0')
			return true;
		name += n + 1;
		desc = field_message(field);
	}
	return false;
}

/* Looks for it in the messages `depth` below; counts them and keeps the last. */
static unsigned flag_search(const ProtobufCMessageDescriptor *desc, const char *name, unsigned depth,
			    const struct flag_path *above, struct flag_path *found)
{
	struct flag_path path = *above;
	unsigned matches = 0;

	if (depth == 0) {
		if (!flag_walk(desc, name, &path))
			return 0;
		*found = path;
		return 1;
	}
	for (unsigned i = 0; i < desc->n_fields; i++) {
		path = *above;
		path.fields[path.n++] = &desc->fields[i];
		if (field_is_nested(&desc->fields[i]))
			matches +=
				flag_search(field_message(&desc->fields[i]), name, depth - 1, &path, found);
	}
	return matches;
}

bool flag_find(const ProtobufCMessageDescriptor *desc, const char *name, struct flag_path *ret)
{
	const struct flag_path top = {.n = 0};
	unsigned matches = 0;

	*ret = top;
	for (unsigned depth = 0; matches == 0 && depth < FLAG_SEARCH; depth++)
		matches = flag_search(desc, name, depth, &top, ret);
	return matches == 1;
}

bool flag_is_switch(const struct flag_path *path)
{
	const ProtobufCFieldDescriptor *last = path->fields[path->n - 1];
	const ProtobufCMessageDescriptor *message = field_message(last);

	return last->type == PROTOBUF_C_TYPE_BOOL || (message && message->n_fields == 0);
}

/* --- setting --- */

static json_t *member_get(json_t *object, const ProtobufCFieldDescriptor *field)
{
	char key[NAME_SIZE];

	json_field_name(field->name, key, sizeof(key));
	json_t *member = json_object_get(object, key);
	return member ? member : json_object_get(object, field->name);
}

static void member_put(json_t *object, const ProtobufCFieldDescriptor *field, json_t *value)
{
	char key[NAME_SIZE];

	json_field_name(field->name, key, sizeof(key));
	if (strcmp(key, field->name) != 0)
		json_object_del(object, field->name);
	json_object_set_new(object, key, value);
}

/* The member as an array, made when it is none. */
static json_t *member_array(json_t *object, const ProtobufCFieldDescriptor *field)
{
	json_t *array = member_get(object, field);

	if (json_is_array(array))
		return array;
	array = json_array();
	member_put(object, field, array);
	return array;
}

/* True when this element already has what the rest of the path would set, so that the flag begins another. */
static bool element_has(json_t *element, const ProtobufCFieldDescriptor *const *rest, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		element = member_get(element, rest[i]);
		if (!element)
			return false;
		if (field_is_repeated(rest[i]))
			return false;
	}
	return true;
}

/* The object one step down the path. */
static json_t *object_enter(json_t *object, const struct flag_path *path, unsigned i)
{
	const ProtobufCFieldDescriptor *field = path->fields[i];
	json_t *child;

	if (!field_is_repeated(field)) {
		child = member_get(object, field);
		if (json_is_object(child))
			return child;
		child = json_object();
		member_put(object, field, child);
		return child;
	}
	json_t *array = member_array(object, field);
	size_t n = json_array_size(array);
	child = n > 0 ? json_array_get(array, n - 1) : NULL;
	if (json_is_object(child) && !element_has(child, path->fields + i + 1, path->n - i - 1))
		return child;
	child = json_object();
	json_array_append_new(array, child);
	return child;
}

bool flag_is_amount(const struct flag_path *path)
{
	const ProtobufCMessageDescriptor *message = field_message(path->fields[0]);

	return path->n == 1 && message && kind_is_money(message);
}

static const char *request_currency(const json_t *request)
{
	const json_t *code = json_object_get(request, "currencyCode");

	return json_string_value(code ? code : json_object_get(request, "currency_code"));
}

/* The one given as a field of this amount, or else the request's. */
static const char *amount_currency(json_t *request, const struct flag_path *path)
{
	json_t *own = flag_is_amount(path) ? member_get(request, path->fields[0]) : NULL;
	const char *code = json_is_object(own) ? request_currency(own) : NULL;

	return code ? code : request_currency(request);
}

int flag_set(json_t *request, const struct flag_path *path, const char *name, const char *value,
	     struct error *err)
{
	const ProtobufCFieldDescriptor *last = path->fields[path->n - 1];
	json_t *parsed;
	int r = value_parse(last, name, value, amount_currency(request, path), &parsed, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i + 1 < path->n; i++)
		request = object_enter(request, path, i);
	if (field_is_repeated(last))
		json_array_append_new(member_array(request, last), parsed);
	else
		member_put(request, last, parsed);
	return 0;
}

/* --- listing --- */

static void flags_visit_within(const ProtobufCMessageDescriptor *desc, const char *prefix, unsigned depth,
			       flag_visitor each, void *arg)
{
	for (unsigned i = 0; i < desc->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &desc->fields[i];
		char kebab[NAME_SIZE], name[NAME_SIZE * 2];

		name_kebab(field->name, kebab);
		bool within = field_is_nested(field) && depth + 1 < FLAG_DEPTH;
		snprintf(name, sizeof(name), "%s%s%s", prefix, kebab, within ? "." : "");
		if (within)
			flags_visit_within(field_message(field), name, depth + 1, each, arg);
		else
			each(arg, name, desc, field);
	}
}

void flags_visit(const ProtobufCMessageDescriptor *desc, flag_visitor each, void *arg)
{
	flags_visit_within(desc, "", 0, each, arg);
}

/* --- update_mask --- */

static const struct field_rule *rule_of(const struct message_rules *rules, const char *field)
{
	for (unsigned i = 0; rules && i < rules->n_fields; i++) {
		if (strcmp(rules->fields[i].name, field) == 0)
			return &rules->fields[i];
	}
	return NULL;
}

/* The one message field of the request that is no mask, if it is one. */
static const ProtobufCFieldDescriptor *mask_resource(const ProtobufCMessageDescriptor *request)
{
	const ProtobufCFieldDescriptor *found = NULL;

	for (unsigned i = 0; i < request->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &request->fields[i];
		if (!field_is_nested(field) || field_is_repeated(field))
			continue;
		if (found)
			return NULL;
		found = field;
	}
	return found;
}

/* A resource names itself by <resource>_id, by AIP-122's custom; it says which one to change, not what to
 * change. */
static bool mask_may_name(const ProtobufCFieldDescriptor *resource, const struct message_rules *rules,
			  const ProtobufCFieldDescriptor *field)
{
	const struct field_rule *rule = rule_of(rules, field->name);
	char id[NAME_SIZE + 4];

	snprintf(id, sizeof(id), "%s_id", resource->name);
	return strcmp(field->name, id) != 0 && strcmp(field->name, "etag") != 0 &&
	       !(rule && rule->output_only);
}

/* In proto3 JSON a mask is one string of lowerCamelCase paths. */
static void mask_append(char *mask, size_t size, const char *field)
{
	char path[NAME_SIZE];
	size_t n = strlen(mask);

	json_field_name(field, path, sizeof(path));
	snprintf(mask + n, size - n, "%s%s", n > 0 ? "," : "", path);
}

void flags_fill_mask(const struct method_desc *method, json_t *request)
{
	const ProtobufCFieldDescriptor *mask_field = field_find(method->request, "update-mask");
	const ProtobufCFieldDescriptor *resource = mask_resource(method->request);
	char mask[2048] = "";

	if (!mask_field || !resource || member_get(request, mask_field))
		return;
	const struct field_rule *rule = rule_of(method->request_rules, resource->name);
	const struct message_rules *rules = rule ? rule->nested : NULL;
	const ProtobufCMessageDescriptor *desc = field_message(resource);
	json_t *given = member_get(request, resource);
	for (unsigned i = 0; given && i < desc->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &desc->fields[i];
		if (member_get(given, field) && mask_may_name(resource, rules, field))
			mask_append(mask, sizeof(mask), field->name);
	}
	if (mask[0])
		member_put(request, mask_field, json_string(mask));
}
