/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "emit.h"
#include "memory.h"
#include "names.h"
#include "proto/runtime/field.h"

/* --- the header --- */

/* What the contract allows, so that whoever makes room for it need not write it again. */
static void put_message_limits(struct model *m, struct writer *w, const struct message *message)
{
	for (size_t i = 0; i < message->n_fields; i++) {
		const struct field *f = &message->fields[i];
		const char *upper = name_flat_upper(m->arena, f->proto->name);

		if (f->rules && f->rules->max_items > 0)
			fprintf(w->out, "#define %s_%s_MAX_ITEMS %" PRIu32 "\n", message->short_upper, upper,
				f->rules->max_items);
		if (f->rules && f->rules->max_length > 0)
			fprintf(w->out, "#define %s_%s_MAX_LENGTH %" PRIu32 "\n", message->short_upper, upper,
				f->rules->max_length);
	}
}

static void put_message_names(struct model *m, struct writer *w, const struct message *message)
{
	writer_set(w, "full", message->full_name);
	writer_set(w, "type", message->c_type);
	writer_set(w, "lower", message->c_lower);
	writer_set(w, "upper", message->c_upper);
	writer_set(w, "short", message->short_type);
	writer_set(w, "rules", message->rules_name);
	writer_put(w, "\n/* $full$ */\n");
	if (message->short_upper) {
		writer_set(w, "SHORT", message->short_upper);
		if (strcmp(message->c_type, message->short_type) != 0)
			writer_put(w, "typedef $type$ $short$;\n");
		writer_put(w, "#define $SHORT$_INIT $upper$__INIT\n"
			      "#define $SHORT$_DESC (&$lower$__descriptor)\n");
		put_message_limits(m, w, message);
	}
	writer_put(w, "extern const struct message_rules $rules$;\n");
}

static void put_reasons(struct writer *w, const struct enumeration *e)
{
	for (size_t i = 0; i < e->n_reasons; i++) {
		writer_set(w, "variable", e->reasons[i].variable);
		writer_put(w, "extern const struct error_reason $variable$;\n");
	}
}

static bool has_name_function(const struct enumeration *e)
{
	return e->has_short && !e->is_reasons;
}

static int32_t greatest_value(const struct enumeration *e)
{
	int32_t ret = INT32_MIN;

	for (size_t i = 0; i < e->proto->n_value; i++)
		ret = e->proto->value[i]->number > ret ? e->proto->value[i]->number : ret;
	return ret;
}

static void put_enum_names(struct model *m, struct writer *w, const struct enumeration *e)
{
	writer_set(w, "full", e->full_name);
	writer_set(w, "type", e->c_type);
	writer_set(w, "upper", e->c_upper);
	writer_set(w, "short", e->short_type);
	writer_put(w, "\n/* $full$ */\n");
	if (e->has_short && strcmp(e->c_type, e->short_type) != 0)
		writer_put(w, "typedef $type$ $short$;\n");
	for (size_t i = 0; e->has_short && !e->is_reasons && i < e->proto->n_value; i++) {
		const char *value = e->proto->value[i]->name;
		const char *name = gen_printf(m->arena, "%s%s", e->value_prefix, value);

		if (!name_may_be_macro(name))
			continue;
		writer_set(w, "value", value);
		writer_set(w, "value_short", name);
		writer_put(w, "#define $value_short$ $upper$__$value$\n");
	}
	put_reasons(w, e);
	if (has_name_function(e)) {
		writer_set(w, "max", gen_printf(m->arena, "%" PRId32, greatest_value(e)));
		writer_put(w,
			   "/* The greatest value: a static_assert with it tells of values that are new. */\n"
			   "#define $short$_MAX $max$\n");
		writer_put(w, "/* \"DRAFT\" of COURSE_STATE_DRAFT; \"UNKNOWN\" for a value this contract "
			      "does not have. "
			      "*/\nconst char *$short$_name(int value);\n");
	}
}

static void put_service_names(struct writer *w, const struct service *service)
{
	emit_set_service(w, service);
	writer_put(w, "\n/* $service$ */\n"
		      "enum {\n");
	for (size_t i = 0; i < service->n_methods; i++) {
		emit_set_method(w, &service->methods[i]);
		writer_put(w, "\t$PREFIX$_METHOD_$METHOD$,\n");
	}
	writer_put(w, "\t$PREFIX$_N_METHODS,\n"
		      "};\n"
		      "extern const struct method_desc $prefix$_methods[];\n"
		      "extern const struct service_desc $prefix$_desc;\n");
}

