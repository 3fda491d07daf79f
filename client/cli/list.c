/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/block.h"
#include "client/cli/kinds.h"
#include "client/cli/names.h"
#include "client/cli/shown.h"
#include "client/cli/text.h"

enum {
	LIST_ARENA_MAX = 64 << 20,
	GAP = 2,          /* columns between columns */
	TITLE_LEAST = 4,  /* of a title whose row needs its room */
	PROSE_LEAST = 16, /* of a text that is cut */
	PROSE_LONG = 40,  /* a text that a table does without */
};

/* One page: its cells, row by row. */
struct page {
	const char **cells;
	size_t n_rows;
	struct arena *arena;
};

static const char *cell(const struct page *page, const struct list *list, size_t row, unsigned column)
{
	return page->cells[row * list->n + column];
}

static bool page_read(struct page *page, const struct list *list, ProtobufCMessage *const *rows)
{
	page->cells = arena_array(page->arena, page->n_rows * list->n, sizeof(*page->cells));
	if (!page->cells)
		return false;
	for (size_t i = 0; i < page->n_rows; i++) {
		for (unsigned j = 0; j < list->n; j++) {
			const char *text = shown_text(rows[i], list->columns[j].field, page->arena);
			page->cells[i * list->n + j] = text_clean(text, false, page->arena);
		}
	}
	return true;
}

/* --- what a column is --- */

static bool is_metadata(const char *name)
{
	return strcmp(name, "etag") == 0 || strcmp(name, "version") == 0 || strcmp(name, "revision") == 0 ||
	       strcmp(name, "create_time") == 0 || strcmp(name, "update_time") == 0 ||
	       kind_name_ends(name, "external_id");
}

/* One word of ASCII is a name, an id or a code. */
static bool is_words(const char *text)
{
	for (; *text; text++) {
		if (*text == ' ' || (unsigned char)*text >= 0x80)
			return true;
	}
	return false;
}

static bool is_text(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_STRING && !kind_name_ends(field->name, "_id");
}

static void column_measure(struct list_column *column, const struct page *page, const struct list *list,
			   unsigned index)
{
	const ProtobufCFieldDescriptor *field = column->field;
	bool text = is_text(field);
	size_t name = strlen(kind_shown_name(field, page->arena));

	*column = (struct list_column){.field = field,
				       .name_width = name,
				       .widest = name,
				       .empty = true,
				       .constant = page->n_rows > 1 && !list->open};
	for (size_t i = 0; i < page->n_rows; i++) {
		const char *value = cell(page, list, i, index);
		size_t width = text_width(value);
		column->widest = width > column->widest ? width : column->widest;
		column->empty &= !*value;
		column->prose |= text && is_words(value);
		column->constant &= strcmp(value, cell(page, list, 0, index)) == 0;
	}
	column->kept = !column->empty;
}

static bool is_title(const struct list *list, unsigned index)
{
	for (unsigned i = 0; i < index; i++) {
		if (list->columns[i].prose)
			return false;
	}
	return list->columns[index].prose;
}

/* What a row is about beside its name: what it costs, how it stands, how far it is. */
static bool is_telling(const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *message =
		field->type == PROTOBUF_C_TYPE_MESSAGE ? field->descriptor : NULL;

	if (message)
		return message->n_fields <= 1 || kind_is_money(message);
	return field->type == PROTOBUF_C_TYPE_ENUM || kind_is_basis_points(field) || kind_is_coverage(field);
}

/* How much of a medium is covered is in the bar as well. */
static bool is_repetition(const struct list *list, unsigned index)
{
	if (!kind_name_ends(list->columns[index].field->name, "covered_slices"))
		return false;
	for (unsigned i = 0; i < list->n; i++) {
		if (list->columns[i].kept && kind_is_coverage(list->columns[i].field))
			return true;
	}
	return false;
}

/* The order in which columns go; 0 stays. */
static int column_dispensable(const struct list *list, unsigned index)
{
	const struct list_column *column = &list->columns[index];
	const ProtobufCFieldDescriptor *field = column->field;

	if (!column->kept)
		return 0;
	if (is_repetition(list, index))
		return 6;
	if (index > 0 && is_metadata(field->name))
		return 5;
	if (column->widest > PROSE_LONG && !is_title(list, index))
		return 4;
	if (column->constant)
		return 3;
	if (index == 0 || is_title(list, index) || is_telling(field))
		return 0;
	return kind_name_ends(field->name, "_id") ? 1 : 2;
}

/* --- what fits --- */

static size_t column_least(const struct list_column *column)
{
	size_t least = column->name_width > PROSE_LEAST ? column->name_width : PROSE_LEAST;

	return column->prose && column->widest > least ? least : column->widest;
}

static size_t list_least(const struct list *list)
{
	size_t sum = 0;

	for (unsigned i = 0; i < list->n; i++) {
		if (list->columns[i].kept)
			sum += (sum > 0 ? GAP : 0) + column_least(&list->columns[i]);
	}
	return sum;
}

