/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "given_names.h"
#include "taken_names.h"

static int by_name(const void *a, const void *b)
{
	const struct given *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : (x->order > y->order) - (x->order < y->order);
}

/* What both are called with the package in it cannot be told apart by that. */
static const char *way_out(bool is_long)
{
	return is_long ? "rename one" : "rename one, or generate with names=long";
}

static void check_unique(struct model *m, const struct givens *g)
{
	for (size_t i = 1; i < g->n; i++) {
		const struct given *a = &g->list[i - 1], *b = &g->list[i];

		if (strcmp(a->name, b->name) == 0 && (a->is_generate || b->is_generate))
			problems_add(&m->problems, &b->place,
				     "%s and %s (%s:%d) would both be called %s in C; %s", b->owner, a->owner,
				     a->place.file->name, place_line(&a->place), a->name,
				     way_out(a->is_long && b->is_long));
	}
}

static int by_taken_name(const void *key, const void *item)
{
	return strcmp(key, ((const struct taken_name *)item)->name);
}

/* A name that the headers use would silently get another meaning in them, or in whoever includes both. */
static void check_free(struct model *m, const struct givens *g)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct given *a = &g->list[i];
		const struct taken_name *taken =
			bsearch(a->name, taken_names, n_taken_names, sizeof(*taken_names), by_taken_name);

		if (taken && a->is_generate)
			problems_add(&m->problems, &a->place, "%s and %s would both have a %s in C; %s",
				     a->owner, taken->header, a->name,
				     a->is_long ? "rename it" : "rename it, or generate with names=long");
	}
}

static void check_given(struct model *m)
{
	struct givens g = {0};

	/* Whatever is imported, however far, comes along: its headers are included by ours. */
	for (size_t i = 0; i < m->n_files; i++)
		given_names_of(m, &m->files[i], &g);
	if (g.n > 0)
		qsort(g.list, g.n, sizeof(*g.list), by_name);
	check_unique(m, &g);
	check_free(m, &g);
}

/* protobuf-c unpacks no groups. */
static void check_groups(struct model *m, const struct file *file)
{
	for (size_t i = 0; i < file->n_messages; i++) {
		for (size_t k = 0; k < file->messages[i].n_fields; k++) {
			const struct field *f = &file->messages[i].fields[k];

			if (f->proto->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_GROUP)
				problems_add(&m->problems, &f->place,
					     "field %s is a group, which protobuf-c does not support; use a "
					     "message",
					     f->proto->name);
		}
	}
}

void check_names(struct model *m)
{
	for (size_t i = 0; i < m->n_files; i++) {
		if (m->files[i].generate)
			check_groups(m, &m->files[i]);
	}
	check_given(m);
}
