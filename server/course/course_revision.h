/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_REVISION_H
#define COURSE_COURSE_REVISION_H

#include "server/course/course_access.h"
#include "server/course/course_row.h"

/*
 * What was reviewed stays: a published course is edited in a draft beside it (`course->beside`), which takes
 * its place when it is published in turn. Each publication is kept as it was.
 */

/* What an edit changes: the course itself until it was published, then the draft beside it, which is begun
 * when there is none. NULL when the arena is full. */
struct course *course_begin_draft(struct arena *arena, struct course *c);

/* The draft beside, of a course whose stage has one; and what the row of it becomes. */
int course_revision_read_draft(struct db_conn *conn, struct arena *arena, struct course *c, struct error *err)
	__attribute__((warn_unused_result));
int course_revision_write_draft(struct db_conn *conn, struct arena *arena, const struct course *c,
				struct error *err) __attribute__((warn_unused_result));

/*
 * In the transaction that publishes the course as its next revision, which `c` has already: the draft beside
 * takes the place of what was shown, its instructors begin to act, to be paid and to have access, and what is
 * published is kept, with what it changed. Its lessons, sections and contents are frozen before.
 */
int course_publish(struct db_conn *conn, struct arena *arena, struct course *c,
		   const struct course_grant_ids *grants, struct error *err)
	__attribute__((warn_unused_result));

/* How many there are of each since the revision before. Moved: of those that both have, what is at another
 * place among them, or in another section. */
struct course_revision_counts {
	int lessons_added, lessons_removed, lessons_changed, lessons_moved;
	int sections_added, sections_removed, sections_changed, sections_moved;
};

/* What a publication changed; text in the arena. */
struct course_revision {
	int64_t course_id, revision, publish_us;
	char *changed_fields; /* a JSON array of names */
	struct course_revision_counts counts;
};

/* The publications before one, newest first; INT64_MAX: from the newest. */
int course_revision_list(struct db_conn *conn, struct arena *arena, int64_t course_id, int64_t before,
			 unsigned limit, struct course_revision **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

/* Makes of a course, read whole, what was published of it as that revision: without what revisions do not
 * keep. REVISION_NOT_FOUND. */
int course_revision_read(struct db_conn *conn, struct arena *arena, int64_t revision, struct course *c,
			 struct course_revision *ret, struct error *err) __attribute__((warn_unused_result));

extern const struct db_stmt_list course_revision_stmts;

#endif
