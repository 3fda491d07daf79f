/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/poller.h"

#include <stdio.h>

#include "server/rpc/lifecycle.h"
#include "server/rpc/server_state.h"
#include "server/rpc/slot.h"

int poller_init(struct poller *p, struct rpc_server *server, unsigned index, struct error *err)
{
	*p = (struct poller){.server = server, .index = index};
	pthread_mutex_init(&p->line_lock, NULL);
	p->queue = grpc_completion_queue_create_for_next(NULL);
	return p->queue ? 0 : error_internal(err, "cannot make a completion queue");
}

static void *poller_main(void *arg)
{
	struct poller *p = arg;
	grpc_event event;

	for (;;) {
		event = grpc_completion_queue_next(p->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (event.type == GRPC_OP_COMPLETE) {
			struct tag *tag = event.tag;

			handover_take(tag);
			tag->run(tag, event.success != 0);
		}
	}
}

int poller_start(struct poller *p, struct error *err)
{
	char name[16];

	if (!slots_post(p))
		return error_internal(err, "out of memory");
	if (pthread_create(&p->thread, NULL, poller_main, p) != 0)
		return error_internal(err, "cannot start a poller thread");
	p->running = true;
	snprintf(name, sizeof(name), "poller-%u", p->index);
	pthread_setname_np(p->thread, name);
	return 0;
}

void poller_stop(struct poller *p)
{
	if (!p->queue)
		return;
	grpc_completion_queue_shutdown(p->queue);
	if (p->running)
		pthread_join(p->thread, NULL);
	else
		poller_main(p);
	p->running = false;
}

void poller_done(struct poller *p)
{
	while (p->free) {
		struct rpc_call *call = p->free;

		p->free = call->next;
		call_free(call);
	}
	slots_free(p);
	if (p->queue)
		grpc_completion_queue_destroy(p->queue);
	p->queue = NULL;
	pthread_mutex_destroy(&p->line_lock);
}
