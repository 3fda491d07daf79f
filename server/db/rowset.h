/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_ROWSET_H
#define DB_ROWSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/runtime/span.h"

/*
 * The rows of one result, read off the connection to their end before any is handed out: so a store may run
 * other statements while it walks them, and an error that comes after some rows is known before the first is
 * believed.
 */
struct rowset_cell {
	bool null;
	union {
		int64_t i;
		uint64_t u;
		struct {
			size_t offset, len; /* in bytes */
		} s;
	};
};

struct rowset {
	struct rowset_cell *cells; /* row-major */
	size_t n_cells, cells_cap;
	uint8_t *bytes;
	size_t n_bytes, bytes_cap;
	unsigned columns;
};

void rowset_start(struct rowset *s, unsigned columns); /* empties it */
void rowset_done(struct rowset *s);

/* Room for one more row; NULL when out of memory. */
struct rowset_cell *rowset_add(struct rowset *s) __attribute__((warn_unused_result));

/* Room for the bytes of a cell; NULL when out of memory. Sets the cell's place. */
uint8_t *rowset_add_bytes(struct rowset *s, struct rowset_cell *cell, size_t len)
	__attribute__((warn_unused_result));

static inline unsigned rowset_count(const struct rowset *s)
{
	return s->columns ? (unsigned)(s->n_cells / s->columns) : 0;
}

static inline const struct rowset_cell *rowset_at(const struct rowset *s, unsigned row, unsigned column)
{
	return &s->cells[(size_t)row * s->columns + column];
}

static inline struct span rowset_bytes(const struct rowset *s, const struct rowset_cell *cell)
{
	return span_of(s->bytes + cell->s.offset, cell->s.len);
}

#endif
