/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/array.h"
#include "server/money/rules.h"

/*
 * What the server posts, for test_money_rules.py, which knows what it ought to.
 *
 *     money_postings accounts    a line for each account: its number and its name in the law
 *     money_postings rules       a line for each rule: its name and its cause
 *     money_postings             for each line of standard input, "rule total tax platform share...", the
 * entries as "account:owner:amount ..."
 *
 * Owners are numbered: 0 nobody, 1 the user, 2 the provider, 3 the jurisdiction, and sellers from 100.
 */
enum { LINE = 512, FIRST_SELLER = 100 };

static const char *const accounts[] = {
	[LEDGER_WALLET] = "wallet",     [LEDGER_PAYABLE] = "payable",     [LEDGER_REVENUE] = "revenue",
	[LEDGER_CLEARING] = "clearing", [LEDGER_ROUNDING] = "rounding",   [LEDGER_SUSPENSE] = "suspense",
	[LEDGER_DEFERRED] = "deferred", [LEDGER_ESCROW] = "escrow",       [LEDGER_TAX] = "tax",
	[LEDGER_POOL] = "pool",         [LEDGER_PROMOTION] = "promotion", [LEDGER_DISPUTED] = "disputed",
	[LEDGER_FEES] = "fees",         [LEDGER_TRANSIT] = "transit",     [LEDGER_RECEIVABLE] = "receivable",
	[LEDGER_BREAKAGE] = "breakage", [LEDGER_LOSS] = "loss",
};

static const char *const causes[] = {[LEDGER_BY_PAYMENT] = "payment", [LEDGER_BY_PURCHASE] = "purchase"};

static void die(const char *what)
{
	fprintf(stderr, "money_postings: %s\n", what);
	exit(1);
}

static enum money_rule rule_of(const char *name)
{
	for (int rule = 0; rule < MONEY_RULES; rule++)
		if (name && !strcmp(name, money_rule_name(rule)))
			return rule;
	die("no such rule");
	return MONEY_RULES;
}

static int64_t next_number(char **at)
{
	const char *text = strtok_r(NULL, " \n", at);

	if (!text)
		die("a line is too short");
	return strtoll(text, NULL, 10);
}

static void post(char *line, struct ledger_posting *ret)
{
	struct course_share sellers[COURSE_INSTRUCTORS_MAX_ITEMS];
	struct money_input in = {
		.currency_code = "EUR",
		.party_ids = {[MONEY_USER] = 1, [MONEY_PROVIDER] = 2, [MONEY_JURISDICTION] = 3},
		.sellers = sellers};
	struct error err;
	char *at;
	enum money_rule rule = rule_of(strtok_r(line, " \n", &at));

	in.total = next_number(&at);
	in.tax = next_number(&at);
	in.platform_basis_points = (int)next_number(&at);
	for (const char *share; (share = strtok_r(NULL, " \n", &at)); in.n_sellers++) {
		if (in.n_sellers == COURSE_INSTRUCTORS_MAX_ITEMS)
			die("too many sellers");
		sellers[in.n_sellers] =
			(struct course_share){FIRST_SELLER + in.n_sellers, (int)strtol(share, NULL, 10)};
	}
	if (money_post(ret, rule, &in, &err) < 0)
		die(err.message);
}

static void print(const struct ledger_posting *p)
{
	for (unsigned i = 0; i < p->n; i++)
		printf("%d:%" PRId64 ":%" PRId64 "%c", p->entries[i].account, p->entries[i].owner_id,
		       p->entries[i].amount, i + 1 < p->n ? ' ' : '\n');
}

static void list_rules(void)
{
	for (int rule = 0; rule < MONEY_RULES; rule++) {
		char line[LINE];
		struct ledger_posting p;

		snprintf(line, sizeof(line), "%s 1 0 0", money_rule_name(rule));
		post(line, &p);
		printf("%s %s\n", money_rule_name(rule), causes[p.cause]);
	}
}

int main(int argc, char **argv)
{
	char line[LINE];
	struct ledger_posting p;

	if (argc > 1 && !strcmp(argv[1], "accounts"))
		for (unsigned i = 1; i < ARRAY_SIZE(accounts); i++)
			printf("%u %s\n", i, accounts[i]);
	else if (argc > 1 && !strcmp(argv[1], "rules"))
		list_rules();
	else
		while (fgets(line, sizeof(line), stdin)) {
			post(line, &p);
			print(&p);
		}
	return 0;
}
