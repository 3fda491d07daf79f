/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MONEY_LEDGER_H
#define MONEY_LEDGER_H

#include <stdint.h>

#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"
#include "proto/runtime/money.h"
#include "server/course/course.h"

/*
 * The rules of the double-entry ledger. A movement of money is one transaction of entries that sum to zero in
 * every currency; it is checked here before it reaches the database, and never changed there. Every account
 * is seen from its owner: an amount above zero credits it, the platform owes the owner more; below zero
 * debits it. What providers hold for us is therefore negative.
 *
 * A top up of 50.00 EUR:            clearing(provider) -5000   wallet(user) +5000
 *
 * A purchase for 10.01 EUR with shares of 33.33 %, 33.33 % and 20 %:
 *
 *     wallet(buyer)        -1001
 *     payable(first)        +333    1001 * 3333 / 10000 = 333.63, toward zero
 *     payable(second)       +333
 *     payable(third)        +200    1001 * 2000 / 10000 = 200.2
 *     revenue(platform)     +133    the 13.34 % nobody was given: 133.53
 *     rounding                +2    what rounding toward zero left, so that the sum is exact
 *
 * Entries of zero are left out. Rounding gets at least 0 and less than a minor unit for each share.
 */

/* Stored as these numbers. */
enum ledger_account {
	LEDGER_WALLET = 1,   /* owner: a user */
	LEDGER_PAYABLE = 2,  /* owner: an instructor; to be paid out */
	LEDGER_REVENUE = 3,  /* the platform's part; no owner */
	LEDGER_CLEARING = 4, /* owner: a payment provider, who holds the money for us */
	LEDGER_ROUNDING = 5, /* no owner */
};

enum ledger_kind { LEDGER_TOP_UP = 1, LEDGER_PURCHASE = 2 };

struct ledger_entry {
	enum ledger_account account;
	int64_t owner_id; /* 0: none */
	char currency_code[CURRENCY_MAX];
	int64_t amount;
};

enum { LEDGER_ENTRIES_MAX = COURSE_INSTRUCTORS_MAX_ITEMS + 3 };

/* The entries of one transaction, in the order of their lines. Initialise to {0}. */
struct ledger_posting {
	unsigned n;
	struct ledger_entry entries[LEDGER_ENTRIES_MAX];
};

/* Adds an entry; leaves it out when the amount is zero. There must be room. */
void ledger_add(struct ledger_posting *p, enum ledger_account account, int64_t owner_id,
		const char *currency_code, int64_t amount);

/* 0 when the entries make a transaction: at least two, sums of zero. AMOUNT_OVERFLOW; INTERNAL for broken
 * rules. */
int ledger_check(const struct ledger_posting *p, struct error *err) __attribute__((warn_unused_result));

/* The two postings as above, checked. `total` and `amount` are above zero, shares add up to 10,000 at most.
 */
int ledger_post_top_up(struct ledger_posting *p, int64_t provider_id, int64_t user_id,
		       const char *currency_code, int64_t amount, struct error *err)
	__attribute__((warn_unused_result));
int ledger_post_purchase(struct ledger_posting *p, int64_t buyer_id, const char *currency_code, int64_t total,
			 const struct course_share *shares, unsigned n_shares, struct error *err)
	__attribute__((warn_unused_result));

/*
 * The entries as the stores' statements take them, one parameter for any number of lines: a JSON array of
 * [account_kind, owner_id, currency_code, amount]. In the arena; NULL when it is full.
 */
char *ledger_lines(const struct ledger_posting *p, struct arena *arena) __attribute__((warn_unused_result));

/* That parameter as a table of lines. */
#define LEDGER_LINES_TABLE                                                                                   \
	"JSON_TABLE(v_lines, '$[*]' COLUMNS (line FOR ORDINALITY, account_kind TINYINT PATH '$[0]',"         \
	" owner_id BIGINT PATH '$[1]', currency_code CHAR(3) PATH '$[2]', amount BIGINT PATH '$[3]'))"

#endif
