/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/help.h"

#include <string.h>

#include "client/cli/exit_code.h"
#include "client/cli/flags.h"
#include "client/cli/invocation.h"
#include "client/cli/names.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/cli/values.h"
#include "proto/runtime/array.h"

enum { HELP_WIDTH = 100, HELP_ARENA_MAX = 4 << 20, FLAG_INDENT = 6, COMMAND_WIDTH = 28 };

/* --- text --- */

/* A terminal's, if it is narrower. */
static int help_width(FILE *out)
{
	struct output o;

	output_begin(&o, out);
	return o.width > 0 && o.width < HELP_WIDTH ? (int)o.width : HELP_WIDTH;
}

/* Bytes of the next word; of a choice ("a|b|c") that no line holds, as much as one does. */
static size_t take_word(const char *text, int room)
{
	const size_t n = strcspn(text, " \n");
	size_t end = n;

	while (end > 0 && (int)end > room)
		for (end--; end > 0 && text[end - 1] != '|';)
			end--;
	return end > 0 ? end : n;
}

/* Prints words from column `at`, wrapped at the width, further lines indented. Ends the line. */
static void put_wrapped(FILE *out, int indent, int at, const char *text)
{
	int width = help_width(out);
	bool begun = false;

	while (*text) {
		size_t n = take_word(text, width - indent);
		if (begun && at + 1 + (int)n > width) {
			fprintf(out, "\n%*s", indent, "");
			at = indent;
			begun = false;
		}
		at += fprintf(out, "%s%.*s", begun ? " " : "", (int)n, text);
		begun = true;
		text += n;
		if (*text == '\n') {
			fprintf(out, "\n%*s", indent, "");
			at = indent;
			begun = false;
		}
		text += *text == ' ' || *text == '\n';
	}
	fputc('\n', out);
}

/* Up to the first ". " or ".\n"; the rest is for the command's own help. */
static const char *first_sentence(const char *text, struct arena *arena)
{
	const char *end = text;

	while (*end && !(*end == '.' && (end[1] == ' ' || end[1] == '\n' || end[1] == '\0')))
		end++;
	const char *sentence = arena_strndup(arena, text, (size_t)(end - text));
	return sentence ? sentence : "";
}

/* --- edu help --- */

static void put_option(void *arg, const char *name, const char *shape, const char *help)
{
	FILE *out = arg;
	int at = fprintf(out, "  --%s%s%s", name, *shape ? " " : "", shape);

	fprintf(out, "%*s", at < COMMAND_WIDTH ? COMMAND_WIDTH - at : 2, "");
	put_wrapped(out, COMMAND_WIDTH, at < COMMAND_WIDTH ? COMMAND_WIDTH : at + 2, help);
}

static void put_command(FILE *out, const char *name, const char *help)
{
	int at = fprintf(out, "  %-*s", COMMAND_WIDTH - 2, name);

	put_wrapped(out, COMMAND_WIDTH, at, help);
}

static void put_group(FILE *out, const struct service_desc *service, unsigned first, const char *title,
		      const struct docs *docs, struct arena *arena)
{
	fprintf(out, "\n%s:\n", title);
	for (unsigned i = first; i < service->n_methods; i++) {
		const struct method_desc *method = &service->methods[i];
		char kebab[NAME_SIZE];

		if (strcmp(docs_group(docs, method->request->name, arena), title) != 0)
			continue;
		name_kebab(method->name, kebab);
		put_command(out, kebab, first_sentence(docs_method(docs, method, arena), arena));
	}
}

/* In the order of the contract: each file of requests is a group, where its first method stands. */
static void put_methods(FILE *out, const struct service_desc *service, const struct docs *docs,
			struct arena *arena)
{
	for (unsigned i = 0; i < service->n_methods; i++) {
		const char *title = docs_group(docs, service->methods[i].request->name, arena);
		unsigned first = 0;

		while (strcmp(docs_group(docs, service->methods[first].request->name, arena), title) != 0)
			first++;
		if (first == i)
			put_group(out, service, i, title, docs, arena);
	}
}

static void put_exit_codes(FILE *out)
{
	fputs("\nExit codes:\n", out);
	for (enum exit_code code = EXIT_DONE; code < EXIT_CODES; code++) {
		int at = fprintf(out, "  %d  ", (int)code);
		put_wrapped(out, 5, at, exit_code_help(code));
	}
}

