/* SPDX-License-Identifier: Apache-2.0 */
#include "server/purchase/checkout.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "proto/runtime/codec.h"
#include "server/app/app.h"
#include "server/base/metrics.h"
#include "server/db/idem.h"
#include "server/money/rules.h"
#include "server/purchase/purchase_names.h"
#include "server/purchase/purchase_proto.h"
#include "server/purchase/purchase_store.h"
#include "server/purchase/quote.h"

/* A course that changes between reading its terms and buying on them is read again, so often. */
enum { TERMS_ATTEMPTS = 4 };

struct checkout {
	struct rpc_call *call;
	const PurchaseCourseRequest *req;
	struct db_conn *conn;
	struct arena *arena;
	const struct principal *who;
	const struct request_key *key;
	int platform_basis_points;
	int64_t course_id, now_us;
	struct checkout_ids ids;
};

static int begin(struct rpc_call *call, const PurchaseCourseRequest *req, struct checkout *c,
		 struct error *err)
{
	*c = (struct checkout){
		.call = call,
		.req = req,
		.conn = db_of(call),
		.arena = rpc_arena(call),
		.who = rpc_principal(call),
		.key = rpc_request_key(call),
		.platform_basis_points = app_of(call)->platform_basis_points,
		.course_id = course_id_of(req->course_id),
		.now_us = app_now_us(call),
	};
	return checkout_new_ids(call, &c->ids, err);
}

/* --- refusals --- */

static int already_purchased(struct error *err, int64_t purchase_id)
{
	char text[ID_TEXT_MAX];

	id_format(ID_PURCHASE, purchase_id, text);
	error_raise(err, &REASON_ALREADY_PURCHASED, "You have bought this course already.");
	error_add_metadata(err, "purchase_id", "%s", text);
	return app_name_resource(err, &purchase_resource, purchase_id);
}

static int insufficient_funds(struct error *err, const char *currency_code, int64_t missing)
{
	error_raise(err, &REASON_INSUFFICIENT_FUNDS,
		    "The wallet holds less than the total; nothing was taken. Top up, then repeat.");
	error_add_metadata(err, "missing_minor_units", "%" PRId64, missing);
	return error_add_metadata(err, "currency_code", "%s", currency_code);
}

/*
 * The course or its price says no. A request that was answered before gets that answer; who owns the course
 * is told so rather than that it cannot be bought. What the caller may not see stays unseen.
 */
static int refuse(const struct checkout *c, struct purchase_result *earlier, struct error *err)
{
	int refusal = -err->code;
	struct error trouble;
	int r = purchase_store_earlier(c->conn, c->arena, c->key, c->now_us, c->who->user_id, c->course_id,
				       earlier, &trouble);

	if (r < 0) {
		*err = trouble;
		return r;
	}
	if (earlier->outcome == PURCHASE_MADE ||
	    (earlier->outcome == PURCHASE_ALREADY_LIVE && refusal == -STATUS_NOT_FOUND))
		return refusal;
	return 0;
}

/* --- the purchase --- */

static int agree_terms(const struct checkout *c, struct course_terms *terms, struct quote *quote,
		       struct error *err)
{
	const char *currency = c->req->currency_code;
	int r = course_terms_seen(c->call, c->course_id, currency, terms, err);

	if (r == 0)
		r = quote_course(terms, currency, quote, err);
	if (r == 0)
		r = quote_check_buyer(terms, c->who->user_id, err);
	if (r < 0)
		return r;
	return quote_agreed(quote, c->req->expected_total->minor_units, err);
}

