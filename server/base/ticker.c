/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/ticker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

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
	const struct timespec until = timespec_of_us(monotonic_us() + t->period_us);
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

int ticker_start(const char *name, void (*tick)(void *arg), void *arg, int64_t period_us, struct ticker **ret,
		 struct error *err)
{
	struct ticker *t = calloc(1, sizeof(*t));
	if (!t)
		return error_internal(err, "out of memory for the thread %s", name);
	*t = (struct ticker){.tick = tick, .arg = arg, .period_us = period_us};
	cond_init_monotonic(&t->stop);
	pthread_mutex_init(&t->lock, NULL);
	int r = pthread_create(&t->thread, NULL, run, t);
	if (r != 0) {
		pthread_cond_destroy(&t->stop);
		pthread_mutex_destroy(&t->lock);
		free(t);
		return error_internal(err, "cannot start the thread %s: %s", name, strerror(r));
	}
	pthread_setname_np(t->thread, name);
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
