/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US (60 * MINUTE_US)
#define DAY_US (24 * HOUR_US)

/*
 * The time, injected: every rule that reads a clock is given one of these, and tests move it. Times are
 * microseconds since the Unix epoch, UTC; that is also how the database stores them.
 */
struct clock {
	int64_t (*now_us)(const struct clock *clock); /* thread-safe */
};

extern const struct clock clock_system;

static inline int64_t clock_now_us(const struct clock *clock)
{
	return clock->now_us(clock);
}

static inline int64_t clock_now_ms(const struct clock *clock)
{
	return clock->now_us(clock) / 1000;
}

/* A clock that stands where a test puts it. */
struct clock_fixed {
	struct clock clock;
	_Atomic int64_t us;
};

void clock_fixed_init(struct clock_fixed *c, int64_t us);

/* Microseconds since the machine started, the time it was suspended included; never stored. */
int64_t boottime_us(void);

/* Microseconds on the monotonic clock; for durations and deadlines, never stored. */
int64_t monotonic_us(void);

static inline struct timespec timespec_of_us(int64_t us)
{
	return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
}

/* A condition whose pthread_cond_timedwait() goes by the monotonic clock. */
void cond_init_monotonic(pthread_cond_t *cond);

#endif
