/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/path_table.h"

#include <stdlib.h>

/* FNV-1a */
static uint32_t path_hash(struct span path)
{
	uint32_t hash = UINT32_C(2166136261);

	for (size_t i = 0; i < path.len; i++)
		hash = (hash ^ path.data[i]) * UINT32_C(16777619);
	return hash;
}

bool path_table_init(struct path_table *t, unsigned n)
{
	unsigned size = 16;

	while (size < 2 * n)
		size *= 2;
	t->slots = calloc(size, sizeof(*t->slots));
	t->mask = size - 1;
	return t->slots != NULL;
}

void path_table_done(struct path_table *t)
{
	free(t->slots);
	t->slots = NULL;
}

/* Where the path is, or the empty place where it would be. */
static struct method **path_slot(const struct path_table *t, struct span path)
{
	for (unsigned i = path_hash(path) & t->mask;; i = (i + 1) & t->mask) {
		struct method **slot = &t->slots[i];

		if (!*slot)
			return slot;
		if (strlen((*slot)->desc->path) == path.len &&
		    memcmp((*slot)->desc->path, path.data, path.len) == 0)
			return slot;
	}
}

bool path_table_add(struct path_table *t, struct method *m)
{
	struct method **slot = path_slot(t, span_str(m->desc->path));

	if (*slot)
		return false;
	*slot = m;
	return true;
}

struct method *path_table_find(const struct path_table *t, struct span path)
{
	return *path_slot(t, path);
}
