/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <string.h>

#include "memory.h"
#include "names.h"
#include "options.h"
#include "proto/runtime/service.h"

/* Where a type is declared: what its names are made of. */
struct scope {
	struct file *file;
	struct place place;
	const char *outer; /* "" or "Outer." within the package */
};

static const char *full_name(struct model *m, const struct file *file, const char *outer, const char *name)
{
	const char *package = file->proto->package ? file->proto->package : "";

	return gen_printf(m->arena, "%s%s%s%s", package, *package ? "." : "", outer, name);
}

static size_t count_messages(MessageProto *const *messages, size_t n)
{
	size_t total = n;

	for (size_t i = 0; i < n; i++)
		total += count_messages(messages[i]->nested_type, messages[i]->n_nested_type);
	return total;
}

static size_t count_enums(MessageProto *const *messages, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += messages[i]->n_enum_type +
			 count_enums(messages[i]->nested_type, messages[i]->n_nested_type);
	return total;
}

static int by_number(const void *a, const void *b)
{
	const struct field *x = a, *y = b;

	return (x->proto->number > y->proto->number) - (x->proto->number < y->proto->number);
}

static void add_fields(struct model *m, struct message *message)
{
	message->n_fields = message->proto->n_field;
	message->fields = gen_array(m->arena, message->n_fields, sizeof(*message->fields));
	for (size_t i = 0; i < message->n_fields; i++) {
		struct field *f = &message->fields[i];

		f->proto = message->proto->field[i];
		f->place = place_below(m->arena, &message->place, MESSAGE_FIELD, i);
	}
	qsort(message->fields, message->n_fields, sizeof(*message->fields), by_number);
	for (size_t i = 0; i < message->n_fields; i++)
		message->fields[i].index = (unsigned)i;
}

static void add_enum(struct model *m, const struct scope *scope, const EnumProto *proto, size_t index,
		     int32_t tag)
{
	struct enumeration *e = &scope->file->enums[scope->file->n_enums++];
	const char *name = gen_printf(m->arena, "%s%s", scope->outer, proto->name);

	e->file = scope->file;
	e->proto = proto;
	e->place = place_below(m->arena, &scope->place, tag, index);
	e->full_name = full_name(m, scope->file, scope->outer, proto->name);
	e->c_type = name_c_type(m->arena, e->full_name);
	e->c_upper = name_c_upper(m->arena, e->full_name);
	e->short_type = name_short_type(m->arena, name);
	e->value_prefix = name_short_type(m->arena, scope->outer);
	if (*e->value_prefix)
		e->value_prefix = gen_printf(m->arena, "%s_", e->value_prefix);
	e->has_short = !m->settings.long_names && scope->file->has_tables && !name_is_taken(e->short_type);
	if (!e->has_short)
		e->short_type = e->c_type;
}

static void add_message(struct model *m, const struct scope *scope, const MessageProto *proto, size_t index,
			int32_t tag)
{
	struct file *file = scope->file;
	struct message *message = &file->messages[file->n_messages++];
	const char *name = gen_printf(m->arena, "%s%s", scope->outer, proto->name);

	message->file = file;
	message->proto = proto;
	message->place = place_below(m->arena, &scope->place, tag, index);
	message->full_name = full_name(m, file, scope->outer, proto->name);
	message->c_type = name_c_type(m->arena, message->full_name);
	message->c_lower = name_c_lower(m->arena, message->full_name);
	message->c_upper = name_c_upper(m->arena, message->full_name);
	message->short_type = name_short_type(m->arena, name);
	message->is_map_entry = proto->options && proto->options->map_entry;
	if (!m->settings.long_names && file->has_tables && !name_is_taken(message->short_type))
		message->short_upper = name_flat_upper(m->arena, name);
	else
		message->short_type = message->c_type;
	if (file->has_tables)
		message->rules_name =
			gen_printf(m->arena, "%s_rules", name_flat_lower(m->arena, message->full_name));
	add_fields(m, message);

	struct scope inner = {
		.file = file, .place = message->place, .outer = gen_printf(m->arena, "%s.", name)};
	for (size_t i = 0; i < proto->n_nested_type; i++)
		add_message(m, &inner, proto->nested_type[i], i, MESSAGE_NESTED);
	for (size_t i = 0; i < proto->n_enum_type; i++)
		add_enum(m, &inner, proto->enum_type[i], i, MESSAGE_ENUM);
}

