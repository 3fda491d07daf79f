/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/base/clock.h"
#include "server/db/event.h"
#include "server/db/idem.h"
#include "server/db/table.h"
#include "server/money/payment_store.h"
#include "server/money/rules.h"
#include "server/purchase/purchase_store.h"
#include "tests/lib/ledger_check.h"
#include "tests/lib/test_payment.h"
#include "tests/lib/testdb.h"
#include "tests/lib/threads.h"

/* The stores by themselves, on data put in by SQL; every statement of theirs is run here, the compound ones
 * too. */

enum { CROWD = 50, ARENA_BYTES = 1 << 20, METHOD = 77 };
#define NOW INT64_C(1750000000000000)

static const struct db_stmt_list *const lists[] = {&purchase_stmts, &payment_stmts, &event_stmts, NULL};

static struct testdb *db;
static struct db_conn *conn;
static struct arena arena;
static struct error err;
static _Atomic int64_t last_id = 1000;

static int64_t new_id(void)
{
	return ++last_id;
}

#define sql(...) testdb_runf(conn, __VA_ARGS__)
#define number(...) testdb_numberf(db, __VA_ARGS__)

static int64_t new_course(void)
{
	int64_t course_id = new_id();

	sql("INSERT INTO course (course_id, creator_id, title, summary, description, objectives, audience, "
	    "prerequisites,"
	    " subject_id, level, language, license, pricing, planned_learning_hours, stage, lesson_count, "
	    "version, revision,"
	    " create_time, update_time, publish_time) VALUES (%" PRId64
	    ", 1, 'Course', '', '', '[]', '', '', 0, 0, '', '', 2, 0, 3, 0, 5, 1, 0, 0, 0)",
	    course_id);
	return course_id;
}

/* --- orders --- */

/* One buyer's wish, with everything it needs; `key` is filled from request and body. */
struct wish {
	int64_t user_id, course_id, total, now_us;
	int request, body;

	struct db_conn *conn;
	struct arena arena;
	struct purchase purchase;
	struct ledger_posting posting;
	struct request_key key;
	struct purchase_order order;
	struct purchase_result result;
	struct error err;
	int r;
	bool ready;
};

static void wish_post(struct wish *w)
{
	static const struct course_share shares[] = {{901, 3333}, {902, 3333}, {903, 3334}};
	const struct money_input input = {.currency_code = "EUR",
					  .party_ids = {[MONEY_USER] = w->user_id},
					  .total = w->total,
					  .sellers = shares,
					  .n_sellers = 3};

	if (w->total)
		assert_int_equal(money_post(&w->posting, MONEY_PURCHASE, &input, &w->err), 0);
}

static void wish_prepare(struct wish *w)
{
	const char *reply;

	if (w->ready)
		return;
	arena_init(&w->arena, ARENA_BYTES);
	int64_t now_us = w->now_us ? w->now_us : NOW, event_id = new_id();
	w->purchase = (struct purchase){
		.purchase_id = new_id(),
		.user_id = w->user_id,
		.course_id = w->course_id,
		.course_revision = 2,
		.state = PURCHASE_COMPLETED,
		.source = PURCHASE_FROM_WALLET,
		.complete_us = now_us,
	};
	w->purchase.charge = (struct charge){
		.charge_id = w->purchase.purchase_id,
		.payer_id = w->user_id,
		.beneficiary_id = w->user_id,
		.currency_code = "EUR",
		.list_price = w->total,
		.tax_inclusive = true,
		.total = w->total,
		.charged = w->total,
		.transaction_id = w->total ? event_id : 0,
		.create_us = now_us,
	};
	wish_post(w);
	w->key = (struct request_key){.present = true, .principal_id = w->user_id, .method = METHOD};
	memcpy(w->key.request_id, &w->request, sizeof(w->request));
	memcpy(w->key.body_hash, &w->body, sizeof(w->body));
	reply = arena_printf(&w->arena, "reply of %" PRId64, w->purchase.purchase_id);
	w->order = (struct purchase_order){.purchase = &w->purchase,
					   .posting = &w->posting,
					   .course_version = 5,
					   .grant_id = new_id(),
					   .event_id = event_id,
					   .event_payload = "{}",
					   .key = w->key,
					   .reply = span_str(reply)};
	w->ready = true;
}

static enum purchase_outcome wish_buy(struct wish *w)
{
	wish_prepare(w);
	w->r = purchase_store_complete(w->conn ? w->conn : conn, &w->arena, &w->order, &w->result, &w->err);
	if (w->r < 0) {
		fprintf(stderr, "purchase: %s\n", w->err.message);
		return (enum purchase_outcome) - 1;
	}
	return w->result.outcome;
}

static void wish_done(struct wish *w)
{
	arena_done(&w->arena);
	*w = (struct wish){0};
}

