/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_REFUSAL_H
#define RPC_REFUSAL_H

#include "proto/runtime/error.h"

/*
 * What a server says that lacks something, or stops. Nothing was done, and the caller is told when to repeat.
 * Each raises its error and returns the negated code.
 */

/* OVERLOADED: a line is full, or too slow for this caller. */
int refuse_busy(struct error *err) __attribute__((warn_unused_result));

/* OVERLOADED: as many calls are under way as may be. */
int refuse_crowded(struct error *err) __attribute__((warn_unused_result));

/* OVERLOADED: the memory all calls share is spent. */
int refuse_starved(struct error *err) __attribute__((warn_unused_result));

/* DRAINING. */
int refuse_draining(struct error *err) __attribute__((warn_unused_result));

#endif
