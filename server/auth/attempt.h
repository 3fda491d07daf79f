/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_ATTEMPT_H
#define AUTH_ATTEMPT_H

#include "server/auth/rate.h"

/*
 * A guess at an account's password. Only wrong ones count: by account and source, so that nobody can keep its
 * owner out by guessing elsewhere; and more coarsely by account, wherever they come from, since sources are
 * cheap. The second spares sources that have signed in to the account before. An account is counted by its
 * id, whichever name was given; one that there is not by that name, to the same effect.
 *
 *     attempt_init()
 *     if (attempt_needs_history()) spared = whether the source has signed in to the account before
 *     attempt_ask()    refuses before anything is done for it
 *     attempt_begin()  right before the password is looked at: however many guess at once, no more are
 *     attempt_right()  gives back what attempt_begin() took, when the password was right
 *
 * Plain memory.
 */
enum { ATTEMPT_NAME_MAX = 200 };

struct attempt {
	struct rate_limiter *rates;
	unsigned char source[RATE_NETWORK_MAX];                         /* rate_network() of the address */
	unsigned char subject[RATE_NETWORK_MAX + 1 + ATTEMPT_NAME_MAX]; /* the source, then the account */
	size_t source_len, subject_len;
	bool spared;
};

/* `user_id` 0: there is no account of this name. */
void attempt_init(struct attempt *a, struct rate_limiter *rates, int64_t user_id, const char *name,
		  const char *address);

/* Whether it matters if the source has signed in to the account before. */
bool attempt_needs_history(const struct attempt *a);

/* 0, or RATE_LIMITED. */
int attempt_ask(const struct attempt *a, struct error *err) __attribute__((warn_unused_result));
int attempt_begin(const struct attempt *a, struct error *err) __attribute__((warn_unused_result));
void attempt_right(const struct attempt *a);

static inline struct span attempt_source(const struct attempt *a)
{
	return span_of(a->source, a->source_len);
}

#endif