void emit_tables_header(struct model *m, const struct file *file, struct output *ret)
{
	struct writer w;

	emit_header_start(m, &w, file, "tables");
	emit_includes(m, &w, file);
	writer_put(&w, "#include \"proto/runtime/service.h\"\n");
	for (size_t i = 0; i < file->n_messages; i++)
		put_message_names(m, &w, &file->messages[i]);
	for (size_t i = 0; i < file->n_enums; i++)
		put_enum_names(m, &w, &file->enums[i]);
	for (size_t i = 0; i < file->n_services; i++)
		put_service_names(&w, &file->services[i]);
	emit_header_end(&w);
	emit_finish(m, &w, file, "tables", "h", ret);
}

/* --- options --- */

/* INT64_MIN has no literal. */
static void put_bound(struct writer *w, int64_t bound)
{
	if (bound == INT64_MIN)
		fputs("INT64_MIN", w->out);
	else
		fprintf(w->out, "INT64_C(%" PRId64 ")", bound);
}

static void put_option(struct model *m, struct writer *w, const ProtobufCFieldDescriptor *field,
		       const void *value)
{
	fprintf(w->out, ", .%s = ", field->name);
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		fputs("A_LIST_THAT_THE_GENERATOR_DOES_NOT_WRITE", w->out);
	else if (field->type == PROTOBUF_C_TYPE_BOOL)
		fputs("true", w->out);
	else if (field->type == PROTOBUF_C_TYPE_UINT32)
		fprintf(w->out, "%" PRIu32, *(const uint32_t *)value);
	else if (field->type == PROTOBUF_C_TYPE_INT64)
		put_bound(w, *(const int64_t *)value);
	else if (field->type == PROTOBUF_C_TYPE_STRING)
		fputs(emit_quoted(m, *(char *const *)value), w->out);
	else
		fputs("A_VALUE_THAT_THE_GENERATOR_DOES_NOT_WRITE", w->out);
}

/*
 * What is set in a message of options, as members of the same names; of those in `own` the caller puts what
 * they need. So an option that the tables have no member for does not compile, and is not forgotten.
 */
static void put_options(struct model *m, struct writer *w, const ProtobufCMessage *options,
			const char *const *own)
{
	for (unsigned i = 0; options && i < options->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &options->descriptor->fields[i];
		const char *const *name = own;

		while (*name && strcmp(*name, field->name) != 0)
			name++;
		if (!*name && field_is_set(field, options))
			put_option(m, w, field, field_member(options, field->offset));
	}
}

/* --- rules --- */

/* A field has an entry when it has rules, is repeated, or when the walk must go on into its message. */
static bool has_entry(const struct field *f)
{
	return f->rules || model_is_repeated(f) || (f->message && f->message->rules_name);
}

/* STRING_UUID of STRING_FORMAT_UUID: one that the runtime does not have does not compile. */
static const char *format_of(const FieldRules *r)
{
	return protobuf_c_enum_descriptor_get_value(&grpc_c__v1__string_format__descriptor, r->format)->name +
	       strlen("STRING_FORMAT_");
}

static void put_rules(struct model *m, struct writer *w, const FieldRules *r)
{
	put_options(m, w, &r->base, (const char *const[]){"max_items", "range", "format", NULL});
	if (r->range) {
		put_options(m, w, &r->range->base, (const char *const[]){NULL});
		fputs(", .has_range = true", w->out);
	}
	if (r->format)
		fprintf(w->out, ", .format = STRING_%s", format_of(r));
}

static void put_field_rule(struct model *m, struct writer *w, const struct field *f)
{
	fprintf(w->out, "\t{.name = \"%s\", .index = %u", f->proto->name, f->index);
	if (f->message && f->message->rules_name)
		fprintf(w->out, ", .nested = &%s", f->message->rules_name);
	if (model_is_repeated(f))
		fprintf(w->out, ", .max_items = %" PRIu32, model_max_items(f));
	if (f->rules)
		put_rules(m, w, f->rules);
	fputs("},\n", w->out);
}

