/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_GIVEN_NAMES_H
#define GEN_GIVEN_NAMES_H

#include "model.h"

/* One C identifier that comes of a .proto, and what it stands for. */
struct given {
	const char *name, *owner; /* "CourseState", "enum edu.v1.CourseState" */
	struct place place;
	size_t order;     /* of declaration */
	bool is_long;     /* protobuf-c's, or one with the package in it: names=long has it too */
	bool is_generate; /* of a file of this run */
};

struct givens {
	struct given *list;
	size_t n, size;
};

/*
 * All identifiers that the file's generated code declares at file scope: protobuf-c's, and where the file has
 * tables, ours. In the order of declaration.
 */
void given_names_of(struct model *m, const struct file *file, struct givens *ret);

#endif
