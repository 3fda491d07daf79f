/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_AUTHENTICATOR_H
#define AUTH_AUTHENTICATOR_H

#include "proto/runtime/error.h"
#include "server/auth/page_token.h"
#include "server/auth/rate.h"
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
	struct token_kinds kinds; /* of the ids in tokens */
	int64_t token_lifetime_us;
	size_t token_cache_bytes;
	const char *const *rates; /* rate_limiter_configure() specs, NULL-terminated; NULL: as shipped */
	const struct clock *clock;
};

struct auth {
	const struct clock *clock;
	struct token_keys *keys;
	struct tokens *tokens;
	struct cache *verified;    /* tokens by their signature, until they expire */
	_Atomic uint64_t *changes; /* see auth_ticket() */
	struct rate_limiter *rates;
	struct page_tokens *pages;
};

/* Every field set to what ships, but key_dir and the kinds. */
void auth_config_defaults(struct auth_config *config);

int auth_new(const struct auth_config *config, struct auth **ret, struct error *err)
	__attribute__((warn_unused_result));
void auth_free(struct auth *a);

/*
 * A token says who its bearer was; the database says whether that still holds: its session has not ended, and
 * the user's rights_epoch is still the token's. No clock is asked. What the database said is remembered with
 * the token until something about the user changes, which the event feed tells, or whoever changes it here.
 *
 * So auth_authenticate() is 0 and *ret, when the bearer may act; AUTH_UNCONFIRMED and *ret, when the token is
 * ours but the database has to be asked; or TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_REVOKED. Whoever asks takes a
 * ticket first and hands it to auth_confirm() with the answer, which is 0, or TOKEN_REVOKED when it no longer
 * holds. An answer whose ticket was taken before a change is not believed again, so a slow read cannot bring
 * back a right that was taken meanwhile.
 *
 * The token is what follows "Bearer ". Tokens that do not hold are counted by the address they come from, and
 * beyond what that may cost refused unseen: RATE_LIMITED. None of them blocks.
 */
enum { AUTH_UNCONFIRMED = 1 };

int auth_authenticate(struct auth *a, struct span token, const char *address, struct principal *ret,
		      struct error *err) __attribute__((warn_unused_result));
uint64_t auth_ticket(const struct auth *a, int64_t user_id);
int auth_confirm(struct auth *a, struct span token, const struct principal *who, uint64_t ticket, bool holds,
		 struct error *err) __attribute__((warn_unused_result));

/* Raises TOKEN_REVOKED. */
int auth_revoked(struct error *err) __attribute__((warn_unused_result, cold));

/* The user's rights may have changed, or a session of the user ended: the database is asked again. */
void auth_user_changed(struct auth *a, int64_t user_id);

/* The same for every user: after the event feed lost its place. */
void auth_all_changed(struct auth *a);

/* The JWK set, as base/metrics.h's port serves it. */
const char *auth_jwks(void *auth);

#endif