static struct purchase completed_purchase(const struct checkout *c, const struct course_terms *terms,
					  const struct quote *quote)
{
	static_assert(PURCHASE_FROM_WALLET == PaymentSource_MAX, "whatever is asked, the wallet pays");
	struct purchase p = {
		.purchase_id = c->ids.purchase_id,
		.user_id = c->who->user_id,
		.course_id = c->course_id,
		.course_revision = terms->revision,
		.state = PURCHASE_COMPLETED,
		.source = PURCHASE_FROM_WALLET,
		.complete_us = c->now_us,
		.charge =
			{
				.charge_id = c->ids.purchase_id,
				.payer_id = c->who->user_id,
				.beneficiary_id = c->who->user_id,
				.list_price = quote->list_price,
				.discount = quote->discount,
				.tax = quote->tax,
				.tax_inclusive = quote->tax_inclusive,
				.total = quote->total,
				.charged = quote->total,
				.transaction_id = quote->total ? c->ids.event_id : 0,
				.create_us = c->now_us,
			},
	};

	snprintf(p.charge.currency_code, sizeof(p.charge.currency_code), "%s", quote->currency_code);
	return p;
}

/* Nothing is posted for what costs nothing. */
static int post(const struct checkout *c, const struct course_terms *terms, const struct quote *quote,
		struct ledger_posting *ret, struct error *err)
{
	const int own = terms->platform_basis_points;
	const struct money_input input = {
		.currency_code = quote->currency_code,
		.party_ids = {[MONEY_USER] = c->who->user_id},
		.total = quote->total,
		.tax = quote->tax,
		.platform_basis_points = own >= 0 ? own : c->platform_basis_points,
		.sellers = terms->instructors,
		.n_sellers = terms->n_instructors,
	};

	return quote->total ? money_post(ret, MONEY_PURCHASE, &input, err) : 0;
}

/* The packed answer, made before the purchase, in whose transaction it is stored. */
static int pack_reply(const struct checkout *c, const struct purchase *p, struct span *ret, struct error *err)
{
	PurchaseCourseResponse reply = PURCHASE_COURSE_RESPONSE_INIT;

	reply.purchase = purchase_to_proto(c->arena, p);
	int r = arena_check(c->arena, err);
	return r < 0 ? r : codec_pack(&reply.base, c->arena, ret, err);
}

/* Its key and reply left out. */
static struct purchase_order order_of(const struct checkout *c, const struct course_terms *terms,
				      const struct purchase *p, const struct ledger_posting *posting)
{
	return (struct purchase_order){
		.purchase = p,
		.posting = posting,
		.course_version = terms->version,
		.grant_id = c->ids.grant_id,
		.event_id = c->ids.event_id,
		.event_payload = purchase_event_payload(c->arena, p),
	};
}

static int complete(const struct checkout *c, const struct course_terms *terms, const struct purchase *p,
		    const struct ledger_posting *posting, struct purchase_result *ret, struct error *err)
{
	struct purchase_order order = order_of(c, terms, p, posting);
	int r = pack_reply(c, p, &order.reply, err);
	order.key = *c->key;

	if (r < 0)
		return r;
	r = purchase_store_complete(c->conn, c->arena, &order, ret, err);
	if (r == 0 && ret->outcome == PURCHASE_MADE)
		ret->reply = order.reply;
	return r;
}

/* One purchase on the terms as they are now. */
static int buy(const struct checkout *c, struct purchase_result *result, struct error *err)
{
	struct course_terms terms = {0};
	struct quote quote = {0};
	struct ledger_posting posting = {0};
	int r = agree_terms(c, &terms, &quote, err);

	if (r == -STATUS_NOT_FOUND || r == -STATUS_FAILED_PRECONDITION || r == -STATUS_PERMISSION_DENIED)
		return refuse(c, result, err);
	if (r == 0)
		r = post(c, &terms, &quote, &posting, err);
	if (r < 0)
		return r;
	struct purchase p = completed_purchase(c, &terms, &quote);
	return complete(c, &terms, &p, &posting, result, err);
}

