/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/rowset.h"

#include <stdlib.h>
#include <string.h>

/* What one big answer may leave allocated for the next. */
enum { ROWSET_KEEP_BYTES = 1 << 20 };

/* Doubles *cap until it holds `need`. */
static bool grow(void **items, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return true;
	size_t wanted = *cap ? *cap : 64;
	while (wanted < need)
		wanted *= 2;
	void *p = reallocarray(*items, wanted, size);
	if (!p)
		return false;
	*items = p;
	*cap = wanted;
	return true;
}

void rowset_start(struct rowset *s, unsigned columns)
{
	if (s->bytes_cap + s->cells_cap * sizeof(*s->cells) > ROWSET_KEEP_BYTES)
		rowset_done(s);
	s->n_cells = 0;
	s->n_bytes = 0;
	s->columns = columns;
}

void rowset_done(struct rowset *s)
{
	free(s->cells);
	free(s->bytes);
	memset(s, 0, sizeof(*s));
}

struct rowset_cell *rowset_add(struct rowset *s)
{
	void *cells = s->cells;
	if (!grow(&cells, &s->cells_cap, s->n_cells + s->columns, sizeof(*s->cells)))
		return NULL;
	s->cells = cells;
	struct rowset_cell *row = s->cells + s->n_cells;
	memset(row, 0, s->columns * sizeof(*row));
	s->n_cells += s->columns;
	return row;
}

uint8_t *rowset_add_bytes(struct rowset *s, struct rowset_cell *cell, size_t len)
{
	void *bytes = s->bytes;
	/* An empty text needs no room, but an address: NULL says that there is no memory. */
	if (!grow(&bytes, &s->bytes_cap, s->n_bytes + len + 1, 1))
		return NULL;
	s->bytes = bytes;
	cell->s.offset = s->n_bytes;
	cell->s.len = len;
	s->n_bytes += len;
	return s->bytes + cell->s.offset;
}
