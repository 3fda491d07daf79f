/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_ROW_H
#define COURSE_COURSE_ROW_H

#include "proto/runtime/money.h"
#include "server/course/course.h"
#include "server/course/course_rating.h"
#include "server/db/table.h"

/* Courses as they are stored. Text and arrays lie in the arena given to whoever filled them. */

struct course_price {
	char currency_code[CURRENCY_MAX];
	int64_t minor_units;
};

/* What review is about, but for lessons: what a revision keeps, and a draft beside what is published edits.
 * The long ones are not read for lists: NULL and 0 there. */
#define COURSE_TEXTS                                                                                         \
	char *title, *summary, *language, *license;                                                          \
	int64_t subject_id; /* 0: not said */                                                                \
	int level;          /* edu.v1.CourseLevel */                                                         \
	int planned_learning_hours;                                                                          \
	unsigned n_instructors;                                                                              \
	struct course_share instructors[COURSE_INSTRUCTORS_MAX_ITEMS];                                       \
	char *description, *audience, *prerequisites; /* long from here on */                                \
	char **objectives;                                                                                   \
	size_t n_objectives;

struct course {
	int64_t course_id, creator_id;
	char *external_id; /* NULL: none */
	union {
		struct {
			COURSE_TEXTS
		};
		struct course_texts {
			COURSE_TEXTS
		} texts;
	};
	enum course_pricing pricing;
	enum course_stage stage;
	int lesson_count;       /* of what is shown: its newest revision, or the draft before the first */
	int draft_lesson_count; /* of the draft; not read for lists */
	int64_t version;        /* counts changes, from 1; the etag is made of it */
	int64_t revision;       /* counts publications; 0 before the first */
	int64_t create_us, update_us, publish_us; /* publish_us 0: not yet */
	unsigned n_prices;
	struct course_price prices[PRICE_LIST_PRICES_MAX_ITEMS];
	struct course_rating rating;
	int64_t cover_id, trailer_id; /* content that learners see of it; 0: none */

	char **rejection_reasons; /* of the last review, until it is submitted again; not read for lists */
	size_t n_rejection_reasons;

	/* The draft beside it, where its stage has one: the same, with the texts and instructors as edited
	 * since. */
	struct course *beside;

	/* The lists as they lie in a row, for what follows alone. */
	struct {
		char *instructors; /* "user_id:share,..." */
		char *prices;      /* "currency:minor_units,..." */
		char *objectives;  /* a JSON array; NULL in lists */
		char *rating;      /* "reviews with one star,two,...", or empty */
		char *rejection_reasons;
		char *content; /* "role:content_id,..." */
	} text;
};

/* What review is about, but for lists: columns of `table`, in the member `in` of the struct. */
#define COURSE_TEXT_COLUMNS(F, C, R, table, in)                                                              \
	F(R, table "title", TEXT, in title)                                                                  \
	C(R, table "summary", TEXT, in summary)                                                              \
	C(R, table "subject_id", I64, in subject_id)                                                         \
	C(R, table "language", TEXT, in language)                                                            \
	C(R, table "license", TEXT, in license)                                                              \
	C(R, table "level", INT, in level)                                                                   \
	C(R, table "planned_learning_hours", INT, in planned_learning_hours)
#define COURSE_LONG_TEXT_COLUMNS(F, C, R, table, in)                                                         \
	F(R, table "description", TEXT, in description)                                                      \
	C(R, table "audience", TEXT, in audience)                                                            \
	C(R, table "prerequisites", TEXT, in prerequisites)                                                  \
	C(R, table "objectives", TEXT, in text.objectives)

/* A row of the table course, for the statements that read or write one. */

/* Who made it and when; what a change writes, and of that what lists do not show. */
#define COURSE_MADE_COLUMNS(F, C, R)                                                                         \
	F(R, "course.course_id", I64, course_id)                                                             \
	C(R, "course.creator_id", I64, creator_id)                                                           \
	C(R, "course.external_id", TEXT_OR_NULL, external_id)                                                \
	C(R, "course.create_time", I64, create_us)
