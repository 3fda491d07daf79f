/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test_payment.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/db/event.h"
#include "server/money/rules.h"

enum { ARENA_BYTES = 1 << 16 };

static int record(const struct test_payment *p, int64_t provider_id, struct arena *arena,
		  struct ledger_record *ret, struct error *err)
{
	const struct money_input input = {
		.currency_code = p->currency_code,
		.party_ids = {[MONEY_USER] = p->owner_id, [MONEY_PROVIDER] = provider_id},
		.total = p->amount,
	};
	struct ledger_posting posting;
	int r = money_post(&posting, MONEY_TOP_UP, &input, err);

	return r < 0 ? r : ledger_record(&posting, arena, ret, err);
}

static int append_event(struct db_conn *conn, const struct test_payment *p, struct error *err)
{
	const struct event event = {
		.event_id = p->first_id,
		.kind = "wallet.topped_up",
		.subject_id = p->owner_id,
		.user_id = p->owner_id,
		.create_us = p->now_us,
		.payload = span_str("{}"),
	};

	return p->outcome == PAYMENT_CREDITED ? event_append(conn, &event, err) : 0;
}

static int credit(struct db_conn *conn, void *arg, struct error *err)
{
	struct test_payment *p = arg;
	const struct payment payment = {
		.payment_id = p->first_id + 1,
		.provider = p->provider,
		.provider_payment_id = p->provider_payment_id,
		.owner_id = p->owner_id,
		.currency_code = p->currency_code,
		.amount = p->amount,
		.transaction_id = p->first_id,
		.actor_id = 1,
		.create_us = p->now_us,
	};
	struct arena arena;
	struct ledger_record ledger;
	int64_t provider_id;

	arena_init(&arena, ARENA_BYTES);
	int r = payment_store_provider(conn, p->provider, p->first_id + 2, &provider_id, err);
	if (r == 0)
		r = record(p, provider_id, &arena, &ledger, err);
	if (r == 0)
		r = payment_store_credit(conn, &payment, &ledger, &p->outcome, &p->transaction_id, err);
	arena_done(&arena);
	if (r == 0 && p->outcome > PAYMENT_REPEATED)
		return error_internal(err, "refused");
	return r < 0 ? r : append_event(conn, p, err);
}

enum payment_outcome test_payment_credit(struct db_conn *conn, struct test_payment *p)
{
	struct error err;

	p->outcome = PAYMENT_CREDITED;
	if (db_transaction(conn, true, credit, p, &err) < 0 && p->outcome <= PAYMENT_REPEATED) {
		fprintf(stderr, "a payment for a test: %s\n", err.message);
		abort();
	}
	return p->outcome;
}
