/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/output.h"

#include <jansson.h>
#include <libsmartcols/libsmartcols.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/names.h"
#include "client/cli/values.h"
#include "proto/runtime/json.h"

enum {
	OUTPUT_ARENA_MAX = 64 << 20,
	COLUMNS_MAX = 8,  /* of a list; --output json has them all */
	COLUMN_WIDE = 40, /* a column with a longer text is left out first */
	ELEMENT_FIELDS = 64,
};

int output_json(FILE *out, const ProtobufCMessage *message, bool line, struct error *err)
{
	json_t *json;
	int r = json_from_message(message, false, &json, err);
	if (r < 0)
		return r;
	bool written = json_dumpf(json, out, line ? JSON_COMPACT : JSON_INDENT(2)) == 0 &&
		       fputc('\n', out) != EOF && fflush(out) == 0;
	json_decref(json);
	return written ? 0 : error_internal(err, "the output cannot be written");
}

/* --- tables --- */

static struct libscols_table *table_new(FILE *out)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		return NULL;
	scols_table_set_stream(table, out);
	if (!isatty(fileno(out)))
		scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	return table;
}

static void table_print(struct libscols_table *table, FILE *out)
{
	if (scols_table_get_nlines(table) > 0)
		scols_print_table(table);
	scols_unref_table(table);
	fflush(out);
}

/* --- a list: one row an element --- */

struct column {
	const ProtobufCFieldDescriptor *field;
	size_t widest; /* 0: empty in every row */
	bool kept;
};

static unsigned columns_measure(struct column *columns, const ProtobufCMessageDescriptor *desc,
				ProtobufCMessage *const *rows, size_t n_rows, struct arena *arena)
{
	unsigned n = desc->n_fields < ELEMENT_FIELDS ? desc->n_fields : ELEMENT_FIELDS, kept = 0;

	for (unsigned i = 0; i < n; i++) {
		columns[i] = (struct column){.field = &desc->fields[i]};
		for (size_t j = 0; j < n_rows; j++) {
			size_t width = strlen(value_text(rows[j], columns[i].field, arena));
			if (width > columns[i].widest)
				columns[i].widest = width;
		}
		columns[i].kept = columns[i].widest > 0;
		kept += columns[i].kept;
	}
	return kept;
}

/* What people miss least: what only programs read, then long texts, then the ids of other things, then the
 * last. */
static int column_dispensable(const struct column *column, unsigned index)
{
	const char *name = column->field->name;
	size_t n = strlen(name);

	if (!column->kept || index == 0)
		return 0;
	if (strcmp(name, "etag") == 0 || strcmp(name, "revision") == 0)
		return 4;
	if (column->widest > COLUMN_WIDE)
		return 3;
	return n > 3 && strcmp(name + n - 3, "_id") == 0 ? 2 : 1;
}

static void columns_drop_one(struct column *columns, unsigned n)
{
	unsigned worst = 0;
	int most = 0;

	for (unsigned i = 0; i < n; i++) {
		int dispensable = column_dispensable(&columns[i], i);
		if (dispensable > 0 && dispensable >= most) {
			most = dispensable;
			worst = i;
		}
	}
	columns[worst].kept = false;
}

static bool column_is_number(const ProtobufCFieldDescriptor *field)
{
	return field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_ENUM &&
	       field->type != PROTOBUF_C_TYPE_BOOL && field->type != PROTOBUF_C_TYPE_MESSAGE &&
	       field->type != PROTOBUF_C_TYPE_BYTES;
}

static void list_row(struct libscols_table *table, const struct column *columns, unsigned n,
		     const ProtobufCMessage *row, struct arena *arena)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	size_t cell = 0;

	for (unsigned i = 0; line && i < n; i++) {
		if (columns[i].kept)
			scols_line_set_data(line, cell++, value_text(row, columns[i].field, arena));
	}
}

static void list_print(FILE *out, const ProtobufCMessageDescriptor *desc, ProtobufCMessage *const *rows,
		       size_t n_rows, struct arena *arena)
{
	struct column columns[ELEMENT_FIELDS];
	unsigned n = desc->n_fields < ELEMENT_FIELDS ? desc->n_fields : ELEMENT_FIELDS;
	struct libscols_table *table = table_new(out);

	if (!table)
		return;
	unsigned kept = columns_measure(columns, desc, rows, n_rows, arena);
	for (; kept > COLUMNS_MAX; kept--)
		columns_drop_one(columns, n);
	for (unsigned i = 0; i < n; i++) {
		char name[NAME_SIZE];
		name_upper_snake(columns[i].field->name, name);
		if (columns[i].kept)
			scols_table_new_column(table, name, 0,
					       column_is_number(columns[i].field) ? SCOLS_FL_RIGHT
										  : SCOLS_FL_TRUNC);
	}
	for (size_t i = 0; i < n_rows; i++)
		list_row(table, columns, n, rows[i], arena);
	table_print(table, out);
}

