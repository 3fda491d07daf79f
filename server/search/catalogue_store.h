/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_CATALOGUE_STORE_H
#define SEARCH_CATALOGUE_STORE_H

#include "server/course/course_row.h"

/* What a page is read by. NULL and 0 mean any. */
struct course_filter {
	int64_t subject_id;
	const char *language; /* a range, in the recommended case */
	int level;
	bool free_only;
	const char *currency_code; /* NULL: no price range */
	int64_t min_minor_units, max_minor_units;
	int64_t instructor_id;
	const char *external_id; /* of the one course that instructor_id made under it, whoever teaches it */
	enum course_state state; /* 0 only with instructor_id */

	bool by_title;           /* else the newest first */
	int64_t after_id;        /* the last of the page before; 0: the first page */
	const char *after_title; /* its title, the first COURSE_TITLE_KEY_MAX characters; by_title only */
};

enum { COURSE_TITLE_KEY_MAX = 100 /* characters of a title that the order compares */ };

/*
 * At most `limit` courses in the order asked, into an array of the arena. *ret_cut: fewer, because too many
 * rows were looked at; there may be more after the last, of which there is at least one. FILTER_TOO_COSTLY
 * when not.
 */
int catalogue_store_list(struct db_conn *conn, struct arena *arena, const struct course_filter *filter,
			 unsigned limit, struct course **ret, unsigned *ret_n, bool *ret_cut,
			 struct error *err) __attribute__((warn_unused_result));

extern const struct db_stmt_list catalogue_stmts;

#endif
