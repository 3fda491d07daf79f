/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_REVOCATION_H
#define AUTH_REVOCATION_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/clock.h"
#include "server/base/principal.h"

/*
 * What makes a token void before it expires: its session has ended, or its user's tokens issued before some
 * moment no longer count (roles changed, suspended, password changed). Fed by this replica's own actions,
 * after their commit, and by the event feed for those of others; feeding the same thing twice is fine. Asked
 * on every call, so asking costs two atomic reads while there are few revocations.
 *
 * An entry is kept for as long as a token from before it may live. Thread-safe; nothing blocks for long.
 */
struct revocations;

/* `retention_us`: a token's lifetime plus the clocks' skew. */
struct revocations *revocations_new(const struct clock *clock, int64_t retention_us);
void revocations_free(struct revocations *r);

/*
 * The session ended at `at_us`. When memory runs out, every token issued until now is void instead: callers
 * refresh, and nobody keeps a right that was taken.
 */
void revocations_add_session(struct revocations *r, int64_t session_id, int64_t at_us);

/* Tokens of the user issued before `before_us` are void. The same when memory runs out. */
void revocations_add_user(struct revocations *r, int64_t user_id, int64_t before_us);

/* Every token issued before this is void: after the event feed lost its place. */
void revocations_add_everybody(struct revocations *r, int64_t before_us);

bool revocations_cover(struct revocations *r, const struct principal *who);

/* Entries held; for metrics and tests. */
unsigned revocations_count(struct revocations *r);

#endif
