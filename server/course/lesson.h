/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_LESSON_H
#define COURSE_LESSON_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "edu/v1/lesson.tables.h"
#include "server/app/app.h"
#include "server/base/cache.h"
#include "server/db/db.h"

/*
 * What other areas may know of a lesson, as it is shown: in the newest published revision of its course, or
 * in the draft of one that was never published. Read for every progress report, hence cached. The cache is
 * app->lessons; the feed keeps it true (course_feed.h).
 */

/* edu.v1.LessonKind; stored as these numbers. */
enum lesson_kind {
	LESSON_VIDEO = LESSON_KIND_VIDEO,
	LESSON_TEXT = LESSON_KIND_TEXT,
	LESSON_QUIZ = LESSON_KIND_QUIZ,
	LESSON_EXERCISE = LESSON_KIND_EXERCISE,
	LESSON_LIVE = LESSON_KIND_LIVE,
};
static_assert(LESSON_LIVE == LessonKind_MAX, "a new kind of the contract's");

struct lesson_info {
	int64_t lesson_id, course_id;
	int64_t section_id;         /* 0: it lies in none */
	int64_t quiz_id;            /* 0: it has none */
	int64_t duration_seconds;   /* 0: not said; above 0 for LESSON_VIDEO */
	int64_t release_us;         /* its content is not shown before; 0: no such time */
	int64_t release_after_days; /* nor earlier than so many days after a learner's enrollment began */
	enum lesson_kind kind;
	int weight;   /* 1 to 1,000 */
	int position; /* in the course, from 1 */
	bool free_preview;
};

/* From memory; false when it is not there. Any thread; does not block. */
bool lesson_info_cached(struct cache *lessons, int64_t lesson_id, struct lesson_info *ret);

/* From memory, else from the database, remembering it. LESSON_NOT_FOUND, also of one that is not shown. */
int lesson_info_read(struct cache *lessons, struct db_conn *conn, int64_t lesson_id, struct lesson_info *ret,
		     struct error *err) __attribute__((warn_unused_result));

/* The course of a lesson, whether or not it is shown. LESSON_NOT_FOUND. */
int lesson_course_read(struct cache *lessons, struct db_conn *conn, int64_t lesson_id, int64_t *ret_course_id,
		       struct error *err) __attribute__((warn_unused_result));

/* Whether a revision of a course, 0 being the draft, has the lesson. LESSON_NOT_FOUND. */
int lesson_check_in(struct db_conn *conn, int64_t course_id, int64_t revision, int64_t lesson_id,
		    struct error *err) __attribute__((warn_unused_result));

/* What is shown of a course has changed, or may have: its lessons are read anew. */
void lesson_info_forget(struct cache *lessons, int64_t course_id);

/* Every lesson that is shown of a course by position, at most 2,000; an array in the arena. One round trip.
 */
int lesson_info_list(struct db_conn *conn, struct arena *arena, int64_t course_id, struct lesson_info **ret,
		     unsigned *ret_n, struct error *err) __attribute__((warn_unused_result));

/* One as it is in its course's draft, read anew. LESSON_NOT_FOUND, also of one that the draft is without. */
int lesson_draft_read(struct db_conn *conn, int64_t lesson_id, struct lesson_info *ret, struct error *err)
	__attribute__((warn_unused_result));

/* Gives a lesson of the draft, read so, another quiz; the one before goes unless a revision refers to it. In
 * the transaction that changes the course. */
int lesson_draft_set_quiz(struct db_conn *conn, const struct lesson_info *lesson, int64_t quiz_id,
			  int64_t now_us, struct error *err) __attribute__((warn_unused_result));

extern const struct db_stmt_list lesson_info_stmts;

extern const struct app_resource lesson_resource;

/* Raises LESSON_NOT_FOUND for the lesson. */
int lesson_not_found(struct error *err, int64_t lesson_id);

#endif
