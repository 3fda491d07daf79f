/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/authenticator.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "server/auth/token_text.h"
#include "server/base/hash.h"

/*
 * Changes are counted by slots that users share: one more of a neighbour costs a read of the database and no
 * more. So that asking costs one read of memory, a change of everybody is counted in every slot.
 */
enum { CHANGE_SLOTS = 1024 };

/* What is remembered of a token, followed by its whole text. */
struct verified {
	struct principal who;
	uint64_t ticket; /* as of which the database confirmed it; 0: it was not asked yet */
	bool revoked;    /* for good: an ended session does not begin again, nor does an epoch come back */
};

void auth_config_defaults(struct auth_config *config)
{
	*config = (struct auth_config){
		.issuer = "edu",
		.audience = "edu",
		.token_lifetime_us = TOKEN_LIFETIME_US,
		.token_cache_bytes = (size_t)32 * 1024 * 1024, /* some 50,000 callers */
		.clock = &clock_system,
	};
}

static int rates_configure(struct auth *a, const char *const *specs, struct error *err)
{
	for (; specs && *specs; specs++) {
		if (!rate_limiter_configure(a->rates, *specs))
			return error_internal(err, "rate limit \"%s\" is not CLASS=PER_SECOND/BURST", *specs);
	}
	return 0;
}

static int parts_new(struct auth *a, const struct auth_config *config, struct error *err)
{
	struct token_config token_config = {
		.issuer = config->issuer,
		.audience = config->audience,
		.kinds = config->kinds,
		.lifetime_us = config->token_lifetime_us,
		.skew_us = TOKEN_SKEW_US,
		.clock = config->clock,
	};
	int r = token_keys_new(config->key_dir, &a->keys, err);

	if (r == 0)
		r = tokens_new(&token_config, a->keys, &a->tokens, err);
	if (r == 0)
		r = page_tokens_new(config->key_dir, config->clock, &a->pages, err);
	if (r < 0)
		return r;
	a->clock = config->clock;
	a->verified = cache_new(config->token_cache_bytes, "cache=\"tokens\"");
	a->changes = calloc(CHANGE_SLOTS, sizeof(*a->changes));
	a->rates = rate_limiter_new(config->clock);
	if (!a->verified || !a->changes || !a->rates)
		return error_internal(err, "cannot ready authentication: out of memory");
	auth_all_changed(a); /* from 1: a ticket is not 0 */
	return rates_configure(a, config->rates, err);
}

int auth_new(const struct auth_config *config, struct auth **ret, struct error *err)
{
	struct auth *a = calloc(1, sizeof(*a));

	if (!a)
		return error_internal(err, "cannot ready authentication: out of memory");
	int r = parts_new(a, config, err);
	if (r < 0) {
		auth_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	rate_limiter_free(a->rates);
	free(a->changes);
	cache_free(a->verified);
	page_tokens_free(a->pages);
	tokens_free(a->tokens);
	token_keys_free(a->keys);
	free(a);
}

/* A token's signature names it: of unguessable bytes, a few make as good a key as all. */
static struct span signature_text(struct span token)
{
	const size_t len = BASE64URL_SIZE(TOKEN_SIGNATURE_LEN) - 1;

	return token.len < len ? token : span_of(token.data + token.len - len, len);
}

/* The whole text is compared, since anybody may sign off with another's signature. */
static bool remembered(struct auth *a, struct span token, struct verified *ret)
{
	struct cache_value *v = cache_get(a->verified, signature_text(token), clock_now_us(a->clock));

	if (!v)
		return false;
	struct span known = cache_value_span(v);
	bool same = known.len == sizeof(*ret) + token.len &&
		    memcmp(known.data + sizeof(*ret), token.data, token.len) == 0;
	if (same)
		memcpy(ret, known.data, sizeof(*ret));
	cache_value_release(v);
	return same;
}

/* token.len is at most TOKEN_TEXT_MAX, or it would not have been verified. */
static void remember(struct auth *a, struct span token, const struct verified *v)
{
	const struct span key = signature_text(token);
	uint8_t value[sizeof(*v) + TOKEN_TEXT_MAX];

	memcpy(value, v, sizeof(*v));
	memcpy(value + sizeof(*v), token.data, token.len);
	cache_put(a->verified, key, span_of(value, sizeof(*v) + token.len), v->who.expire_us,
		  cache_generation(a->verified, key));
}

/* What a token says never changes: its signature is verified once, however often the database is asked. What
 * a forger makes us work is bounded by where he is. */
static int verify(struct auth *a, struct span token, const char *address, struct verified *ret,
		  struct error *err)
{
	int r = rate_take_address(a->rates, RATE_TOKEN, address, err);

	*ret = (struct verified){0};
	if (r == 0)
		r = token_verify(a->tokens, token, &ret->who, err);
	if (r < 0)
		return r;
	rate_give_back_address(a->rates, RATE_TOKEN, address);
	remember(a, token, ret);
	return 0;
}

int auth_revoked(struct error *err)
{
	return error_raise(err, &RPC_REASON_TOKEN_REVOKED,
			   "The session has ended or its rights have changed: refresh it, or sign in again.");
}

int auth_authenticate(struct auth *a, struct span token, const char *address, struct principal *ret,
		      struct error *err)
{
	struct verified v;

	if (token.len > TOKEN_TEXT_MAX || !remembered(a, token, &v)) {
		int r = verify(a, token, address, &v, err);

		if (r < 0)
			return r;
	}
	if (v.revoked)
		return auth_revoked(err);
	*ret = v.who;
	return v.ticket == auth_ticket(a, v.who.user_id) ? 0 : AUTH_UNCONFIRMED;
}

/* Ids are made by us, so a fixed mix of their bits will do: the golden ratio's multiplier, whose high bits
 * are good. */
static _Atomic uint64_t *changes_of(const struct auth *a, int64_t user_id)
{
	return &a->changes[hash_id(user_id) % CHANGE_SLOTS];
}

uint64_t auth_ticket(const struct auth *a, int64_t user_id)
{
	return atomic_load_explicit(changes_of(a, user_id), memory_order_acquire);
}

int auth_confirm(struct auth *a, struct span token, const struct principal *who, uint64_t ticket, bool holds,
		 struct error *err)
{
	const struct verified v = {.who = *who, .ticket = ticket, .revoked = !holds};

	remember(a, token, &v);
	return holds ? 0 : auth_revoked(err);
}

void auth_user_changed(struct auth *a, int64_t user_id)
{
	atomic_fetch_add_explicit(changes_of(a, user_id), 1, memory_order_release);
}

void auth_all_changed(struct auth *a)
{
	for (unsigned i = 0; i < CHANGE_SLOTS; i++)
		atomic_fetch_add_explicit(&a->changes[i], 1, memory_order_release);
}

const char *auth_jwks(void *auth)
{
	const struct auth *a = auth;

	return token_keys_jwks(a->keys);
}
