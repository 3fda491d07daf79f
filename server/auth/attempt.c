/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/attempt.h"

#include <string.h>

/* The account at every source, which has as many bytes whatever it is. */
static struct span account_of(const struct attempt *a)
{
	return span_of(a->subject + RATE_NETWORK_MAX, a->subject_len - RATE_NETWORK_MAX);
}

static struct span account_and_source(const struct attempt *a)
{
	return span_of(a->subject, a->subject_len);
}

void attempt_init(struct attempt *a, struct rate_limiter *rates, int64_t user_id, const char *name,
		  const char *address)
{
	struct span account = span_str(name);

	*a = (struct attempt){.rates = rates, .subject_len = RATE_NETWORK_MAX + 1};
	struct span source = rate_network(address, a->source);
	a->source_len = source.len;
	if (source.len > 0)
		memmove(a->source, source.data, source.len);
	memcpy(a->subject, a->source, a->source_len);
	if (user_id != 0)
		account = span_of(&user_id, sizeof(user_id));
	if (account.len > ATTEMPT_NAME_MAX)
		account.len = ATTEMPT_NAME_MAX;
	a->subject[RATE_NETWORK_MAX] = user_id ? 'i' : 'n';
	if (account.len > 0)
		memcpy(a->subject + a->subject_len, account.data, account.len);
	a->subject_len += account.len;
}

bool attempt_needs_history(const struct attempt *a)
{
	struct error err;

	return rate_ask(a->rates, RATE_LOGIN_ACCOUNT, account_of(a), &err) < 0;
}

int attempt_ask(const struct attempt *a, struct error *err)
{
	int r = rate_ask(a->rates, RATE_LOGIN_SOURCE, account_and_source(a), err);

	return r < 0 || a->spared ? r : rate_ask(a->rates, RATE_LOGIN_ACCOUNT, account_of(a), err);
}

int attempt_begin(const struct attempt *a, struct error *err)
{
	int r = rate_take(a->rates, RATE_LOGIN_SOURCE, account_and_source(a), err);

	if (r < 0 || a->spared)
		return r;
	r = rate_take(a->rates, RATE_LOGIN_ACCOUNT, account_of(a), err);
	if (r < 0)
		rate_give_back(a->rates, RATE_LOGIN_SOURCE, account_and_source(a));
	return r;
}

void attempt_right(const struct attempt *a)
{
	rate_give_back(a->rates, RATE_LOGIN_SOURCE, account_and_source(a));
	if (!a->spared)
		rate_give_back(a->rates, RATE_LOGIN_ACCOUNT, account_of(a));
}