static bool is_generated(const Google__Protobuf__Compiler__CodeGeneratorRequest *request, const char *path)
{
	for (size_t i = 0; i < request->n_file_to_generate; i++) {
		if (strcmp(request->file_to_generate[i], path) == 0)
			return true;
	}
	return false;
}

static void add_types(struct model *m, struct file *file)
{
	FileProto *proto = file->proto;
	struct scope top = {.file = file, .place = {.file = proto}, .outer = ""};

	file->messages = gen_array(m->arena, count_messages(proto->message_type, proto->n_message_type),
				   sizeof(*file->messages));
	file->enums = gen_array(m->arena,
				proto->n_enum_type + count_enums(proto->message_type, proto->n_message_type),
				sizeof(*file->enums));
	for (size_t i = 0; i < proto->n_message_type; i++)
		add_message(m, &top, proto->message_type[i], i, FILE_MESSAGE);
	for (size_t i = 0; i < proto->n_enum_type; i++)
		add_enum(m, &top, proto->enum_type[i], i, FILE_ENUM);
}

/* --- names to types --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

static void index_symbols(struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_files; i++)
		n += m->files[i].n_messages + m->files[i].n_enums;
	m->symbols = gen_array(m->arena, n, sizeof(*m->symbols));
	for (size_t i = 0; i < m->n_files; i++) {
		struct file *f = &m->files[i];

		for (size_t k = 0; k < f->n_messages; k++)
			m->symbols[m->n_symbols++] =
				(struct symbol){.name = f->messages[k].full_name, .message = &f->messages[k]};
		for (size_t k = 0; k < f->n_enums; k++)
			m->symbols[m->n_symbols++] =
				(struct symbol){.name = f->enums[k].full_name, .enumeration = &f->enums[k]};
	}
	qsort(m->symbols, m->n_symbols, sizeof(*m->symbols), by_name);
}

/* Type names in descriptors start with a dot. */
static const struct symbol *find_symbol(const struct model *m, const char *type_name)
{
	struct symbol key = {.name = type_name && *type_name == '.' ? type_name + 1 : ""};

	return bsearch(&key, m->symbols, m->n_symbols, sizeof(*m->symbols), by_name);
}

static void resolve_fields(struct model *m, struct message *message)
{
	for (size_t i = 0; i < message->n_fields; i++) {
		struct field *f = &message->fields[i];
		const struct symbol *type = find_symbol(m, f->proto->type_name);

		if (type) {
			f->message = type->message;
			f->enumeration = type->enumeration;
		}
		if (message->file->has_tables)
			f->rules = options_rules(m, &f->place, f->proto);
	}
}

/* --- reasons --- */

static const char *without_prefix(struct model *m, const struct enumeration *e, const char *value)
{
	const char *prefix = gen_printf(m->arena, "%s_", name_flat_upper(m->arena, e->proto->name));
	size_t len = strlen(prefix);

	return strncmp(value, prefix, len) == 0 ? value + len : value;
}

