/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/runtime/array.h"
#include "server/app/due_kinds.h"
#include "server/base/clock.h"
#include "server/base/metrics.h"
#include "server/course/lesson.h"
#include "server/money/ledger.h"
#include "server/money/money_names.h"
#include "server/purchase/purchase_names.h"
#include "tests/lib/ledger_check.h"
#include "tests/lib/testserver.h"
#include "tests/lib/threads.h"

/* TopUpWallet, GetWallet, PurchaseCourse, GetPurchase and ListPurchases, from the channel to the tables. */

enum { CROWD = 50 };

static struct testuser instructor, cashier;
static const int one_text[] = {LESSON_TEXT, 0};

/* --- asking --- */

static int top_up(struct testserver *t, const struct testuser *caller, TopUpWalletRequest *req,
		  bool *replayed, TopUpWalletResponse **ret, struct error *err)
{
	struct client_call_options options = as(caller);

	options.replayed = replayed;
	return edu_service_top_up_wallet_call(t->channel, req, &options, &t->arena, ret, err);
}

/* A valid top up; strings live in the arena. */
static TopUpWalletRequest *payment(struct testserver *t, const struct testuser *owner, const char *currency,
				   int64_t amount)
{
	static int payments;
	TopUpWalletRequest *req = arena_alloc(&t->arena, sizeof(*req));
	Money *money = arena_alloc(&t->arena, sizeof(*money));

	*money = (Money)MONEY_INIT;
	money->currency_code = arena_strdup(&t->arena, currency);
	money->minor_units = amount;
	*req = (TopUpWalletRequest)TOP_UP_WALLET_REQUEST_INIT;
	req->user_id = arena_strdup(&t->arena, owner->id);
	req->amount = money;
	req->provider = arena_strdup(&t->arena, "bank");
	req->provider_payment_id = arena_printf(&t->arena, "payment-%d", ++payments);
	req->request_id = new_request_id(arena_alloc(&t->arena, 37));
	return req;
}

static void fund(struct testserver *t, const struct testuser *owner, int64_t amount)
{
	TopUpWalletResponse *reply;
	struct error err;
	int r = top_up(t, &cashier, payment(t, owner, "EUR", amount), NULL, &reply, &err);

	assert_ok(r, &err);
}

static void new_buyer(struct testserver *t, int64_t funds, struct testuser *ret)
{
	testserver_user(t, NULL, 0, ret);
	if (funds)
		fund(t, ret, funds);
}

/* What a buyer sends, and what comes back; an arena each, so that a crowd may use them. */
struct order {
	struct testserver *t;
	const struct testuser *buyer;
	const char *course_id;
	const char *currency, *expected_currency; /* NULL: EUR; NULL: as currency */
	int64_t expected;
	char request_id[37];
	int64_t timeout_ms;

	struct arena arena;
	bool replayed;
	int r;
	struct error err;
	Purchase *purchase;
};

static void *order_send(void *arg)
{
	struct order *o = arg;
	PurchaseCourseRequest req = PURCHASE_COURSE_REQUEST_INIT;
	Money expected = MONEY_INIT;
	struct client_call_options options = as(o->buyer);
	PurchaseCourseResponse *reply = NULL;

	if (!o->arena.cap)
		arena_init(&o->arena, 1 << 20);
	options.replayed = &o->replayed;
	options.timeout_ms = o->timeout_ms;
	req.course_id = (char *)o->course_id;
	req.currency_code = (char *)(o->currency ? o->currency : "EUR");
	expected.currency_code = (char *)(o->expected_currency ? o->expected_currency : req.currency_code);
	expected.minor_units = o->expected;
	req.expected_total = &expected;
	req.payment_source = EDU__V1__PAYMENT_SOURCE__PAYMENT_SOURCE_WALLET;
	req.request_id = o->request_id;
	o->replayed = false;
	o->r = edu_service_purchase_course_call(o->t->channel, &req, &options, &o->arena, &reply, &o->err);
	o->purchase = o->r < 0 ? NULL : reply->purchase;
	return NULL;
}

static struct order new_order(struct testserver *t, const struct testuser *buyer, const char *course_id,
			      int64_t expected)
{
	struct order o = {.t = t, .buyer = buyer, .course_id = course_id, .expected = expected};

	new_request_id(o.request_id);
	return o;
}

static int order_buy(struct order *o)
{
	order_send(o);
	return o->r;
}

#define assert_bought(o)                                                                                     \
	do {                                                                                                 \
		int r_ = order_buy(o);                                                                       \
		assert_ok(r_, &(o)->err);                                                                    \
	} while (0)
#define assert_not_bought(o, reason)                                                                         \
	do {                                                                                                 \
		int r_ = order_buy(o);                                                                       \
		assert_reason(r_, &(o)->err, reason);                                                        \
	} while (0)

static void order_done(struct order *o)
{
	arena_done(&o->arena);
}

static const char *metadata_of(const struct error *err, const char *key)
{
	for (unsigned i = 0; i < err->n_metadata; i++)
		if (!strcmp(err->metadata[i].key, key))
			return err->metadata[i].value;
	return "";
}

#define number(t, ...) testdb_numberf((t)->db, __VA_ARGS__)
#define sql(t, ...) testdb_do((t)->db, __VA_ARGS__)

static int64_t balance_of(struct testserver *t, const struct testuser *u)
{
	return number(t, "SELECT IFNULL(SUM(balance), -1) FROM wallet WHERE owner_id = %" PRId64, u->user_id);
}

static int64_t purchases_of(struct testserver *t, const struct testuser *u)
{
	return number(t, "SELECT COUNT(*) FROM purchase WHERE user_id = %" PRId64, u->user_id);
}

/* --- TopUpWallet --- */

static void top_up_credits_the_wallet(void **state)
{
	struct testserver *t = *state;
	TopUpWalletResponse *reply;
	struct testuser owner;
	struct error err;
	bool replayed = true;

	new_buyer(t, 0, &owner);
	int r = top_up(t, &cashier, payment(t, &owner, "EUR", 5000), &replayed, &reply, &err);
	assert_ok(r, &err);
	assert_false(replayed);
	assert_string_equal(reply->wallet->user_id, owner.id);
	assert_int_equal(reply->wallet->n_balances, 1);
	assert_string_equal(reply->wallet->balances[0]->currency_code, "EUR");
	assert_int_equal(reply->wallet->balances[0]->minor_units, 5000);
	assert_non_null(reply->wallet->update_time);
	assert_memory_equal(reply->transaction_id, "txn_", 4);
	assert_int_equal(
		number(t,
		       "SELECT COUNT(*) FROM audit WHERE action = 'TopUpWallet' AND actor_id = %" PRId64
		       " AND subject_id = %" PRId64,
		       cashier.user_id, owner.user_id),
		1);
	assert_int_equal(
		number(t,
		       "SELECT COUNT(*) FROM event WHERE kind = 'wallet.topped_up' AND subject_id = %" PRId64,
		       owner.user_id),
		1);
	assert_int_equal(ledger_faults(t->db), 0);
}

