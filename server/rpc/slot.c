/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/slot.h"

#include <stdlib.h>

#include "server/base/log.h"
#include "server/rpc/admission.h"
#include "server/rpc/lifecycle.h"
#include "server/rpc/server_state.h"
#include "server/rpc/stream.h"
#include "server/rpc/unary.h"

static void slot_post(struct slot *slot)
{
	struct poller *p = slot->poller;
	grpc_server *core = p->server->core;
	grpc_call_error e;

	handover_give(&slot->tag);
	if (slot->method)
		e = grpc_server_request_registered_call(core, slot->method->registered, &slot->core,
							&slot->deadline, &slot->metadata, &slot->payload,
							p->queue, p->queue, &slot->tag);
	else
		e = grpc_server_request_call(core, &slot->core, &slot->details, &slot->metadata, p->queue,
					     p->queue, &slot->tag);
	if (e != GRPC_CALL_OK)
		log_error("core refused a slot: %s", grpc_call_error_to_string(e));
}

/* Moves what came into a call; the slot gets the call's emptied metadata array for it. */
static gpr_timespec slot_move(struct slot *slot, struct rpc_call *call)
{
	grpc_metadata_array spare = call->metadata;
	gpr_timespec deadline = slot->deadline;

	call->core = slot->core;
	call->payload = slot->payload;
	call->metadata = slot->metadata;
	slot->metadata = spare;
	slot->core = NULL;
	slot->payload = NULL;
	call->method = slot->method;
	if (!slot->method) {
		struct span path = slice_span(&slot->details.method);

		call->method = path_table_find(&slot->poller->server->paths, path);
		deadline = slot->details.deadline;
		grpc_call_details_destroy(&slot->details);
		grpc_call_details_init(&slot->details);
	}
	return deadline;
}

/* Too many calls, no memory for one more: nothing but the connection's own memory is spent on it. */
static void slot_drop(struct slot *slot)
{
	grpc_call_cancel_with_status(slot->core, GRPC_STATUS_UNAVAILABLE, "out of memory", NULL);
	grpc_call_unref(slot->core);
	if (slot->payload)
		grpc_byte_buffer_destroy(slot->payload);
	slot->payload = NULL;
	grpc_metadata_array_destroy(&slot->metadata);
	grpc_metadata_array_init(&slot->metadata);
	if (!slot->method) {
		grpc_call_details_destroy(&slot->details);
		grpc_call_details_init(&slot->details);
	}
}

static void slot_arrived(struct tag *tag, bool ok)
{
	struct slot *slot = TAG_OWNER(tag, struct slot, tag);
	struct call_headers headers;

	if (!ok) /* the server shuts down */
		return;
	struct rpc_call *call = call_take(slot->poller);
	if (!call) {
		slot_drop(slot);
		slot_post(slot);
		return;
	}
	gpr_timespec deadline = slot_move(slot, call);
	slot_post(slot);
	call_read_headers(call, deadline, &headers);
	if (!call->method || method_takes_one(call->method))
		unary_arrived(call, &headers);
	else
		stream_arrived(call, &headers);
}

static unsigned slots_count(const struct rpc_server *s)
{
	unsigned n = s->config.catch_all_slots;

	for (unsigned i = 0; i < s->n_methods; i++)
		n += s->methods[i].registered ? s->config.hot_slots : 0;
	return n;
}

static void slots_add(struct poller *p, struct method *method, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct slot *slot = &p->slots[p->n_slots++];

		*slot = (struct slot){.tag.run = slot_arrived, .poller = p, .method = method};
		grpc_metadata_array_init(&slot->metadata);
		grpc_call_details_init(&slot->details);
		slot_post(slot);
	}
}

bool slots_post(struct poller *p)
{
	struct rpc_server *s = p->server;

	p->slots = calloc(slots_count(s), sizeof(*p->slots));
	if (!p->slots)
		return false;
	slots_add(p, NULL, s->config.catch_all_slots);
	for (unsigned i = 0; i < s->n_methods; i++) {
		if (s->methods[i].registered)
			slots_add(p, &s->methods[i], s->config.hot_slots);
	}
	return true;
}

void slots_free(struct poller *p)
{
	for (unsigned i = 0; i < p->n_slots; i++) {
		grpc_metadata_array_destroy(&p->slots[i].metadata);
		grpc_call_details_destroy(&p->slots[i].details);
	}
	free(p->slots);
	p->slots = NULL;
	p->n_slots = 0;
}