static void put_message_rules(struct model *m, struct writer *w, const struct message *message)
{
	unsigned n = 0;

	writer_set(w, "rules", message->rules_name);
	writer_set(w, "lower", message->c_lower);
	for (size_t i = 0; i < message->n_fields; i++)
		n += has_entry(&message->fields[i]);
	if (n > 0) {
		writer_put(w, "static const struct field_rule $rules$_fields[] = {\n");
		for (size_t i = 0; i < message->n_fields; i++) {
			if (has_entry(&message->fields[i]))
				put_field_rule(m, w, &message->fields[i]);
		}
		writer_put(w, "};\n");
	}
	writer_set(w, "n", gen_printf(m->arena, "%u", n));
	writer_set(w, "fields", n > 0 ? gen_printf(m->arena, "%s_fields", message->rules_name) : "NULL");
	writer_put(w, "const struct message_rules $rules$ = {\n"
		      "\t.desc = &$lower$__descriptor,\n"
		      "\t.fields = $fields$,\n"
		      "\t.n_fields = $n$,\n"
		      "};\n\n");
}

/* --- names of values --- */

/* Of two names of one number, the first. */
static bool is_alias(const struct enumeration *e, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (e->proto->value[k]->number == e->proto->value[i]->number)
			return true;
	}
	return false;
}

/* The length of what all values begin with, by the style guide: COURSE_STATE_ of CourseState. */
static size_t value_prefix_len(struct model *m, const struct enumeration *e)
{
	const char *prefix = gen_printf(m->arena, "%s_", name_flat_upper(m->arena, e->proto->name));

	for (size_t i = 0; i < e->proto->n_value; i++) {
		if (strncmp(e->proto->value[i]->name, prefix, strlen(prefix)) != 0)
			return 0;
	}
	return strlen(prefix);
}

static void put_name_function(struct model *m, struct writer *w, const struct enumeration *e)
{
	const size_t prefix_len = value_prefix_len(m, e);

	writer_set(w, "short", e->short_type);
	writer_put(w, "const char *$short$_name(int value)\n{\n\tswitch (value) {\n");
	for (size_t i = 0; i < e->proto->n_value; i++) {
		if (!is_alias(e, i))
			fprintf(w->out, "\tcase %" PRId32 ":\n\t\treturn \"%s\";\n",
				e->proto->value[i]->number, e->proto->value[i]->name + prefix_len);
	}
	writer_put(w, "\tdefault:\n\t\treturn \"UNKNOWN\";\n\t}\n}\n\n");
}

/* --- reasons --- */

static void put_reason_values(struct writer *w, const struct enumeration *e)
{
	for (size_t i = 0; i < e->n_reasons; i++)
		fprintf(w->out, "const struct error_reason %s = {\"%s\", %d};\n", e->reasons[i].variable,
			e->reasons[i].name, e->reasons[i].status);
	if (e->n_reasons > 0)
		fputs("\n", w->out);
}

/* Every reason of the file set, for service_desc. Returns how many. */
static size_t put_reason_list(struct model *m, struct writer *w, const struct file *file)
{
	size_t n = 0;

	model_closure(m, file);
	for (size_t i = 0; i < m->n_files; i++) {
		for (size_t k = 0; m->files[i].reached && k < m->files[i].n_enums; k++) {
			const struct enumeration *e = &m->files[i].enums[k];

			for (size_t r = 0; r < e->n_reasons; r++) {
				if (n++ == 0)
					fputs("static const struct error_reason reasons[] = {\n", w->out);
				fprintf(w->out, "\t{\"%s\", %d},\n", e->reasons[r].name,
					e->reasons[r].status);
			}
		}
	}
	if (n > 0)
		fputs("};\n\n", w->out);
	return n;
}

/* --- services --- */

static const char *kind_of(const MethodProto *method)
{
	if (method->client_streaming)
		return method->server_streaming ? "METHOD_BIDI" : "METHOD_CLIENT_STREAM";
	return method->server_streaming ? "METHOD_SERVER_STREAM" : "METHOD_UNARY";
}

