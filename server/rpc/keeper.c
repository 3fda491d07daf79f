/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/keeper.h"

#include <malloc.h>
#include <time.h>

#include "proto/runtime/error.h"
#include "server/base/log.h"
#include "server/rpc/line.h"
#include "server/rpc/server_impl.h"

enum {
	TICKS_PER_TRIM = 5,           /* looking through what is free takes a millisecond or so */
	FREE_KEPT = 16 * 1024 * 1024, /* what the allocator may keep for the next calls */
};

/* The allocator gives back by itself only what is free at the end of a heap, which a flood rarely leaves. */
static void memory_tend(void)
{
	if (mallinfo2().fordblks > FREE_KEPT)
		malloc_trim(0);
}

/* Waits for a second; false when the keeper is to stop. */
static bool tick(struct keeper *k)
{
	struct timespec until;
	bool stopping;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	pthread_mutex_lock(&k->lock);
	while (!k->stopping && pthread_cond_timedwait(&k->wake, &k->lock, &until) == 0)
		;
	stopping = k->stopping;
	pthread_mutex_unlock(&k->lock);
	return !stopping;
}

static void gate_tend(struct rpc_server *s)
{
	const unsigned refused = gate_refused();

	if (refused > 0)
		log_warning("connections refused, since all but the last descriptors are used: n=%u; raise "
			    "the limit "
			    "of open files",
			    refused);
	if (server_draining(s) || gate_answers(&s->gate))
		atomic_store(&s->silent, 0);
	else
		atomic_fetch_add(&s->silent, 1);
}

static void *keeper_main(void *arg)
{
	struct keeper *k = arg;

	for (unsigned n = 1; tick(k); n++) {
		line_tend(k->server);
		gate_tend(k->server);
		if (n % TICKS_PER_TRIM == 0)
			memory_tend();
	}
	return NULL;
}

int keeper_start(struct keeper *k, struct rpc_server *server, struct error *err)
{
	pthread_condattr_t attr;

	k->server = server;
	pthread_mutex_init(&k->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&k->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&k->thread, NULL, keeper_main, k) != 0)
		return error_internal(err, "cannot start the thread that looks after calls");
	pthread_setname_np(k->thread, "keeper");
	k->running = true;
	return 0;
}

void keeper_stop(struct keeper *k)
{
	if (!k->running)
		return;
	pthread_mutex_lock(&k->lock);
	k->stopping = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	k->running = false;
	pthread_cond_destroy(&k->wake);
	pthread_mutex_destroy(&k->lock);
}
