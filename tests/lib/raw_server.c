/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/raw_server.h"

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

_Atomic int raw_cancels, raw_how, raw_calls;

static grpc_server *server;
static grpc_completion_queue *queue;
static pthread_t thread;

/* Tags are the addresses of what they are about. */
static bool wait_for(const void *tag)
{
	grpc_event event;

	do
		event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	while (event.tag != tag);
	return event.success;
}

static void end(grpc_call *call, grpc_status_code status, bool with_message)
{
	grpc_slice empty = grpc_empty_slice();
	grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&empty, 1);
	int cancelled;
	grpc_op ops[] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA},
		{.op = GRPC_OP_SEND_STATUS_FROM_SERVER, .data.send_status_from_server = {.status = status}},
		{.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server = {&cancelled}},
		{.op = GRPC_OP_SEND_MESSAGE, .data.send_message = {.send_message = message}},
	};

	if (grpc_call_start_batch(call, ops, with_message ? 4 : 3, call, NULL) == GRPC_CALL_OK)
		wait_for(call);
	grpc_byte_buffer_destroy(message);
}

static void serve(grpc_call *call)
{
	bool cancels = atomic_load(&raw_cancels) > 0 && atomic_fetch_sub(&raw_cancels, 1) > 0;

	atomic_fetch_add(&raw_calls, 1);
	if (cancels && atomic_load(&raw_how) == RAW_RESET)
		grpc_call_cancel(call, NULL);
	else
		end(call, cancels ? GRPC_STATUS_CANCELLED : GRPC_STATUS_OK, !cancels);
	grpc_call_unref(call);
}

static void *run(void *arg)
{
	for (;;) {
		grpc_call_details details;
		grpc_metadata_array metadata;
		grpc_call *call = NULL;

		grpc_call_details_init(&details);
		grpc_metadata_array_init(&metadata);
		bool came = grpc_server_request_call(server, &call, &details, &metadata, queue, queue,
						     &details) == GRPC_CALL_OK &&
			    wait_for(&details);
		if (came)
			serve(call);
		grpc_call_details_destroy(&details);
		grpc_metadata_array_destroy(&metadata);
		if (!came)
			return NULL;
	}
}

int raw_server_start(void)
{
	raw_cancels = raw_how = raw_calls = 0;
	grpc_init();
	queue = grpc_completion_queue_create_for_next(NULL);
	server = grpc_server_create(NULL, NULL);
	grpc_server_register_completion_queue(server, queue, NULL);
	grpc_server_credentials *insecure = grpc_insecure_server_credentials_create();
	int port = grpc_server_add_http2_port(server, "127.0.0.1:0", insecure);
	grpc_server_credentials_release(insecure);
	grpc_server_start(server);
	if (port == 0 || pthread_create(&thread, NULL, run, NULL) != 0)
		abort();
	return port;
}

void raw_server_stop(void)
{
	grpc_completion_queue *stopped = grpc_completion_queue_create_for_pluck(NULL);

	grpc_server_shutdown_and_notify(server, stopped, server);
	pthread_join(thread, NULL); /* its request fails */
	grpc_completion_queue_pluck(stopped, server, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	grpc_completion_queue_shutdown(stopped);
	grpc_completion_queue_destroy(stopped);
	grpc_server_destroy(server);
	grpc_completion_queue_shutdown(queue);
	grpc_completion_queue_destroy(queue);
	grpc_shutdown();
}
