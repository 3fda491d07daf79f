/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_RULES_H
#define COURSE_COURSE_RULES_H

#include "edu/v1/edu_service.tables.h"
#include "server/base/principal.h"
#include "server/course/course_row.h"

/* What may be done to a course, by whom and when; and what a request may put into one. No database here. */

/* course_open_to() of a course as it is stored. */
bool course_seen_by(const struct course *c, const struct principal *who);
bool course_has_instructor(const struct course *c, int64_t user_id);

/* Nothing of these paths is reviewed: of a published course it changes at once. */
bool course_only_pricing(char *const *paths, size_t n_paths);

/* SELF_APPROVAL when the caller teaches the course, would by the draft beside it, or made it. */
int course_check_reviewer(const struct course *c, const struct principal *who, struct error *err)
	__attribute__((warn_unused_result));

/* Raises COURSE_FULL: it holds as many lessons, or sections, as it may. */
int course_full(struct error *err) __attribute__((warn_unused_result));

/* Adds one thing that review misses of a lesson, by its place in the draft, from 1, and its id, after what
 * `so_far` says; returns COURSE_INCOMPLETE. */
int course_add_lesson_gap(struct error *err, int so_far, int64_t lesson_id, int position, const char *needs);

/* COURSE_INCOMPLETE with everything that review misses. */
int course_check_complete(const struct course *c, struct error *err) __attribute__((warn_unused_result));

/* The lists of a request into the course. FIELD_INVALID for a user or a currency named twice, shares above
 * 10,000. */
int course_take_instructors(struct course *c, CourseInstructor *const *list, size_t n, struct error *err)
	__attribute__((warn_unused_result));
int course_take_prices(struct course *c, const PriceList *list, struct error *err)
	__attribute__((warn_unused_result));

/*
 * The fields of `from` that the mask names into the course, whose rules the request has passed. FIELD_INVALID
 * for an emptied title, for instructors or pricing the contract refuses. Who may change the instructors is
 * asked here too.
 */
int course_take_fields(struct course *c, const Course *from, char *const *paths, size_t n_paths,
		       const struct principal *who, struct error *err) __attribute__((warn_unused_result));

#endif