static void fund(int64_t user_id, int64_t amount);

/* A buyer with so much money, and a course. */
static struct wish new_wish(int64_t funds, int64_t total)
{
	static int requests;
	struct wish w = {
		.user_id = new_id(), .course_id = new_course(), .total = total, .request = ++requests};

	if (funds)
		fund(w.user_id, funds);
	return w;
}

static void pay_in(int64_t user_id, const char *currency, int64_t amount)
{
	char payment_id[32];
	struct test_payment p = {.provider = "bank",
				 .provider_payment_id = payment_id,
				 .owner_id = user_id,
				 .currency_code = currency,
				 .amount = amount,
				 .first_id = new_id(),
				 .now_us = NOW};

	new_id();
	new_id();
	snprintf(payment_id, sizeof(payment_id), "fund-%" PRId64, p.first_id);
	assert_int_equal(test_payment_credit(conn, &p), PAYMENT_CREDITED);
}

static void fund(int64_t user_id, int64_t amount)
{
	pay_in(user_id, "EUR", amount);
}

static int64_t balance_of(int64_t user_id)
{
	return number("SELECT IFNULL(SUM(balance), -1) FROM wallet WHERE owner_id = %" PRId64, user_id);
}

static int64_t purchases_of(int64_t user_id)
{
	return number("SELECT COUNT(*) FROM purchase WHERE user_id = %" PRId64, user_id);
}

/* Rows of every table that a purchase writes. */
static int64_t rows_written(void)
{
	return number("SELECT (SELECT COUNT(*) FROM purchase) + (SELECT COUNT(*) FROM charge) +"
		      " (SELECT COUNT(*) FROM ledger_transaction) +"
		      " (SELECT COUNT(*) FROM ledger_entry) + (SELECT COUNT(*) FROM access_grant) +"
		      " (SELECT COUNT(*) FROM enrollment) + (SELECT COUNT(*) FROM event) +"
		      " (SELECT COUNT(*) FROM idempotency)");
}

/* --- one purchase --- */

static void completes_in_one_round_trip_and_one_commit(void **state)
{
	struct wish w = new_wish(5000, 1999);
	struct db_counters before, after;

	wish_prepare(&w);
	before = db_counters(conn);
	assert_int_equal(wish_buy(&w), PURCHASE_MADE);
	after = db_counters(conn);
	assert_int_equal(after.round_trips - before.round_trips, 1);
	assert_int_equal(after.commits - before.commits, 1);
	assert_int_equal(balance_of(w.user_id), 3001);
	assert_int_equal(number("SELECT COUNT(*) FROM event WHERE kind = 'purchase.completed' AND subject_id "
				"= %" PRId64 " AND user_id = %" PRId64 " AND course_id = %" PRId64
				" AND payload = '{}'",
				w.purchase.purchase_id, w.user_id, w.course_id),
			 1);
	assert_int_equal(number("SELECT COUNT(*) FROM idempotency WHERE principal_id = %" PRId64
				" AND reply = 'reply of %" PRId64
				"' AND expire_time - create_time = 2592000000000",
				w.user_id, w.purchase.purchase_id),
			 1);
	assert_int_equal(number("SELECT COUNT(*) FROM enrollment WHERE user_id = %" PRId64 " AND epoch = 0",
				w.user_id),
			 1);
	assert_int_equal(ledger_faults(db), 0);
	wish_done(&w);
}

/* purchase_store_make() within a transaction of the caller's, which ends as `r` says. */
struct make_run {
	struct wish *wish;
	int r;
};

static int make_body(struct db_conn *on, void *arg, struct error *error)
{
	struct make_run *run = arg;
	struct wish *w = run->wish;
	int r = purchase_store_make(on, &w->arena, &w->order, &w->result, error);

	return r < 0 ? r : run->r;
}

static enum purchase_outcome make(struct wish *w, int r)
{
	struct make_run run = {w, r};

	wish_prepare(w);
	assert_int_equal(db_transaction(conn, true, make_body, &run, &w->err), r);
	return w->result.outcome;
}

static void within_a_transaction_it_is_made_with_it(void **state)
{
	struct wish w = new_wish(0, 0), again = w, poor = new_wish(0, 100);
	int64_t rows = rows_written();

	wish_prepare(&w);
	w.order.course_version = 4;
	assert_int_equal(make(&w, 0), PURCHASE_TERMS_CHANGED);
	w.order.course_version = 5;
	assert_int_equal(make(&w, -STATUS_FAILED_PRECONDITION), PURCHASE_MADE);
	assert_int_equal(make(&poor, -STATUS_FAILED_PRECONDITION), PURCHASE_NOT_COVERED);
	assert_int_equal(rows_written(), rows);
	assert_int_equal(make(&w, 0), PURCHASE_MADE);
	assert_int_equal(rows_written(), rows + 5); /* purchase, charge, grant, enrollment, event */
	assert_int_equal(make(&again, 0), PURCHASE_ALREADY_LIVE);
	assert_int_equal(again.result.live_purchase_id, w.purchase.purchase_id);
	assert_int_equal(rows_written(), rows + 5);
	assert_int_equal(ledger_faults(db), 0);
	wish_done(&w);
	wish_done(&again);
	wish_done(&poor);
}

