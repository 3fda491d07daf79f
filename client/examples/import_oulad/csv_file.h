/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMPORT_CSV_FILE_H
#define IMPORT_CSV_FILE_H

#include <stdint.h>

#include "proto/runtime/error.h"

enum { CSV_COLUMNS_MAX = 64 };

/* One row of a CSV file, as long as the callback that gets it runs. */
struct csv_row {
	const char *path;
	unsigned line;              /* where the row begins, from 1 */
	const char *const *columns; /* the names asked for */
	const char *const *fields;  /* in their order */
};

/* Negative with *err ends the reading. */
typedef int (*csv_row_fn)(void *arg, const struct csv_row *row, struct error *err);

/*
 * Reads a CSV file (RFC 4180; LF or CRLF; quoted or not) with a header line, and hands over each row's fields
 * of `columns` (NULL-terminated, at most CSV_COLUMNS_MAX). Columns are found by their names in the header;
 * others are ignored. Errors name the file and the line.
 */
int csv_file_read(const char *path, const char *const *columns, csv_row_fn row, void *arg, struct error *err)
	__attribute__((warn_unused_result));

/* A field as a whole number within bounds. */
int csv_row_integer(const struct csv_row *row, unsigned column, int64_t min, int64_t max, int64_t *ret,
		    struct error *err) __attribute__((warn_unused_result));

/* Raises an error about a row: "DIR/vle.csv:7: ...". Returns the negated code. */
int csv_row_error(const struct csv_row *row, struct error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4), cold));

#endif
