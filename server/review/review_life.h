/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REVIEW_REVIEW_LIFE_H
#define REVIEW_REVIEW_LIFE_H

#include "edu/v1/edu_service.tables.h"
#include "server/app/change.h"
#include "server/review/review_store.h"

/* The life of a review: what may become of one, and by whom. Its table is in review_life.c. */
enum review_step { STEP_REVIEW_UPDATE, STEP_REVIEW_HIDE, STEP_REVIEW_UNHIDE, REVIEW_STEPS };

/* What a step is given, as `arg`. */
struct review_step_args {
	const UpdateReviewRequest *update;
	int64_t course_id; /* whose rating may have changed; set by the step */
};

/* Runs the step, and forgets the course whose rating changed. `ret` is the address of the reply's review. */
int review_change(struct rpc_call *call, enum review_step step, struct change change,
		  struct review_step_args args, ProtobufCMessage *reply, struct error *err)
	__attribute__((warn_unused_result));

/* SELF_REVIEW for who teaches the course or made it. */
struct course_terms;
int review_check_stranger(const struct course_terms *course, const struct principal *who, struct error *err)
	__attribute__((warn_unused_result));

/* Settles with how many stars the review counts once it is in this state; in the transaction that writes it.
 */
int review_count(struct db_conn *conn, struct review *r, enum review_state state, struct error *err)
	__attribute__((warn_unused_result));

/* 1 when the caller sees the review, 0 when not, negative on trouble. Only on RPC_ON_DB. */
int review_seen(struct rpc_call *call, const struct review *r, struct error *err)
	__attribute__((warn_unused_result));

/* What of the rule is about the review alone: a hidden one is seen by its author, SUPPORT and ADMIN. */
bool review_open_to(const struct review *r, const struct principal *who);

#endif
