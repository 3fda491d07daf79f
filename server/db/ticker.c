/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/ticker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/base/clock.h"

struct ticker {
	void (*tick)(void *arg);
	void *arg;
	int64_t period_us;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop; /* on the monotonic clock */
	bool stopping;
};

/* True when the period has passed, false when it is time to stop. */
static bool wait_for_tick(struct ticker *t)
{
	int64_t at = monotonic_us() + t->period_us;
	struct timespec until = {.tv_sec = at / 1000000, .tv_nsec = at % 1000000 * 1000};
	pthread_mutex_lock(&t->lock);
	while (!t->stopping && pthread_cond_timedwait(&t->stop, &t->lock, &until) != ETIMEDOUT)
		;
	bool go_on = !t->stopping;
	pthread_mutex_unlock(&t->lock);
	return go_on;
}

static void *run(void *arg)
{
	struct ticker *t = arg;
	while (wait_for_tick(t))
		t->tick(t->arg);
	return NULL;
}

int ticker_start(void (*tick)(void *arg), void *arg, int64_t period_us, struct ticker **ret,
		 struct error *err)
{
	struct ticker *t = calloc(1, sizeof(*t));
	if (!t)
		return error_internal(err, "out of memory for a thread");
	*t = (struct ticker){.tick = tick, .arg = arg, .period_us = period_us};
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->stop, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&t->lock, NULL);
	int r = pthread_create(&t->thread, NULL, run, t);
	if (r != 0) {
		pthread_cond_destroy(&t->stop);
		pthread_mutex_destroy(&t->lock);
		free(t);
		return error_internal(err, "cannot start a thread: %s", strerror(r));
	}
	*ret = t;
	return 0;
}

void ticker_stop(struct ticker *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	pthread_cond_signal(&t->stop);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	pthread_cond_destroy(&t->stop);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