static void reads_what_it_wrote(void **state)
{
	struct wish w = new_wish(INT64_MAX, INT64_MAX);
	struct purchase p;

	assert_int_equal(wish_buy(&w), PURCHASE_MADE);
	assert_int_equal(purchase_store_read(conn, &arena, w.purchase.purchase_id, &p, &err), 1);
	assert_int_equal(p.user_id, w.user_id);
	assert_int_equal(p.course_id, w.course_id);
	assert_int_equal(p.course_revision, 2);
	assert_int_equal(p.state, PURCHASE_COMPLETED);
	assert_int_equal(p.source, PURCHASE_FROM_WALLET);
	assert_true(p.complete_us == NOW);
	const struct charge *c = &p.charge;
	assert_int_equal(c->charge_id, w.purchase.purchase_id);
	assert_true(c->payer_id == w.user_id && c->beneficiary_id == w.user_id);
	assert_string_equal(c->currency_code, "EUR");
	assert_true(c->list_price == INT64_MAX && c->total == INT64_MAX && c->charged == INT64_MAX);
	assert_int_equal(c->discount, 0);
	assert_int_equal(c->tax, 0);
	assert_true(c->tax_inclusive);
	assert_int_equal(c->transaction_id, w.order.event_id);
	assert_true(c->create_us == NOW);
	assert_int_equal(balance_of(w.user_id), 0);
	assert_int_equal(purchase_store_read(conn, &arena, new_id(), &p, &err), 0);
	assert_int_equal(ledger_faults(db), 0);
	wish_done(&w);
}

static void a_repeat_gets_the_first_answer(void **state)
{
	struct wish w = new_wish(5000, 1999), again = {0};

	assert_int_equal(wish_buy(&w), PURCHASE_MADE);
	again = (struct wish){
		.user_id = w.user_id, .course_id = w.course_id, .total = 1999, .request = w.request};
	/* Whatever became of the course since. */
	sql("UPDATE course SET stage = 4, version = 9 WHERE course_id = %" PRId64, w.course_id);
	assert_int_equal(wish_buy(&again), PURCHASE_REPLAYED);
	assert_int_equal(again.result.reply.len, w.order.reply.len);
	assert_memory_equal(again.result.reply.data, w.order.reply.data, w.order.reply.len);
	assert_int_equal(balance_of(w.user_id), 3001);
	assert_int_equal(purchases_of(w.user_id), 1);
	wish_done(&w);
	wish_done(&again);
}

static void the_same_order_run_again_meets_itself(void **state)
{
	struct wish w = new_wish(5000, 1999);

	assert_int_equal(wish_buy(&w), PURCHASE_MADE);
	assert_int_equal(wish_buy(&w), PURCHASE_REPLAYED);
	assert_int_equal(balance_of(w.user_id), 3001);
	assert_int_equal(ledger_faults(db), 0);
	wish_done(&w);
}

static void another_body_is_refused(void **state)
{
	struct wish w = new_wish(5000, 1999), other;
	int64_t rows;

	assert_int_equal(wish_buy(&w), PURCHASE_MADE);
	other = (struct wish){
		.user_id = w.user_id, .course_id = new_course(), .total = 5, .request = w.request, .body = 9};
	rows = rows_written();
	assert_int_equal(wish_buy(&other), PURCHASE_KEY_REUSED);
	assert_int_equal(rows_written(), rows);
	wish_done(&w);
	wish_done(&other);
}

static void an_expired_key_is_free(void **state)
{
	struct wish w = new_wish(5000, 1999), later;

	assert_int_equal(wish_buy(&w), PURCHASE_MADE);
	later = (struct wish){.user_id = w.user_id,
			      .course_id = new_course(),
			      .total = 1999,
			      .request = w.request,
			      .body = 9,
			      .now_us = NOW + IDEM_MONEY_US};
	assert_int_equal(wish_buy(&later), PURCHASE_MADE);
	assert_int_equal(balance_of(w.user_id), 5000 - 2 * 1999);
	wish_done(&w);
	wish_done(&later);
}

