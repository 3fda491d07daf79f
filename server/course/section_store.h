/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_SECTION_STORE_H
#define COURSE_SECTION_STORE_H

#include "server/app/app.h"

/* Sections as they are stored. Text lies in the arena given to whoever filled them. */
struct section {
	int64_t course_id, section_id;
	int64_t revision; /* of its course; 0: the draft */
	char *title;
	int position; /* in the course, from 1, without gaps */
};

enum { COURSE_SECTIONS_MAX = 200 };

extern const struct app_resource section_resource;

/* The sections of a course's revision by position, at most COURSE_SECTIONS_MAX; an array in the arena. */
int section_store_list(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t revision,
		       struct section **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

/* The course that a section was made in. SECTION_NOT_FOUND when its draft has none such. */
int section_store_course(struct db_conn *conn, int64_t section_id, int64_t *ret, struct error *err)
	__attribute__((warn_unused_result));

/* Of the draft of a locked course. SECTION_NOT_FOUND. */
int section_store_read(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t section_id,
		       struct section *ret, struct error *err) __attribute__((warn_unused_result));

/* Writes the sections of a new course. */
int section_store_insert_all(struct db_conn *conn, const struct section *sections, unsigned n,
			     struct error *err) __attribute__((warn_unused_result));

/* Change the draft of a locked course. Whoever takes a section away knows that it holds no lesson. */
int section_store_insert(struct db_conn *conn, const struct section *s, struct error *err)
	__attribute__((warn_unused_result));
int section_store_update(struct db_conn *conn, const struct section *s, struct error *err)
	__attribute__((warn_unused_result));
int section_store_remove(struct db_conn *conn, const struct section *s, struct error *err)
	__attribute__((warn_unused_result));

/* How many sections the draft has. */
int section_store_count(struct db_conn *conn, int64_t course_id, int64_t *ret, struct error *err)
	__attribute__((warn_unused_result));

/* Puts all sections of the draft into this order. */
int section_store_reorder(struct db_conn *conn, int64_t course_id, const struct section *sections, unsigned n,
			  struct error *err) __attribute__((warn_unused_result));

extern const struct db_stmt_list section_stmts;

#endif
