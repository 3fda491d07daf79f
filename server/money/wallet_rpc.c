/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "edu/v1/edu_service.server.h"
#include "proto/runtime/codec.h"
#include "server/app/app.h"
#include "server/db/audit.h"
#include "server/db/idem.h"
#include "server/money/money_names.h"
#include "server/money/money_proto.h"
#include "server/money/payment_store.h"
#include "server/money/rules.h"
#include "server/money/wallet_store.h"
#include "server/user/user.h"

/* Where the arena is full it leaves pieces out or returns NULL. */
static Wallet *wallet_to_proto(struct arena *arena, int64_t user_id, const struct wallet_balance *balances,
			       unsigned n)
{
	Wallet *ret = codec_new(WALLET_DESC, arena);
	Money **list = arena_array(arena, n, sizeof(Money *));
	int64_t update_us = 0;

	if (!ret || !list)
		return NULL;
	for (unsigned i = 0; i < n; i++) {
		list[i] = money_to_proto(arena, balances[i].currency_code, balances[i].minor_units);
		if (!list[i])
			return NULL;
		if (balances[i].update_us > update_us)
			update_us = balances[i].update_us;
	}
	ret->user_id = app_id(arena, ID_USER, user_id);
	ret->n_balances = n;
	ret->balances = list;
	ret->update_time = app_timestamp(arena, update_us);
	return ret;
}

static int read_wallet(struct db_conn *conn, struct arena *arena, int64_t user_id, Wallet **ret,
		       struct error *err)
{
	struct wallet_balance *balances = NULL;
	unsigned n = 0;
	int r = wallet_store_read(conn, arena, user_id, &balances, &n, err);

	if (r < 0)
		return r;
	*ret = wallet_to_proto(arena, user_id, balances, n);
	return arena_check(arena, err);
}

/* --- GetWallet --- */

static int get_wallet(struct rpc_call *call, const GetWalletRequest *req, GetWalletResponse *ret,
		      struct error *err)
{
	struct db_conn *conn = db_of(call);
	const struct principal *who = rpc_principal(call);
	int64_t user_id = user_or_caller(who, req->user_id);
	int r = user_id == who->user_id ? 0 : user_require(conn, user_id, err);

	return r < 0 ? r : read_wallet(conn, rpc_arena(call), user_id, &ret->wallet, err);
}

/* --- TopUpWallet --- */

/* The ids are made before the transaction, so that a re-run meets its own. The event has that of the ledger's
 * transaction. */
struct top_up {
	struct arena *arena;
	const TopUpWalletRequest *req;
	TopUpWalletResponse *ret;
	int64_t user_id, actor_id, now_us;
	int64_t payment_id, transaction_id, provider_id, audit_id;
	bool repeated; /* the payment had been credited before */
};

static int top_up_begin(struct rpc_call *call, const TopUpWalletRequest *req, TopUpWalletResponse *ret,
			struct top_up *t, struct error *err)
{
	const struct principal *who = rpc_principal(call);

	*t = (struct top_up){
		.arena = rpc_arena(call),
		.req = req,
		.ret = ret,
		.user_id = user_or_caller(who, req->user_id),
		.actor_id = who->user_id,
		.now_us = app_now_us(call),
	};
	if (t->user_id == t->actor_id)
		return error_raise(err, &REASON_SELF_CREDIT,
				   "Nobody credits the own wallet; another holder of PAYMENTS has to.");
	return app_new_ids(call, APP_IDS(&t->payment_id, &t->transaction_id, &t->provider_id, &t->audit_id),
			   err);
}

static int payment_already_recorded(struct error *err, int64_t transaction_id)
{
	char text[ID_TEXT_MAX];

	id_format(ID_TRANSACTION, transaction_id, text);
	error_raise(err, &REASON_PAYMENT_ALREADY_RECORDED,
		    "This payment was credited to another user or with another amount by %s; have it looked "
		    "into.",
		    text);
	return error_add_metadata(err, "transaction_id", "%s", text);
}

static int balance_overflow(struct error *err)
{
	return error_raise(err, &REASON_AMOUNT_OVERFLOW,
			   "The balance would be too large; nothing was credited. Use a smaller amount.");
}

/* Says what happened to the feed and, as it was done for somebody else, to the audit: there also that it had
 * been done before, since the answer shows his wallet. */
