/* SPDX-License-Identifier: Apache-2.0 */
#include "server/money/rules.h"

#include <inttypes.h>

/* A share of a share: the effective shares are parts of this. */
#define WHOLE ((int64_t)BASIS_POINTS * BASIS_POINTS)

/* --- amounts --- */

static int64_t total(const struct money_input *in, unsigned seller)
{
	return in->total;
}

static int64_t tax(const struct money_input *in, unsigned seller)
{
	return in->tax;
}

static int64_t effective_share(const struct money_input *in, unsigned seller)
{
	return (int64_t)(BASIS_POINTS - in->platform_basis_points) * in->sellers[seller].share_basis_points;
}

static int64_t seller_part(const struct money_input *in, unsigned seller)
{
	return money_part(in->total - in->tax, effective_share(in, seller), WHOLE);
}

/* All that is no seller's. */
static int64_t platform_part(const struct money_input *in, unsigned seller)
{
	int64_t share = WHOLE;

	for (unsigned i = 0; i < in->n_sellers; i++)
		share -= effective_share(in, i);
	return money_part(in->total - in->tax, share, WHOLE);
}

/* --- the table --- */

enum { LINES_MAX = 5 };

struct line {
	enum ledger_account account;
	enum money_party party;
	int sign;
	int64_t (*amount)(const struct money_input *in,
			  unsigned seller); /* NULL: minus the sum of the others */
};

static const struct rule {
	const char *name;
	enum ledger_cause cause;
	enum ledger_step step;
	struct line lines[LINES_MAX]; /* the last with the rest, when there is one */
} rules[MONEY_RULES] = {
	[MONEY_TOP_UP] = {"top_up",
			  LEDGER_BY_PAYMENT,
			  LEDGER_PAYMENT_RECEIVED,
			  {
				  {LEDGER_CLEARING, MONEY_PROVIDER, -1, total},
				  {LEDGER_WALLET, MONEY_USER, 1, total},
			  }},
	[MONEY_PURCHASE] = {"purchase",
			    LEDGER_BY_PURCHASE,
			    LEDGER_PURCHASE_PAID,
			    {
				    {LEDGER_WALLET, MONEY_USER, -1, total},
				    {LEDGER_TAX, MONEY_JURISDICTION, 1, tax},
				    {LEDGER_PAYABLE, MONEY_SELLERS, 1, seller_part},
				    {LEDGER_REVENUE, MONEY_NOBODY, 1, platform_part},
				    {LEDGER_ROUNDING, MONEY_NOBODY, 1, NULL},
			    }},
};

const char *money_rule_name(enum money_rule rule)
{
	return rules[rule].name;
}

static int check_input(const struct money_input *in, const struct rule *rule, struct error *err)
{
	int shared = 0;

	for (unsigned i = 0; i < in->n_sellers && shared >= 0; i++)
		shared = in->sellers[i].share_basis_points < 0 ? -1
							       : shared + in->sellers[i].share_basis_points;
	if (in->total > 0 && in->tax >= 0 && in->tax <= in->total && in->platform_basis_points >= 0 &&
	    in->platform_basis_points <= BASIS_POINTS && in->n_sellers <= COURSE_INSTRUCTORS_MAX_ITEMS &&
	    shared >= 0 && shared <= BASIS_POINTS)
		return 0;
	return error_internal(
		err, "a %s of %" PRId64 ", tax %" PRId64 ", %d basis points for the platform and %d for %u",
		rule->name, in->total, in->tax, in->platform_basis_points, shared, in->n_sellers);
}

static int64_t rest_of(const struct ledger_posting *p)
{
	int64_t rest = 0;

	/* The sum of parts of one total does not leave the range. */
	for (unsigned i = 0; i < p->n; i++)
		rest -= p->entries[i].amount;
	return rest;
}

static void add_line(struct ledger_posting *p, const struct line *line, const struct money_input *in)
{
	const unsigned n = line->party == MONEY_SELLERS ? in->n_sellers : 1;

	for (unsigned i = 0; i < n; i++) {
		int64_t owner_id = line->party == MONEY_SELLERS ? in->sellers[i].user_id
								: in->party_ids[line->party],
			amount = line->amount ? line->sign * line->amount(in, i) : rest_of(p);
		ledger_add(p, line->account, owner_id, in->currency_code, amount);
	}
}

int money_post(struct ledger_posting *ret, enum money_rule rule, const struct money_input *in,
	       struct error *err)
{
	const struct rule *r = &rules[rule];
	int s = check_input(in, r, err);

	if (s < 0)
		return s;
	*ret = (struct ledger_posting){.cause = r->cause, .step = r->step};
	for (unsigned i = 0; i < LINES_MAX && r->lines[i].account; i++)
		add_line(ret, &r->lines[i], in);
	return ledger_check(ret, err);
}