static void top_up_repeats_its_answer(void **state)
{
	struct testserver *t = *state;
	TopUpWalletResponse *first, *again;
	struct testuser owner;
	struct error err;
	bool replayed = false;

	new_buyer(t, 0, &owner);
	TopUpWalletRequest *req = payment(t, &owner, "EUR", 5000);
	int r = top_up(t, &cashier, req, NULL, &first, &err);
	assert_ok(r, &err);
	fund(t, &owner, 1);
	r = top_up(t, &cashier, req, &replayed, &again, &err);
	assert_ok(r, &err);
	assert_true(replayed);
	assert_string_equal(again->transaction_id, first->transaction_id);
	assert_int_equal(again->wallet->balances[0]->minor_units, 5000);
	assert_int_equal(balance_of(t, &owner), 5001);

	req->amount->minor_units = 5001;
	r = top_up(t, &cashier, req, NULL, &again, &err);
	assert_reason(r, &err, "REQUEST_ID_REUSED");
	assert_int_equal(balance_of(t, &owner), 5001);
}

static void a_payment_counts_once_whatever_the_request(void **state)
{
	struct testserver *t = *state;
	TopUpWalletResponse *first, *again;
	struct testuser owner, other;
	struct error err;
	bool replayed = false;

	new_buyer(t, 0, &owner);
	new_buyer(t, 0, &other);
	TopUpWalletRequest *req = payment(t, &owner, "EUR", 5000);
	int r = top_up(t, &cashier, req, NULL, &first, &err);
	assert_ok(r, &err);

	new_request_id(req->request_id);
	r = top_up(t, &cashier, req, &replayed, &again, &err);
	assert_ok(r, &err);
	assert_true(replayed);
	assert_string_equal(again->transaction_id, first->transaction_id);

	new_request_id(req->request_id);
	req->amount->minor_units = 5001;
	r = top_up(t, &cashier, req, NULL, &again, &err);
	assert_reason(r, &err, "PAYMENT_ALREADY_RECORDED");
	assert_string_equal(metadata_of(&err, "transaction_id"), first->transaction_id);

	req->amount->minor_units = 5000;
	req->user_id = other.id;
	r = top_up(t, &cashier, req, NULL, &again, &err);
	assert_reason(r, &err, "PAYMENT_ALREADY_RECORDED");
	assert_int_equal(balance_of(t, &owner), 5000);
	assert_int_equal(balance_of(t, &other), -1);
	/* The second answer showed the wallet too. */
	assert_int_equal(number(t, "SELECT COUNT(*) FROM audit WHERE subject_id = %" PRId64, owner.user_id),
			 2);
	assert_int_equal(number(t,
				"SELECT COUNT(*) FROM audit WHERE subject_id = %" PRId64
				" AND JSON_VALUE(detail, '$.repeated')",
				owner.user_id),
			 1);
	assert_int_equal(number(t,
				"SELECT COUNT(*) FROM event WHERE subject_id = %" PRId64 " AND kind ="
				" 'wallet.topped_up'",
				owner.user_id),
			 1);
	assert_int_equal(ledger_faults(t->db), 0);
}

struct top_up_member {
	struct testserver *t;
	TopUpWalletRequest req;
	char request_id[37];
	struct arena arena;
	TopUpWalletResponse *reply;
	struct error err;
	int r;
};

static void *top_up_send(void *arg)
{
	struct top_up_member *m = arg;
	struct client_call_options options = as(&cashier);

	arena_init(&m->arena, 1 << 20);
	m->r = edu_service_top_up_wallet_call(m->t->channel, &m->req, &options, &m->arena, &m->reply,
					      &m->err);
	return NULL;
}

static void one_payment_fifty_times_counts_once(void **state)
{
	struct testserver *t = *state;
	struct top_up_member *crowd = calloc(CROWD, sizeof(*crowd));
	struct testuser owner;

	new_buyer(t, 0, &owner);
	TopUpWalletRequest *req = payment(t, &owner, "EUR", 5000);
	/* A provider nobody has seen, so that its account is made in the race too. */
	req->provider = arena_strdup(&t->arena, "new-bank");
	for (int i = 0; i < CROWD; i++) {
		crowd[i].t = t;
		crowd[i].req = *req;
		crowd[i].req.request_id = new_request_id(crowd[i].request_id);
	}
	threads_run(CROWD, top_up_send, crowd, sizeof(*crowd));
	for (int i = 0; i < CROWD; i++) {
		assert_ok(crowd[i].r, &crowd[i].err);
		assert_string_equal(crowd[i].reply->transaction_id, crowd[0].reply->transaction_id);
	}
	assert_int_equal(balance_of(t, &owner), 5000);
	assert_int_equal(ledger_faults(t->db), 0);
	for (int i = 0; i < CROWD; i++)
		arena_done(&crowd[i].arena);
	free(crowd);
}

static void top_up_refuses_an_overflow(void **state)
{
	struct testserver *t = *state;
	TopUpWalletResponse *reply;
	struct testuser owner;
	struct error err;

	new_buyer(t, INT64_MAX, &owner);
	int r = top_up(t, &cashier, payment(t, &owner, "EUR", 1), NULL, &reply, &err);
	assert_reason(r, &err, "AMOUNT_OVERFLOW");
	assert_true(balance_of(t, &owner) == INT64_MAX);
	/* In another currency there is room. */
	r = top_up(t, &cashier, payment(t, &owner, "USD", INT64_MAX), NULL, &reply, &err);
	assert_ok(r, &err);
	assert_int_equal(reply->wallet->n_balances, 2);
	assert_int_equal(ledger_faults(t->db), 0);
}

static void top_up_needs_its_fields(void **state)
{
	struct testserver *t = *state;
	TopUpWalletRequest empty = TOP_UP_WALLET_REQUEST_INIT;
	TopUpWalletResponse *reply;
	struct testuser owner;
	struct error err;

	new_buyer(t, 0, &owner);
	int r = top_up(t, &cashier, &empty, NULL, &reply, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "user_id");
	assert_violation(&err, "amount");
	assert_violation(&err, "provider");
	assert_violation(&err, "provider_payment_id");
	assert_violation(&err, "request_id");

	r = top_up(t, &cashier, payment(t, &owner, "EUR", 0), NULL, &reply, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "amount.minor_units");
	r = top_up(t, &cashier, payment(t, &owner, "EUR", -1), NULL, &reply, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	r = top_up(t, &cashier, payment(t, &owner, "XAU", 1), NULL, &reply, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "amount.currency_code");

	TopUpWalletRequest *req = payment(t, &owner, "EUR", 1);
	req->user_id = arena_strdup(&t->arena, "crs_0000000000001");
	req->request_id = arena_strdup(&t->arena, "no uuid");
	r = top_up(t, &cashier, req, NULL, &reply, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "user_id");
	assert_violation(&err, "request_id");
	assert_int_equal(balance_of(t, &owner), -1);
}

static void top_up_is_for_the_payments_role(void **state)
{
	static const uint32_t others[] = {0, ROLE_MASK_INSTRUCTOR, ROLE_MASK_SUPPORT, ROLE_MASK_ADMIN};
	struct testserver *t = *state;
	TopUpWalletResponse *reply;
	struct testuser owner, caller;
	struct error err;
	int r;

	new_buyer(t, 0, &owner);
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		testserver_user(t, NULL, others[i], &caller);
		r = top_up(t, &caller, payment(t, &owner, "EUR", 1), NULL, &reply, &err);
		assert_reason(r, &err, "ROLE_MISSING");
	}
	r = top_up(t, NULL, payment(t, &owner, "EUR", 1), NULL, &reply, &err);
	assert_reason(r, &err, "TOKEN_MISSING");

	struct testuser nobody = {.id = "usr_0000000000001"};
	r = top_up(t, &cashier, payment(t, &nobody, "EUR", 1), NULL, &reply, &err);
	assert_reason(r, &err, "USER_NOT_FOUND");
	assert_int_equal(number(t, "SELECT COUNT(*) FROM wallet WHERE owner_id = 1"), 0);
}

