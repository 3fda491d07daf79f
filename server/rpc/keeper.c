/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/keeper.h"

#include <malloc.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/ticker.h"
#include "server/rpc/line.h"
#include "server/rpc/server_state.h"

enum {
	PERIOD_US = 100 * 1000, /* a call that takes as long is watched: who called it may go away */
	TICKS_PER_LOOK = 10,
	TICKS_PER_TRIM = 50,          /* looking through what is free takes a millisecond or so */
	FREE_KEPT = 16 * 1024 * 1024, /* what the allocator may keep for the next calls */
};

/* The allocator gives back by itself only what is free at the end of a heap, which a flood rarely leaves. */
static void memory_tend(void)
{
	if (mallinfo2().fordblks > FREE_KEPT)
		malloc_trim(0);
}

static void gate_tend(struct rpc_server *s)
{
	const unsigned refused = gate_refused();

	if (refused > 0)
		log_warning("connections refused, since all but the last descriptors are used: n=%u; raise "
			    "the limit of open files",
			    refused);
	if (server_draining(s) || gate_answers(&s->gate))
		atomic_store(&s->silent, 0);
	else
		atomic_fetch_add(&s->silent, 1);
}

static void tick(void *arg)
{
	struct rpc_server *s = arg;

	s->keeper_ticks++;
	line_watch(s, monotonic_us() - PERIOD_US);
	if (s->keeper_ticks % TICKS_PER_LOOK == 0) {
		line_tend(s);
		gate_tend(s);
	}
	if (s->keeper_ticks % TICKS_PER_TRIM == 0)
		memory_tend();
}

int keeper_start(struct rpc_server *server, struct error *err)
{
	return ticker_start("keeper", tick, server, PERIOD_US, &server->keeper, err);
}

void keeper_stop(struct rpc_server *server)
{
	ticker_stop(server->keeper);
	server->keeper = NULL;
}
