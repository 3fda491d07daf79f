/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REVIEW_REVIEW_STORE_H
#define REVIEW_REVIEW_STORE_H

#include <assert.h>

#include "edu/v1/review.tables.h"
#include "server/app/app.h"

/* Reviews as they are stored. Text lies in the arena given to whoever filled them. */

/* edu.v1.ReviewState; stored as these numbers. */
enum review_state {
	REVIEW_SHOWN = REVIEW_STATE_SHOWN,
	REVIEW_HIDDEN = REVIEW_STATE_HIDDEN,
};
static_assert(REVIEW_HIDDEN == ReviewState_MAX, "a new state of the contract's");

struct review {
	int64_t review_id, course_id, user_id;
	char *display_name; /* the author's, as it is now */
	int stars;
	char *text;
	enum review_state state;
	char *hide_reason; /* "" while it is shown */
	/* With how many stars it is in the course's rating; 0: it does not count. `was_counted` as it was
	 * read: whoever writes it moves the rating from there. */
	int counted, was_counted;
	int64_t version; /* counts changes, from 1; the etag is made of it */
	int64_t create_us, update_us;
};

extern const struct app_resource review_resource;

/* REVIEW_NOT_FOUND when there is none. And the same locked until the transaction ends, before the rating is
 * (course_rating.h). */
int review_store_read(struct db_conn *conn, struct arena *arena, int64_t review_id, struct review *ret,
		      struct error *err) __attribute__((warn_unused_result));
int review_store_lock(struct db_conn *conn, struct arena *arena, int64_t review_id, struct review *ret,
		      struct error *err) __attribute__((warn_unused_result));

/* Writes a new review, or a locked one, and moves the course's rating. ALREADY_REVIEWED names the other. */
int review_store_insert(struct db_conn *conn, struct arena *arena, const struct review *r, struct error *err)
	__attribute__((warn_unused_result));
int review_store_update(struct db_conn *conn, const struct review *r, struct error *err)
	__attribute__((warn_unused_result));

/* The user's review of the course: 1, 0 when there is none, negative. */
int review_store_of_user(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
			 struct review *ret, struct error *err) __attribute__((warn_unused_result));

/* What a page is read by. */
struct review_filter {
	int64_t course_id;
	enum review_state state;
	int order;        /* edu.v1.ReviewOrder */
	int64_t after_id; /* the last of the page before; 0: the first page */
	int after_stars;
};

/* At most `limit` reviews in the order asked, into an array of the arena. */
int review_store_list(struct db_conn *conn, struct arena *arena, const struct review_filter *f,
		      unsigned limit, struct review **ret, unsigned *ret_n, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list review_stmts;

#endif
