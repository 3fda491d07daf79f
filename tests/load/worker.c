/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/load/worker.h"

#include <grpc/grpc_security.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/runtime/array.h"

struct connection {
	grpc_channel *channel;
	void *method;
};

/* One call at a time, again and again. */
struct flight {
	struct worker *worker;
	struct flight *next_idle;
	struct connection *connection;
	grpc_completion_queue *queue;
	grpc_call *call;
	int64_t began_us;
	grpc_metadata_array initial, trailing;
	grpc_byte_buffer *reply;
	grpc_status_code code;
	grpc_slice details;
};

int64_t load_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Draws the next call's number; false when the run is over. */
static bool run_draw(struct run *run, int64_t now_us, uint64_t *ret)
{
	if (atomic_load_explicit(&run->stop, memory_order_relaxed) || now_us >= run->end_us)
		return false;
	*ret = atomic_fetch_add_explicit(&run->next, 1, memory_order_relaxed);
	return run->limit == 0 || *ret < run->limit;
}

static gpr_timespec deadline_in(int ms)
{
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN));
}

static void flight_send(struct flight *f, const grpc_slice *payload, const grpc_slice *token)
{
	grpc_slice slice = *payload;
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_metadata metadata = {.key = grpc_slice_from_static_string("authorization")};
	grpc_op ops[6] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA},  {.op = GRPC_OP_SEND_MESSAGE},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}, {.op = GRPC_OP_RECV_INITIAL_METADATA},
		{.op = GRPC_OP_RECV_MESSAGE},           {.op = GRPC_OP_RECV_STATUS_ON_CLIENT},
	};

	if (token) {
		metadata.value = *token;
		ops[0].data.send_initial_metadata.count = 1;
		ops[0].data.send_initial_metadata.metadata = &metadata;
	}
	ops[1].data.send_message.send_message = buffer;
	ops[3].data.recv_initial_metadata.recv_initial_metadata = &f->initial;
	ops[4].data.recv_message.recv_message = &f->reply;
	ops[5].data.recv_status_on_client.trailing_metadata = &f->trailing;
	ops[5].data.recv_status_on_client.status = &f->code;
	ops[5].data.recv_status_on_client.status_details = &f->details;
	if (grpc_call_start_batch(f->call, ops, 6, f, NULL) != GRPC_CALL_OK) {
		fputs("load: core refused a call\n", stderr);
		exit(EXIT_FAILURE);
	}
	grpc_byte_buffer_destroy(buffer);
}

/* Starts the next call; false when there is none. */
static bool flight_start(struct flight *f)
{
	struct run *run = f->worker->run;
	const struct requests *r = &run->requests;
	uint64_t n;

	f->began_us = load_now_us();
	if (!run_draw(run, f->began_us, &n))
		return false;
	f->call = grpc_channel_create_registered_call(f->connection->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
						      f->queue, f->connection->method,
						      deadline_in(run->timeout_ms), NULL);
	grpc_metadata_array_init(&f->initial);
	grpc_metadata_array_init(&f->trailing);
	flight_send(f, &r->payloads[n % r->n_payloads], r->n_tokens ? &r->tokens[n % r->n_tokens] : NULL);
	return true;
}

static void flight_note_failure(struct flight *f)
{
	struct worker *w = f->worker;

	if (!w->message[0])
		snprintf(w->message, sizeof(w->message), "%.*s", (int)GRPC_SLICE_LENGTH(f->details),
			 (const char *)GRPC_SLICE_START_PTR(f->details));
	if (w->run->fail_fast)
		atomic_store_explicit(&w->run->stop, true, memory_order_relaxed);
}