/* --- GetWallet --- */

static int get_wallet(struct testserver *t, const struct testuser *caller, const char *user_id, Wallet **ret,
		      struct error *err)
{
	GetWalletRequest req = GET_WALLET_REQUEST_INIT;
	struct client_call_options options = as(caller);
	GetWalletResponse *reply;

	req.user_id = (char *)user_id;
	int r = edu_service_get_wallet_call(t->channel, &req, &options, &t->arena, &reply, err);
	if (r >= 0)
		*ret = reply->wallet;
	return r;
}

static void nobody_credits_himself(void **state)
{
	struct testserver *t = *state;
	TopUpWalletResponse *reply;
	struct error err;

	int r = top_up(t, &cashier, payment(t, &cashier, "EUR", 100), NULL, &reply, &err);
	assert_reason(r, &err, "SELF_CREDIT");
	assert_int_equal(err.code, STATUS_PERMISSION_DENIED);
	assert_int_equal(number(t, "SELECT COUNT(*) FROM wallet WHERE owner_id = %" PRId64, cashier.user_id),
			 0);
}

/* A payment that is spelt in another way would be credited once more. */
static void a_provider_is_spelt_in_one_way(void **state)
{
	static const char *const others[] = {"Bank",  "bank ",       " bank", "bank\n",
					     "-bank", "b\xC3\xA4nk", "bank_"};
	struct testserver *t = *state;
	struct testuser owner;
	TopUpWalletResponse *reply;
	struct error err;

	new_buyer(t, 100, &owner);
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		TopUpWalletRequest *req = payment(t, &owner, "EUR", 100);
		req->provider = (char *)others[i];
		int r = top_up(t, &cashier, req, NULL, &reply, &err);
		assert_reason(r, &err, "FIELD_INVALID");
		assert_violation(&err, "provider");
	}
	assert_int_equal(balance_of(t, &owner), 100);
}

static void a_wallet_starts_empty(void **state)
{
	struct testserver *t = *state;
	struct testuser owner;
	struct error err;
	Wallet *wallet;

	new_buyer(t, 0, &owner);
	int r = get_wallet(t, &owner, "", &wallet, &err);
	assert_ok(r, &err);
	assert_string_equal(wallet->user_id, owner.id);
	assert_int_equal(wallet->n_balances, 0);
	assert_null(wallet->update_time);
}

