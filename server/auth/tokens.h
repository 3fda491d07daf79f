/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_TOKENS_H
#define AUTH_TOKENS_H

#include "proto/runtime/arena.h"
#include "proto/runtime/error.h"
#include "server/auth/token_keys.h"
#include "server/base/clock.h"
#include "server/base/principal.h"

/*
 * Access tokens: JWTs (RFC 7519) signed with ES256 (RFC 7518), naming their key by kid.
 *
 *   iss, aud    as configured
 *   sub         the user: "usr_..."
 *   sid         the session: "ses_..."; the token ends with it
 *   roles       ["LEARNER", ...]; names this release does not know give no right
 *   org, scopes of a service account: "org_...", ["records.read", ...]
 *   iat, nbf, exp  seconds; exp is exclusive
 *   epoch       the user's rights_epoch when it was made: the token ends when that is raised
 *   jti         random
 *
 * Immutable once made: any thread may issue and verify. Both cost about a millisecond of CPU, because libjwt
 * reads the key's PEM each time; callers go through struct auth, which remembers what it verified. A token
 * with a wrong signature costs a seventh of that.
 */
struct tokens;

/* What ids of these are called: kinds, as runtime/ids.h has them. */
struct token_kinds {
	const char *user, *session, *organization;
};

struct token_config {
	const char *issuer, *audience;
	struct token_kinds kinds;
	int64_t lifetime_us; /* of a token */
	int64_t skew_us;     /* how far ahead of ours the clock of the replica that issued may be */
	const struct clock *clock;
};

#define TOKEN_LIFETIME_US (15 * MINUTE_US)
#define TOKEN_SKEW_US (30 * SECOND_US)

/* Copies the issuer and the audience; the kinds, `keys` and the clock must outlive it. */
int tokens_new(const struct token_config *config, const struct token_keys *keys, struct tokens **ret,
	       struct error *err) __attribute__((warn_unused_result));
void tokens_free(struct tokens *t);

/*
 * A token for `who`, whose expire_us is set here. The text lives in the arena. Fails only for want of memory,
 * or when `who` has no user, session or rights_epoch.
 */
int token_issue(const struct tokens *t, struct principal *who, struct arena *arena, const char **ret,
		struct error *err) __attribute__((warn_unused_result));

/*
 * Who the token speaks for; *ret is written on success only. TOKEN_INVALID: not ours, malformed, tampered
 * with, not one of its texts (token_text.h), not yet valid. TOKEN_EXPIRED: ours, but too old. Whether
 * its session lives and its rights are those of now is not asked here.
 */
int token_verify(const struct tokens *t, struct span token, struct principal *ret, struct error *err)
	__attribute__((warn_unused_result));

#endif
