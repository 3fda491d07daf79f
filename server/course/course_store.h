/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_STORE_H
#define COURSE_COURSE_STORE_H

#include "proto/runtime/money.h"
#include "server/course/course.h"

/* Courses as they are stored. Text and arrays lie in the arena given to whoever filled them. */

struct course_price {
	char currency_code[CURRENCY_MAX];
	int64_t minor_units;
};

struct course {
	int64_t course_id, creator_id;
	char *external_id; /* NULL: none */
	char *title, *summary, *subject, *language, *license;
	int level; /* edu.v1.CourseLevel */
	enum course_pricing pricing;
	int planned_learning_hours;
	enum course_state state;
	int lesson_count;
	int64_t version;                          /* counts changes, from 1; the etag is made of it */
	int64_t revision;                         /* counts publications; 0 before the first */
	int64_t create_us, update_us, publish_us; /* publish_us 0: not yet */
	unsigned n_instructors, n_prices;
	struct course_share instructors[COURSE_INSTRUCTORS_MAX_ITEMS];
	struct course_price prices[PRICE_LIST_PRICES_MAX_ITEMS];

	/* Not read for lists: NULL and 0 there. */
	char *description, *audience, *prerequisites;
	char **objectives;
	size_t n_objectives;

	/* The lists as they lie in a row, for course_row.h alone. */
	struct {
		char *instructors; /* "user_id:share,..." */
		char *prices;      /* "currency:minor_units,..." */
		char *objectives;  /* a JSON array; NULL in lists */
	} text;
};

/* COURSE_NOT_FOUND when there is none. */
int course_store_read(struct db_conn *conn, struct arena *arena, int64_t course_id, struct course *ret,
		      struct error *err) __attribute__((warn_unused_result));

/* The same, and locked until the transaction ends. Whoever writes a course, its lists or its lessons locks it
 * first. */
int course_store_lock(struct db_conn *conn, struct arena *arena, int64_t course_id, struct course *ret,
		      struct error *err) __attribute__((warn_unused_result));

/* Writes a new course with its lists. EXTERNAL_ID_IN_USE names the other. */
int course_store_insert(struct db_conn *conn, struct arena *arena, const struct course *c, struct error *err)
	__attribute__((warn_unused_result));

/* Raises it, for lessons too; the statement `holder` finds the other's id by these two. */
int course_external_id_in_use(struct db_conn *conn, const struct db_stmt *holder, int64_t owner_id,
			      const char *external_id, const struct app_resource *resource, struct error *err)
	__attribute__((warn_unused_result));

/* Writes everything of a locked course but its lists; and those. */
int course_store_update(struct db_conn *conn, struct arena *arena, const struct course *c, struct error *err)
	__attribute__((warn_unused_result));
int course_store_set_instructors(struct db_conn *conn, const struct course *c, struct error *err)
	__attribute__((warn_unused_result));
int course_store_set_prices(struct db_conn *conn, const struct course *c, struct error *err)
	__attribute__((warn_unused_result));

#endif
