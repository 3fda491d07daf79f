/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_INDEX_STORE_H
#define SEARCH_INDEX_STORE_H

#include "server/course/course_row.h"
#include "server/search/index.h"

/* Courses as the catalogue's index and its pages take them from the database. Everything lies in the arena.
 */

enum { INDEX_READ_MAX = 100 /* courses, by their ids */ };

/* Published courses behind a course, by their ids; fewer than `limit` only at the end. */
int index_store_page(struct db_conn *conn, struct arena *arena, int64_t after_id, unsigned limit,
		     struct index_course **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

/* Those of these courses that are published now, in no order. */
int index_store_read(struct db_conn *conn, struct arena *arena, const int64_t *ids, unsigned n,
		     struct index_course **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

/* The same as lists show them. */
int index_store_cards(struct db_conn *conn, struct arena *arena, const int64_t *ids, unsigned n,
		      struct course **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

/* Ranks by the database's time at which they were written, behind a time and a course. */
struct written_rank {
	struct index_rank rank;
	int64_t rank_us;
};
int index_store_ranks(struct db_conn *conn, struct arena *arena, int64_t since_us, int64_t after_id,
		      unsigned limit, struct written_rank **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list index_stmts;

#endif
