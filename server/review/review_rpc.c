/* SPDX-License-Identifier: Apache-2.0 */
#include "edu/v1/edu_service.server.h"
#include "server/access/enrollment.h"
#include "server/app/page.h"
#include "server/course/course.h"
#include "server/course/course_cache.h"
#include "server/course/course_rating.h"
#include "server/db/idem.h"
#include "server/progress/course_progress.h"
#include "server/review/review_life.h"
#include "server/review/review_names.h"
#include "server/review/review_proto.h"
#include "server/user/user_names.h"

/* --- CreateReview --- */

enum { REVIEW_BASIS_POINTS = 1000 /* of the course, completed before one reviews it */ };

struct creation {
	struct rpc_call *call;
	struct review review;
	int64_t event_id;
	CreateReviewResponse *ret;
};

/* Who reviews has learned enough of it to know. */
static int check_learner(struct db_conn *conn, struct arena *arena, const struct review *r, struct error *err)
{
	CourseProgress progress = COURSE_PROGRESS_INIT;
	int64_t epoch, start_us;
	int done = enrollment_read(conn, r->user_id, r->course_id, &epoch, &start_us, err);

	if (done == 0)
		return error_raise(err, &REASON_ENROLLMENT_NOT_FOUND,
				   "The user was never enrolled in the course.");
	if (done > 0)
		done = course_progress_read(conn, arena, r->user_id, r->course_id, epoch, &progress, err);
	if (done < 0 || progress.completed_basis_points >= REVIEW_BASIS_POINTS)
		return done;
	error_raise(err, &REASON_REVIEW_TOO_EARLY, "You have not completed a tenth of the course.");
	error_add_metadata(err, "completed_basis_points", "%d", progress.completed_basis_points);
	return error_add_metadata(err, "required_basis_points", "%d", REVIEW_BASIS_POINTS);
}

static int check_reviewer(struct db_conn *conn, const struct creation *m, struct error *err)
{
	struct arena *arena = rpc_arena(m->call);
	struct course_terms course;
	int r = course_terms_seen(m->call, m->review.course_id, NULL, &course, err);
	if (r >= 0)
		r = review_check_stranger(&course, rpc_principal(m->call), err);
	return r < 0 ? r : check_learner(conn, arena, &m->review, err);
}

static int create_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct creation *m = arg;
	struct arena *arena = rpc_arena(m->call);
	struct review shown;
	const struct event e = {
		.event_id = m->event_id,
		.kind = EVENT_REVIEW_CREATED,
		.subject_id = m->review.review_id,
		.version = m->review.version,
		.user_id = m->review.user_id,
		.course_id = m->review.course_id,
		.create_us = m->review.create_us,
	};
	int r = check_reviewer(conn, m, err);
	if (r >= 0)
		r = review_count(conn, &m->review, REVIEW_SHOWN, err);
	if (r >= 0)
		r = review_store_insert(conn, arena, &m->review, err);
	if (r >= 0)
		r = event_append(conn, &e, err);
	if (r >= 0)
		r = review_store_read(conn, arena, m->review.review_id, &shown, err);
	if (r < 0)
		return r;
	m->ret->review = review_to_proto(arena, &shown);
	return arena_check(arena, err);
}

static int create_review(struct rpc_call *call, const CreateReviewRequest *req, CreateReviewResponse *ret,
			 struct error *err)
{
	const int64_t now_us = app_now_us(call);
	struct creation m = {
		.call = call,
		.review = {.course_id = course_id_of(req->course_id),
			   .user_id = rpc_principal(call)->user_id,
			   .stars = req->stars,
			   .text = req->text,
			   .state = REVIEW_SHOWN,
			   .hide_reason = (char *)protobuf_c_empty_string,
			   .version = 1,
			   .create_us = now_us,
			   .update_us = now_us},
		.ret = ret,
	};
	int r = app_new_ids(call, APP_IDS(&m.review.review_id, &m.event_id), err);
	if (r < 0)
		return r;
	r = app_transaction(call, IDEM_CREATE_US, create_body, &m, &ret->base, err);
	if (app_perhaps_done(r, err))
		course_changed_here(app_of(call), m.review.course_id);
	return r;
}

/* --- UpdateReview, HideReview, UnhideReview --- */

static int update_review(struct rpc_call *call, const UpdateReviewRequest *req, UpdateReviewResponse *ret,
			 struct error *err)
{
	const struct change change = {
		.id = id_of(ID_REVIEW, req->review->review_id),
		.etag = req->review->etag,
		.ret = &ret->review,
	};
	int r = app_check_mask(&edu_v1_review_rules, req->update_mask->paths, req->update_mask->n_paths,
			       "review_id", err);
	if (r >= 0 && !change.id)
		r = error_field(err, "review.review_id", "is required");
	return r < 0 ? r
		     : review_change(call, STEP_REVIEW_UPDATE, change,
				     (struct review_step_args){.update = req}, &ret->base, err);
}

