/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "client/internal.h"

static pthread_key_t queue_key;
static pthread_once_t queue_once = PTHREAD_ONCE_INIT;

/* Each queue holds the library open, so that a thread may end after the last channel. */
static void thread_queue_free(void *queue)
{
	grpc_completion_queue_shutdown(queue);
	grpc_completion_queue_destroy(queue);
	grpc_shutdown();
}

static void thread_queue_setup(void)
{
	if (pthread_key_create(&queue_key, thread_queue_free) != 0)
		abort();
}

grpc_completion_queue *client_thread_queue(void)
{
	pthread_once(&queue_once, thread_queue_setup);
	grpc_completion_queue *queue = pthread_getspecific(queue_key);
	if (queue)
		return queue;
	grpc_init();
	queue = grpc_completion_queue_create_for_pluck(NULL);
	if (pthread_setspecific(queue_key, queue) != 0) {
		thread_queue_free(queue);
		return NULL;
	}
	return queue;
}

void client_thread_queue_drop(void)
{
	pthread_once(&queue_once, thread_queue_setup);
	void *queue = pthread_getspecific(queue_key);
	if (!queue)
		return;
	pthread_setspecific(queue_key, NULL);
	thread_queue_free(queue);
}