static void resolve_reasons(struct model *m, struct enumeration *e)
{
	const char *package = e->file->proto->package ? e->file->proto->package : "";
	const char *scope = m->settings.long_names ? name_flat_upper(m->arena, package) : "";

	e->is_reasons = e->file->has_tables && options_error_reasons(m, &e->place, e->proto);
	if (!e->is_reasons)
		return;
	e->reasons = gen_array(m->arena, e->proto->n_value, sizeof(*e->reasons));
	for (size_t i = 0; i < e->proto->n_value; i++) {
		const EnumValueProto *value = e->proto->value[i];
		struct place place = place_below(m->arena, &e->place, ENUM_VALUE, i);

		if (value->number == 0)
			continue;
		struct reason *r = &e->reasons[e->n_reasons++];
		r->proto = value;
		r->name = without_prefix(m, e, value->name);
		r->variable = gen_printf(m->arena, "%s%sREASON_%s", scope, *scope ? "_" : "", r->name);
		r->status = options_status(m, &place, value);
		if (r->status < 1 || r->status > 16)
			problems_add(
				&m->problems, &place,
				"reason %s has no gRPC status; add [(grpc_c.v1.status) = N], N from 1 to 16",
				value->name);
	}
}

/* --- services --- */

static int find_request_id(const struct message *request)
{
	const struct field *f = request ? model_field(request, "request_id", strlen("request_id")) : NULL;

	return f && !model_is_repeated(f) &&
			       f->proto->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_STRING
		       ? (int)f->index
		       : -1;
}

/* Names with dots between them; nothing when one of them leads nowhere. */
static void resolve_subject(struct method *method)
{
	const SubjectPolicy *subject = method->policy ? method->policy->subject : NULL;
	const struct message *at = method->request;
	const char *name = subject ? subject->field : "";
	size_t n = 0;

	while (*name && at && n < SUBJECT_DEPTH_MAX) {
		size_t len = strcspn(name, ".");
		const struct field *f = model_field(at, name, len);

		if (!f)
			return;
		method->subject[n++] = f;
		at = f->message;
		name += len + (name[len] == '.');
	}
	if (!*name)
		method->n_subject = n;
}

static void add_method(struct model *m, struct service *service, size_t index)
{
	struct method *method = &service->methods[index];
	const MethodProto *proto = service->proto->method[index];
	const struct symbol *request = find_symbol(m, proto->input_type),
			    *response = find_symbol(m, proto->output_type);

	method->proto = proto;
	method->service = service;
	method->place = place_below(m->arena, &service->place, SERVICE_METHOD, index);
	method->lower = name_flat_lower(m->arena, proto->name);
	method->upper = name_flat_upper(m->arena, proto->name);
	method->request = request ? request->message : NULL;
	method->response = response ? response->message : NULL;
	if (!method->request || !method->response)
		problems_add(&m->problems, &method->place,
			     "method %s speaks of a type that is not in the request", proto->name);
	method->policy = options_policy(m, &method->place, proto);
	method->request_id_field = find_request_id(method->request);
	resolve_subject(method);
}

static void add_service(struct model *m, struct file *file, size_t index)
{
	struct service *service = &file->services[index];
	struct place top = {.file = file->proto};

	service->file = file;
	service->proto = file->proto->service[index];
	service->place = place_below(m->arena, &top, FILE_SERVICE, index);
	service->full_name = full_name(m, file, "", service->proto->name);
	const char *name = m->settings.long_names ? service->full_name : service->proto->name;
	service->lower = name_flat_lower(m->arena, name);
	service->upper = name_flat_upper(m->arena, name);
	service->n_methods = service->proto->n_method;
	service->methods = gen_array(m->arena, service->n_methods, sizeof(*service->methods));
	for (size_t i = 0; i < service->n_methods; i++)
		add_method(m, service, i);
}

static void add_services(struct model *m, struct file *file)
{
	file->n_services = file->proto->n_service;
	file->services = gen_array(m->arena, file->n_services, sizeof(*file->services));
	for (size_t i = 0; i < file->n_services; i++)
		add_service(m, file, i);
}

/* --- the whole --- */

/* Files that everybody imports and nobody generates. */
static bool is_without_tables(const char *path)
{
	return strncmp(path, "google/", 7) == 0 || strcmp(path, "grpc_c/v1/options.proto") == 0;
}

