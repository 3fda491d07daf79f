/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/executor.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/rpc/call_impl.h"
#include "server/rpc/observe.h"

/* What a new thread must know before it can say that it took it. */
struct birth {
	struct executor *executor;
	unsigned index;
};

static struct rpc_call *executor_pop(struct executor *e)
{
	struct rpc_call *call;

	pthread_mutex_lock(&e->lock);
	while (!e->first && !e->closed) {
		e->idle++;
		pthread_cond_wait(&e->wake, &e->lock);
		e->idle--;
	}
	call = e->first;
	if (call) {
		e->first = call->next;
		if (!e->first)
			e->last = &e->first;
		e->length--;
		metric_add(e->waiting, -1);
	}
	pthread_mutex_unlock(&e->lock);
	return call;
}

static void *executor_main(void *arg)
{
	struct birth birth = *(struct birth *)arg;
	struct executor *e = birth.executor;
	const struct rpc_executor_config *config = e->config;
	struct rpc_call *call;
	void *context;

	free(arg);
	context = config->thread_start ? config->thread_start(config->arg, birth.index) : NULL;
	while ((call = executor_pop(e)) != NULL) {
		call->context = context;
		call->task(call);
	}
	if (config->thread_stop)
		config->thread_stop(context);
	return NULL;
}

static int thread_add(struct executor *e, const char *name, struct error *err)
{
	struct birth *birth = malloc(sizeof(*birth));
	char thread_name[16];

	if (!birth)
		return error_internal(err, "out of memory");
	*birth = (struct birth){.executor = e, .index = e->n_threads};
	if (pthread_create(&e->threads[e->n_threads], NULL, executor_main, birth) != 0) {
		free(birth);
		return error_internal(err, "cannot start a thread for %s", name);
	}
	snprintf(thread_name, sizeof(thread_name), "%.8s-%u", name, e->n_threads);
	pthread_setname_np(e->threads[e->n_threads], thread_name);
	e->n_threads++;
	return 0;
}

int executor_start(struct executor *e, const struct rpc_executor_config *config, const char *name,
		   struct error *err)
{
	int r = 0;

	*e = (struct executor){.config = config};
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->wake, NULL);
	e->last = &e->first;
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
	bool taken;

	pthread_mutex_lock(&e->lock);
	taken = !bounded || e->length < e->config->queue;
	if (taken) {
		call->next = NULL;
		*e->last = call;
		e->last = &call->next;
		e->length++;
		/* Under the lock: once the call may run, the executor may be stopped. */
		if (e->idle > 0)
			pthread_cond_signal(&e->wake);
		metric_add(e->waiting, 1);
	}
	pthread_mutex_unlock(&e->lock);
	return taken;
}

void executor_stop(struct executor *e)
{
	pthread_mutex_lock(&e->lock);
	e->closed = true;
	pthread_cond_broadcast(&e->wake);
	pthread_mutex_unlock(&e->lock);
	for (unsigned i = 0; i < e->n_threads; i++)
		pthread_join(e->threads[i], NULL);
	free(e->threads);
	pthread_cond_destroy(&e->wake);
	pthread_mutex_destroy(&e->lock);
	*e = (struct executor){0};
}
