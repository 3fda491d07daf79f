/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_WRITER_H
#define GEN_WRITER_H

#include <stdio.h>

#include "proto/runtime/arena.h"

/*
 * Writes one generated file from templates: $name$ stands for the value last set under that name. A name that
 * was not set is a fault of the generator and ends it.
 */
struct writer {
	FILE *out;
	char *text;
	size_t size;
	struct {
		const char *name, *value;
	} vars[24];
	unsigned n_vars;
};

void writer_init(struct writer *w);
void writer_set(struct writer *w, const char *name, const char *value); /* the value is not copied */
void writer_put(struct writer *w, const char *template);

/* What was written, in the arena. Ends the writer. */
char *writer_take(struct writer *w, struct arena *a);

#endif
