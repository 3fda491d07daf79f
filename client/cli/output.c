/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/output.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client/cli/block.h"
#include "client/cli/exit_code.h"
#include "client/cli/kinds.h"
#include "client/cli/shown.h"
#include "client/cli/text.h"
#include "proto/runtime/field.h"
#include "proto/runtime/json.h"

enum { OUTPUT_ARENA_MAX = 64 << 20, WIDTH_UNKNOWN = 80 };

void output_begin(struct output *o, FILE *out)
{
	struct winsize size = {.ws_col = 0};

	*o = (struct output){.out = out};
	if (!isatty(fileno(out)))
		return;
	ioctl(fileno(out), TIOCGWINSZ, &size);
	o->width = size.ws_col > 0 ? size.ws_col : WIDTH_UNKNOWN;
}

int output_flush(FILE *out, struct error *err)
{
	if (fflush(out) == 0 && !ferror(out))
		return 0;
	return error_raise(err, &CLI_REASON_OUTPUT, "what was to be printed cannot be written: %s",
			   strerror(errno ? errno : EIO));
}

static int print_json(struct output *o, const ProtobufCMessage *message, bool line, struct error *err)
{
	json_t *json;
	int r = json_from_message(message, false, &json, err);
	if (r < 0)
		return r;
	errno = 0;
	json_dumpf(json, o->out, line ? JSON_COMPACT : JSON_INDENT(2)); /* the flush tells */
	fputc('\n', o->out);
	json_decref(json);
	return output_flush(o->out, err);
}

/* --- one object: one row a field --- */

/* Messages of one or two fields fit a cell; greater ones have rows, or a table, of their own. */
static bool message_is_small(const ProtobufCMessageDescriptor *desc)
{
	return kind_has_text(desc) || desc->n_fields <= 2;
}

/* A row, or one for each element that has names in it: headers, instructors. */
static void member_rows(struct block *block, const char *name, const ProtobufCMessage *message,
			const ProtobufCFieldDescriptor *field, bool lines)
{
	size_t n;
	ProtobufCMessage *const *elements = shown_list(message, field, &n);

	if (n == 0 || kind_has_text(elements[0]->descriptor) || elements[0]->descriptor->n_fields == 1) {
		const char *text = shown_text(message, field, block->arena);
		block_add(block, name, text_clean(text, lines, block->arena));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const char *text = shown_element(elements[i], block->arena);
		block_add(block, name, text_clean(text, lines, block->arena));
	}
}

static void object_rows(struct block *block, const char *prefix, const ProtobufCMessage *message, bool lines)
{
	const ProtobufCMessageDescriptor *desc = message->descriptor;

	for (unsigned i = 0; i < desc->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &desc->fields[i];
		const ProtobufCMessage *child = shown_message(message, field);
		bool big = field->type == PROTOBUF_C_TYPE_MESSAGE && !message_is_small(field->descriptor);
		const char *name =
			arena_printf(block->arena, "%s%s", prefix, kind_shown_name(field, block->arena));

		if (!name)
			return; /* the arena tells */
		if (child && big) {
			const char *deeper = arena_printf(block->arena, "%s.", name);
			object_rows(block, deeper ? deeper : "", child, lines);
		} else if (!big) {
			member_rows(block, name, message, field, lines);
		}
	}
}

/* Its lists but this one, each with this before and after it. */
static void object_lists(struct output *o, const ProtobufCMessage *message,
			 const ProtobufCFieldDescriptor *but, const char *before, const char *after,
			 struct arena *arena)
{
	const ProtobufCMessageDescriptor *desc = message->descriptor;

	for (unsigned i = 0; i < desc->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &desc->fields[i];
		struct list list = {.n = 0};
		size_t n;
		ProtobufCMessage *const *rows = shown_list(message, field, &n);

		if (n == 0 || field == but || message_is_small(field->descriptor))
			continue;
		fprintf(o->out, "%s%s:\n", before, field->name);
		list_print(&list, o->out, o->width, field->descriptor, rows, n, arena);
		fputs(after, o->out);
	}
}

static void object_print(struct output *o, const ProtobufCMessage *message, struct arena *arena)
{
	struct block block = {.arena = arena};

	object_rows(&block, "", message, o->width > 0);
	block_print(&block, o->out, o->width);
	object_lists(o, message, NULL, "\n", "", arena);
}

/* --- a response --- */

static const ProtobufCFieldDescriptor *page_token_of(const ProtobufCMessageDescriptor *desc)
{
	return protobuf_c_message_descriptor_get_field_by_name(desc, "next_page_token");
}

/* The list a response is about: its one repeated message, or the first of a page, when everything else is no
 * message. */
static const ProtobufCFieldDescriptor *response_list(const ProtobufCMessageDescriptor *desc)
{
	const ProtobufCFieldDescriptor *found = NULL;

	for (unsigned i = 0; i < desc->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &desc->fields[i];
		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if ((found && !page_token_of(desc)) || field->label != PROTOBUF_C_LABEL_REPEATED)
			return NULL;
		found = found ? found : field;
	}
	return found;
}

/* The object a response wraps, when that is all it holds. */
static const ProtobufCMessage *response_object(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *desc = message->descriptor;
	const ProtobufCMessage *only = desc->n_fields == 1 ? shown_message(message, &desc->fields[0]) : NULL;

	return only && !kind_has_text(only->descriptor) ? only : message;
}

const char *output_next_page(const ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *token = page_token_of(message->descriptor);
	bool text = token && token->type == PROTOBUF_C_TYPE_STRING && field_is_set(token, message);

	return text ? *(char *const *)field_member(message, token->offset) : NULL;
}

static int print_table(struct output *o, const ProtobufCMessage *message, struct error *err)
{
	const ProtobufCFieldDescriptor *list = response_list(message->descriptor);
	struct arena arena;
	size_t n;

	arena_init(&arena, OUTPUT_ARENA_MAX);
	errno = 0;
	if (list) {
		ProtobufCMessage *const *rows = shown_list(message, list, &n);
		object_lists(o, message, list, "", "\n", &arena);
		list_print(&o->list, o->out, o->width, list->descriptor, rows, n, &arena);
	} else {
		object_print(o, response_object(message), &arena);
	}
	bool exhausted = arena.exhausted;
	arena_done(&arena);
	if (exhausted)
		return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
				   "the answer is too large for a table; --output json prints it");
	return output_flush(o->out, err);
}

int output_print(struct output *o, const ProtobufCMessage *message, bool line, struct error *err)
{
	return o->json ? print_json(o, message, line, err) : print_table(o, message, err);
}

int output_end(struct output *o, struct error *err)
{
	errno = 0;
	if (list_end(&o->list, o->out, o->width))
		return output_flush(o->out, err);
	return error_raise(
		err, &CLI_REASON_OUTPUT,
		"rows cannot be kept until the last page: %s; --output json prints each page as it comes",
		strerror(errno ? errno : EIO));
}
