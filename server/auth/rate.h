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
 * the subject is the account, the address, or bytes a handler names. Each replica counts for itself.
 *
 * Who has one IPv6 address has a network of them, and could be a new caller for every call: an IPv6 address
 * is counted as its /64, which one customer has at least (RFC 6177), and besides with twice the budget as its
 * /56 and with three times as its /48.
 *
 * Memory is fixed (1.5 MiB): a bucket that has filled up again is forgotten, and when more subjects are
 * active at once than there is room for, the one nearest to full is. Thread-safe; never blocks for long.
 */
enum rate_subject {
	RATE_BY_ACCOUNT, /* the account; who is not signed in is counted in RATE_STRANGER instead */
	RATE_BY_ADDRESS, /* the address, signed in or not */
	RATE_BY_BYTES,   /* what rate_take() is given */
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
#define RATE_STRANGER "stranger"           /* who is not signed in, by address */
#define RATE_TOKEN "token"                 /* tokens that do not hold, by address */
#define RATE_LOGIN "login"                 /* Login and RegisterUser: by address */
#define RATE_LOGIN_SOURCE "login_source"   /* wrong passwords of an account from one source; see attempt.h */
#define RATE_LOGIN_ACCOUNT "login_account" /* wrong passwords of an account */

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
 * as the default one. Callers whose address is unknown share one bucket.
 */
int rate_admit(struct rate_limiter *l, const char *rate_class, const struct principal *who,
	       const char *address, struct error *err) __attribute__((warn_unused_result));

/*
 * For what counts only when it fails, and must not be tried more often at once either: take one before, give
 * it back when it did not fail. Of a class by address, by its address; of one by bytes, by these, of which
 * the first 256 count. rate_ask() takes nothing.
 */
int rate_take_address(struct rate_limiter *l, const char *rate_class, const char *address, struct error *err)
	__attribute__((warn_unused_result));
void rate_give_back_address(struct rate_limiter *l, const char *rate_class, const char *address);
int rate_take(struct rate_limiter *l, const char *rate_class, struct span subject, struct error *err)
	__attribute__((warn_unused_result));
int rate_ask(struct rate_limiter *l, const char *rate_class, struct span subject, struct error *err)
	__attribute__((warn_unused_result));
void rate_give_back(struct rate_limiter *l, const char *rate_class, struct span subject);

/*
 * The network an address is the smallest part of: the address itself, or the /64 of an IPv6 one. Its bytes
 * lie in `buffer`; none of what is no IP address.
 */
enum { RATE_NETWORK_MAX = 16 };
struct span rate_network(const char *address, unsigned char buffer[RATE_NETWORK_MAX]);

#endif
