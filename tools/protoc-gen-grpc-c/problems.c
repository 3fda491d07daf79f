/* SPDX-License-Identifier: Apache-2.0 */
#include "problems.h"

#include <string.h>

#include "memory.h"

struct place place_below(struct arena *a, const struct place *parent, int32_t tag, size_t index)
{
	int32_t *path = gen_array(a, parent->n_path + 2, sizeof(*path));

	if (parent->n_path > 0)
		memcpy(path, parent->path, parent->n_path * sizeof(*path));
	path[parent->n_path] = tag;
	path[parent->n_path + 1] = (int32_t)index;
	return (struct place){.file = parent->file, .path = path, .n_path = parent->n_path + 2};
}

int place_line(const struct place *place)
{
	const Google__Protobuf__SourceCodeInfo *info = place->file->source_code_info;

	for (size_t i = 0; info && i < info->n_location; i++) {
		const Google__Protobuf__SourceCodeInfo__Location *l = info->location[i];

		if (l->n_path == place->n_path && l->n_span >= 3 &&
		    (l->n_path == 0 || memcmp(l->path, place->path, l->n_path * sizeof(*l->path)) == 0))
			return l->span[0] + 1;
	}
	return 0;
}

void problems_init(struct problems *p, struct arena *a)
{
	*p = (struct problems){.arena = a};
	p->end = &p->first;
}

void problems_add(struct problems *p, const struct place *place, const char *format, ...)
{
	struct problem *problem = gen_alloc(p->arena, sizeof(*problem));
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	gen_must(text);
	if (place)
		problem->text = gen_printf(p->arena, "%s:%d: %s", place->file->name, place_line(place), text);
	else
		problem->text = gen_printf(p->arena, "%s", text);
	free(text);
	*p->end = problem;
	p->end = &problem->next;
}

char *problems_text(const struct problems *p)
{
	char *text = NULL;

	for (const struct problem *problem = p->first; problem; problem = problem->next)
		text = gen_printf(p->arena, "%s%s%s", text ? text : "", text ? "\n" : "", problem->text);
	return text;
}
