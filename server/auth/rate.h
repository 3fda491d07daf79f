/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_RATE_H
#define AUTH_RATE_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/runtime/error.h"
#include "proto/runtime/span.h"
#include "server/base/clock.h"
#include "server/base/principal.h"

/*
 * Rate limits: a token bucket per class and subject. The class is the method's rate_class in the contract;
 * the subject is the account, the address, or a text a handler names. Each replica counts for itself.
 *
 * Memory is fixed (1.5 MiB): a bucket that has filled up again is forgotten, and when more subjects are
 * active at once than there is room for, the one nearest to full is. Thread-safe; never blocks for long.
 */
enum rate_subject {
	RATE_BY_ACCOUNT, /* the account; who is not signed in is not counted: the edge counts its sources */
	RATE_BY_ADDRESS, /* the address, signed in or not */
	RATE_BY_TEXT,    /* what rate_admit_text() is given */
};

struct rate_class {
	const char *name;
	enum rate_subject subject;
	double per_second; /* refill; 0: no limit */
	unsigned burst;    /* size of the bucket, at least 1 */
};

/* The classes there are, with what ships, ended by a NULL name. The first is the default class, "". */
extern const struct rate_class rate_classes[];

#define RATE_DEFAULT ""
#define RATE_LOGIN "login"                 /* Login and RegisterUser: by address */
#define RATE_LOGIN_ACCOUNT "login_account" /* Login, by the name that was tried */

struct rate_limiter;

struct rate_limiter *rate_limiter_new(const struct clock *clock);
void rate_limiter_free(struct rate_limiter *l);

/*
 * Overrides a class's figures; before the limiter is used. `spec` is "CLASS=PER_SECOND/BURST", such as
 * "login=5/20" or
 * "=0/1" for no default limit. False when it is malformed or the class is unknown.
 */
bool rate_limiter_configure(struct rate_limiter *l, const char *spec) __attribute__((warn_unused_result));

/* Whether a method may name this class; server/service.c checks the contract's at start. */
bool rate_class_known(const char *name);

/*
 * Takes one from the caller's bucket: 0, or RATE_LIMITED with when to come again. An unknown class is counted
 * as the default one. Of a class by address, callers whose address is unknown share one bucket, and so do
 * those of one IPv6 /64.
 */
int rate_admit(struct rate_limiter *l, const char *rate_class, const struct principal *who,
	       const char *address, struct error *err) __attribute__((warn_unused_result));

/* The same for a class by text, such as the normalized user name of a Login. */
int rate_admit_text(struct rate_limiter *l, const char *rate_class, const char *text, struct error *err)
	__attribute__((warn_unused_result));

#endif
