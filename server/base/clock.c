/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/clock.h"

#include <stdatomic.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t system_now_us(const struct clock *clock)
{
	return read_us(CLOCK_REALTIME);
}

const struct clock clock_system = {.now_us = system_now_us};

/* `clock` is the first member of struct clock_fixed. */
static int64_t fixed_now_us(const struct clock *clock)
{
	const struct clock_fixed *c = (const struct clock_fixed *)clock;

	return atomic_load(&c->us);
}

void clock_fixed_init(struct clock_fixed *c, int64_t us)
{
	c->clock.now_us = fixed_now_us;
	atomic_init(&c->us, us);
}

int64_t boottime_us(void)
{
	return read_us(CLOCK_BOOTTIME);
}

int64_t monotonic_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

void cond_init_monotonic(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}
