/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_LIST_H
#define CLI_LIST_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdio.h>

#include "proto/runtime/arena.h"

/*
 * Elements of one kind as a table, one row an element, or where that does not fit as blocks, one below the
 * other. Nothing is cut but prose, which ends with an ellipsis then. A table that is too wide loses columns
 * in this order: what another column says too, what only programs read (etag, version, external ids, when it
 * was made and changed), long texts, what is the same in every row, other numbers and times, ids of other
 * things; notes on stderr name them. What stays is the title, money and states: where those do not fit there
 * are blocks.
 */
enum { LIST_COLUMNS = 64 };

/* How the rows of the first page were laid out: those of the next go on below, whatever they hold. Zeros
 * begin a table. */
struct list {
	struct list_column {
		const ProtobufCFieldDescriptor *field;
		size_t name_width;
		size_t widest; /* of the values and the name; what it would like to have */
		size_t width;  /* what it gets */
		bool empty, prose, constant, kept;
	} columns[LIST_COLUMNS];
	unsigned n;
	bool blocks, begun, single;
	bool open;   /* more pages come, and nobody knows what is the same in all of them */
	FILE *spool; /* cells of an open list that no width limits: printed when the widest of each is known
		      */
	size_t n_spooled; /* rows in it */
	bool failed;      /* it cannot be written or read */
};

/* Width 0: no limit. */
void list_print(struct list *list, FILE *out, size_t width, const ProtobufCMessageDescriptor *desc,
		ProtobufCMessage *const *rows, size_t n_rows, struct arena *arena);

/* After the last page of an open list. False when rows could not be kept until then: errno tells. */
bool list_end(struct list *list, FILE *out, size_t width) __attribute__((warn_unused_result));

#endif