static void add_file(struct model *m, struct file *file, FileProto *proto, bool generate)
{
	file->proto = proto;
	file->path = proto->name;
	file->stem = name_stem(m->arena, proto->name);
	file->generate = generate;
	file->has_tables = generate || !is_without_tables(proto->name);
	add_types(m, file);
}

void model_build(struct model *m, struct arena *a, const struct settings *settings,
		 const Google__Protobuf__Compiler__CodeGeneratorRequest *request)
{
	*m = (struct model){.arena = a, .settings = *settings};
	problems_init(&m->problems, a);
	m->n_files = request->n_proto_file;
	m->files = gen_array(a, m->n_files, sizeof(*m->files));
	for (size_t i = 0; i < m->n_files; i++)
		add_file(m, &m->files[i], request->proto_file[i],
			 is_generated(request, request->proto_file[i]->name));
	index_symbols(m);
	for (size_t i = 0; i < m->n_files; i++) {
		struct file *file = &m->files[i];

		for (size_t k = 0; k < file->n_messages; k++)
			resolve_fields(m, &file->messages[k]);
		for (size_t k = 0; k < file->n_enums; k++)
			resolve_reasons(m, &file->enums[k]);
		if (file->has_tables)
			add_services(m, file);
	}
}

/* No message speaks of the reasons that the errors of a service carry, so no import need lead to them. */
static bool has_reasons(const struct file *file)
{
	for (size_t i = 0; i < file->n_enums; i++) {
		if (file->enums[i].is_reasons)
			return true;
	}
	return false;
}

static void reach(struct model *m, const char *path)
{
	for (size_t i = 0; i < m->n_files; i++) {
		struct file *file = &m->files[i];

		if (strcmp(file->path, path) != 0 || file->reached)
			continue;
		file->reached = true;
		for (size_t k = 0; k < file->proto->n_dependency; k++)
			reach(m, file->proto->dependency[k]);
	}
}

void model_closure(struct model *m, const struct file *file)
{
	for (size_t i = 0; i < m->n_files; i++)
		m->files[i].reached = false;
	reach(m, file->path);
	for (size_t i = 0; file->n_services > 0 && i < m->n_files; i++) {
		if (has_reasons(&m->files[i]))
			reach(m, m->files[i].path);
	}
}

static void use_types(const struct message *message)
{
	for (size_t i = 0; i < message->n_fields; i++) {
		const struct field *f = &message->fields[i];

		if (f->message)
			f->message->file->reached = true;
		if (f->enumeration)
			f->enumeration->file->reached = true;
	}
}

void model_used(struct model *m, const struct file *file)
{
	for (size_t i = 0; i < m->n_files; i++)
		m->files[i].reached = false;
	for (size_t i = 0; i < file->n_messages; i++)
		use_types(&file->messages[i]);
	for (size_t i = 0; file->n_services > 0 && i < m->n_files; i++)
		m->files[i].reached = m->files[i].reached || has_reasons(&m->files[i]);
	for (size_t i = 0; i < file->n_services; i++) {
		for (size_t k = 0; k < file->services[i].n_methods; k++) {
			const struct method *method = &file->services[i].methods[k];

			if (method->request)
				method->request->file->reached = true;
			if (method->response)
				method->response->file->reached = true;
		}
	}
}

bool model_is_repeated(const struct field *f)
{
	return f->proto->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED;
}

const struct field *model_field(const struct message *message, const char *name, size_t len)
{
	for (size_t i = 0; i < message->n_fields; i++) {
		const char *own = message->fields[i].proto->name;

		if (strncmp(own, name, len) == 0 && !own[len])
			return &message->fields[i];
	}
	return NULL;
}

uint32_t model_max_items(const struct field *f)
{
	return f->rules && f->rules->max_items > 0 ? f->rules->max_items : FIELD_ITEMS_MAX;
}