static void flight_end(struct flight *f)
{
	const int64_t now_us = load_now_us();
	struct worker *w = f->worker;
	const bool ok = f->code == GRPC_STATUS_OK && f->reply;

	w->codes[(int)f->code < LOAD_CODES ? f->code : GRPC_STATUS_UNKNOWN]++;
	if (f->code == GRPC_STATUS_OK && !f->reply)
		w->empty++;
	if (!ok)
		flight_note_failure(f);
	if (f->began_us >= w->run->count_from_us) {
		histogram_record(&w->latencies, (uint64_t)(now_us - f->began_us));
		if (f->code == GRPC_STATUS_UNAVAILABLE)
			histogram_record(&w->refused, (uint64_t)(now_us - f->began_us));
		w->last_us = now_us;
	}
	grpc_slice_unref(f->details);
	if (f->reply)
		grpc_byte_buffer_destroy(f->reply);
	f->reply = NULL;
	grpc_metadata_array_destroy(&f->initial);
	grpc_metadata_array_destroy(&f->trailing);
	grpc_call_unref(f->call);
}

static grpc_arg arg_int(const char *key, int value)
{
	return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

static void connection_open(struct connection *c, const struct run *run)
{
	grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
	grpc_arg args[] = {
		/* Channels of one target share a connection otherwise. */
		arg_int(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
		/* A call that was refused is counted, not repeated. */
		arg_int(GRPC_ARG_ENABLE_RETRIES, 0),
		arg_int(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1),
	};
	const grpc_channel_args all = {.num_args = ARRAY_SIZE(args), .args = args};

	c->channel = grpc_channel_create(run->target, credentials, &all);
	c->method = grpc_channel_register_call(c->channel, run->path, NULL, NULL);
	grpc_channel_credentials_release(credentials);
}

static void worker_loop(grpc_completion_queue *queue, unsigned flying)
{
	while (flying > 0) {
		grpc_event event =
			grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
		struct flight *f = event.tag;

		flight_end(f);
		if (!flight_start(f))
			flying--;
	}
}

static gpr_timespec monotonic_time(int64_t us)
{
	return (gpr_timespec){.tv_sec = us / 1000000,
			      .tv_nsec = (int32_t)(us % 1000000 * 1000),
			      .clock_type = GPR_CLOCK_MONOTONIC};
}

/* Calls begin when they are due, as long as one is idle; one that ended waits for its next turn. */
static void worker_loop_paced(struct worker *w, grpc_completion_queue *queue, struct flight *idle)
{
	const double interval_us = 1e6 * w->run->threads / w->run->rate;
	double due_us = (double)load_now_us();
	unsigned flying = 0;
	bool over = false;

	while (flying > 0 || !over) {
		const bool waits = !over && idle;
		grpc_event event = grpc_completion_queue_next(
			queue, waits ? monotonic_time((int64_t)due_us) : gpr_inf_future(GPR_CLOCK_MONOTONIC),
			NULL);
		if (event.type == GRPC_OP_COMPLETE) {
			struct flight *f = event.tag;

			flight_end(f);
			f->next_idle = idle;
			idle = f;
			flying--;
		}
		while (!over && idle && due_us <= (double)load_now_us()) {
			struct flight *f = idle;

			idle = f->next_idle;
			over = !flight_start(f);
			flying += !over;
			due_us += interval_us;
		}
	}
}

void *worker_main(void *arg)
{
	struct worker *w = arg;
	grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
	struct connection *connections = calloc(w->connections, sizeof(*connections));
	struct flight *flights = calloc(w->concurrency, sizeof(*flights));
	unsigned flying = 0;

	for (unsigned i = 0; i < w->connections; i++)
		connection_open(&connections[i], w->run);
	for (unsigned i = 0; i < w->concurrency; i++) {
		flights[i] = (struct flight){
			.worker = w, .connection = &connections[i % w->connections], .queue = queue};
		flights[i].next_idle = i > 0 ? &flights[i - 1] : NULL;
		if (w->run->rate == 0 && flight_start(&flights[i]))
			flying++;
	}
	if (w->run->rate > 0)
		worker_loop_paced(w, queue, &flights[w->concurrency - 1]);
	else
		worker_loop(queue, flying);
	for (unsigned i = 0; i < w->connections; i++)
		grpc_channel_destroy(connections[i].channel);
	grpc_completion_queue_shutdown(queue);
	while (grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type !=
	       GRPC_QUEUE_SHUTDOWN)
		;
	grpc_completion_queue_destroy(queue);
	free(flights);
	free(connections);
	return NULL;
}
