/* SPDX-License-Identifier: Apache-2.0 */
#include "client/examples/import_oulad/csv_file.h"

#include <csv.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_BYTES_MAX = 1 << 20 };

struct reader {
	struct csv_parser parser;
	const char *path;
	const char *const *columns;
	unsigned n_columns;
	csv_row_fn row;
	void *arg;
	unsigned line, row_line;    /* being read; where the row under way begins, 0 before its first field */
	unsigned width, at;         /* fields of the header, 0 before it; of the row so far */
	int asked[CSV_COLUMNS_MAX]; /* by place in the file: which of `columns`, or -1 */
	bool found[CSV_COLUMNS_MAX]; /* by place in `columns` */
	const char *fields[CSV_COLUMNS_MAX];
	struct arena arena; /* the fields of the row under way */
	int r;              /* the first failure */
	struct error *err;
};

static struct csv_row reader_row(const struct reader *rd)
{
	return (struct csv_row){.path = rd->path,
				.line = rd->row_line ? rd->row_line : rd->line,
				.columns = rd->columns,
				.fields = rd->fields};
}

/* The first failure counts. */
__attribute__((format(printf, 2, 3), cold)) static void reader_fail(struct reader *rd, const char *format,
								    ...)
{
	char text[ERROR_MESSAGE_MAX];
	struct csv_row row = reader_row(rd);
	va_list args;

	if (rd->r < 0)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	rd->r = csv_row_error(&row, rd->err, "%s", text);
}

/* --- the header --- */

static void header_field(struct reader *rd, const char *name)
{
	rd->asked[rd->at] = -1;
	for (unsigned i = 0; i < rd->n_columns; i++) {
		if (strcmp(name, rd->columns[i]) != 0)
			continue;
		if (rd->found[i])
			reader_fail(rd, "the column %s is there twice", name);
		rd->found[i] = true;
		rd->asked[rd->at] = (int)i;
	}
}

static void header_end(struct reader *rd)
{
	for (unsigned i = 0; i < rd->n_columns && rd->r == 0; i++) {
		if (!rd->found[i])
			reader_fail(rd, "the header has no column %s", rd->columns[i]);
	}
	rd->width = rd->at;
}

/* --- what libcsv calls --- */

static void on_field(void *data, size_t len, void *arg)
{
	struct reader *rd = arg;

	if (rd->r < 0)
		return;
	if (!rd->row_line)
		rd->row_line = rd->line;
	if (memchr(data, '\0', len))
		reader_fail(rd, "a field holds a NUL byte");
	else if (rd->at == CSV_COLUMNS_MAX)
		reader_fail(rd, "there are more than %d columns", CSV_COLUMNS_MAX);
	else if (rd->width == 0)
		header_field(rd, data);
	else if (rd->at < rd->width && rd->asked[rd->at] >= 0) {
		char *copy = arena_strndup(&rd->arena, data, len);
		if (!copy)
			reader_fail(rd, "the row is longer than %d bytes", ROW_BYTES_MAX);
		rd->fields[rd->asked[rd->at]] = copy;
	}
	rd->at++;
}

static void on_row(int end, void *arg)
{
	struct reader *rd = arg;
	struct csv_row row = reader_row(rd);

	if (rd->r == 0 && rd->width == 0)
		header_end(rd);
	else if (rd->r == 0 && rd->at != rd->width)
		reader_fail(rd, "the row has %u fields, the header %u", rd->at, rd->width);
	else if (rd->r == 0)
		rd->r = rd->row(rd->arg, &row, rd->err);
	rd->at = 0;
	rd->row_line = 0;
	arena_reset(&rd->arena);
}

/* --- reading --- */

static void read_line(struct reader *rd, const char *text, size_t len)
{
	static const char mark[] = "\xef\xbb\xbf"; /* that spreadsheets put before UTF-8 */
	size_t skip = rd->line == 1 && len >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;

	if (csv_parse(&rd->parser, text + skip, len - skip, on_field, on_row, rd) != len - skip)
		reader_fail(rd, "this is no CSV: %s", csv_strerror(csv_error(&rd->parser)));
}

static void read_all(struct reader *rd, FILE *in)
{
	char *text = NULL;
	size_t size = 0;
	ssize_t len;

	while (rd->r == 0 && (len = getline(&text, &size, in)) >= 0) {
		rd->line++;
		read_line(rd, text, (size_t)len);
	}
	if (rd->r == 0 && ferror(in))
		rd->r = error_raise(rd->err, &RPC_REASON_FIELD_INVALID, "%s cannot be read: %s", rd->path,
				    strerror(errno));
	else if (rd->r == 0 && csv_fini(&rd->parser, on_field, on_row, rd) != 0)
		reader_fail(rd, "a quotation mark is not closed");
	else if (rd->r == 0 && rd->width == 0)
		rd->r = error_raise(rd->err, &RPC_REASON_FIELD_INVALID, "%s is empty", rd->path);
	free(text);
}

int csv_file_read(const char *path, const char *const *columns, csv_row_fn row, void *arg, struct error *err)
{
	struct reader rd = {.path = path, .columns = columns, .row = row, .arg = arg, .err = err};
	FILE *in = fopen(path, "re");

	if (!in)
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "%s cannot be opened: %s", path,
				   strerror(errno));
	while (columns[rd.n_columns])
		rd.n_columns++;
	if (csv_init(&rd.parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0) {
		fclose(in);
		return error_internal(err, "no CSV parser");
	}
	arena_init(&rd.arena, ROW_BYTES_MAX);
	read_all(&rd, in);
	arena_done(&rd.arena);
	csv_free(&rd.parser);
	fclose(in);
	return rd.r;
}

/* --- rows --- */

int csv_row_error(const struct csv_row *row, struct error *err, const char *format, ...)
{
	char text[ERROR_MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_raise(err, &RPC_REASON_FIELD_INVALID, "%s:%u: %s", row->path, row->line, text);
}

int csv_row_integer(const struct csv_row *row, unsigned column, int64_t min, int64_t max, int64_t *ret,
		    struct error *err)
{
	const char *text = row->fields[column];
	char *end = NULL;

	errno = 0;
	/* strtoll() also takes what is before and beside the digits. */
	bool digits = strspn(text, "-0123456789") == strlen(text);
	long long value = digits ? strtoll(text, &end, 10) : 0;
	if (!digits || end == text || *end || errno || value < min || value > max)
		return csv_row_error(row, err,
				     "%s is \"%s\", not a whole number from %" PRId64 " to %" PRId64,
				     row->columns[column], text, min, max);
	*ret = value;
	return 0;
}