static const char *idempotency_of(const MethodProto *method)
{
	switch (method->options ? method->options->idempotency_level : 0) {
	case GOOGLE__PROTOBUF__METHOD_OPTIONS__IDEMPOTENCY_LEVEL__NO_SIDE_EFFECTS:
		return "METHOD_NO_SIDE_EFFECTS";
	case GOOGLE__PROTOBUF__METHOD_OPTIONS__IDEMPOTENCY_LEVEL__IDEMPOTENT:
		return "METHOD_IDEMPOTENT";
	default:
		return "METHOD_IDEMPOTENCY_UNKNOWN";
	}
}

/* Without a policy (policy=none) the contract asks nothing of the caller. */
static const char *access_of(const struct method *method)
{
	if (!method->policy)
		return "METHOD_ACCESS_PUBLIC";
	switch (method->policy->access) {
	case GRPC_C__V1__ACCESS__ACCESS_PUBLIC:
		return "METHOD_ACCESS_PUBLIC";
	case GRPC_C__V1__ACCESS__ACCESS_SIGNED_IN:
		return "METHOD_ACCESS_SIGNED_IN";
	default:
		return "METHOD_ACCESS_NONE";
	}
}

/* What a request may weigh where the contract does not say: a stranger's, and that of somebody known. */
static unsigned request_bytes_of(const struct method *method)
{
	if (method->policy && method->policy->max_request_bytes > 0)
		return method->policy->max_request_bytes;
	return !method->policy || method->policy->access == GRPC_C__V1__ACCESS__ACCESS_PUBLIC ? 16 * 1024
											      : 256 * 1024;
}

static void put_names(struct model *m, struct writer *w, char *const *names, size_t n)
{
	fputs("(const char *const[]){", w->out);
	for (size_t i = 0; i < n; i++)
		fprintf(w->out, "%s, ", emit_quoted(m, names[i]));
	fputs("NULL}", w->out);
}

/* Without a policy, and of a public method, requests are about nobody. */
static const char *subject_of(const SubjectPolicy *subject, const MethodPolicy *policy)
{
	if (!subject)
		return policy && policy->access == GRPC_C__V1__ACCESS__ACCESS_SIGNED_IN
			       ? "METHOD_SUBJECT_UNSAID"
			       : "METHOD_SUBJECT_NONE";
	switch (subject->source) {
	case GRPC_C__V1__SUBJECT__SUBJECT_NONE:
		return "METHOD_SUBJECT_NONE";
	case GRPC_C__V1__SUBJECT__SUBJECT_FIELD:
		return "METHOD_SUBJECT_FIELD";
	case GRPC_C__V1__SUBJECT__SUBJECT_HANDLER:
		return "METHOD_SUBJECT_HANDLER";
	default:
		return "METHOD_SUBJECT_UNSAID";
	}
}

static void put_subject_path(struct model *m, struct writer *w, const struct method *method)
{
	if (method->n_subject == 0)
		return;
	fputs(", .path = (const uint16_t[]){", w->out);
	for (size_t i = 0; i < method->n_subject; i++)
		fprintf(w->out, "%u, ", method->subject[i]->index);
	fprintf(w->out, "}, .n_path = %zu, .id_kind = %s", method->n_subject,
		emit_quoted(m, method->subject[method->n_subject - 1]->rules->id_kind));
}

static void put_subject(struct model *m, struct writer *w, const struct method *method)
{
	const SubjectPolicy *s = method->policy ? method->policy->subject : NULL;

	fprintf(w->out, "\t\t\t.subject = {.source = %s", subject_of(s, method->policy));
	put_subject_path(m, w, method);
	fputs(",\n\t\t\t\t.roles = ", w->out);
	put_names(m, w, s ? s->roles : NULL, s ? s->n_roles : 0);
	fputs(", .scopes = ", w->out);
	put_names(m, w, s ? s->scopes : NULL, s ? s->n_scopes : 0);
	put_options(m, w, s ? &s->base : NULL,
		    (const char *const[]){"source", "field", "roles", "scopes", NULL});
	fputs("}},\n", w->out);
}