#define COURSE_SHOWN_COLUMNS(F, C, R)                                                                        \
	COURSE_TEXT_COLUMNS(F, C, R, "course.", )                                                            \
	C(R, "course.pricing", INT, pricing)                                                                 \
	C(R, "course.stage", INT, stage)                                                                     \
	C(R, "course.lesson_count", INT, lesson_count)                                                       \
	C(R, "course.version", I64, version)                                                                 \
	C(R, "course.revision", I64, revision)                                                               \
	C(R, "course.update_time", I64, update_us)                                                           \
	C(R, "course.publish_time", I64_OR_NULL, publish_us)
#define COURSE_LONG_COLUMNS(F, C, R)                                                                         \
	COURSE_LONG_TEXT_COLUMNS(F, C, R, "course.", )                                                       \
	C(R, "course.rejection_reasons", TEXT, text.rejection_reasons)
/* What content a revision of a course holds itself, as text; `table` has both. */
#define COURSE_CONTENT_COLUMN(table)                                                                         \
	"(SELECT GROUP_CONCAT(h.role, ':', h.content_id) FROM lesson_content h"                              \
	" WHERE h.course_id = " table ".course_id AND h.revision = " table ".revision AND h.lesson_id = 0)"
/* Two lists ride on a course's row as text, so that a page of courses is one statement; and before them its
 * rating and its content, which may be missing: where reading is cut short, so are the instructors. */
#define COURSE_RIDING_COLUMNS(F, C, R)                                                                       \
	F(R,                                                                                                 \
	  "(SELECT CONCAT_WS(',', r.stars_1, r.stars_2, r.stars_3, r.stars_4, r.stars_5)"                    \
	  " FROM course_rating r WHERE r.course_id = course.course_id)",                                     \
	  TEXT, text.rating)                                                                                 \
	C(R, COURSE_CONTENT_COLUMN("course"), TEXT, text.content)                                            \
	C(R,                                                                                                 \
	  "(SELECT GROUP_CONCAT(i.user_id, ':', i.share_basis_points ORDER BY i.position)"                   \
	  " FROM course_instructor i WHERE i.course_id = course.course_id)",                                 \
	  TEXT, text.instructors)                                                                            \
	C(R,                                                                                                 \
	  "(SELECT GROUP_CONCAT(p.currency_code, ':', p.minor_units ORDER BY p.position)"                    \
	  " FROM course_price p WHERE p.course_id = course.course_id)",                                      \
	  TEXT, text.prices)

/* The draft's lessons lie without gaps. */
#define COURSE_DRAFT_COLUMNS(F, C, R)                                                                        \
	F(R,                                                                                                 \
	  "(SELECT MAX(d.position) FROM lesson_revision d"                                                   \
	  " WHERE d.course_id = course.course_id AND d.revision = 0)",                                       \
	  INT, draft_lesson_count)

#define COURSE_LISTED_COLUMNS(F, C, R)                                                                       \
	COURSE_MADE_COLUMNS(F, C, R) COURSE_SHOWN_COLUMNS(C, C, R) COURSE_RIDING_COLUMNS(C, C, R)
#define COURSE_WHOLE_COLUMNS(F, C, R)                                                                        \
	COURSE_LISTED_COLUMNS(F, C, R) COURSE_LONG_COLUMNS(C, C, R) COURSE_DRAFT_COLUMNS(C, C, R)
#define COURSE_CHANGED_COLUMNS(F, C, R) COURSE_SHOWN_COLUMNS(F, C, R) COURSE_LONG_COLUMNS(C, C, R)
#define COURSE_STORED_COLUMNS(F, C, R) COURSE_MADE_COLUMNS(F, C, R) COURSE_CHANGED_COLUMNS(C, C, R)

/* The draft holds so many lessons now; before the first publication it is what is shown. */
void course_count_lessons(struct course *c, int n);

/* What a row's text has into the lists; arrays of text only where it has any. Text and lists lie in the
 * arena. */
int course_of_row(struct course *c, struct arena *arena, struct error *err)
	__attribute__((warn_unused_result));

/* The part of it that content is. */
void course_content_of_row(struct course *c);

/* Texts as a JSON array in the arena, NULL when memory is out; and back. */
char *course_texts_to_json(struct arena *arena, char *const *texts, size_t n);
int course_texts_of_json(struct arena *arena, const char *json, char ***ret, size_t *ret_n, struct error *err)
	__attribute__((warn_unused_result));

/* The course with its lists as its row has them. */
int course_to_row(const struct course *c, struct arena *arena, struct course *ret, struct error *err)
	__attribute__((warn_unused_result));

#endif