static bool list_drop_one(struct list *list)
{
	unsigned worst = 0;
	int most = 0;

	for (unsigned i = 0; i < list->n; i++) {
		int dispensable = column_dispensable(list, i);
		if (dispensable > 0 && dispensable >= most) {
			most = dispensable;
			worst = i;
		}
	}
	if (most > 0)
		list->columns[worst].kept = false;
	return most > 0;
}

/* Titles of later pages may be longer than those of the first. */
static void list_reserve(struct list *list, size_t left)
{
	for (unsigned i = 0; i < list->n; i++) {
		struct list_column *column = &list->columns[i];
		if (!column->kept || !is_text(column->field) || is_metadata(column->field->name))
			continue;
		size_t wanted = column->width < PROSE_LONG ? PROSE_LONG - column->width : 0;
		column->width += wanted < left ? wanted : left;
		return;
	}
}

/* Prose shares what the others leave, the first the most. */
static void list_share(struct list *list, size_t width)
{
	size_t left = width - list_least(list);

	for (unsigned i = 0; i < list->n; i++) {
		struct list_column *column = &list->columns[i];
		size_t least = column_least(column), more = column->widest - least;
		more = more < left ? more : left;
		column->width = least + more;
		left -= column->kept ? more : 0;
	}
	if (list->open)
		list_reserve(list, left);
}

static void list_lay_out(struct list *list, size_t width)
{
	for (unsigned i = 0; width == 0 && i < list->n; i++) {
		list->columns[i].width = list->columns[i].widest;
		list->columns[i].kept = !list->columns[i].empty;
		list->columns[i].prose = false; /* nothing is cut */
	}
	if (width == 0)
		return;
	while (list_least(list) > width) {
		/* A single row is read as well as a block, and loses nothing. */
		if (list->single || !list_drop_one(list)) {
			list->blocks = true;
			return;
		}
	}
	list_share(list, width);
}

/* --- printing --- */

static void put_cell(FILE *out, const struct list_column *column, size_t width, const char *text, bool last,
		     struct arena *arena)
{
	const char *shown = column->prose ? text_shorten(text, width, arena) : text;
	size_t used = text_width(shown);
	int padding = used < width ? (int)(width - used) : 0;

	if (kind_is_amount(column->field))
		fprintf(out, "%*s%s", padding, "", shown);
	else
		fprintf(out, "%s%*s", shown, last ? 0 : padding, "");
	fputs(last ? "\n" : "  ", out);
}

static unsigned list_last(const struct list *list)
{
	unsigned last = 0;

	for (unsigned i = 0; i < list->n; i++)
		last = list->columns[i].kept ? i : last;
	return last;
}

static void put_names(const struct list *list, FILE *out, struct arena *arena)
{
	for (unsigned i = 0; i < list->n; i++) {
		char name[NAME_SIZE];

		name_upper_snake(kind_shown_name(list->columns[i].field, arena), name);
		if (list->columns[i].kept)
			put_cell(out, &list->columns[i], list->columns[i].width, name, i == list_last(list),
				 arena);
	}
}

/* Columns by which what is not cut goes beyond its own: on a page after the one that set the widths. */
static size_t row_excess(const struct list *list, const struct page *page, size_t row)
{
	size_t excess = 0;

	for (unsigned i = 0; i < list->n; i++) {
		const struct list_column *column = &list->columns[i];
		size_t used = text_width(cell(page, list, row, i));
		if (column->kept && !column->prose && used > column->width)
			excess += used - column->width;
	}
	return excess;
}

/* The title gives what others need, as far as it has it. */
static void put_row(const struct list *list, FILE *out, const struct page *page, size_t row)
{
	size_t excess = row_excess(list, page, row);

	for (unsigned i = 0; i < list->n; i++) {
		const struct list_column *column = &list->columns[i];
		size_t spare = column->prose && column->width > TITLE_LEAST ? column->width - TITLE_LEAST : 0;
		size_t given = excess < spare ? excess : spare;
		if (!column->kept)
			continue;
		put_cell(out, column, column->width - given, cell(page, list, row, i), i == list_last(list),
			 page->arena);
		excess -= given;
	}
}

static void put_blocks(const struct list *list, FILE *out, size_t width, const struct page *page)
{
	for (size_t i = 0; i < page->n_rows; i++) {
		struct block block = {.arena = page->arena};

		for (unsigned j = 0; j < list->n; j++)
			block_add(&block, kind_shown_name(list->columns[j].field, page->arena),
				  cell(page, list, i, j));
		fputs(i > 0 || list->begun ? "\n" : "", out);
		block_print(&block, out, width);
	}
}

/* Names, with what they are in every row where `constant`. */
static const char *left_out(const struct list *list, const struct page *page, bool constant)
{
	const char *text = "";

	for (unsigned i = 0; i < list->n; i++) {
		const struct list_column *column = &list->columns[i];
		bool said =
			column->constant && column->widest <= PROSE_LONG && !is_metadata(column->field->name);
		if (column->kept || column->empty || said != constant)
			continue;
		const char *more = arena_printf(page->arena, "%s%s%s%s%s", text, *text ? ", " : "",
						kind_shown_name(column->field, page->arena), said ? " " : "",
						said ? cell(page, list, 0, i) : "");
		text = more ? more : text;
	}
	return text;
}

