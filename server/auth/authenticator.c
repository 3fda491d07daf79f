/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth/authenticator.h"

#include <stdlib.h>

#include "server/auth/token_text.h"

void auth_config_defaults(struct auth_config *config)
{
	*config = (struct auth_config){
		.issuer = "edu",
		.audience = "edu",
		.token_lifetime_us = TOKEN_LIFETIME_US,
		.token_cache_bytes = (size_t)32 * 1024 * 1024, /* some 50,000 callers */
		.rate_limits = true,
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
	a->verified = cache_new(config->token_cache_bytes);
	a->revocations = revocations_new(config->clock, config->token_lifetime_us + TOKEN_SKEW_US);
	a->rates = config->rate_limits ? rate_limiter_new(config->clock) : NULL;
	if (!a->verified || !a->revocations || (config->rate_limits && !a->rates))
		return error_internal(err, "cannot ready authentication: out of memory");
	return config->rate_limits ? rates_configure(a, config->rates, err) : 0;
}

int auth_new(const struct auth_config *config, struct auth **ret, struct error *err)
{
	struct auth *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return error_internal(err, "cannot ready authentication: out of memory");
	r = parts_new(a, config, err);
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
	revocations_free(a->revocations);
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

/* What is remembered of a token: whose it is, then its whole text, since anybody may sign off with another's
 * signature. */
static bool remembered(struct auth *a, struct span token, struct principal *ret)
{
	struct cache_value *v = cache_get(a->verified, signature_text(token), clock_now_us(a->clock));
	struct span known;
	bool same;

	if (!v)
		return false;
	known = cache_value_span(v);
	same = known.len == sizeof(*ret) + token.len &&
	       memcmp(known.data + sizeof(*ret), token.data, token.len) == 0;
	if (same)
		memcpy(ret, known.data, sizeof(*ret));
	cache_value_release(v);
	return same;
}

/* token.len is at most TOKEN_TEXT_MAX, or it would not have been verified. */
static void remember(struct auth *a, struct span token, const struct principal *who)
{
	const struct span key = signature_text(token);
	uint8_t value[sizeof(*who) + TOKEN_TEXT_MAX];

	memcpy(value, who, sizeof(*who));
	memcpy(value + sizeof(*who), token.data, token.len);
	cache_put(a->verified, key, span_of(value, sizeof(*who) + token.len), who->expire_us,
		  cache_generation(a->verified, key));
}

/* What a token says never changes, so a remembered one is never invalidated; revocation is asked every time.
 */
static int verify(struct auth *a, struct span token, struct principal *ret, struct error *err)
{
	int r = token_verify(a->tokens, token, ret, err);

	if (r == 0)
		remember(a, token, ret);
	return r;
}

int auth_authenticate(void *auth, struct span token, struct principal *ret, struct error *err)
{
	struct principal who;
	struct auth *a = auth;

	if (token.len > TOKEN_TEXT_MAX || !remembered(a, token, &who)) {
		int r = verify(a, token, &who, err);

		if (r < 0)
			return r;
	}
	if (revocations_cover(a->revocations, &who))
		return error_raise(
			err, &RPC_REASON_TOKEN_REVOKED,
			"The session has ended or its rights have changed: refresh it, or sign in again.");
	*ret = who;
	return 0;
}

int auth_admit(void *auth, const char *rate_class, const struct principal *who, const char *address,
	       struct error *err)
{
	struct auth *a = auth;

	return a->rates ? rate_admit(a->rates, rate_class, who, address, err) : 0;
}

int auth_admit_text(struct auth *a, const char *rate_class, const char *text, struct error *err)
{
	return a->rates ? rate_admit_text(a->rates, rate_class, text, err) : 0;
}

const char *auth_jwks(void *auth)
{
	const struct auth *a = auth;

	return token_keys_jwks(a->keys);
}
