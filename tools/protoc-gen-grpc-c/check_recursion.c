/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "memory.h"

/*
 * A message that may contain itself lets a request nest without end: protobuf-c unpacks by recursion, and
 * every walk over a message would need a bound. Depth-first search; the edge back into the path under way
 * closes a cycle.
 */
enum { NOT_VISITED, ON_PATH, VISITED };

/* One step of the path that led here. */
struct step {
	const struct step *before;
	const struct message *message;
	const struct field *field; /* taken out of it */
};

/* A map's entry is a message that nobody wrote. */
static const char *describe(struct model *m, const struct step *last, const struct message *head)
{
	char *text = gen_printf(m->arena, "%s", head->full_name);

	for (const struct step *s = last; s; s = s->before) {
		if (!s->message->is_map_entry)
			text = gen_printf(m->arena, "%s.%s -> %s", s->message->full_name,
					  s->field->proto->name, text);
		if (s->message == head)
			break;
	}
	return text;
}

/* The field to change: the last one on the cycle that is written in our files, or the one that leads to it.
 */
static const struct field *field_to_change(const struct step *last)
{
	for (const struct step *s = last; s; s = s->before) {
		if (s->message->file->generate && !s->message->is_map_entry)
			return s->field;
	}
	return last->field;
}

static void report(struct model *m, const struct step *last, const struct message *head)
{
	const struct field *f = field_to_change(last);

	problems_add(&m->problems, &f->place,
		     "message is recursive: %s; break the cycle (an id, or a flat list that names parents, "
		     "in place of "
		     "field %s), or generate with policy=none",
		     describe(m, last, head), f->proto->name);
}

static void visit(struct model *m, struct message *message, const struct step *before)
{
	message->visit = ON_PATH;
	for (size_t i = 0; i < message->n_fields; i++) {
		const struct field *f = &message->fields[i];
		struct step step = {.before = before, .message = message, .field = f};

		if (!f->message || f->message->visit == VISITED)
			continue;
		if (f->message->visit == ON_PATH)
			report(m, &step, f->message);
		else
			visit(m, f->message, &step);
	}
	message->visit = VISITED;
}

void check_recursion(struct model *m)
{
	for (size_t i = 0; m->settings.require_policy && i < m->n_files; i++) {
		struct file *file = &m->files[i];

		for (size_t k = 0; file->generate && k < file->n_messages; k++) {
			if (file->messages[k].visit == NOT_VISITED)
				visit(m, &file->messages[k], NULL);
		}
	}
}
