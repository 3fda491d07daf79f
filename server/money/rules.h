/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MONEY_RULES_H
#define MONEY_RULES_H

#include "server/money/ledger.h"

/*
 * What is posted when: a table with a row for each occasion on which money moves, its lines and the key under
 * which it moves once. tests/unit/test_money_rules.py holds it against the law of the ledger
 * (tests/unit/data/ledger_law.md), which also has the rules that are still to come.
 */
enum money_rule {
	MONEY_TOP_UP,   /* a payment is credited to a wallet */
	MONEY_PURCHASE, /* a course is bought from a wallet */
	MONEY_RULES,
};

/* Whose account a line is: its owner's id is that of MONEY_PARTIES of the input, but for sellers, each of
 * whom has a line. */
enum money_party {
	MONEY_NOBODY,
	MONEY_USER, /* the owner of the wallet: a buyer */
	MONEY_PROVIDER,
	MONEY_JURISDICTION, /* whose tax it is; none today */
	MONEY_PARTIES,
	MONEY_SELLERS = MONEY_PARTIES,
};

struct money_input {
	const char *currency_code;
	int64_t party_ids[MONEY_PARTIES]; /* of MONEY_NOBODY: 0 */
	int64_t total;                    /* above zero */
	int64_t tax;                      /* in it: 0 to total */
	/* Of what is sold: the platform's part comes off the net first, the sellers share what is left. */
	int platform_basis_points;          /* 0 to BASIS_POINTS */
	const struct course_share *sellers; /* shares add up to BASIS_POINTS at most */
	unsigned n_sellers;
};

/* Fills in the posting of a rule, checked. AMOUNT_OVERFLOW; INTERNAL for an input as it cannot be. */
int money_post(struct ledger_posting *ret, enum money_rule rule, const struct money_input *in,
	       struct error *err) __attribute__((warn_unused_result));

/* As the law calls it. */
const char *money_rule_name(enum money_rule rule);

#endif