static void put_policy(struct model *m, struct writer *w, const struct method *method)
{
	const MethodPolicy *p = method->policy;

	fprintf(w->out, "\t\t.policy = {.access = %s,\n\t\t\t.roles = ", access_of(method));
	put_names(m, w, p ? p->roles : NULL, p ? p->n_roles : 0);
	fputs(",\n\t\t\t.scopes = ", w->out);
	put_names(m, w, p ? p->scopes : NULL, p ? p->n_scopes : 0);
	fprintf(w->out, ",\n\t\t\t.rate_class = %s, .max_request_bytes = %u",
		emit_quoted(m, p ? p->rate_class : ""), request_bytes_of(method));
	put_options(m, w, p ? &p->base : NULL,
		    (const char *const[]){"access", "roles", "scopes", "rate_class", "max_request_bytes",
					  "subject", NULL});
	fputs(",\n", w->out);
	put_subject(m, w, method);
}

static void put_method(struct model *m, struct writer *w, const struct method *method)
{
	const char *rules = method->request->rules_name;

	emit_set_method(w, method);
	writer_set(w, "kind", kind_of(method->proto));
	writer_set(w, "idempotency", idempotency_of(method->proto));
	writer_set(w, "request_lower", method->request->c_lower);
	writer_set(w, "response_lower", method->response->c_lower);
	writer_set(w, "rules", rules ? gen_printf(m->arena, "&%s", rules) : "NULL");
	writer_set(w, "request_id_field", gen_printf(m->arena, "%d", method->request_id_field));
	writer_put(w, "\t[$PREFIX$_METHOD_$METHOD$] = {\n"
		      "\t\t.name = \"$name$\",\n"
		      "\t\t.path = \"/$service$/$name$\",\n"
		      "\t\t.service = &$prefix$_desc,\n"
		      "\t\t.kind = $kind$,\n"
		      "\t\t.idempotency = $idempotency$,\n"
		      "\t\t.request = &$request_lower$__descriptor,\n"
		      "\t\t.response = &$response_lower$__descriptor,\n"
		      "\t\t.request_rules = $rules$,\n"
		      "\t\t.request_id_field = $request_id_field$,\n");
	put_policy(m, w, method);
	writer_put(w, "\t},\n");
}

static void put_service(struct model *m, struct writer *w, const struct service *service, size_t n_reasons)
{
	emit_set_service(w, service);
	writer_set(w, "n", gen_printf(m->arena, "%zu", service->n_methods));
	writer_set(w, "reasons", n_reasons > 0 ? "reasons" : "NULL");
	writer_set(w, "n_reasons", gen_printf(m->arena, "%zu", n_reasons));
	/* An empty array is no C; a service without methods gets one that is not counted. */
	writer_put(w, service->n_methods > 0 ? "const struct method_desc $prefix$_methods[] = {\n"
					     : "const struct method_desc $prefix$_methods[1] = {\n");
	for (size_t i = 0; i < service->n_methods; i++)
		put_method(m, w, &service->methods[i]);
	writer_put(w, "};\n\n"
		      "const struct service_desc $prefix$_desc = {\n"
		      "\t.name = \"$service$\",\n"
		      "\t.methods = $prefix$_methods,\n"
		      "\t.n_methods = $n$,\n"
		      "\t.file = \"$path$\",\n"
		      "\t.descriptor_set = {.data = file_set, .len = sizeof(file_set)},\n"
		      "\t.reasons = $reasons$,\n"
		      "\t.n_reasons = $n_reasons$,\n"
		      "};\n\n");
}

void emit_tables_source(struct model *m, const struct file *file, struct output *ret)
{
	struct writer w;
	size_t n_reasons;

	emit_source_start(&w, file, "tables");
	for (size_t i = 0; i < file->n_messages; i++)
		put_message_rules(m, &w, &file->messages[i]);
	for (size_t i = 0; i < file->n_enums; i++)
		put_reason_values(&w, &file->enums[i]);
	for (size_t i = 0; i < file->n_enums; i++) {
		if (has_name_function(&file->enums[i]))
			put_name_function(m, &w, &file->enums[i]);
	}
	if (file->n_services > 0) {
		emit_descriptor_set(m, &w, file);
		n_reasons = put_reason_list(m, &w, file);
		for (size_t i = 0; i < file->n_services; i++)
			put_service(m, &w, &file->services[i], n_reasons);
	}
	emit_finish(m, &w, file, "tables", "c", ret);
}