static void put_note(const char *label, const char *text, size_t width, struct arena *arena)
{
	const char *note = *text ? arena_printf(arena, "%s: %s", label, text) : NULL;

	if (!note)
		return;
	fputs("edu: ", stderr);
	block_put_text(stderr, note, 5, width > 5 ? width - 5 : 0);
}

/* What the table does without, below it. */
static void note_left_out(const struct list *list, const struct page *page, size_t width)
{
	const char *rest = left_out(list, page, false);

	put_note("in every row", left_out(list, page, true), width, page->arena);
	if (*rest)
		put_note("not shown", arena_printf(page->arena, "%s; --output json has all", rest), width,
			 page->arena);
}

/* --- a page --- */

static void list_read(struct list *list, struct page *page, const ProtobufCMessageDescriptor *desc,
		      ProtobufCMessage *const *rows)
{
	list->n = desc->n_fields < LIST_COLUMNS ? desc->n_fields : LIST_COLUMNS;
	for (unsigned i = 0; i < list->n; i++)
		list->columns[i].field = &desc->fields[i];
	if (!page_read(page, list, rows))
		list->n = 0;
	for (unsigned i = 0; i < list->n; i++)
		column_measure(&list->columns[i], page, list, i);
}

/* What the first page did not have. */
static void list_widen(struct list *list, const struct list *page)
{
	for (unsigned i = 0; i < list->n; i++) {
		struct list_column *column = &list->columns[i];
		const struct list_column *more = &page->columns[i];
		column->empty &= more->empty;
		column->prose |= more->prose;
		column->widest = more->widest > column->widest ? more->widest : column->widest;
	}
}

/* A page that is printed at once. The first one sets the widths, which the next ones keep. */
static void list_put(struct list *list, FILE *out, size_t width, const struct list *fresh,
		     const struct page *page)
{
	if (!list->begun) {
		*list = *fresh;
		list_lay_out(list, width);
		if (!list->blocks)
			put_names(list, out, page->arena);
	} else {
		list_widen(list, fresh);
	}
	if (list->blocks)
		put_blocks(list, out, width, page);
	for (size_t i = 0; !list->blocks && i < page->n_rows; i++)
		put_row(list, out, page, i);
	list->begun = true;
	if (!list->blocks && !list->open && fflush(out) == 0)
		note_left_out(list, page, width);
}

/* A page that is kept until all are known. */
static void list_spool(struct list *list, const struct list *fresh, const struct page *page)
{
	if (!list->begun) {
		*list = *fresh;
		list->spool = tmpfile();
		list->begun = true;
	} else {
		list_widen(list, fresh);
	}
	list->failed |= !list->spool;
	list->n_spooled += page->n_rows;
	for (size_t i = 0; list->spool && i < page->n_rows * fresh->n; i++)
		list->failed |= fputs(page->cells[i], list->spool) < 0 || fputc('\0', list->spool) < 0;
}

static bool spool_read_row(struct list *list, struct page *page)
{
	char *text = NULL;
	size_t size = 0;
	unsigned i = 0;

	arena_reset(page->arena);
	page->cells = arena_array(page->arena, list->n, sizeof(*page->cells));
	while (page->cells && i < list->n && getdelim(&text, &size, '\0', list->spool) >= 0) {
		page->cells[i] = arena_strdup(page->arena, text);
		i += page->cells[i] != NULL;
	}
	free(text);
	return i == list->n;
}

/* All columns that have something, as wide as their widest. */
static void spool_print(struct list *list, FILE *out, struct arena *arena)
{
	struct page page = {.n_rows = 1, .arena = arena};

	list->failed |= fflush(list->spool) != 0;
	rewind(list->spool);
	list_lay_out(list, 0);
	put_names(list, out, arena);
	for (; list->n_spooled > 0 && spool_read_row(list, &page); list->n_spooled--)
		put_row(list, out, &page, 0);
	list->failed |= ferror(list->spool) || arena->exhausted;
	fclose(list->spool);
	list->spool = NULL;
}

bool list_end(struct list *list, FILE *out, size_t width)
{
	struct page page = {.n_rows = 0};
	struct arena arena;

	arena_init(&arena, LIST_ARENA_MAX);
	page.arena = &arena;
	if (list->spool)
		spool_print(list, out, &arena);
	else if (list->begun && list->open && !list->blocks && fflush(out) == 0)
		note_left_out(list, &page, width);
	arena_done(&arena);
	return !list->failed;
}

void list_print(struct list *list, FILE *out, size_t width, const ProtobufCMessageDescriptor *desc,
		ProtobufCMessage *const *rows, size_t n_rows, struct arena *arena)
{
	struct page page = {.n_rows = n_rows, .arena = arena};
	struct list fresh = {.open = list->open, .single = n_rows == 1 && !list->open};

	if (n_rows == 0)
		return;
	list_read(&fresh, &page, desc, rows);
	if (fresh.n == 0)
		return; /* the arena tells */
	if (list->open && width == 0)
		list_spool(list, &fresh, &page);
	else
		list_put(list, out, width, &fresh, &page);
}
