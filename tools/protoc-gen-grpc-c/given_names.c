/* SPDX-License-Identifier: Apache-2.0 */
#include "given_names.h"

#include <ctype.h>
#include <string.h>

#include "emit.h"
#include "memory.h"
#include "names.h"
#include "proto/runtime/array.h"

/* What is being named: the owner's part of each name's description, and where to look for it. */
struct giver {
	struct model *m;
	struct givens *givens;
	const struct file *file;
	struct place place;
	const char *owner;
	bool is_long;
};

static void give(struct giver *by, const char *name)
{
	struct givens *g = by->givens;

	if (g->n == g->size) {
		size_t size = g->size ? 2 * g->size : 64;
		struct given *list = gen_array(by->m->arena, size, sizeof(*list));

		if (g->n > 0)
			memcpy(list, g->list, g->n * sizeof(*list));
		g->list = list;
		g->size = size;
	}
	g->list[g->n] = (struct given){
		.name = name,
		.owner = by->owner,
		.place = by->place,
		.order = g->n,
		.is_long = by->is_long,
		.is_generate = by->file->generate,
	};
	g->n++;
}

#define give_made(by, ...) give((by), gen_printf((by)->m->arena, __VA_ARGS__))

static struct giver giver_of(const struct giver *by, const struct place *place, const char *kind,
			     const char *full_name, bool is_long)
{
	struct giver ret = *by;

	ret.place = *place;
	ret.owner = gen_printf(by->m->arena, "%s %s", kind, full_name);
	ret.is_long = is_long;
	return ret;
}

static void give_each(struct giver *by, const char *prefix, const char *const *suffixes)
{
	for (; *suffixes; suffixes++)
		give_made(by, "%s%s", prefix, *suffixes);
}

/* --- protobuf-c's --- */

static void give_oneofs(struct giver *by, const struct message *message)
{
	for (size_t i = 0; i < message->proto->n_oneof_decl; i++) {
		const char *full = gen_printf(by->m->arena, "%s.%s", message->full_name,
					      message->proto->oneof_decl[i]->name);
		const char *upper = name_c_upper(by->m->arena, full);

		give_made(by, "%sCase", name_c_type(by->m->arena, full));
		give_made(by, "%s__NOT_SET", upper);
		for (size_t k = 0; k < message->n_fields; k++) {
			const FieldProto *f = message->fields[k].proto;

			if (f->has_oneof_index && f->oneof_index == (int32_t)i)
				give_made(by, "%s_%s", upper, name_flat_upper(by->m->arena, f->name));
		}
	}
}

static void give_theirs_of_message(struct giver *file, const struct message *message)
{
	static const char *const functions[] = {
		"__init",   "__get_packed_size", "__pack",       "__pack_to_buffer",
		"__unpack", "__free_unpacked",   "__descriptor", NULL};
	struct giver by = giver_of(file, &message->place, "message", message->full_name, true);

	give(&by, message->c_type);
	give_made(&by, "%s_Closure", message->c_type);
	give_made(&by, "%s__INIT", message->c_upper);
	give_each(&by, message->c_lower, functions);
	give_oneofs(&by, message);
}

static void give_theirs_of_enum(struct giver *file, const struct enumeration *e)
{
	struct giver by = giver_of(file, &e->place, "enum", e->full_name, true);

	give(&by, e->c_type);
	give_made(&by, "%s__descriptor", name_c_lower(by.m->arena, e->full_name));
	for (size_t i = 0; i < e->proto->n_value; i++)
		give_made(&by, "%s__%s", e->c_upper, e->proto->value[i]->name);
}

/* protobuf-c's guard: "edu/v1/user.proto" is edu_2fv1_2fuser_2eproto in it. */
static void give_their_guard(struct giver *file)
{
	const struct place top = {.file = file->file->proto};
	struct giver by = giver_of(file, &top, "file", file->file->path, true);
	char *path = gen_array(by.m->arena, 3 * strlen(by.file->path) + 1, 1), *out = path;

	for (const char *c = by.file->path; *c; c++) {
		if (isalnum((unsigned char)*c))
			*out++ = *c;
		else
			out += snprintf(out, sizeof("_2f"), "_%02x", (unsigned char)*c);
	}
	give_made(&by, "PROTOBUF_C_%s__INCLUDED", path);
}

/* protobuf-c makes services of its own, whoever uses them. */
static void give_theirs_of_service(struct giver *file, const ServiceProto *proto, const struct place *place)
{
	static const char *const functions[] = {"__init", "__descriptor", NULL};
	const char *package = file->file->proto->package ? file->file->proto->package : "";
	const char *full = gen_printf(file->m->arena, "%s%s%s", package, *package ? "." : "", proto->name);
	const char *lower = name_c_lower(file->m->arena, full), *upper = name_c_upper(file->m->arena, full);
	struct giver by = giver_of(file, place, "service", full, true);

	give_made(&by, "%s_Service", name_c_type(by.m->arena, full));
	give_made(&by, "%s_ServiceDestroy", name_c_type(by.m->arena, full));
	give_made(&by, "%s__BASE_INIT", upper);
	give_made(&by, "%s__INIT", upper);
	give_each(&by, lower, functions);
	for (size_t i = 0; i < proto->n_method; i++) {
		const struct place method = place_below(by.m->arena, place, SERVICE_METHOD, i);

		by = giver_of(file, &method, "method", proto->method[i]->name, true);
		give_made(&by, "%s__%s", lower, name_c_lower(by.m->arena, proto->method[i]->name));
	}
}