void help_overview(FILE *out, const struct service_desc *service, const struct docs *docs)
{
	struct arena arena;

	arena_init(&arena, HELP_ARENA_MAX);
	fprintf(out, "edu calls %s from the command line.\n\n", service->name);
	fputs("Usage: edu COMMAND [--FIELD VALUE]... [--OPTION VALUE]...\n"
	      "       edu help COMMAND\n"
	      "       edu                      prints this\n"
	      "\n",
	      out);
	put_wrapped(
		out, 0, 0,
		"A command is an RPC of the service, its flags are the fields of its request. Sign in with "
		"edu login --login NAME; the session is kept for the commands that follow.");
	put_methods(out, service, docs, &arena);
	fputs("\nBesides:\n", out);
	for (const struct own_command *own = own_commands; own->name; own++)
		put_command(out, own->name, own->help);
	fputs("\nOptions of every command:\n", out);
	options_visit(put_option, out);
	put_exit_codes(out);
	arena_done(&arena);
}

/* --- edu help COMMAND --- */

struct flag_help {
	FILE *out;
	const struct docs *docs;
	const struct method_desc *method;
	struct arena *arena;
};

static const struct field_rule *find_rule(const struct message_rules *rules, const char *field)
{
	for (unsigned i = 0; rules && i < rules->n_fields; i++) {
		if (strcmp(rules->fields[i].name, field) == 0)
			return &rules->fields[i];
	}
	return NULL;
}