static int top_up_report(struct db_conn *conn, const struct top_up *t, struct error *err)
{
	struct arena *arena = t->arena;
	const Money *amount = t->req->amount;
	const char *detail = arena_printf(
		arena,
		"{\"transaction_id\":\"%s\",\"currency_code\":\"%s\",\"minor_units\":\"%" PRId64 "\"%s}",
		t->ret->transaction_id, amount->currency_code, amount->minor_units,
		t->repeated ? ",\"repeated\":true" : "");
	struct event event = {
		.event_id = t->transaction_id,
		.kind = EVENT_WALLET_TOPPED_UP,
		.subject_id = t->user_id,
		.user_id = t->user_id,
		.create_us = t->now_us,
		.payload = span_str(detail),
	};
	struct audit audit = {
		.audit_id = t->audit_id,
		.actor_id = t->actor_id,
		.action = AUDIT_TOP_UP_WALLET,
		.subject_id = t->user_id,
		.detail = detail,
		.create_us = t->now_us,
	};
	int r = arena_check(arena, err);

	if (r == 0 && !t->repeated)
		r = event_append(conn, &event, err);
	return r < 0 ? r : audit_append(conn, &audit, err);
}

static int top_up_record(const struct top_up *t, int64_t provider_id, struct ledger_record *ret,
			 struct error *err)
{
	const struct money_input input = {
		.currency_code = t->req->amount->currency_code,
		.party_ids = {[MONEY_USER] = t->user_id, [MONEY_PROVIDER] = provider_id},
		.total = t->req->amount->minor_units,
	};
	struct ledger_posting posting;
	int r = money_post(&posting, MONEY_TOP_UP, &input, err);

	return r < 0 ? r : ledger_record(&posting, t->arena, ret, err);
}

/* Credits the payment, or finds who did: the answer's transaction is the payment's. */
static int top_up_credit(struct db_conn *conn, struct top_up *t, int64_t provider_id, struct error *err)
{
	const struct payment payment = {
		.payment_id = t->payment_id,
		.provider = t->req->provider,
		.provider_payment_id = t->req->provider_payment_id,
		.owner_id = t->user_id,
		.currency_code = t->req->amount->currency_code,
		.amount = t->req->amount->minor_units,
		.transaction_id = t->transaction_id,
		.actor_id = t->actor_id,
		.create_us = t->now_us,
	};
	struct ledger_record record;
	enum payment_outcome outcome = PAYMENT_OVERFLOW;
	int64_t first = 0;
	int r = top_up_record(t, provider_id, &record, err);

	if (r == 0)
		r = payment_store_credit(conn, &payment, &record, &outcome, &first, err);
	if (r < 0)
		return r;
	if (outcome == PAYMENT_DIFFERS)
		return payment_already_recorded(err, first);
	if (outcome == PAYMENT_OVERFLOW)
		return balance_overflow(err);
	t->repeated = outcome == PAYMENT_REPEATED;
	t->ret->transaction_id = app_id(t->arena, ID_TRANSACTION, first);
	return top_up_report(conn, t, err);
}

static int top_up_in_transaction(struct db_conn *conn, void *arg, struct error *err)
{
	struct top_up *t = arg;
	int64_t provider_id;
	int r = user_require(conn, t->user_id, err);

	if (r == 0)
		r = payment_store_provider(conn, t->req->provider, t->provider_id, &provider_id, err);
	if (r == 0)
		r = top_up_credit(conn, t, provider_id, err);
	if (r == 0)
		r = read_wallet(conn, t->arena, t->user_id, &t->ret->wallet, err);
	return r;
}

static int top_up_wallet(struct rpc_call *call, const TopUpWalletRequest *req, TopUpWalletResponse *ret,
			 struct error *err)
{
	struct top_up t;

	if (req->amount->minor_units <= 0)
		return error_field(err, "amount.minor_units", "must be above 0");
	int r = top_up_begin(call, req, ret, &t, err);
	if (r == 0)
		r = app_transaction(call, IDEM_MONEY_US, top_up_in_transaction, &t, &ret->base, err);
	if (r == 0 && t.repeated)
		app_say_replayed(call);
	return r;
}

EDU_SERVICE_TOP_UP_WALLET(top_up_wallet, RPC_ON_DB);
EDU_SERVICE_GET_WALLET(get_wallet, RPC_ON_DB);
