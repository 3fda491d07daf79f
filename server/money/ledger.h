/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MONEY_LEDGER_H
#define MONEY_LEDGER_H

#include <stdint.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"
#include "proto/runtime/money.h"
#include "server/course/course.h"

/*
 * The rules of the double-entry ledger. A movement of money is one transaction of entries that sum to zero;
 * it is checked here before it reaches the database, and never changed there. Every account is seen from its
 * owner: an amount above zero credits it, the platform owes the owner more; below zero debits it. What
 * providers hold for us is therefore negative.
 *
 * A top up of 50.00 EUR:            clearing(provider) -5000   wallet(user) +5000
 *
 * A purchase for 10.01 EUR, of which the platform takes 30 %, of a course whose teachers share what is left
 * by 33.33 %, 33.33 % and 20 %:
 *
 *     wallet(buyer)        -1001
 *     payable(first)        +233    1001 * 0.7 * 0.3333 = 233.54, toward zero
 *     payable(second)       +233
 *     payable(third)        +140    1001 * 0.7 * 0.2 = 140.14
 *     revenue(platform)     +393    all that is no teacher's: 1001 * 0.39338 = 393.77
 *     rounding                +2    what rounding toward zero left, so that the sum is exact
 *
 * Entries of zero are left out. Rounding gets at least 0 and less than a minor unit for each part. Parts are
 * of the net: tax comes off the total first.
 *
 * Why money moved is its cause, and how far the cause has come its step: each cause and step moves money
 * once, for ever (a unique key), whatever is retried or races.
 */

/* Stored as these numbers. "not below 0" and the like hold once a transaction is committed. */
enum ledger_account {
	/* What the owner, a user or an organization, may spend; not below 0. */
	LEDGER_WALLET = 1,
	/* What a teacher, answerer or referrer has earned; below 0 after a refund that follows a payout. */
	LEDGER_PAYABLE = 2,
	/* The platform's part, earned; no owner. */
	LEDGER_REVENUE = 3,
	/* What a provider or a bank holds for us. */
	LEDGER_CLEARING = 4,
	/* What rounding down left over; no owner. */
	LEDGER_ROUNDING = 5,
	/* Received by a provider for nothing we know, or in a wrong amount; not below 0. */
	LEDGER_SUSPENSE = 6,
	/* Of a subscription's period or a contract: sold, not yet delivered; not below 0. */
	LEDGER_DEFERRED = 7,
	/* Of a question, gift or group seat: held until somebody delivers; not below 0. */
	LEDGER_ESCROW = 8,
	/* Collected for a jurisdiction's authority; not below 0. */
	LEDGER_TAX = 9,
	/* Of a month: the teachers' part of subscriptions, not yet divided. */
	LEDGER_POOL = 10,
	/* What a campaign of the platform gave away; not above 0. */
	LEDGER_PROMOTION = 11,
	/* Taken back by a provider in a dispute, outcome open. */
	LEDGER_DISPUTED = 12,
	/* What a provider keeps; not above 0. */
	LEDGER_FEES = 13,
	/* Of a refund or payout on its way out; not below 0. */
	LEDGER_TRANSIT = 14,
	/* What a user or an organization owes us; not above 0. */
	LEDGER_RECEIVABLE = 15,
	/* Forfeited wallets and seats that nobody used; no owner. */
	LEDGER_BREAKAGE = 16,
	/* Written off; no owner; not above 0. */
	LEDGER_LOSS = 17,
};

/* What a transaction's cause_id is the id of. Stored as these numbers. */
enum ledger_cause {
	LEDGER_BY_PAYMENT = 1,
	LEDGER_BY_PURCHASE = 2,
};

/* Steps of causes that have one of each. Stored as these numbers. */
enum ledger_step {
	LEDGER_PAYMENT_RECEIVED = 0,
	LEDGER_PURCHASE_PAID = 0,
};

struct ledger_entry {
	enum ledger_account account;
	int64_t owner_id; /* 0: none */
	char currency_code[CURRENCY_MAX];
	int64_t amount;
};

/* Of a rule: a line for each teacher, and four more. */
enum { LEDGER_ENTRIES_MAX = COURSE_INSTRUCTORS_MAX_ITEMS + 4 };

/* The entries of one transaction, in the order of their lines, and what of its cause moves them. Initialise
 * to {0}. */
struct ledger_posting {
	enum ledger_cause cause;
	int64_t step;
	unsigned n;
	struct ledger_entry entries[LEDGER_ENTRIES_MAX];
};

/* Adds an entry; leaves it out when the amount is zero. There must be room. */
void ledger_add(struct ledger_posting *p, enum ledger_account account, int64_t owner_id,
		const char *currency_code, int64_t amount);

/* 0 when the entries make a transaction: at least two, sums of zero. AMOUNT_OVERFLOW; INTERNAL for broken
 * rules. */
int ledger_check(const struct ledger_posting *p, struct error *err) __attribute__((warn_unused_result));

/* --- as the stores' compound statements write it --- */

/* What LEDGER_POST_SQL has as parameters. */
struct ledger_record {
	enum ledger_cause cause;
	int64_t step;
	const char *lines; /* a JSON array of [account_kind, owner_id, currency_code, amount] */
};
#define LEDGER_PARAMETERS(F, C, R, at)                                                                       \
	F(R, "v_cause_kind SMALLINT", INT, at.cause)                                                         \
	C(R, "v_step BIGINT", I64, at.step)                                                                  \
	C(R, "v_lines TEXT CHARACTER SET utf8mb4", TEXT, at.lines)

/* The posting as these, its text in the arena. MESSAGE_TOO_LARGE when it is full. */
int ledger_record(const struct ledger_posting *p, struct arena *arena, struct ledger_record *ret,
		  struct error *err) __attribute__((warn_unused_result));

/* Writes the transaction, which has the id of the event that is appended with it. Arguments are expressions
 * of SQL. */
#define LEDGER_POST_SQL(transaction_id, cause_id, actor_id, now)                                              \
	" INSERT INTO ledger_transaction (transaction_id, cause_kind, cause_id, step, actor_id, create_time)" \
	"  VALUES (" transaction_id ", v_cause_kind, " cause_id ", v_step, " actor_id ", " now ");"           \
	" INSERT INTO ledger_entry (transaction_id, line, account_kind, owner_id, currency_code, amount)"     \
	"  SELECT " transaction_id ", e.line, e.account_kind, e.owner_id, e.currency_code, e.amount"          \
	"   FROM JSON_TABLE(v_lines, '$[*]' COLUMNS (line FOR ORDINALITY, account_kind TINYINT PATH '$[0]',"  \
	"    owner_id BIGINT PATH '$[1]', currency_code CHAR(3) PATH '$[2]', amount BIGINT PATH '$[3]')) e;"

#endif