static void a_wallet_is_seen_by_its_owner_and_staff(void **state)
{
	static const uint32_t staff[] = {ROLE_MASK_SUPPORT, ROLE_MASK_PAYMENTS, ROLE_MASK_ADMIN};
	struct testserver *t = *state;
	struct testuser owner, other;
	struct error err;
	Wallet *wallet;
	int r;

	new_buyer(t, 500, &owner);
	r = get_wallet(t, &owner, owner.id, &wallet, &err);
	assert_ok(r, &err);
	assert_int_equal(wallet->balances[0]->minor_units, 500);
	for (unsigned i = 0; i < ARRAY_SIZE(staff); i++) {
		testserver_user(t, NULL, staff[i], &other);
		r = get_wallet(t, &other, owner.id, &wallet, &err);
		assert_ok(r, &err);
		assert_string_equal(wallet->user_id, owner.id);
		assert_int_equal(wallet->balances[0]->minor_units, 500);
		r = get_wallet(t, &other, "usr_0000000000001", &wallet, &err);
		assert_reason(r, &err, "USER_NOT_FOUND");
	}
	testserver_user(t, NULL, ROLE_MASK_INSTRUCTOR, &other);
	r = get_wallet(t, &other, owner.id, &wallet, &err);
	assert_reason(r, &err, "ROLE_MISSING");
	r = get_wallet(t, &other, "usr_0000000000001", &wallet, &err);
	assert_reason(r, &err, "ROLE_MISSING");
	r = get_wallet(t, &owner, "crs_0000000000001", &wallet, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	r = get_wallet(t, NULL, "", &wallet, &err);
	assert_reason(r, &err, "TOKEN_MISSING");
}

/* --- PurchaseCourse --- */

static void a_purchase_takes_the_money_and_enrolls(void **state)
{
	struct testserver *t = *state;
	struct testcourse course;
	struct testuser buyer;

	new_buyer(t, 5000, &buyer);
	testserver_course(t, &instructor, 1999, one_text, &course);
	struct order o = new_order(t, &buyer, course.id, 1999);
	assert_bought(&o);
	const Purchase *p = o.purchase;
	assert_false(o.replayed);
	assert_memory_equal(p->purchase_id, "pur_", 4);
	assert_string_equal(p->user_id, buyer.id);
	assert_string_equal(p->course_id, course.id);
	assert_int_equal(p->course_revision, 1);
	assert_int_equal(p->state, EDU__V1__PURCHASE_STATE__PURCHASE_STATE_COMPLETED);
	assert_int_equal(p->payment_source, EDU__V1__PAYMENT_SOURCE__PAYMENT_SOURCE_WALLET);
	assert_int_equal(p->list_price->minor_units, 1999);
	assert_int_equal(p->discount->minor_units, 0);
	assert_int_equal(p->tax->minor_units, 0);
	assert_true(p->tax_inclusive);
	assert_int_equal(p->total->minor_units, 1999);
	assert_int_equal(p->charged->minor_units, 1999);
	assert_string_equal(p->total->currency_code, "EUR");
	assert_string_equal(p->tax->currency_code, "EUR");
	assert_non_null(p->create_time);
	assert_non_null(p->complete_time);
	assert_memory_equal(p->transaction_id, "txn_", 4);
	assert_int_equal(balance_of(t, &buyer), 5000 - 1999);
	assert_int_equal(number(t,
				"SELECT COUNT(*) FROM enrollment WHERE user_id = %" PRId64
				" AND course_id = %" PRId64,
				buyer.user_id, course.course_id),
			 1);
	assert_int_equal(ledger_faults(t->db), 0);
	order_done(&o);
}

static int64_t counted(const char *name)
{
	return metric_value(metric_counter(name, "", NULL));
}

static void a_purchase_costs_three_round_trips_and_one_commit(void **state)
{
	enum { PURCHASES = 20 };
	struct testserver *t = *state;
	struct testuser buyer;
	int64_t made, round_trips, commits;

	new_buyer(t, PURCHASES * 100, &buyer);
	struct testcourse courses[PURCHASES];
	for (int i = 0; i < PURCHASES; i++)
		testserver_course(t, &instructor, 100, one_text, &courses[i]);
	made = counted("edu_purchases_total");
	round_trips = counted("edu_purchase_round_trips_total");
	commits = counted("edu_purchase_commits_total");
	for (int i = 0; i < PURCHASES; i++) {
		struct order o = new_order(t, &buyer, courses[i].id, 100);
		assert_bought(&o);
		order_done(&o);
	}
	assert_int_equal(counted("edu_purchases_total") - made, PURCHASES);
	assert_int_equal(counted("edu_purchase_commits_total") - commits, PURCHASES);
	assert_in_range(counted("edu_purchase_round_trips_total") - round_trips, PURCHASES, 3 * PURCHASES);
}

static void a_free_course_is_bought_for_nothing(void **state)
{
	struct testserver *t = *state;
	struct testcourse course;
	struct testuser buyer;

	new_buyer(t, 0, &buyer);
	testserver_course(t, &instructor, 0, one_text, &course);
	struct order o = new_order(t, &buyer, course.id, 0);
	o.currency = "JPY";
	assert_bought(&o);
	assert_int_equal(o.purchase->state, EDU__V1__PURCHASE_STATE__PURCHASE_STATE_COMPLETED);
	assert_int_equal(o.purchase->total->minor_units, 0);
	assert_string_equal(o.purchase->total->currency_code, "JPY");
	assert_string_equal(o.purchase->transaction_id, "");
	assert_non_null(o.purchase->complete_time);
	assert_int_equal(ledger_faults(t->db), 0);

	struct order again = new_order(t, &buyer, course.id, 0);
	assert_not_bought(&again, "ALREADY_PURCHASED");
	assert_string_equal(metadata_of(&again.err, "purchase_id"), o.purchase->purchase_id);
	assert_string_equal(again.err.resource_name, o.purchase->purchase_id);
	order_done(&o);
	order_done(&again);
}

static void the_price_may_fall_but_not_rise(void **state)
{
	struct testserver *t = *state;
	struct testcourse course;
	struct testuser buyer;

	new_buyer(t, 5000, &buyer);
	testserver_course(t, &instructor, 1999, one_text, &course);
	struct order low = new_order(t, &buyer, course.id, 1998),
		     high = new_order(t, &buyer, course.id, 2500);
	assert_not_bought(&low, "PRICE_CHANGED");
	assert_string_equal(metadata_of(&low.err, "total_minor_units"), "1999");
	assert_string_equal(metadata_of(&low.err, "currency_code"), "EUR");
	assert_int_equal(balance_of(t, &buyer), 5000);
	assert_bought(&high);
	assert_int_equal(high.purchase->charged->minor_units, 1999);
	assert_int_equal(balance_of(t, &buyer), 5000 - 1999);
	order_done(&low);
	order_done(&high);
}

static void the_wallet_must_cover_the_total(void **state)
{
	struct testserver *t = *state;
	struct testcourse course;
	struct testuser empty, exact;

	new_buyer(t, 0, &empty);
	new_buyer(t, 1998, &exact);
	testserver_course(t, &instructor, 1999, one_text, &course);
	struct order o = new_order(t, &empty, course.id, 1999), e = new_order(t, &exact, course.id, 1999);
	assert_not_bought(&o, "INSUFFICIENT_FUNDS");
	assert_string_equal(metadata_of(&o.err, "missing_minor_units"), "1999");
	assert_string_equal(metadata_of(&o.err, "currency_code"), "EUR");
	assert_not_bought(&e, "INSUFFICIENT_FUNDS");
	assert_string_equal(metadata_of(&e.err, "missing_minor_units"), "1");
	fund(t, &exact, 1);
	/* As the contract says, with the same request_id. */
	assert_bought(&e);
	assert_int_equal(balance_of(t, &exact), 0);
	assert_int_equal(purchases_of(t, &empty), 0);
	order_done(&o);
	order_done(&e);
}

static void a_currency_must_be_offered(void **state)
{
	struct testserver *t = *state;
	struct testcourse course;
	struct testuser buyer;

	new_buyer(t, 5000, &buyer);
	testserver_course(t, &instructor, 1999, one_text, &course);
	struct order o = new_order(t, &buyer, course.id, 1999);
	o.currency = "USD";
	assert_not_bought(&o, "PRICE_NOT_OFFERED");
	o.expected_currency = "EUR";
	assert_not_bought(&o, "FIELD_INVALID");
	assert_violation(&o.err, "expected_total.currency_code");
	order_done(&o);
}

static void only_what_is_on_sale_is_sold(void **state)
{
	struct testserver *t = *state;
	struct testcourse course;
	struct testuser buyer, admin;

	new_buyer(t, 5000, &buyer);
	testserver_user(t, NULL, ROLE_MASK_ADMIN, &admin);
	testserver_course(t, &instructor, 1999, one_text, &course);
	sql(t, "UPDATE course SET stage = 1 WHERE course_id = %" PRId64, course.course_id);
	struct order o = new_order(t, &buyer, course.id, 1999);
	assert_not_bought(&o, "COURSE_NOT_FOUND");
	o.buyer = &instructor;
	assert_not_bought(&o, "COURSE_NOT_PUBLISHED");
	o.buyer = &admin;
	assert_not_bought(&o, "COURSE_NOT_PUBLISHED");
	o.buyer = &buyer;
	o.course_id = "crs_0000000000001";
	assert_not_bought(&o, "COURSE_NOT_FOUND");
	assert_string_equal(o.err.resource_name, "crs_0000000000001");
	order_done(&o);
}

/* Money of the wallet would become payable to him who has it; also of one who no longer is INSTRUCTOR. */
static void nobody_buys_what_he_teaches(void **state)
{
	struct testserver *t = *state;
	struct testcourse course, gratis;
	struct testuser former = instructor;

	fund(t, &instructor, 5000);
	testserver_course(t, &instructor, 1999, one_text, &course);
	testserver_course(t, &instructor, 0, one_text, &gratis);
	testserver_token(t, &former, 0);
	struct order o = new_order(t, &instructor, course.id, 1999);
	assert_not_bought(&o, "SELF_PURCHASE");
	o.buyer = &former;
	assert_not_bought(&o, "SELF_PURCHASE");
	o.course_id = gratis.id;
	o.expected = 0;
	assert_not_bought(&o, "SELF_PURCHASE");
	assert_int_equal(balance_of(t, &instructor), 5000);
	order_done(&o);
}

static void a_purchase_needs_its_fields(void **state)
{
	struct testserver *t = *state;
	PurchaseCourseRequest req = PURCHASE_COURSE_REQUEST_INIT;
	PurchaseCourseResponse *reply;
	struct testcourse course;
	struct testuser buyer;
	struct error err;

	new_buyer(t, 5000, &buyer);
	testserver_course(t, &instructor, 1999, one_text, &course);
	struct client_call_options options = as(&buyer);
	int r = edu_service_purchase_course_call(t->channel, &req, &options, &t->arena, &reply, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	assert_violation(&err, "course_id");
	assert_violation(&err, "currency_code");
	assert_violation(&err, "expected_total");
	assert_violation(&err, "payment_source");
	assert_violation(&err, "request_id");

	struct order o = new_order(t, &buyer, "usr_0000000000001", -1);
	o.currency = "eur";
	assert_not_bought(&o, "FIELD_INVALID");
	assert_violation(&o.err, "course_id");
	assert_violation(&o.err, "currency_code");
	assert_violation(&o.err, "expected_total.minor_units");

	struct order good = new_order(t, NULL, course.id, 1999);
	assert_not_bought(&good, "TOKEN_MISSING");
	assert_int_equal(balance_of(t, &buyer), 5000);
	order_done(&o);
	order_done(&good);
}

static void an_expired_token_buys_nothing(void **state)
{
	struct testserver *t = *state;
	struct testcourse course;
	struct testuser buyer;
	GetWalletResponse *wallet;
	TopUpWalletResponse *topped_up;
	ListPurchasesResponse *list;
	GetWalletRequest get = GET_WALLET_REQUEST_INIT;
	ListPurchasesRequest list_all = LIST_PURCHASES_REQUEST_INIT;
	struct error err;

	new_buyer(t, 5000, &buyer);
	testserver_course(t, &instructor, 1999, one_text, &course);
	struct order o = new_order(t, &buyer, course.id, 1999);
	TopUpWalletRequest *req = payment(t, &buyer, "EUR", 1);
	t->clock.ahead_us += INT64_C(3600) * 1000000;
	assert_not_bought(&o, "TOKEN_EXPIRED");
	struct client_call_options options = as(&buyer);
	int r = edu_service_get_wallet_call(t->channel, &get, &options, &t->arena, &wallet, &err);
	assert_reason(r, &err, "TOKEN_EXPIRED");
	r = edu_service_list_purchases_call(t->channel, &list_all, &options, &t->arena, &list, &err);
	assert_reason(r, &err, "TOKEN_EXPIRED");
	r = top_up(t, &cashier, req, NULL, &topped_up, &err);
	assert_reason(r, &err, "TOKEN_EXPIRED");
	t->clock.ahead_us -= INT64_C(3600) * 1000000;
	assert_int_equal(balance_of(t, &buyer), 5000);
	order_done(&o);
}

static void a_repeat_is_answered_whatever_happened_since(void **state)
{
	struct testserver *t = *state;
	struct testcourse course, other;
	struct testuser buyer;

	new_buyer(t, 5000, &buyer);
	testserver_course(t, &instructor, 1999, one_text, &course);
	testserver_course(t, &instructor, 1, one_text, &other);
	struct order o = new_order(t, &buyer, course.id, 1999);
	assert_bought(&o);
	struct order again = o;
	again.arena = (struct arena){0};
	assert_bought(&again);
	assert_true(again.replayed);
	assert_string_equal(again.purchase->purchase_id, o.purchase->purchase_id);

	/* A rise, and an end of sale: a new request is told what is, the old one is answered. */
	struct order fresh = new_order(t, &buyer, course.id, 1999);
	sql(t, "UPDATE course_price SET minor_units = 9999 WHERE course_id = %" PRId64, course.course_id);
	sql(t, "UPDATE course SET version = version + 1 WHERE course_id = %" PRId64, course.course_id);
	assert_not_bought(&fresh, "ALREADY_PURCHASED");
	assert_string_equal(metadata_of(&fresh.err, "purchase_id"), o.purchase->purchase_id);
	assert_bought(&again);
	assert_true(again.replayed);
	sql(t, "UPDATE course SET stage = 4 WHERE course_id = %" PRId64, course.course_id);
	assert_not_bought(&fresh, "ALREADY_PURCHASED"); /* archived, he keeps it */
	sql(t, "UPDATE course SET stage = 1 WHERE course_id = %" PRId64, course.course_id);
	assert_not_bought(&fresh, "COURSE_NOT_FOUND");
	assert_bought(&again);
	assert_true(again.replayed);
	assert_string_equal(again.purchase->purchase_id, o.purchase->purchase_id);

	/* The same request_id with another body, whether or not that could be bought. */
	again.expected = 2000;
	assert_not_bought(&again, "REQUEST_ID_REUSED");
	again.course_id = other.id;
	assert_not_bought(&again, "REQUEST_ID_REUSED");
	assert_int_equal(purchases_of(t, &buyer), 1);
	assert_int_equal(balance_of(t, &buyer), 5000 - 1999);
	order_done(&o);
	order_done(&again);
	order_done(&fresh);
}

static void a_request_id_is_ones_own(void **state)
{
	struct testserver *t = *state;
	struct testcourse course;
	struct testuser one, two;

	new_buyer(t, 5000, &one);
	new_buyer(t, 5000, &two);
	testserver_course(t, &instructor, 1999, one_text, &course);
	struct order a = new_order(t, &one, course.id, 1999), b = a;
	b.buyer = &two;
	assert_bought(&a);
	assert_bought(&b);
	assert_false(b.replayed);
	assert_string_not_equal(a.purchase->purchase_id, b.purchase->purchase_id);
	order_done(&a);
	order_done(&b);
}

/* --- the posting --- */

static int64_t posted(struct testserver *t, const Purchase *p, enum ledger_account account, int64_t owner_id)
{
	int64_t transaction_id;

	assert_true(id_parse(ID_TRANSACTION, p->transaction_id, &transaction_id));
	return number(t,
		      "SELECT CAST(IFNULL(SUM(amount), 0) AS SIGNED) FROM ledger_entry WHERE transaction_id "
		      "= %" PRId64 " AND account_kind = %d AND owner_id = %" PRId64,
		      transaction_id, (int)account, owner_id);
}

/* A course of three teachers for 10.01 EUR, whose sales bring each and the platform so much. */
static void assert_shared(struct testserver *t, const struct testcourse *course, const int64_t parts[4])
{
	struct testuser buyer;

	new_buyer(t, 1001, &buyer);
	struct order o = new_order(t, &buyer, course->id, 1001);
	assert_bought(&o);
	assert_int_equal(posted(t, o.purchase, LEDGER_WALLET, buyer.user_id), -1001);
	for (int i = 0; i < 3; i++)
		assert_int_equal(posted(t, o.purchase, LEDGER_PAYABLE, 11 + i), parts[i]);
	assert_int_equal(posted(t, o.purchase, LEDGER_REVENUE, 0), parts[3]);
	assert_int_equal(posted(t, o.purchase, LEDGER_ROUNDING, 0),
			 1001 - parts[0] - parts[1] - parts[2] - parts[3]);
	assert_int_equal(ledger_faults(t->db), 0);
	order_done(&o);
}

static void the_platform_takes_its_part_and_the_teachers_share_the_rest(void **state)
{
	struct testserver *t = *state;
	struct testcourse course;

	testserver_course(t, &instructor, 1001, one_text, &course);
	sql(t, "DELETE FROM course_instructor WHERE course_id = %" PRId64, course.course_id);
	sql(t,
	    "INSERT INTO course_instructor (course_id, user_id, position, share_basis_points)"
	    " VALUES (%" PRId64 ", 11, 1, 3333), (%" PRId64 ", 12, 2, 3333), (%" PRId64 ", 13, 3, 2000)",
	    course.course_id, course.course_id, course.course_id);
	assert_shared(t, &course, (int64_t[]){233, 233, 140, 393});
	sql(t, "UPDATE course SET platform_basis_points = 0 WHERE course_id = %" PRId64, course.course_id);
	assert_shared(t, &course, (int64_t[]){333, 333, 200, 133});
	sql(t, "UPDATE course SET platform_basis_points = 10000 WHERE course_id = %" PRId64,
	    course.course_id);
	assert_shared(t, &course, (int64_t[]){0, 0, 0, 1001});
}

/* By what is due in a running service; the place of what was bought before the test is behind it soon. */
static void checkpoints_are_cut_in_the_background(void **state)
{
	static const char behind[] =
		"SELECT COUNT(*) FROM event WHERE position = 0 OR position > (SELECT position FROM event_reader"
		" WHERE name = 'ledger')";
	struct testserver *t = *state;
	struct testcourse course;
	struct testuser buyer;

	testserver_course(t, &instructor, 10000, one_text, &course);
	new_buyer(t, 10000, &buyer);
	struct order o = new_order(t, &buyer, course.id, 10000);
	assert_bought(&o);
	for (int i = 0; i < 200 && number(t, behind) != 0; i++) {
		sql(t, "UPDATE due SET due_time = 1 WHERE kind = %d", (int)DUE_LEDGER_CHECKPOINT);
		usleep(100000);
	}
	assert_int_equal(number(t, behind), 0);
	assert_int_equal(
		number(t,
		       "SELECT CAST(SUM(balance) AS SIGNED) FROM ledger_checkpoint WHERE account_kind = 3"),
		number(t, "SELECT CAST(SUM(amount) AS SIGNED) FROM ledger_entry WHERE account_kind = 3"));
	assert_true(
		number(t,
		       "SELECT COUNT(*) FROM ledger_checkpoint WHERE account_kind = 2 AND owner_id = %" PRId64
		       " AND balance > 0",
		       instructor.user_id) > 0);
	assert_int_equal(ledger_faults(t->db), 0);
	order_done(&o);
}

static void what_the_platform_takes_is_a_flag(void **state)
{
	struct testserver *t = *state;
	struct testcourse course;
	struct testuser buyer;

	t->config.platform_basis_points = 1234;
	testserver_restart(t);
	testserver_course(t, &instructor, 10000, one_text, &course);
	new_buyer(t, 10000, &buyer);
	struct order o = new_order(t, &buyer, course.id, 10000);
	assert_bought(&o);
	assert_int_equal(posted(t, o.purchase, LEDGER_REVENUE, 0), 1234);
	assert_int_equal(posted(t, o.purchase, LEDGER_PAYABLE, instructor.user_id), 8766);
	order_done(&o);
	t->config.platform_basis_points = 3000;
	testserver_restart(t);
}

/* --- crowds --- */

static struct order *crowd_of(const struct order *model)
{
	struct order *crowd = calloc(CROWD, sizeof(*crowd));

	for (int i = 0; i < CROWD; i++) {
		crowd[i] = *model;
		new_request_id(crowd[i].request_id);
	}
	return crowd;
}

static unsigned crowd_count(const struct order *crowd, const char *reason)
{
	unsigned n = 0;

	for (int i = 0; i < CROWD; i++)
		if (crowd[i].r < 0 ? reason && !strcmp(crowd[i].err.reason->name, reason) : !reason)
			n++;
	return n;
}

static void crowd_done(struct order *crowd)
{
	for (int i = 0; i < CROWD; i++)
		order_done(&crowd[i]);
	free(crowd);
}

static void fifty_requests_make_one_purchase(void **state)
{
	struct testserver *t = *state;
	struct testcourse course;
	struct testuser buyer;

	new_buyer(t, 100000, &buyer);
	testserver_course(t, &instructor, 1999, one_text, &course);
	struct order model = new_order(t, &buyer, course.id, 1999), *crowd = crowd_of(&model);
	threads_run(CROWD, order_send, crowd, sizeof(*crowd));
	assert_int_equal(crowd_count(crowd, NULL), 1);
	assert_int_equal(crowd_count(crowd, "ALREADY_PURCHASED"), CROWD - 1);
	assert_int_equal(balance_of(t, &buyer), 100000 - 1999);
	assert_int_equal(purchases_of(t, &buyer), 1);
	assert_int_equal(ledger_faults(t->db), 0);
	crowd_done(crowd);
}

static void one_request_fifty_times_makes_one_purchase(void **state)
{
	struct testserver *t = *state;
	struct testcourse course;
	struct testuser buyer;
	unsigned replayed = 0;

	new_buyer(t, 100000, &buyer);
	testserver_course(t, &instructor, 1999, one_text, &course);
	struct order model = new_order(t, &buyer, course.id, 1999), *crowd = crowd_of(&model);
	for (int i = 0; i < CROWD; i++)
		memcpy(crowd[i].request_id, model.request_id, sizeof(model.request_id));
	threads_run(CROWD, order_send, crowd, sizeof(*crowd));
	assert_int_equal(crowd_count(crowd, NULL), CROWD);
	for (int i = 0; i < CROWD; i++) {
		assert_string_equal(crowd[i].purchase->purchase_id, crowd[0].purchase->purchase_id);
		replayed += crowd[i].replayed;
	}
	assert_int_equal(replayed, CROWD - 1);
	assert_int_equal(balance_of(t, &buyer), 100000 - 1999);
	assert_int_equal(purchases_of(t, &buyer), 1);
	assert_int_equal(ledger_faults(t->db), 0);
	crowd_done(crowd);
}

static void one_wallet_is_never_overdrawn(void **state)
{
	struct testserver *t = *state;
	struct testcourse courses[CROWD];
	struct testuser buyer;

	new_buyer(t, 20 * 100 + 99, &buyer);
	struct order model = new_order(t, &buyer, NULL, 100), *crowd = crowd_of(&model);
	for (int i = 0; i < CROWD; i++) {
		testserver_course(t, &instructor, 100, one_text, &courses[i]);
		crowd[i].course_id = courses[i].id;
	}
	threads_run(CROWD, order_send, crowd, sizeof(*crowd));
	assert_int_equal(crowd_count(crowd, NULL), 20);
	assert_int_equal(crowd_count(crowd, "INSUFFICIENT_FUNDS"), CROWD - 20);
	assert_int_equal(balance_of(t, &buyer), 99);
	assert_int_equal(ledger_faults(t->db), 0);
	crowd_done(crowd);
}

static _Atomic int keep_changing;

struct changer {
	struct testserver *t;
	int64_t course_id;
};

/* The price goes with the version, as an update of the course writes both at once; the revision, which a
 * purchase keeps, goes along here to tell of which version it was. */
static void *change_price(void *arg)
{
	const struct changer *c = arg;
	struct db_conn *conn = testdb_connect(c->t->db, NULL);
	char text[300];

	while (keep_changing) {
		testdb_run(conn, "START TRANSACTION");
		snprintf(
			text, sizeof(text),
			"UPDATE course SET version = version + 1, revision = version WHERE course_id = %" PRId64,
			c->course_id);
		testdb_run(conn, text);
		snprintf(text, sizeof(text),
			 "UPDATE course_price SET minor_units = 1000 + (SELECT version FROM course WHERE "
			 "course_id = %" PRId64 ") %% 2 WHERE course_id = %" PRId64,
			 c->course_id, c->course_id);
		testdb_run(conn, text);
		testdb_run(conn, "COMMIT");
	}
	db_close(conn);
	return NULL;
}

static void a_purchase_is_of_one_version(void **state)
{
	struct testserver *t = *state;
	struct testcourse course;
	struct testuser *buyers = calloc(CROWD, sizeof(*buyers));
	pthread_t thread;

	testserver_course(t, &instructor, 1000, one_text, &course);
	sql(t, "UPDATE course SET version = 100, revision = 100 WHERE course_id = %" PRId64,
	    course.course_id);
	struct order model = new_order(t, NULL, course.id, 1000), *crowd = crowd_of(&model);
	for (int i = 0; i < CROWD; i++) {
		new_buyer(t, 5000, &buyers[i]);
		crowd[i].buyer = &buyers[i];
		crowd[i].expected = 1000 + i % 2;
	}
	struct changer changer = {t, course.course_id};
	keep_changing = 1;
	assert_int_equal(pthread_create(&thread, NULL, change_price, &changer), 0);
	threads_run(CROWD, order_send, crowd, sizeof(*crowd));
	keep_changing = 0;
	pthread_join(thread, NULL);
	unsigned bought = crowd_count(crowd, NULL);
	assert_int_equal(bought + crowd_count(crowd, "PRICE_CHANGED") + crowd_count(crowd, "CONFLICT"),
			 CROWD);
	assert_int_equal(
		number(t,
		       "SELECT COUNT(*) FROM purchase JOIN charge ON charge_id = purchase_id WHERE course_id = %" PRId64
		       " AND charged = 1000 + course_revision %% 2",
		       course.course_id),
		bought);
	for (int i = 0; i < CROWD; i++)
		if (crowd[i].purchase)
			assert_true(crowd[i].purchase->charged->minor_units <= crowd[i].expected);
	assert_int_equal(ledger_faults(t->db), 0);
	crowd_done(crowd);
	free(buyers);
}

static void a_change_in_between_is_read_again(void **state)
{
	struct testserver *t = *state;
	struct db_conn *changer = testdb_connect(t->db, NULL);
	struct testcourse course;
	struct testuser buyer;
	pthread_t thread;
	char text[200];

	new_buyer(t, 5000, &buyer);
	testserver_course(t, &instructor, 1999, one_text, &course);
	testdb_run(changer, "START TRANSACTION");
	snprintf(text, sizeof(text),
		 "UPDATE course SET version = version + 1, revision = 70 WHERE course_id = %" PRId64,
		 course.course_id);
	testdb_run(changer, text);
	struct order o = new_order(t, &buyer, course.id, 1999);
	assert_int_equal(pthread_create(&thread, NULL, order_send, &o), 0);
	/* It reads the terms that are committed, and then waits for the change at the course's lock. */
	usleep(400000);
	testdb_run(changer, "COMMIT");
	pthread_join(thread, NULL);
	assert_ok(o.r, &o.err);
	assert_int_equal(o.purchase->course_revision, 70);
	db_close(changer);
	order_done(&o);
}

static void a_passed_deadline_takes_nothing_or_all(void **state)
{
	struct testserver *t = *state;
	struct db_conn *holder = testdb_connect(t->db, NULL);
	struct testcourse course;
	struct testuser buyer;
	char text[200];

	new_buyer(t, 5000, &buyer);
	testserver_course(t, &instructor, 1999, one_text, &course);
	testdb_run(holder, "START TRANSACTION");
	snprintf(text, sizeof(text), "UPDATE wallet SET update_time = update_time WHERE owner_id = %" PRId64,
		 buyer.user_id);
	testdb_run(holder, text);
	struct order o = new_order(t, &buyer, course.id, 1999);
	o.timeout_ms = 400;
	order_buy(&o);
	assert_int_equal(o.r, -STATUS_DEADLINE_EXCEEDED);
	assert_int_equal(purchases_of(t, &buyer), 0);
	testdb_run(holder, "ROLLBACK");
	/* The same request settles it. */
	o.timeout_ms = 0;
	assert_bought(&o);
	assert_int_equal(purchases_of(t, &buyer), 1);
	assert_int_equal(balance_of(t, &buyer), 5000 - 1999);
	assert_int_equal(ledger_faults(t->db), 0);
	db_close(holder);
	order_done(&o);
}

/* --- GetPurchase --- */

static int get_purchase(struct testserver *t, const struct testuser *caller, const char *purchase_id,
			Purchase **ret, struct error *err)
{
	GetPurchaseRequest req = GET_PURCHASE_REQUEST_INIT;
	struct client_call_options options = as(caller);
	GetPurchaseResponse *reply;

	req.purchase_id = (char *)purchase_id;
	int r = edu_service_get_purchase_call(t->channel, &req, &options, &t->arena, &reply, err);
	if (r >= 0)
		*ret = reply->purchase;
	return r;
}

static void a_purchase_is_seen_by_its_buyer_and_staff(void **state)
{
	static const uint32_t strangers[] = {0, ROLE_MASK_INSTRUCTOR, ROLE_MASK_PAYMENTS};
	static const uint32_t staff[] = {ROLE_MASK_SUPPORT, ROLE_MASK_ADMIN};
	struct testserver *t = *state;
	struct testcourse course;
	struct testuser buyer, other;
	struct error err;
	Purchase *p;
	int r;

	new_buyer(t, 5000, &buyer);
	testserver_course(t, &instructor, 1999, one_text, &course);
	struct order o = new_order(t, &buyer, course.id, 1999);
	assert_bought(&o);
	r = get_purchase(t, &buyer, o.purchase->purchase_id, &p, &err);
	assert_ok(r, &err);
	size_t size = protobuf_c_message_get_packed_size(&p->base);
	uint8_t *one = arena_alloc(&t->arena, size), *two = arena_alloc(&t->arena, size);
	assert_int_equal(protobuf_c_message_get_packed_size(&o.purchase->base), size);
	protobuf_c_message_pack(&p->base, one);
	protobuf_c_message_pack(&o.purchase->base, two);
	assert_memory_equal(one, two, size);

	for (unsigned i = 0; i < ARRAY_SIZE(staff); i++) {
		testserver_user(t, NULL, staff[i], &other);
		r = get_purchase(t, &other, o.purchase->purchase_id, &p, &err);
		assert_ok(r, &err);
		assert_string_equal(p->user_id, buyer.id);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(strangers); i++) {
		testserver_user(t, NULL, strangers[i], &other);
		r = get_purchase(t, &other, o.purchase->purchase_id, &p, &err);
		assert_reason(r, &err, "PURCHASE_NOT_FOUND");
	}
	r = get_purchase(t, &buyer, "pur_0000000000001", &p, &err);
	assert_reason(r, &err, "PURCHASE_NOT_FOUND");
	assert_string_equal(err.resource_name, "pur_0000000000001");
	r = get_purchase(t, &buyer, "", &p, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	r = get_purchase(t, &buyer, course.id, &p, &err);
	assert_reason(r, &err, "FIELD_INVALID");
	r = get_purchase(t, NULL, o.purchase->purchase_id, &p, &err);
	assert_reason(r, &err, "TOKEN_MISSING");
	order_done(&o);
}

/* --- ListPurchases --- */

static int list_purchases(struct testserver *t, const struct testuser *caller,
			  const ListPurchasesRequest *req, ListPurchasesResponse **ret, struct error *err)
{
	struct client_call_options options = as(caller);

	return edu_service_list_purchases_call(t->channel, req, &options, &t->arena, ret, err);
}

static void purchases_come_in_pages_the_newest_first(void **state)
{
	enum { PURCHASES = 5 };
	struct testserver *t = *state;
	ListPurchasesRequest req = LIST_PURCHASES_REQUEST_INIT;
	ListPurchasesResponse *page;
	struct testcourse courses[PURCHASES];
	struct order orders[PURCHASES];
	struct testuser buyer;
	struct error err;
	int r, seen = PURCHASES;

	new_buyer(t, 5000, &buyer);
	for (int i = 0; i < PURCHASES; i++) {
		testserver_course(t, &instructor, 100, one_text, &courses[i]);
		orders[i] = new_order(t, &buyer, courses[i].id, 100);
		assert_bought(&orders[i]);
	}
	req.page_size = 2;
	do {
		r = list_purchases(t, &buyer, &req, &page, &err);
		assert_ok(r, &err);
		assert_in_range(page->n_purchases, 1, 2);
		for (size_t i = 0; i < page->n_purchases; i++)
			assert_string_equal(page->purchases[i]->purchase_id,
					    orders[--seen].purchase->purchase_id);
		req.page_token = page->next_page_token;
	} while (*page->next_page_token);
	assert_int_equal(seen, 0);

	/* A page that ends with the list has no next. */
	req = (ListPurchasesRequest)LIST_PURCHASES_REQUEST_INIT;
	req.page_size = PURCHASES;
	r = list_purchases(t, &buyer, &req, &page, &err);
	assert_ok(r, &err);
	assert_int_equal(page->n_purchases, PURCHASES);
	assert_string_equal(page->next_page_token, "");

	req = (ListPurchasesRequest)LIST_PURCHASES_REQUEST_INIT;
	req.course_id = courses[3].id;
	r = list_purchases(t, &buyer, &req, &page, &err);
	assert_ok(r, &err);
	assert_int_equal(page->n_purchases, 1);
	assert_string_equal(page->purchases[0]->purchase_id, orders[3].purchase->purchase_id);
	for (int i = 0; i < PURCHASES; i++)
		order_done(&orders[i]);
}

static void a_page_token_is_of_its_arguments(void **state)
{
	struct testserver *t = *state;
	ListPurchasesRequest req = LIST_PURCHASES_REQUEST_INIT;
	ListPurchasesResponse *page;
	struct testcourse courses[2];
	struct testuser buyer;
	struct error err;
	int r;

	new_buyer(t, 5000, &buyer);
	for (int i = 0; i < 2; i++) {
		testserver_course(t, &instructor, 100, one_text, &courses[i]);
		struct order o = new_order(t, &buyer, courses[i].id, 100);
		assert_bought(&o);
		order_done(&o);
	}
	req.page_size = 1;
	r = list_purchases(t, &buyer, &req, &page, &err);
	assert_ok(r, &err);
	req.page_token = page->next_page_token;
	req.page_size = 7;
	r = list_purchases(t, &buyer, &req, &page, &err);
	assert_ok(r, &err);
	req.course_id = courses[0].id;
	r = list_purchases(t, &buyer, &req, &page, &err);
	assert_reason(r, &err, "PAGE_TOKEN_INVALID");
	req.course_id = (char *)"";
	req.page_token = (char *)"AAAA";
	r = list_purchases(t, &buyer, &req, &page, &err);
	assert_reason(r, &err, "PAGE_TOKEN_INVALID");
	req.page_token = (char *)"";
	req.page_size = -1;
	r = list_purchases(t, &buyer, &req, &page, &err);
	assert_reason(r, &err, "FIELD_INVALID");
}

static void purchases_are_listed_for_their_buyer_and_staff(void **state)
{
	static const uint32_t staff[] = {ROLE_MASK_SUPPORT, ROLE_MASK_ADMIN};
	struct testserver *t = *state;
	ListPurchasesRequest req = LIST_PURCHASES_REQUEST_INIT;
	ListPurchasesResponse *page;
	struct testcourse course;
	struct testuser buyer, other;
	struct error err;
	int r;

	new_buyer(t, 5000, &buyer);
	testserver_course(t, &instructor, 100, one_text, &course);
	struct order o = new_order(t, &buyer, course.id, 100);
	assert_bought(&o);
	req.user_id = buyer.id;
	r = list_purchases(t, &buyer, &req, &page, &err);
	assert_ok(r, &err);
	assert_int_equal(page->n_purchases, 1);
	for (unsigned i = 0; i < ARRAY_SIZE(staff); i++) {
		testserver_user(t, NULL, staff[i], &other);
		r = list_purchases(t, &other, &req, &page, &err);
		assert_ok(r, &err);
		assert_int_equal(page->n_purchases, 1);
	}
	testserver_user(t, NULL, ROLE_MASK_PAYMENTS, &other);
	r = list_purchases(t, &other, &req, &page, &err);
	assert_reason(r, &err, "ROLE_MISSING");
	r = list_purchases(t, NULL, &req, &page, &err);
	assert_reason(r, &err, "TOKEN_MISSING");
	req.user_id = course.id;
	r = list_purchases(t, &buyer, &req, &page, &err);
	assert_reason(r, &err, "FIELD_INVALID");

	/* An unknown user has none. */
	testserver_user(t, NULL, ROLE_MASK_SUPPORT, &other);
	req.user_id = (char *)"usr_0000000000001";
	r = list_purchases(t, &other, &req, &page, &err);
	assert_ok(r, &err);
	assert_int_equal(page->n_purchases, 0);
	order_done(&o);
}

static int setup(void **state)
{
	testserver_setup(state);
	testserver_user(*state, NULL, ROLE_MASK_INSTRUCTOR, &instructor);
	testserver_user(*state, NULL, ROLE_MASK_PAYMENTS, &cashier);
	return 0;
}

static int forget(void **state)
{
	testserver_reset(*state);
	return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(top_up_credits_the_wallet),
		TEST(top_up_repeats_its_answer),
		TEST(a_payment_counts_once_whatever_the_request),
		TEST(one_payment_fifty_times_counts_once),
		TEST(top_up_refuses_an_overflow),
		TEST(top_up_needs_its_fields),
		TEST(top_up_is_for_the_payments_role),
		TEST(nobody_credits_himself),
		TEST(a_provider_is_spelt_in_one_way),
		TEST(a_wallet_starts_empty),
		TEST(a_wallet_is_seen_by_its_owner_and_staff),
		TEST(a_purchase_takes_the_money_and_enrolls),
		TEST(a_purchase_costs_three_round_trips_and_one_commit),
		TEST(a_free_course_is_bought_for_nothing),
		TEST(the_price_may_fall_but_not_rise),
		TEST(the_wallet_must_cover_the_total),
		TEST(a_currency_must_be_offered),
		TEST(only_what_is_on_sale_is_sold),
		TEST(nobody_buys_what_he_teaches),
		TEST(a_purchase_needs_its_fields),
		TEST(an_expired_token_buys_nothing),
		TEST(a_repeat_is_answered_whatever_happened_since),
		TEST(a_request_id_is_ones_own),
		TEST(the_platform_takes_its_part_and_the_teachers_share_the_rest),
		TEST(what_the_platform_takes_is_a_flag),
		TEST(checkpoints_are_cut_in_the_background),
		TEST(fifty_requests_make_one_purchase),
		TEST(one_request_fifty_times_makes_one_purchase),
		TEST(one_wallet_is_never_overdrawn),
		TEST(a_purchase_is_of_one_version),
		TEST(a_change_in_between_is_read_again),
		TEST(a_passed_deadline_takes_nothing_or_all),
		TEST(a_purchase_is_seen_by_its_buyer_and_staff),
		TEST(purchases_come_in_pages_the_newest_first),
		TEST(a_page_token_is_of_its_arguments),
		TEST(purchases_are_listed_for_their_buyer_and_staff),
	};
	return cmocka_run_group_tests(tests, setup, testserver_teardown);
}
