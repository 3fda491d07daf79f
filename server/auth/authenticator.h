/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_AUTHENTICATOR_H
#define AUTH_AUTHENTICATOR_H

#include "proto/runtime/error.h"
#include "server/auth/page_token.h"
#include "server/auth/rate.h"
#include "server/auth/revocation.h"
#include "server/auth/token_keys.h"
#include "server/auth/tokens.h"
#include "server/base/cache.h"
#include "server/base/principal.h"

/*
 * Everything that says who a caller is and whether the call may go on, tied together. The members may be used
 * by whom main hands them to; all are thread-safe.
 */
struct auth_config {
	const char *key_dir; /* NULL: keys in memory only */
	const char *issuer, *audience;
	int64_t token_lifetime_us;
	size_t token_cache_bytes;
	bool rate_limits;
	const char *const *rates; /* rate_limiter_configure() specs, NULL-terminated; NULL: as shipped */
	const struct clock *clock;
};

struct auth {
	const struct clock *clock;
	struct token_keys *keys;
	struct tokens *tokens;
	struct cache *verified; /* exact token bytes -> struct principal, until the token expires */
	struct revocations *revocations;
	struct rate_limiter *rates; /* NULL: no limits; go through auth_admit() and auth_admit_text() */
	struct page_tokens *pages;
};

/* Every field set to what ships, but key_dir. */
void auth_config_defaults(struct auth_config *config);

int auth_new(const struct auth_config *config, struct auth **ret, struct error *err)
	__attribute__((warn_unused_result));
void auth_free(struct auth *a);

/*
 * These two are what rpc asks of an authenticator (struct rpc_authenticator); `auth` is a struct auth. The
 * token is what follows "Bearer ". 0 and *ret, or TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_REVOKED.
 */
int auth_authenticate(void *auth, struct span token, struct principal *ret, struct error *err)
	__attribute__((warn_unused_result));

/* 0, or RATE_LIMITED. */
int auth_admit(void *auth, const char *rate_class, const struct principal *who, const char *address,
	       struct error *err) __attribute__((warn_unused_result));

/* The same for a class counted by text, such as RATE_LOGIN_ACCOUNT with the normalized user name of a Login.
 */
int auth_admit_text(struct auth *a, const char *rate_class, const char *text, struct error *err)
	__attribute__((warn_unused_result));

/* The JWK set, as base/metrics.h's port serves it. */
const char *auth_jwks(void *auth);

#endif
