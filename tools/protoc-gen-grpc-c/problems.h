/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_PROBLEMS_H
#define GEN_PROBLEMS_H

#include <google/protobuf/descriptor.pb-c.h>

#include "proto/runtime/arena.h"

/*
 * A place in a .proto, as SourceCodeInfo names it: a path of field numbers and indexes from the file's
 * descriptor down to a declaration.
 */
struct place {
	const Google__Protobuf__FileDescriptorProto *file;
	const int32_t *path;
	size_t n_path;
};

/* The `index`th declaration that `parent` has in its repeated field `tag`. */
struct place place_below(struct arena *a, const struct place *parent, int32_t tag, size_t index);

/* The line it starts on, from 1; 0 when the compiler was not told. */
int place_line(const struct place *place);

/* What is wrong with the input, gathered so that one run shows all of it. */
struct problem {
	char *text; /* "edu/v1/course.proto:12: ..." */
	struct problem *next;
};

struct problems {
	struct arena *arena;
	struct problem *first, **end;
};

void problems_init(struct problems *p, struct arena *a);

/* Adds a problem; the text says what is wrong and how to mend it. `place` may be NULL. */
void problems_add(struct problems *p, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* All of them, a line each; NULL when there are none. */
char *problems_text(const struct problems *p);

#endif