static void takes_no_more_than_there_is(void **state)
{
	struct wish empty = new_wish(0, 1999), poor = new_wish(1998, 1999), exact = new_wish(1999, 1999);
	int64_t rows = rows_written();

	assert_int_equal(wish_buy(&empty), PURCHASE_NOT_COVERED);
	assert_int_equal(empty.result.missing, 1999);
	assert_int_equal(wish_buy(&poor), PURCHASE_NOT_COVERED);
	assert_int_equal(poor.result.missing, 1);
	assert_int_equal(rows_written(), rows);
	assert_int_equal(balance_of(poor.user_id), 1998);

	assert_int_equal(wish_buy(&exact), PURCHASE_MADE);
	assert_int_equal(balance_of(exact.user_id), 0);

	/* The key was not used up. */
	fund(poor.user_id, 1);
	assert_int_equal(wish_buy(&poor), PURCHASE_MADE);
	assert_int_equal(ledger_faults(db), 0);
	wish_done(&empty);
	wish_done(&poor);
	wish_done(&exact);
}

static void money_in_another_currency_does_not_count(void **state)
{
	struct wish w = new_wish(0, 100);

	pay_in(w.user_id, "USD", 100);
	assert_int_equal(wish_buy(&w), PURCHASE_NOT_COVERED);
	assert_int_equal(w.result.missing, 100);
	wish_done(&w);
}

static void the_course_must_be_what_was_read(void **state)
{
	struct wish w = new_wish(5000, 1999);
	int64_t rows = rows_written();

	sql("UPDATE course SET version = 6 WHERE course_id = %" PRId64, w.course_id);
	assert_int_equal(wish_buy(&w), PURCHASE_TERMS_CHANGED);
	sql("UPDATE course SET version = 5, stage = 4 WHERE course_id = %" PRId64, w.course_id);
	assert_int_equal(wish_buy(&w), PURCHASE_TERMS_CHANGED);
	assert_int_equal(rows_written(), rows);
	assert_int_equal(balance_of(w.user_id), 5000);
	wish_done(&w);
}

static void one_purchase_lives_at_a_time(void **state)
{
	struct wish w = new_wish(9000, 1999), second;
	int64_t rows;

	assert_int_equal(wish_buy(&w), PURCHASE_MADE);
	rows = rows_written();
	second = (struct wish){.user_id = w.user_id,
			       .course_id = w.course_id,
			       .total = 1999,
			       .request = 1000000 + w.request};
	assert_int_equal(wish_buy(&second), PURCHASE_ALREADY_LIVE);
	assert_int_equal(second.result.live_purchase_id, w.purchase.purchase_id);
	assert_int_equal(rows_written(), rows);

	/* Once its access has ended, one may buy again; the first enrollment stays. */
	sql("UPDATE purchase SET live = NULL WHERE purchase_id = %" PRId64, w.purchase.purchase_id);
	sql("UPDATE access_grant SET revoke_time = %" PRId64 " WHERE grant_id = %" PRId64, NOW + 60,
	    w.order.grant_id);
	sql("UPDATE enrollment SET epoch = 3, epoch_time = start_time WHERE user_id = %" PRId64, w.user_id);
	wish_done(&second);
	second = (struct wish){.user_id = w.user_id,
			       .course_id = w.course_id,
			       .total = 1999,
			       .request = 2000000 + w.request,
			       .now_us = NOW + 100};
	assert_int_equal(wish_buy(&second), PURCHASE_MADE);
	assert_int_equal(number("SELECT COUNT(*) FROM enrollment WHERE user_id = %" PRId64
				" AND epoch = 3 AND start_time = %" PRId64,
				w.user_id, NOW),
			 1);

	assert_int_equal(number("SELECT COUNT(*) FROM access_grant WHERE user_id = %" PRId64
				" AND scope_kind = 1 AND scope_id = %" PRId64 " AND source_kind = 1"
				" AND expire_time IS NULL AND ((source_id = %" PRId64
				" AND start_time = %" PRId64 " AND revoke_time = %" PRId64
				") OR (source_id = %" PRId64 " AND start_time = %" PRId64
				" AND revoke_time IS NULL))",
				w.user_id, w.course_id, w.purchase.purchase_id, NOW, NOW + 60,
				second.purchase.purchase_id, NOW + 100),
			 2);
	assert_int_equal(ledger_faults(db), 0);
	wish_done(&w);
	wish_done(&second);
}

static void a_free_course_moves_no_money(void **state)
{
	struct wish w = new_wish(0, 0);
	struct purchase p;

	assert_int_equal(wish_buy(&w), PURCHASE_MADE);
	assert_int_equal(purchase_store_read(conn, &arena, w.purchase.purchase_id, &p, &err), 1);
	assert_int_equal(p.charge.transaction_id, 0);
	assert_int_equal(
		number("SELECT COUNT(*) FROM ledger_transaction WHERE cause_kind = 2 AND cause_id = %" PRId64,
		       p.purchase_id),
		0);
	assert_int_equal(balance_of(w.user_id), -1);
	assert_int_equal(ledger_faults(db), 0);
	wish_done(&w);
}

