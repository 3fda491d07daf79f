/* SPDX-License-Identifier: Apache-2.0 */
#include "server/money/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "edu/v1/edu_service.tables.h"

enum { LINE_TEXT_MAX = 64 };

void ledger_add(struct ledger_posting *p, enum ledger_account account, int64_t owner_id,
		const char *currency_code, int64_t amount)
{
	if (amount == 0)
		return;
	struct ledger_entry *e = &p->entries[p->n++];
	*e = (struct ledger_entry){.account = account, .owner_id = owner_id, .amount = amount};
	snprintf(e->currency_code, sizeof(e->currency_code), "%s", currency_code);
}

/* The sum in the currency of entry `at`; false when it leaves the range on the way. */
static bool sum_of_currency(const struct ledger_posting *p, unsigned at, int64_t *ret)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < p->n; i++)
		if (!strcmp(p->entries[i].currency_code, p->entries[at].currency_code) &&
		    !money_add(sum, p->entries[i].amount, &sum))
			return false;
	*ret = sum;
	return true;
}

int ledger_check(const struct ledger_posting *p, struct error *err)
{
	if (p->n < 2)
		return error_internal(err, "a ledger transaction of %u entries", p->n);
	for (unsigned i = 0; i < p->n; i++) {
		int64_t sum;

		if (!sum_of_currency(p, i, &sum))
			return error_raise(err, &REASON_AMOUNT_OVERFLOW,
					   "The amounts are too large to be added up; use a smaller amount.");
		if (sum != 0)
			return error_internal(err, "a ledger transaction is off by %" PRId64 " %s", sum,
					      p->entries[i].currency_code);
	}
	return 0;
}

/* NULL when the arena is full. */
static char *lines_of(const struct ledger_posting *p, struct arena *arena)
{
	size_t size = 3 + (size_t)p->n * LINE_TEXT_MAX, at = 0;
	char *text = arena_alloc(arena, size);

	if (!text)
		return NULL;
	text[at++] = '[';
	for (unsigned i = 0; i < p->n; i++) {
		const struct ledger_entry *e = &p->entries[i];

		at += (size_t)snprintf(text + at, size - at, "%s[%d,%" PRId64 ",\"%s\",%" PRId64 "]",
				       i ? "," : "", e->account, e->owner_id, e->currency_code, e->amount);
	}
	snprintf(text + at, size - at, "]");
	return text;
}

int ledger_record(const struct ledger_posting *p, struct arena *arena, struct ledger_record *ret,
		  struct error *err)
{
	*ret = (struct ledger_record){.cause = p->cause, .step = p->step, .lines = lines_of(p, arena)};
	return ret->lines ? 0 : arena_full(err);
}
