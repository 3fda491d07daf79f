/* SPDX-License-Identifier: Apache-2.0 */
#include "client/internal.h"

/*
 * Core connects only while somebody polls, and between calls that is its backup poller, every 5 s: to connect
 * takes it two turns, so that a program that calls now and then had its server back 9 s after any outage. So
 * a thread polls from a call that failed until the channel is connected again. While it is connected the
 * thread waits for the next failure and costs nothing: a loss that nobody's call has met needs no haste,
 * because the call that meets it polls by itself.
 */

/* True when the state was not READY: the tag comes with the next change, if only that the channel is gone. */
static bool reconnect_watch(struct client_channel *c, grpc_completion_queue *queue)
{
	bool watching = false;

	pthread_mutex_lock(&c->reconnect.lock);
	if (!c->reconnect.stopping) {
		grpc_connectivity_state state = grpc_channel_check_connectivity_state(c->core, 1);
		watching = state != GRPC_CHANNEL_READY && state != GRPC_CHANNEL_SHUTDOWN;
		if (watching)
			grpc_channel_watch_connectivity_state(c->core, state,
							      gpr_inf_future(GPR_CLOCK_MONOTONIC), queue, c);
	}
	pthread_mutex_unlock(&c->reconnect.lock);
	return watching;
}

/* False once the channel is to be freed. */
static bool reconnect_wait(struct client_channel *c)
{
	pthread_mutex_lock(&c->reconnect.lock);
	while (!c->reconnect.wanted && !c->reconnect.stopping)
		pthread_cond_wait(&c->reconnect.changed, &c->reconnect.lock);
	c->reconnect.wanted = false;
	bool stopping = c->reconnect.stopping;
	pthread_mutex_unlock(&c->reconnect.lock);
	return !stopping;
}

static void *reconnect_run(void *arg)
{
	struct client_channel *c = arg;
	grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);

	while (reconnect_wait(c)) {
		while (reconnect_watch(c, queue))
			grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	}
	grpc_completion_queue_shutdown(queue);
	grpc_completion_queue_destroy(queue);
	return NULL;
}

void client_reconnect_init(struct client_channel *c)
{
	pthread_mutex_init(&c->reconnect.lock, NULL);
	pthread_cond_init(&c->reconnect.changed, NULL);
}

/* Without a thread it only takes longer. */
void client_reconnect_want(struct client_channel *c)
{
	if (grpc_channel_check_connectivity_state(c->core, 0) == GRPC_CHANNEL_READY)
		return;
	pthread_mutex_lock(&c->reconnect.lock);
	c->reconnect.wanted = true;
	if (!c->reconnect.running)
		c->reconnect.running = pthread_create(&c->reconnect.thread, NULL, reconnect_run, c) == 0;
	pthread_cond_signal(&c->reconnect.changed);
	pthread_mutex_unlock(&c->reconnect.lock);
}

void client_reconnect_stop(struct client_channel *c)
{
	pthread_mutex_lock(&c->reconnect.lock);
	c->reconnect.stopping = true;
	pthread_cond_signal(&c->reconnect.changed);
	pthread_mutex_unlock(&c->reconnect.lock);
	if (c->core)
		grpc_channel_destroy(c->core); /* which ends the watch */
	if (c->reconnect.running)
		pthread_join(c->reconnect.thread, NULL);
	pthread_cond_destroy(&c->reconnect.changed);
	pthread_mutex_destroy(&c->reconnect.lock);
}