/* --- what was before --- */

static enum purchase_outcome earlier(const struct wish *w, int64_t now_us, struct purchase_result *ret)
{
	assert_int_equal(
		purchase_store_earlier(conn, &arena, &w->key, now_us, w->user_id, w->course_id, ret, &err),
		0);
	return ret->outcome;
}

static void tells_what_was_before(void **state)
{
	struct wish w = new_wish(5000, 1999), other;
	struct purchase_result result;

	wish_prepare(&w);
	assert_int_equal(earlier(&w, NOW, &result), PURCHASE_MADE);
	assert_int_equal(wish_buy(&w), PURCHASE_MADE);
	assert_int_equal(earlier(&w, NOW, &result), PURCHASE_REPLAYED);
	assert_memory_equal(result.reply.data, w.order.reply.data, w.order.reply.len);

	other = (struct wish){
		.user_id = w.user_id, .course_id = w.course_id, .request = w.request, .body = 9};
	wish_prepare(&other);
	assert_int_equal(earlier(&other, NOW, &result), PURCHASE_KEY_REUSED);

	/* The key has expired, the purchase lives. */
	assert_int_equal(earlier(&w, NOW + IDEM_MONEY_US, &result), PURCHASE_ALREADY_LIVE);
	assert_int_equal(result.live_purchase_id, w.purchase.purchase_id);
	wish_done(&w);
	wish_done(&other);
}

/* --- crowds --- */

static void *crowd_member(void *arg)
{
	struct wish *w = arg;

	w->conn = testdb_connect(db, lists);
	wish_buy(w);
	db_close(w->conn);
	return NULL;
}

static struct wish *crowd_of(const struct wish *model)
{
	struct wish *crowd = calloc(CROWD, sizeof(*crowd));

	for (int i = 0; i < CROWD; i++) {
		crowd[i] = *model;
		crowd[i].request = model->request * 1000 + i;
	}
	return crowd;
}

static unsigned crowd_count(const struct wish *crowd, enum purchase_outcome outcome)
{
	unsigned n = 0;

	for (int i = 0; i < CROWD; i++)
		n += crowd[i].r == 0 && crowd[i].result.outcome == outcome;
	return n;
}

/* One made it, everybody else got `rest`; who got something else is named. */
static void assert_one_made(const struct wish *crowd, enum purchase_outcome rest)
{
	for (int i = 0; i < CROWD; i++)
		if (crowd[i].r < 0 ||
		    (crowd[i].result.outcome != PURCHASE_MADE && crowd[i].result.outcome != rest))
			print_error("of %d at once, number %d: r=%d outcome=%d live=%" PRId64 "\n", CROWD, i,
				    crowd[i].r, (int)crowd[i].result.outcome,
				    crowd[i].result.live_purchase_id);
	assert_int_equal(crowd_count(crowd, PURCHASE_MADE), 1);
	assert_int_equal(crowd_count(crowd, rest), CROWD - 1);
}

static void crowd_done(struct wish *crowd)
{
	for (int i = 0; i < CROWD; i++)
		wish_done(&crowd[i]);
	free(crowd);
}

static void fifty_requests_for_one_course_make_one_purchase(void **state)
{
	struct wish model = new_wish(100000, 1999), *crowd = crowd_of(&model);
	int64_t made = 0;

	threads_run(CROWD, crowd_member, crowd, sizeof(*crowd));
	assert_one_made(crowd, PURCHASE_ALREADY_LIVE);
	for (int i = 0; i < CROWD; i++)
		if (crowd[i].result.outcome == PURCHASE_MADE)
			made = crowd[i].purchase.purchase_id;
	for (int i = 0; i < CROWD; i++)
		if (crowd[i].result.outcome == PURCHASE_ALREADY_LIVE)
			assert_int_equal(crowd[i].result.live_purchase_id, made);
	assert_int_equal(balance_of(model.user_id), 100000 - 1999);
	assert_int_equal(purchases_of(model.user_id), 1);
	assert_int_equal(
		number("SELECT COUNT(*) FROM idempotency WHERE principal_id = %" PRId64, model.user_id), 1);
	assert_int_equal(ledger_faults(db), 0);
	crowd_done(crowd);
}

static void one_request_fifty_times_makes_one_purchase(void **state)
{
	struct wish model = new_wish(100000, 1999), *crowd = crowd_of(&model);
	const struct wish *first = NULL;

	for (int i = 0; i < CROWD; i++)
		crowd[i].request = model.request;
	threads_run(CROWD, crowd_member, crowd, sizeof(*crowd));
	assert_one_made(crowd, PURCHASE_REPLAYED);
	for (int i = 0; i < CROWD; i++)
		if (crowd[i].result.outcome == PURCHASE_MADE)
			first = &crowd[i];
	for (int i = 0; i < CROWD; i++)
		if (&crowd[i] != first)
			assert_memory_equal(crowd[i].result.reply.data, first->order.reply.data,
					    first->order.reply.len);
	assert_int_equal(balance_of(model.user_id), 100000 - 1999);
	assert_int_equal(ledger_faults(db), 0);
	crowd_done(crowd);
}

