/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdio.h>

#include "client/cli/list.h"
#include "proto/runtime/error.h"

/*
 * Prints responses. As JSON: indented, or with `line` on one line, for streams and pages. As a table: a
 * response that holds a list is one row an element, the pages of a list go on below each other; any other is
 * one row a field, with its lists of messages below. A terminal sets the width; into a file or a pipe nothing
 * is cut, wrapped or left out, and each value stays on its line.
 */
struct output {
	FILE *out;
	size_t width; /* columns; 0: no limit */
	bool json;    /* else tables; set after output_begin() */
	struct list list;
};

void output_begin(struct output *o, FILE *out);

/* Fails with CLI_REASON_OUTPUT when it cannot be written. */
int output_print(struct output *o, const ProtobufCMessage *message, bool line, struct error *err)
	__attribute__((warn_unused_result));

/* After the last page of a table. CLI_REASON_OUTPUT. */
int output_end(struct output *o, struct error *err) __attribute__((warn_unused_result));

/* 0 when all that was printed has been written. `errno` is of the last failure. */
int output_flush(FILE *out, struct error *err) __attribute__((warn_unused_result));

/* The token of the page after this one; NULL on the last, and for what has no pages. */
const char *output_next_page(const ProtobufCMessage *message);

#endif