/* HideReview and UnhideReview ask alike. */
static int decide(struct rpc_call *call, enum review_step step, const char *review_id, const char *etag,
		  const char *reason, Review **ret, ProtobufCMessage *reply, struct error *err)
{
	const struct change change = {
		.id = id_of(ID_REVIEW, review_id), .etag = etag, .reason = reason, .ret = ret};
	return review_change(call, step, change, (struct review_step_args){0}, reply, err);
}

static int hide_review(struct rpc_call *call, const HideReviewRequest *req, HideReviewResponse *ret,
		       struct error *err)
{
	return decide(call, STEP_REVIEW_HIDE, req->review_id, req->etag, req->reason, &ret->review,
		      &ret->base, err);
}

static int unhide_review(struct rpc_call *call, const UnhideReviewRequest *req, UnhideReviewResponse *ret,
			 struct error *err)
{
	return decide(call, STEP_REVIEW_UNHIDE, req->review_id, req->etag, req->reason, &ret->review,
		      &ret->base, err);
}

/* --- ListReviews --- */

/* The last review of a page: what the next one starts after. */
struct list_cursor {
	int64_t review_id;
	int64_t stars;
};

/* Beyond whatever comes first in the order. */
static struct list_cursor before_the_first(int order)
{
	return order == REVIEW_ORDER_LOWEST ? (struct list_cursor){0, 0}
					    : (struct list_cursor){INT64_MAX, COURSE_STARS_MAX + 1};
}

/* The one review of an author, if there is one that the caller sees. */
static int read_one(struct rpc_call *call, const ListReviewsRequest *req, struct review **ret,
		    unsigned *ret_n, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct review *review = arena_alloc(arena, sizeof(*review));
	if (!review)
		return arena_full(err);
	int r = review_store_of_user(db_of(call), arena, id_of(ID_USER, req->user_id),
				     course_id_of(req->course_id), review, err);
	*ret = review;
	*ret_n = r > 0 && review_open_to(review, rpc_principal(call)) &&
		 (!req->state || (int)req->state == (int)review->state);
	return r < 0 ? r : 0;
}

static int read_page(struct rpc_call *call, const ListReviewsRequest *req, const struct page *page,
		     const struct list_cursor *after, struct review **ret, unsigned *ret_n, struct error *err)
{
	const struct review_filter filter = {
		.course_id = course_id_of(req->course_id),
		.state = req->state ? (enum review_state)req->state : REVIEW_SHOWN,
		.order = (int)req->order,
		.after_id = after->review_id,
		.after_stars = (int)after->stars,
	};
	if (*req->user_id)
		return read_one(call, req, ret, ret_n, err);
	if (filter.state == REVIEW_HIDDEN &&
	    !principal_has_role(rpc_principal(call), ROLE_MASK_SUPPORT | ROLE_MASK_ADMIN)) {
		error_raise(err, &RPC_REASON_ROLE_MISSING,
			    "Hidden reviews are listed for SUPPORT and ADMIN.");
		return error_add_metadata(err, "roles", "SUPPORT or ADMIN");
	}
	return review_store_list(db_of(call), rpc_arena(call), &filter, page->limit, ret, ret_n, err);
}

static int list_reviews(struct rpc_call *call, const ListReviewsRequest *req, ListReviewsResponse *ret,
			struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct list_cursor cursor = before_the_first((int)req->order);
	struct course_terms course;
	struct review *reviews = NULL;
	struct page page;
	unsigned n = 0;

	int r = page_open(&page, call, PAGE_OF(req), &cursor, sizeof(cursor), err);
	if (r >= 0)
		r = course_terms_seen(call, course_id_of(req->course_id), NULL, &course, err);
	if (r >= 0)
		r = read_page(call, req, &page, &cursor, &reviews, &n, err);
	if (r < 0)
		return r;
	if (page_goes_on(&page, &n)) {
		cursor = (struct list_cursor){reviews[n - 1].review_id, reviews[n - 1].stars};
		ret->next_page_token = page_next(&page, &cursor);
	}
	ret->reviews = arena_array(arena, n + 1, sizeof(Review *));
	for (unsigned i = 0; ret->reviews && i < n; i++)
		ret->reviews[ret->n_reviews++] = review_to_proto(arena, &reviews[i]);
	return arena_check(arena, err);
}

EDU_SERVICE_CREATE_REVIEW(create_review, RPC_ON_DB);
EDU_SERVICE_UPDATE_REVIEW(update_review, RPC_ON_DB);
EDU_SERVICE_HIDE_REVIEW(hide_review, RPC_ON_DB);
EDU_SERVICE_UNHIDE_REVIEW(unhide_review, RPC_ON_DB);
EDU_SERVICE_LIST_REVIEWS(list_reviews, RPC_ON_DB);