static void fifty_refused_at_once_do_not_fall_over_each_other(void **state)
{
	struct wish model = new_wish(1998, 1999), *crowd = crowd_of(&model);

	for (int i = 0; i < CROWD; i++)
		crowd[i].request = model.request + 1000 * (i % 2);
	threads_run(CROWD, crowd_member, crowd, sizeof(*crowd));
	assert_int_equal(crowd_count(crowd, PURCHASE_NOT_COVERED), CROWD);
	assert_int_equal(purchases_of(model.user_id), 0);
	assert_int_equal(balance_of(model.user_id), 1998);
	crowd_done(crowd);
}

static void many_courses_at_once_never_overdraw(void **state)
{
	/* Enough for 20 of 50, and a cent. */
	struct wish model = new_wish(20 * 1999 + 1, 1999), *crowd = crowd_of(&model);

	for (int i = 0; i < CROWD; i++)
		crowd[i].course_id = new_course();
	threads_run(CROWD, crowd_member, crowd, sizeof(*crowd));
	assert_int_equal(crowd_count(crowd, PURCHASE_MADE), 20);
	assert_int_equal(crowd_count(crowd, PURCHASE_NOT_COVERED), CROWD - 20);
	for (int i = 0; i < CROWD; i++)
		if (crowd[i].result.outcome == PURCHASE_NOT_COVERED)
			assert_int_equal(crowd[i].result.missing, 1998);
	assert_int_equal(balance_of(model.user_id), 1);
	assert_int_equal(purchases_of(model.user_id), 20);
	assert_int_equal(ledger_faults(db), 0);
	crowd_done(crowd);
}

/* --- what gets in the way --- */