/* --- one object: one row a field --- */

static void object_row(struct libscols_table *table, const char *prefix, const char *name, const char *value)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char key[NAME_SIZE * 2];

	if (!line)
		return;
	snprintf(key, sizeof(key), "%s%s", prefix, name);
	scols_line_set_data(line, 0, key);
	scols_line_set_data(line, 1, value);
}

/* Messages of one or two fields fit a cell; greater ones have rows, or a table, of their own. */
static bool message_is_small(const ProtobufCMessageDescriptor *desc)
{
	return value_is_special(desc) || desc->n_fields <= 2;
}

static void object_rows(struct libscols_table *table, const char *prefix, const ProtobufCMessage *message,
			struct arena *arena)
{
	const ProtobufCMessageDescriptor *desc = message->descriptor;

	for (unsigned i = 0; i < desc->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &desc->fields[i];
		const ProtobufCMessage *child = value_message(message, field);
		bool big = field->type == PROTOBUF_C_TYPE_MESSAGE && !message_is_small(field->descriptor);

		if (child && big) {
			char deeper[NAME_SIZE];
			snprintf(deeper, sizeof(deeper), "%s%s.", prefix, field->name);
			object_rows(table, deeper, child, arena);
			continue;
		}
		const char *text = big ? "" : value_text(message, field, arena);
		if (*text)
			object_row(table, prefix, field->name, text);
	}
}

static void object_lists(FILE *out, const ProtobufCMessage *message, struct arena *arena)
{
	const ProtobufCMessageDescriptor *desc = message->descriptor;

	for (unsigned i = 0; i < desc->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &desc->fields[i];
		size_t n;
		ProtobufCMessage *const *rows = value_messages(message, field, &n);

		if (n == 0 || message_is_small(field->descriptor))
			continue;
		fprintf(out, "\n%s:\n", field->name);
		list_print(out, field->descriptor, rows, n, arena);
	}
}

static void object_print(FILE *out, const ProtobufCMessage *message, struct arena *arena)
{
	struct libscols_table *table = table_new(out);

	if (!table)
		return;
	scols_table_enable_noheadings(table, 1);
	scols_table_new_column(table, "FIELD", 0, 0);
	scols_table_new_column(table, "VALUE", 0, SCOLS_FL_WRAP);
	object_rows(table, "", message, arena);
	table_print(table, out);
	object_lists(out, message, arena);
}

/* --- a response --- */

/* The list a response is about: its one repeated message, when everything else is no message. */
static const ProtobufCFieldDescriptor *response_list(const ProtobufCMessageDescriptor *desc)
{
	const ProtobufCFieldDescriptor *found = NULL;

	for (unsigned i = 0; i < desc->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &desc->fields[i];
		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (found || field->label != PROTOBUF_C_LABEL_REPEATED)
			return NULL;
		found = field;
	}
	return found;
}

/* The object a response wraps, when that is all it holds. */
static const ProtobufCMessage *response_object(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *desc = message->descriptor;
	const ProtobufCMessage *only = desc->n_fields == 1 ? value_message(message, &desc->fields[0]) : NULL;

	return only && !value_is_special(only->descriptor) ? only : message;
}

static void response_notes(const ProtobufCMessage *message, struct arena *arena)
{
	const ProtobufCFieldDescriptor *token =
		protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "next_page_token");
	const char *text = token ? value_text(message, token, arena) : "";

	if (*text)
		fprintf(stderr, "edu: there are more: --page-token %s\n", text);
}

int output_table(FILE *out, const ProtobufCMessage *message, struct error *err)
{
	const ProtobufCFieldDescriptor *list = response_list(message->descriptor);
	struct arena arena;
	size_t n;

	arena_init(&arena, OUTPUT_ARENA_MAX);
	if (list) {
		ProtobufCMessage *const *rows = value_messages(message, list, &n);
		list_print(out, list->descriptor, rows, n, &arena);
		response_notes(message, &arena);
	} else {
		object_print(out, response_object(message), &arena);
	}
	bool exhausted = arena.exhausted;
	arena_done(&arena);
	if (exhausted)
		return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
				   "the answer is too large for a table; --output json prints it");
	return ferror(out) ? error_internal(err, "the output cannot be written") : 0;
}
