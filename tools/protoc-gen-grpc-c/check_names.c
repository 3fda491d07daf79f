/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>

#include "memory.h"
#include "names.h"

/* One identifier we give, and what it stands for. */
struct given {
	const char *name, *owner; /* "CourseState", "enum edu.v1.CourseState" */
	struct place place;
	size_t order; /* of declaration */
};

struct givens {
	struct given *list;
	size_t n, size;
};

static void give(struct model *m, struct givens *g, const char *name, const struct place *place,
		 const char *kind, const char *full_name)
{
	if (g->n == g->size) {
		size_t size = g->size ? 2 * g->size : 64;
		struct given *list = gen_array(m->arena, size, sizeof(*list));

		if (g->n > 0)
			memcpy(list, g->list, g->n * sizeof(*list));
		g->list = list;
		g->size = size;
	}
	g->list[g->n] = (struct given){
		.name = name,
		.owner = gen_printf(m->arena, "%s %s", kind, full_name),
		.place = *place,
		.order = g->n,
	};
	g->n++;
}

static void give_enum(struct model *m, struct givens *g, const struct enumeration *e)
{
	if (e->has_short)
		give(m, g, e->short_type, &e->place, "enum", e->full_name);
	for (size_t i = 0; i < e->n_reasons; i++)
		give(m, g, e->reasons[i].variable, &e->place, "reason", e->reasons[i].proto->name);
	if (!e->has_short || e->is_reasons)
		return;
	for (size_t i = 0; i < e->proto->n_value; i++) {
		const char *name = gen_printf(m->arena, "%s%s", e->value_prefix, e->proto->value[i]->name);

		if (name_may_be_macro(name))
			give(m, g, name, &e->place, "a value of", e->full_name);
	}
}

static void give_service(struct model *m, struct givens *g, const struct service *s)
{
	give(m, g, s->lower, &s->place, "service", s->full_name);
	give(m, g, gen_printf(m->arena, "%s_ROWS", s->upper), &s->place, "the rows of", s->full_name);
	for (size_t i = 0; i < s->n_methods; i++)
		give(m, g, gen_printf(m->arena, "%s_%s", s->upper, s->methods[i].upper), &s->methods[i].place,
		     "method", s->methods[i].proto->name);
}

static void give_file(struct model *m, struct givens *g, const struct file *file)
{
	for (size_t i = 0; i < file->n_messages; i++) {
		const struct message *message = &file->messages[i];

		if (message->short_upper)
			give(m, g, message->short_type, &message->place, "message", message->full_name);
		give(m, g, message->rules_name, &message->place, "the rules of", message->full_name);
	}
	for (size_t i = 0; i < file->n_enums; i++)
		give_enum(m, g, &file->enums[i]);
	for (size_t i = 0; i < file->n_services; i++)
		give_service(m, g, &file->services[i]);
}

static int by_name(const void *a, const void *b)
{
	const struct given *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : (x->order > y->order) - (x->order < y->order);
}

/* A file of another run matters when its names come with ours. */
static bool comes_along(struct model *m, const struct file *file)
{
	if (file->generate)
		return true;
	for (size_t i = 0; i < m->n_files; i++) {
		if (!m->files[i].generate)
			continue;
		model_used(m, &m->files[i]);
		if (file->reached)
			return true;
	}
	return false;
}

static void check_unique(struct model *m)
{
	struct givens g = {0};

	for (size_t i = 0; i < m->n_files; i++) {
		if (m->files[i].has_tables && comes_along(m, &m->files[i]))
			give_file(m, &g, &m->files[i]);
	}
	if (g.n > 0)
		qsort(g.list, g.n, sizeof(*g.list), by_name);
	for (size_t i = 1; i < g.n; i++) {
		const struct given *a = &g.list[i - 1], *b = &g.list[i];

		if (strcmp(a->name, b->name) == 0)
			problems_add(&m->problems, &b->place,
				     "%s and %s (%s:%d) would both be called %s in C; rename one, or "
				     "generate with "
				     "names=long",
				     b->owner, a->owner, a->place.file->name, place_line(&a->place), a->name);
	}
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
	check_unique(m);
}