static void pause_ms(int ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

/*
 * Until somebody in this database waits for a lock. The server renews what it tells of transactions only when
 * it was not asked for 0.1 s.
 */
static void await_lock_wait(void)
{
	for (int i = 0; i < 50; i++) {
		if (number("SELECT COUNT(*) FROM information_schema.innodb_trx t"
			   " JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id"
			   " WHERE p.db = DATABASE() AND t.trx_state = 'LOCK WAIT'"))
			return;
		pause_ms(150);
	}
	fail_msg("nobody waits for a lock");
}

static int64_t deadlocks_so_far(void)
{
	return number("SELECT CAST(variable_value AS SIGNED) FROM information_schema.global_status"
		      " WHERE variable_name = 'innodb_deadlocks'");
}

static void a_deadlock_is_survived(void **state)
{
	struct wish w = new_wish(5000, 1999);
	pthread_t thread;

	/* The other has written more than the purchase, so that the purchase is the one given up. */
	sql("START TRANSACTION");
	sql("INSERT INTO event (event_id, kind, subject_id, user_id, course_id, organization_id, "
	    "create_time, payload)"
	    " SELECT 5000000 + seq, 'test', 0, 0, 0, 0, 0, '' FROM seq_1_to_1000");
	sql("SELECT balance INTO @balance FROM wallet WHERE owner_id = %" PRId64 " FOR UPDATE", w.user_id);
	assert_int_equal(pthread_create(&thread, NULL, crowd_member, &w), 0);
	await_lock_wait();
	int64_t deadlocks = deadlocks_so_far();
	sql("UPDATE course SET level = 2 WHERE course_id = %" PRId64, w.course_id);
	sql("DELETE FROM event WHERE kind = 'test'");
	sql("COMMIT");
	pthread_join(thread, NULL);
	assert_true(deadlocks_so_far() > deadlocks);
	assert_int_equal(w.r, 0);
	assert_int_equal(w.result.outcome, PURCHASE_MADE);
	assert_int_equal(balance_of(w.user_id), 3001);
	assert_int_equal(ledger_faults(db), 0);
	wish_done(&w);
}

static void an_error_in_the_middle_leaves_nothing_behind(void **state)
{
	struct wish first = new_wish(5000, 1999), w = new_wish(5000, 1999);

	assert_int_equal(wish_buy(&first), PURCHASE_MADE);
	wish_prepare(&w);
	int64_t own_id = w.order.event_id, rows = rows_written();
	w.order.event_id = first.order.event_id;
	wish_buy(&w);
	assert_int_equal(w.r, -STATUS_INTERNAL);
	assert_int_equal(rows_written(), rows);
	assert_int_equal(balance_of(w.user_id), 5000);
	w.order.event_id = own_id;
	assert_int_equal(wish_buy(&w), PURCHASE_MADE);
	assert_int_equal(ledger_faults(db), 0);
	wish_done(&first);
	wish_done(&w);
}

static void *buy_within_300_ms(void *arg)
{
	struct wish *w = arg;

	db_set_deadline(w->conn, monotonic_us() + 300000);
	wish_buy(w);
	db_set_deadline(w->conn, INT64_MAX);
	return NULL;
}

static void a_passed_deadline_leaves_nothing_behind(void **state)
{
	struct wish w = new_wish(5000, 1999);
	int64_t rows = rows_written();
	pthread_t thread;

	w.conn = testdb_connect(db, lists);
	sql("START TRANSACTION");
	sql("SELECT balance INTO @balance FROM wallet WHERE owner_id = %" PRId64 " FOR UPDATE", w.user_id);
	assert_int_equal(pthread_create(&thread, NULL, buy_within_300_ms, &w), 0);
	pthread_join(thread, NULL);
	assert_true(w.r == -STATUS_DEADLINE_EXCEEDED);
	sql("COMMIT");
	/* The same connection's next statement must not commit what was left. */
	struct purchase p;
	assert_int_equal(purchase_store_read(w.conn, &arena, w.purchase.purchase_id, &p, &err), 0);
	assert_int_equal(rows_written(), rows);
	assert_int_equal(wish_buy(&w), PURCHASE_MADE);
	assert_int_equal(balance_of(w.user_id), 3001);
	assert_int_equal(ledger_faults(db), 0);
	db_close(w.conn);
	wish_done(&w);
}

static void a_change_of_the_course_waits_for_who_is_buying(void **state)
{
	struct wish w = new_wish(5000, 1999);
	struct db_conn *instructor = testdb_connect(db, NULL);
	pthread_t thread;
	char text[200];

	/* The purchase holds the course's shared lock while it waits for the wallet. */
	sql("START TRANSACTION");
	sql("SELECT balance INTO @balance FROM wallet WHERE owner_id = %" PRId64 " FOR UPDATE", w.user_id);
	assert_int_equal(pthread_create(&thread, NULL, crowd_member, &w), 0);
	await_lock_wait();
	testdb_run(instructor, "SET innodb_lock_wait_timeout = 0");
	snprintf(text, sizeof(text), "UPDATE course SET version = 6 WHERE course_id = %" PRId64, w.course_id);
	assert_int_equal(db_run_text(instructor, text, &err), -STATUS_ABORTED);
	sql("COMMIT");
	pthread_join(thread, NULL);
	assert_int_equal(w.result.outcome, PURCHASE_MADE);
	db_close(instructor);
	wish_done(&w);
}

/* --- lost connections --- */

static _Atomic int keep_killing;

/* Ends the connections of buyers wherever they are, also in the middle of their commit. */
static void *kill_connections(void *arg)
{
	static const struct db_stmt who = {
		"buyers", "", &db_row_i64,
		"SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND command = 'Execute'"
		" AND id <> CONNECTION_ID()"};
	static const struct db_stmt_list list = {"kill", &who, 1};
	static const struct db_stmt_list *const kill_lists[] = {&list, NULL};
	struct db_conn *c = testdb_connect(db, kill_lists);
	struct error e;

	while (keep_killing) {
		char text[64];
		int64_t id;

		if (db_read(c, &who, DB_NO_ARGS, NULL, &id, &e) > 0) {
			snprintf(text, sizeof(text), "KILL CONNECTION %" PRId64, id);
			(void)!db_run_text(c, text, &e);
		}
		pause_ms(3);
	}
	db_close(c);
	return NULL;
}

enum { BUYERS = 6, WISHES = 60 };

struct buyer {
	int64_t user_id;
	struct wish wishes[WISHES];
	unsigned unknown;
};

/* As a client does: an unknown outcome, or a refusal to try, is settled by repeating the same request. */
static void *buy_until_settled(void *arg)
{
	struct buyer *b = arg;
	struct db_conn *c = testdb_connect(db, lists);

	for (int i = 0; i < WISHES; i++) {
		struct wish *w = &b->wishes[i];

		w->conn = c;
		do {
			wish_prepare(w);
			w->r = purchase_store_complete(c, &w->arena, &w->order, &w->result, &w->err);
			b->unknown += w->r == -STATUS_DEADLINE_EXCEEDED;
		} while (w->r < 0);
	}
	db_close(c);
	return NULL;
}

static void lost_connections_neither_lose_nor_double_a_purchase(void **state)
{
	struct buyer *buyers = calloc(BUYERS, sizeof(*buyers));
	pthread_t killer;
	uint64_t replayed = 0;

	for (int b = 0; b < BUYERS; b++) {
		buyers[b].user_id = new_id();
		fund(buyers[b].user_id, WISHES * 100);
		for (int i = 0; i < WISHES; i++)
			buyers[b].wishes[i] = (struct wish){.user_id = buyers[b].user_id,
							    .course_id = new_course(),
							    .total = 100,
							    .request = i + 1};
	}
	keep_killing = 1;
	assert_int_equal(pthread_create(&killer, NULL, kill_connections, NULL), 0);
	threads_run(BUYERS, buy_until_settled, buyers, sizeof(*buyers));
	keep_killing = 0;
	pthread_join(killer, NULL);
	for (int b = 0; b < BUYERS; b++) {
		for (int i = 0; i < WISHES; i++) {
			enum purchase_outcome outcome = buyers[b].wishes[i].result.outcome;

			assert_true(outcome == PURCHASE_MADE || outcome == PURCHASE_REPLAYED);
			replayed += outcome == PURCHASE_REPLAYED;
			wish_done(&buyers[b].wishes[i]);
		}
		assert_int_equal(purchases_of(buyers[b].user_id), WISHES);
		assert_int_equal(balance_of(buyers[b].user_id), 0);
	}
	assert_int_equal(ledger_faults(db), 0);
	print_message("%" PRIu64 " commits were lost and met again\n", replayed);
	free(buyers);
}

/* --- lists --- */

static void lists_the_newest_first(void **state)
{
	struct wish w[5];
	struct purchase *list;
	unsigned n;

	w[0] = new_wish(5000, 100);
	for (int i = 1; i < 5; i++) {
		w[i] = w[0];
		w[i].request = w[0].request + 5000 + i;
		w[i].course_id = new_course();
	}
	for (int i = 0; i < 5; i++)
		assert_int_equal(wish_buy(&w[i]), PURCHASE_MADE);
	assert_int_equal(purchase_store_list(conn, &arena, w[0].user_id, 0, INT64_MAX, 3, &list, &n, &err),
			 0);
	assert_int_equal(n, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(list[i].purchase_id, w[4 - i].purchase.purchase_id);
	assert_int_equal(
		purchase_store_list(conn, &arena, w[0].user_id, 0, list[2].purchase_id, 3, &list, &n, &err),
		0);
	assert_int_equal(n, 2);
	assert_int_equal(list[1].purchase_id, w[0].purchase.purchase_id);
	assert_int_equal(purchase_store_list(conn, &arena, w[0].user_id, w[2].course_id, INT64_MAX, 3, &list,
					     &n, &err),
			 0);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].purchase_id, w[2].purchase.purchase_id);
	assert_int_equal(purchase_store_list(conn, &arena, new_id(), 0, INT64_MAX, 3, &list, &n, &err), 0);
	assert_int_equal(n, 0);
	for (int i = 0; i < 5; i++)
		wish_done(&w[i]);
}

