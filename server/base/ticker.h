/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TICKER_H
#define BASE_TICKER_H

#include "proto/runtime/error.h"

/* A thread that waits for the period, calls `tick`, and so on until stopped. */
struct ticker;

/* `name` is the thread's, of 15 bytes at most. */
int ticker_start(const char *name, void (*tick)(void *arg), void *arg, int64_t period_us, struct ticker **ret,
		 struct error *err) __attribute__((warn_unused_result));

/* Returns when no call is under way and none will come. NULL is fine. */
void ticker_stop(struct ticker *t);

#endif
