/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/executor.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/rpc/call_state.h"
#include "server/rpc/observe.h"

enum { MEAN_WEIGHT = 16 /* of a new time in a method's mean: one part of so many */ };

struct executor_thread {
	struct executor *executor;
	pthread_t thread;
	unsigned index;
	void *context;
	const struct rpc_call *running; /* under the executor's lock; it may be over and freed already */
};

/* --- lines --- */

/* A public method that may be repeated without a request_id only reads. */
static enum executor_line line_of(const struct rpc_call *call)
{
	const struct method *m = call->method;

	return m->access == METHOD_ACCESS_PUBLIC && m->desc->policy.retryable &&
			       !principal_signed_in(&call->principal)
		       ? LINE_OF_STRANGERS
		       : LINE_OF_CALLERS;
}

static void line_append(struct executor_waiting *line, struct rpc_call *call)
{
	call->next = NULL;
	*line->last = call;
	line->last = &call->next;
	line->length++;
	line->work_us += call->expected_us;
}

static struct rpc_call *line_shift(struct executor_waiting *line)
{
	struct rpc_call *call = line->first;

	line->first = call->next;
	if (!line->first)
		line->last = &line->first;
	line->length--;
	line->work_us -= call->expected_us;
	line->running++;
	return call;
}

/* How long the next in line would wait. */
static int64_t line_wait_us(const struct executor_waiting *line, int64_t now_us)
{
	const int64_t by_work_us = line->work_us / line->running_max;
	const int64_t by_first_us = line->first ? now_us - line->first->in_line_us : 0;

	return by_work_us > by_first_us ? by_work_us : by_first_us;
}

/* Half of what is left, since the guess may be wrong by as much, and the work itself takes time. */
static bool line_has_room(const struct executor *e, const struct executor_waiting *line,
			  const struct rpc_call *call)
{
	int64_t may_us = e->config->wait_ms * INT64_C(1000);
	const int64_t left_us = call->deadline_us - call->in_line_us;

	if (line->length >= e->config->queue)
		return false;
	if (may_us > left_us / 2)
		may_us = left_us / 2;
	return !line->first || line_wait_us(line, call->in_line_us) <= may_us;
}

/* The line whose turn it is: who came first, of those who may run; NULL when nobody may. */
static struct executor_waiting *lines_next(struct executor *e)
{
	struct executor_waiting *next = NULL;

	for (unsigned i = 0; i < EXECUTOR_LINES; i++) {
		struct executor_waiting *line = &e->lines[i];

		if (line->first && line->running < line->running_max &&
		    (!next || line->first->in_line_us < next->first->in_line_us))
			next = line;
	}
	return next;
}

/* --- threads --- */

/* The next call, once there is one; NULL when the executor is closed. With the lock. */
static struct rpc_call *executor_pop(struct executor_thread *t, enum executor_line *ret_line)
{
	struct executor *e = t->executor;
	struct executor_waiting *line;
	struct rpc_call *call = NULL;

	while (!(line = lines_next(e)) && !e->closed) {
		e->idle++;
		pthread_cond_wait(&e->wake, &e->lock);
		e->idle--;
	}
	if (line) {
		call = line_shift(line);
		*ret_line = (enum executor_line)(line - e->lines);
		metric_add(e->waiting, -1);
	}
	t->running = call;
	return call;
}

/* What a drop took counts as well: a mean that refuses calls sinks until one is tried again. */
static void mean_add(struct method_times *times, enum rpc_place place, int64_t us)
{
	int64_t *mean_us = &times->mean_us[place];

	*mean_us += *mean_us ? (us - *mean_us) / MEAN_WEIGHT : us;
}

/* With the lock, but while the task runs. False when there is no more to do. The call may be over then. */
static bool executor_run(struct executor_thread *t)
{
	struct executor *e = t->executor;
	enum executor_line line;
	struct rpc_call *call = executor_pop(t, &line);

	if (!call)
		return false;
	pthread_mutex_unlock(&e->lock);
	struct method_times *times = call->method->times;
	call->context = t->context;
	int64_t began_us = monotonic_us();
	call->task(call);
	began_us = monotonic_us() - began_us;
	pthread_mutex_lock(&e->lock);
	t->running = NULL;
	e->lines[line].running--;
	mean_add(times, e->place, began_us);
	return true;
}