/* --- ours --- */

static void give_limits(struct giver *file, const struct message *message)
{
	struct giver by = giver_of(file, &message->place, "a limit of", message->full_name, false);

	for (size_t i = 0; i < message->n_fields; i++) {
		const FieldRules *rules = message->fields[i].rules;
		const char *upper = name_flat_upper(by.m->arena, message->fields[i].proto->name);

		if (rules && rules->max_items > 0)
			give_made(&by, "%s_%s_MAX_ITEMS", message->short_upper, upper);
		if (rules && rules->max_length > 0)
			give_made(&by, "%s_%s_MAX_LENGTH", message->short_upper, upper);
	}
}

static void give_ours_of_message(struct giver *file, const struct message *message)
{
	struct giver by = giver_of(file, &message->place, "message", message->full_name, false);

	if (message->short_upper) {
		if (strcmp(message->short_type, message->c_type) != 0)
			give(&by, message->short_type);
		give_made(&by, "%s_INIT", message->short_upper);
		give_made(&by, "%s_DESC", message->short_upper);
		give_limits(file, message);
	}
	by = giver_of(file, &message->place, "the rules of", message->full_name, true);
	give(&by, message->rules_name);
	give_made(&by, "%s_fields", message->rules_name);
}

static void give_ours_of_enum(struct giver *file, const struct enumeration *e)
{
	struct giver by = giver_of(file, &e->place, "enum", e->full_name, false);

	if (e->has_short && strcmp(e->short_type, e->c_type) != 0)
		give(&by, e->short_type);
	for (size_t i = 0; i < e->n_reasons; i++) {
		by = giver_of(file, &e->place, "reason", e->reasons[i].proto->name, false);
		give(&by, e->reasons[i].variable);
	}
	if (!e->has_short || e->is_reasons)
		return;
	by = giver_of(file, &e->place, "the names of", e->full_name, true);
	give_made(&by, "%s_name", e->short_type);
	by = giver_of(file, &e->place, "the greatest value of", e->full_name, false);
	give_made(&by, "%s_MAX", e->short_type);
	for (size_t i = 0; i < e->proto->n_value; i++) {
		const char *name = gen_printf(by.m->arena, "%s%s", e->value_prefix, e->proto->value[i]->name);
		const struct place place = place_below(by.m->arena, &e->place, ENUM_VALUE, i);

		by = giver_of(file, &place, "a value of", e->full_name, false);
		if (name_may_be_macro(name))
			give(&by, name);
	}
}

static void give_method(struct giver *file, const struct method *method)
{
	static const char *const unary[] = {"_fn", "_thunk", "_call", "_done", "_start", NULL};
	static const char *const stream[] = {
		"_thunks", "_open",  "_send",     "_half_close", "_receive", "_finish",       "_cancel",
		"_free",   "__open", "__message", "__next",      "__closed", "__half_closed", NULL};
	const struct service *s = method->service;
	const char *prefix = gen_printf(file->m->arena, "%s_%s", s->lower, method->lower);
	struct giver by = giver_of(file, &method->place, "method", method->proto->name, true);

	give_made(&by, "%s_METHOD_%s", s->upper, method->upper);
	give_made(&by, "%s_%s", s->upper, method->upper);
	give_made(&by, "%s_row_%s", s->lower, method->lower);
	give_each(&by, prefix, emit_is_unary(method) ? unary : stream);
}

static void give_ours_of_service(struct giver *file, const struct service *s)
{
	static const char *const tables[] = {"_methods", "_desc", NULL};
	struct giver by = giver_of(file, &s->place, "service", s->full_name, true);

	give_each(&by, s->lower, tables);
	give_made(&by, "%s_N_METHODS", s->upper);
	give_made(&by, "%s_ROWS", s->upper);
	for (size_t i = 0; i < s->n_methods; i++)
		give_method(file, &s->methods[i]);
}

/* Two files whose guards are one: the second header would be empty. */
static void give_guards(struct giver *file)
{
	static const char *const parts[] = {"tables", "server", "client"};
	const struct place top = {.file = file->file->proto};
	struct giver by = giver_of(file, &top, "file", file->file->path, true);

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		give(&by, emit_guard(by.m, by.file, parts[i]));
}

void given_names_of(struct model *m, const struct file *file, struct givens *ret)
{
	struct giver by = {.m = m, .givens = ret, .file = file};

	give_their_guard(&by);
	for (size_t i = 0; i < file->n_messages; i++)
		give_theirs_of_message(&by, &file->messages[i]);
	for (size_t i = 0; i < file->n_enums; i++)
		give_theirs_of_enum(&by, &file->enums[i]);
	for (size_t i = 0; i < file->proto->n_service; i++) {
		struct place top = {.file = file->proto},
			     place = place_below(m->arena, &top, FILE_SERVICE, i);

		give_theirs_of_service(&by, file->proto->service[i], &place);
	}
	if (!file->has_tables)
		return;
	give_guards(&by);
	for (size_t i = 0; i < file->n_messages; i++)
		give_ours_of_message(&by, &file->messages[i]);
	for (size_t i = 0; i < file->n_enums; i++)
		give_ours_of_enum(&by, &file->enums[i]);
	for (size_t i = 0; i < file->n_services; i++)
		give_ours_of_service(&by, &file->services[i]);
}