static int answer(struct rpc_call *call, const struct checkout *c, const struct purchase_result *result,
		  PurchaseCourseResponse *ret, struct error *err)
{
	switch (result->outcome) {
	case PURCHASE_MADE:
		return rpc_reply_packed(call, result->reply);
	case PURCHASE_REPLAYED:
		return app_replay(call, result->reply, &ret->base, err);
	case PURCHASE_KEY_REUSED:
		return idem_reused(err);
	case PURCHASE_TERMS_CHANGED:
		return error_raise(err, &RPC_REASON_CONFLICT, "The course keeps changing; repeat the call.");
	case PURCHASE_ALREADY_LIVE:
		return already_purchased(err, result->live_purchase_id);
	case PURCHASE_NOT_COVERED:
		return insufficient_funds(err, c->req->currency_code, result->missing);
	}
	return error_internal(err, "a purchase with outcome %d", result->outcome);
}

/* --- what it costs the database --- */

static pthread_once_t metrics_once = PTHREAD_ONCE_INIT;
static struct metric *purchases, *round_trips, *commits;

static void register_metrics(void)
{
	purchases = metric_counter("edu_purchases_total", "Purchases completed by PurchaseCourse.", NULL);
	round_trips = metric_counter("edu_purchase_round_trips_total",
				     "Round trips to the database of the purchases completed.", NULL);
	commits = metric_counter("edu_purchase_commits_total", "Commits of the purchases completed.", NULL);
}

static void count(struct db_counters before, struct db_counters after)
{
	pthread_once(&metrics_once, register_metrics);
	metric_add(purchases, 1);
	metric_add(round_trips, (int64_t)(after.round_trips - before.round_trips));
	metric_add(commits, (int64_t)(after.commits - before.commits));
}

/* --- what is free --- */

bool checkout_is_free(const struct course_terms *terms, int64_t buyer_id)
{
	return course_state_published(terms->state) && terms->pricing == COURSE_FREE &&
	       !course_has_share(terms->instructors, terms->n_instructors, buyer_id);
}

int checkout_new_ids(struct rpc_call *call, struct checkout_ids *ret, struct error *err)
{
	return app_new_ids(call, APP_IDS(&ret->purchase_id, &ret->grant_id, &ret->event_id), err);
}

int checkout_free(struct rpc_call *call, const struct course_terms *terms, const struct checkout_ids *ids,
		  int64_t now_us, struct error *err)
{
	const struct checkout c = {
		.conn = db_of(call),
		.arena = rpc_arena(call),
		.who = rpc_principal(call),
		.course_id = terms->course_id,
		.now_us = now_us,
		.ids = *ids,
	};
	static const struct ledger_posting nothing;
	struct purchase_result result;
	struct quote quote;
	int r = quote_course(terms, CURRENCY_NONE, &quote, err);

	if (r < 0)
		return r;
	const struct purchase p = completed_purchase(&c, terms, &quote);
	const struct purchase_order order = order_of(&c, terms, &p, &nothing);
	r = arena_check(c.arena, err);
	if (r >= 0)
		r = purchase_store_make(c.conn, c.arena, &order, &result, err);
	return r < 0 ? r : result.outcome != PURCHASE_TERMS_CHANGED;
}

int checkout_purchase_course(struct rpc_call *call, const PurchaseCourseRequest *req,
			     PurchaseCourseResponse *ret, struct error *err)
{
	struct checkout c;
	struct purchase_result result = {.outcome = PURCHASE_TERMS_CHANGED};
	if (strcmp(req->expected_total->currency_code, req->currency_code) != 0)
		return error_field(err, "expected_total.currency_code",
				   "must be the same as currency_code, is %s",
				   req->expected_total->currency_code);
	int r = begin(call, req, &c, err);
	struct db_counters before = db_counters(c.conn);
	for (int i = 0; r >= 0 && i < TERMS_ATTEMPTS && result.outcome == PURCHASE_TERMS_CHANGED; i++)
		r = buy(&c, &result, err);
	if (r < 0)
		return r;
	if (result.outcome == PURCHASE_MADE)
		count(before, db_counters(c.conn));
	return answer(call, &c, &result, ret, err);
}