static int setup(void **state)
{
	db = testdb_new();
	conn = testdb_connect(db, lists);
	arena_init(&arena, ARENA_BYTES * 8);
	return 0;
}

static int teardown(void **state)
{
	arena_done(&arena);
	db_close(conn);
	testdb_free(db);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(completes_in_one_round_trip_and_one_commit),
		cmocka_unit_test(within_a_transaction_it_is_made_with_it),
		cmocka_unit_test(reads_what_it_wrote),
		cmocka_unit_test(a_repeat_gets_the_first_answer),
		cmocka_unit_test(the_same_order_run_again_meets_itself),
		cmocka_unit_test(another_body_is_refused),
		cmocka_unit_test(an_expired_key_is_free),
		cmocka_unit_test(takes_no_more_than_there_is),
		cmocka_unit_test(money_in_another_currency_does_not_count),
		cmocka_unit_test(the_course_must_be_what_was_read),
		cmocka_unit_test(one_purchase_lives_at_a_time),
		cmocka_unit_test(a_free_course_moves_no_money),
		cmocka_unit_test(tells_what_was_before),
		cmocka_unit_test(fifty_requests_for_one_course_make_one_purchase),
		cmocka_unit_test(one_request_fifty_times_makes_one_purchase),
		cmocka_unit_test(fifty_refused_at_once_do_not_fall_over_each_other),
		cmocka_unit_test(many_courses_at_once_never_overdraw),
		cmocka_unit_test(a_deadlock_is_survived),
		cmocka_unit_test(an_error_in_the_middle_leaves_nothing_behind),
		cmocka_unit_test(a_passed_deadline_leaves_nothing_behind),
		cmocka_unit_test(a_change_of_the_course_waits_for_who_is_buying),
		cmocka_unit_test(lost_connections_neither_lose_nor_double_a_purchase),
		cmocka_unit_test(lists_the_newest_first),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