static void *executor_main(void *arg)
{
	struct executor_thread *t = arg;
	struct executor *e = t->executor;
	const struct rpc_executor_config *config = e->config;

	t->context = config->thread_start ? config->thread_start(config->arg, t->index) : NULL;
	pthread_mutex_lock(&e->lock);
	while (executor_run(t))
		;
	pthread_mutex_unlock(&e->lock);
	if (config->thread_stop)
		config->thread_stop(t->context);
	return NULL;
}

static int thread_add(struct executor *e, const char *name, struct error *err)
{
	struct executor_thread *t = &e->threads[e->n_threads];
	char thread_name[16];

	*t = (struct executor_thread){.executor = e, .index = e->n_threads};
	if (pthread_create(&t->thread, NULL, executor_main, t) != 0)
		return error_internal(err, "cannot start a thread for %s", name);
	snprintf(thread_name, sizeof(thread_name), "%.8s-%u", name, e->n_threads);
	pthread_setname_np(t->thread, thread_name);
	e->n_threads++;
	return 0;
}

/* --- from outside --- */

static void lines_init(struct executor *e)
{
	const struct rpc_executor_config *config = e->config;
	const unsigned strangers = config->stranger_threads ? config->stranger_threads : config->threads;

	for (unsigned i = 0; i < EXECUTOR_LINES; i++) {
		e->lines[i].last = &e->lines[i].first;
		e->lines[i].running_max = i == LINE_OF_STRANGERS ? strangers : config->threads;
	}
}

int executor_start(struct executor *e, const struct rpc_executor_config *config, enum rpc_place place,
		   const char *name, struct error *err)
{
	int r = 0;

	*e = (struct executor){.config = config, .place = place};
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->wake, NULL);
	lines_init(e);
	e->waiting = observe_gauge("edu_rpc_waiting_calls", "Calls that wait for a thread.", "place", name);
	e->threads = calloc(config->threads ? config->threads : 1, sizeof(*e->threads));
	if (!e->threads)
		r = error_internal(err, "out of memory");
	while (r == 0 && e->n_threads < config->threads)
		r = thread_add(e, name, err);
	if (r < 0)
		executor_stop(e);
	return r;
}

bool executor_push(struct executor *e, struct rpc_call *call, bool bounded)
{
	struct executor_waiting *line = &e->lines[line_of(call)];

	call->in_line_us = monotonic_us();
	pthread_mutex_lock(&e->lock);
	/* Who need not wait is tried whatever the mean says: it may be of a bad hour. */
	call->expected_us = line->first || e->idle == 0 ? call->method->times->mean_us[e->place] : 0;
	bool taken = !bounded || line_has_room(e, line, call);
	if (taken) {
		line_append(line, call);
		/* Under the lock: once the call may run, the executor may be stopped. */
		if (e->idle > 0)
			pthread_cond_signal(&e->wake);
		metric_add(e->waiting, 1);
	}
	pthread_mutex_unlock(&e->lock);
	return taken;
}

void executor_interrupt(struct executor *e, const struct rpc_call *call)
{
	if (!e->config->interrupt)
		return;
	/* Under the lock, so that what is told to stop is this call's and not the thread's next. */
	pthread_mutex_lock(&e->lock);
	for (unsigned i = 0; i < e->n_threads; i++) {
		if (e->threads[i].running == call)
			e->config->interrupt(e->threads[i].context);
	}
	pthread_mutex_unlock(&e->lock);
}

void executor_stop(struct executor *e)
{
	pthread_mutex_lock(&e->lock);
	e->closed = true;
	pthread_cond_broadcast(&e->wake);
	pthread_mutex_unlock(&e->lock);
	for (unsigned i = 0; i < e->n_threads; i++)
		pthread_join(e->threads[i].thread, NULL);
	free(e->threads);
	pthread_cond_destroy(&e->wake);
	pthread_mutex_destroy(&e->lock);
	*e = (struct executor){0};
}