static bool field_is_alternative(const ProtobufCFieldDescriptor *field)
{
	return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

/* A field of a message that may be left out is required only with the rest of that message: not said. */
static bool flag_is_required(const struct flag_help *help, const char *name)
{
	const struct message_rules *rules = help->method->request_rules;
	struct flag_path path;

	if (!flag_find(help->method->request, name, &path))
		return false;
	for (unsigned i = 0; i < path.n; i++) {
		const struct field_rule *rule = find_rule(rules, path.fields[i]->name);
		if (!rule || !rule->required || field_is_alternative(path.fields[i]))
			return false;
		rules = rule->nested;
	}
	return true;
}

/* True when the flag, or a message it is in, is only ever answered. */
static bool flag_is_answered(const struct flag_help *help, const char *name)
{
	const struct message_rules *rules = help->method->request_rules;
	struct flag_path path;

	if (!flag_find(help->method->request, name, &path))
		return false;
	for (unsigned i = 0; i < path.n; i++) {
		const struct field_rule *rule = find_rule(rules, path.fields[i]->name);
		if (rule && rule->output_only)
			return true;
		rules = rule ? rule->nested : NULL;
	}
	return false;
}

/* Of a oneof of the request that must be set, what stands beside each of its fields; else nothing. */
static const char *flag_alternatives(const struct flag_help *help, const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *request = help->method->request;
	const char *names = "";
	bool required = false;

	for (unsigned i = 0; i < request->n_fields; i++) {
		const ProtobufCFieldDescriptor *other = &request->fields[i];
		const struct field_rule *rule = find_rule(help->method->request_rules, other->name);
		char kebab[NAME_SIZE];

		if (!field_is_alternative(field) || !field_is_alternative(other) ||
		    other->quantifier_offset != field->quantifier_offset)
			continue;
		required |= rule && rule->required;
		name_kebab(other->name, kebab);
		const char *more = arena_printf(help->arena, "%s%s--%s", names, *names ? ", " : "", kebab);
		names = more ? more : names;
	}
	const char *text = required ? arena_printf(help->arena, "  (one of %s is required)", names) : NULL;
	return text ? text : "";
}

/* True when the flag, or a message it is in, is one of several: its flags begin the next one. */
static bool flag_repeats(const struct flag_help *help, const char *name)
{
	struct flag_path path;

	if (!flag_find(help->method->request, name, &path))
		return false;
	for (unsigned i = 0; i < path.n; i++) {
		if (path.fields[i]->label == PROTOBUF_C_LABEL_REPEATED)
			return true;
	}
	return false;
}

static const char *flag_shape(const struct flag_help *help, const ProtobufCFieldDescriptor *field)
{
	const struct flag_path path = {.fields = {field}, .n = 1};

	if (!flag_is_switch(&path))
		return arena_printf(help->arena, " %s", value_shape(field, help->arena));
	return field->type == PROTOBUF_C_TYPE_BOOL ? "[=false]" : "";
}

/* What this program does about a field that is left out. */
static const char *flag_left_out(const struct flag_help *help, const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *request = help->method->request;
	int request_id = help->method->request_id_field;

	if (request_id >= 0 && field == &request->fields[request_id])
		return "  (made when left out)";
	if (field == protobuf_c_message_descriptor_get_field_by_name(request, "password"))
		return "  (asked for when left out, or --password-file; here other users of the machine can "
		       "read it)";
	if (field == protobuf_c_message_descriptor_get_field_by_name(request, "update_mask"))
		return "  (the fields given, when left out)";
	return "";
}

static void put_flag(void *arg, const char *name, const ProtobufCMessageDescriptor *message,
		     const ProtobufCFieldDescriptor *field)
{
	const struct flag_help *help = arg;
	const char *left_out = flag_left_out(help, field), *shape = flag_shape(help, field);

	if (flag_is_answered(help, name))
		return;
	const char *required = "";
	if (!*left_out && flag_is_required(help, name))
		required = "  (required)";
	else if (message == help->method->request)
		required = flag_alternatives(help, field);
	const char *repeated = flag_repeats(help, name) ? "  (may be repeated)" : "";
	const char *head = arena_printf(help->arena, "--%s%s%s%s%s", name, shape ? shape : "", required,
					left_out, repeated);
	fputs("  ", help->out);
	put_wrapped(help->out, FLAG_INDENT, 2, head ? head : name);
	const char *text = docs_field(help->docs, message->name, field->name, help->arena);
	if (*text) {
		fprintf(help->out, "%*s", FLAG_INDENT, "");
		put_wrapped(help->out, FLAG_INDENT, FLAG_INDENT, text);
	}
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* The label and the names, or nothing. */
static const char *list_of(const char *label, const char *const *names, struct arena *arena)
{
	const char *text = label;

	if (!names || !*names)
		return "";
	for (; *names; names++)
		text = or_empty(arena_printf(arena, "%s%s%s", text, *names, names[1] ? ", " : ""));
	return text;
}

static void put_caller(FILE *out, const struct method_policy *policy, struct arena *arena)
{
	const char *who = "";

	if (policy->access == METHOD_ACCESS_PUBLIC)
		who = "anybody";
	else if (policy->access == METHOD_ACCESS_NONE)
		who = "nobody";
	else if (!policy->roles || !*policy->roles)
		who = "any signed-in user";
	fputc('\n', out);
	put_wrapped(out, 0, 0,
		    or_empty(arena_printf(
			    arena, "Who may call: %s%s%s", who,
			    list_of("users with a role of ", policy->roles, arena),
			    list_of("; service accounts with a scope of ", policy->scopes, arena))));
}

static void put_kind(FILE *out, enum method_kind kind)
{
	static const char *const notes[] = {
		[METHOD_SERVER_STREAM] = "Answers a stream: each message is printed as it arrives.",
		[METHOD_CLIENT_STREAM] =
			"Takes a stream of requests: --json reads one object after the other.",
		[METHOD_BIDI] =
			"Takes and answers a stream: --json reads one object after the other, and each "
			"answer is printed as it arrives.",
	};
	const char *note = (size_t)kind < ARRAY_SIZE(notes) ? notes[kind] : NULL;

	if (!note)
		return;
	fputc('\n', out);
	put_wrapped(out, 0, 0, note);
}

void help_method(FILE *out, const struct method_desc *method, const struct docs *docs)
{
	struct arena arena;
	char kebab[NAME_SIZE];
	struct flag_help help = {.out = out, .docs = docs, .method = method, .arena = &arena};

	arena_init(&arena, HELP_ARENA_MAX);
	name_kebab(method->name, kebab);
	put_wrapped(out, 0, 0,
		    or_empty(arena_printf(&arena, "edu %s calls %s of %s.", kebab, method->name,
					  method->service->name)));
	fputc('\n', out);
	put_wrapped(out, 0, 0, docs_method(docs, method, &arena));
	put_caller(out, &method->policy, &arena);
	put_kind(out, method->kind);
	fputc('\n', out);
	if (method->request->n_fields > 0)
		put_wrapped(out, 0, 0,
			    "Flags (a name that only one message has may stand without it: --title for "
			    "--course.title):");
	flags_visit(method->request, put_flag, &help);
	fputs("\nOptions of every command, and exit codes: edu help\n", out);
	arena_done(&arena);
}

void help_own(FILE *out, const struct own_command *own)
{
	struct arena arena;

	arena_init(&arena, HELP_ARENA_MAX);
	put_wrapped(out, 0, 0, or_empty(arena_printf(&arena, "edu %s: %s", own->name, own->help)));
	arena_done(&arena);
}
