/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_TICKER_H
#define DB_TICKER_H

#include "proto/runtime/error.h"

/* A thread that calls `tick`, waits for the period, and so on until stopped. The first call comes after a
 * period. */
struct ticker;

int ticker_start(void (*tick)(void *arg), void *arg, int64_t period_us, struct ticker **ret,
		 struct error *err) __attribute__((warn_unused_result));

/* Returns when no call is under way and none will come. NULL is fine. */
void ticker_stop(struct ticker *t);

#endif
