/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least a gRPC server over C core can be, to measure ours against: one registered method, two events a
 * call, the request's bytes sent back, or as many zeros as asked for.
 */
#include <getopt.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
	"usage: echo_server [--address 127.0.0.1:0] [--path /echo.Echo/Echo] [--pollers 2]\n"
	"                   [--slots 100] [--reply-bytes N]\n"
	"Prints the port, then serves until SIGINT or SIGTERM.\n";

static grpc_server *server;
static void *method;
static grpc_byte_buffer *fixed_reply; /* NULL: the request comes back */

struct call {
	bool answered;
	grpc_completion_queue *queue;
	grpc_call *core;
	gpr_timespec deadline;
	grpc_metadata_array metadata;
	grpc_byte_buffer *payload;
	int cancelled;
};

static void call_post(struct call *call)
{
	call->answered = false;
	call->payload = NULL;
	grpc_metadata_array_init(&call->metadata);
	grpc_server_request_registered_call(server, method, &call->core, &call->deadline, &call->metadata,
					    &call->payload, call->queue, call->queue, call);
}

static void call_answer(struct call *call)
{
	grpc_byte_buffer *reply = fixed_reply ? grpc_byte_buffer_copy(fixed_reply) : call->payload;
	grpc_op ops[4] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA},
		{.op = GRPC_OP_SEND_STATUS_FROM_SERVER},
		{.op = GRPC_OP_RECV_CLOSE_ON_SERVER},
		{.op = GRPC_OP_SEND_MESSAGE},
	};

	ops[1].data.send_status_from_server.status = GRPC_STATUS_OK;
	ops[2].data.recv_close_on_server.cancelled = &call->cancelled;
	ops[3].data.send_message.send_message = reply;
	call->answered = true;
	grpc_call_start_batch(call->core, ops, reply ? 4 : 3, call, NULL);
	if (fixed_reply)
		grpc_byte_buffer_destroy(reply);
	if (call->payload)
		grpc_byte_buffer_destroy(call->payload);
}

static void call_event(struct call *call, bool ok)
{
	if (call->answered) {
		grpc_call_unref(call->core);
		grpc_metadata_array_destroy(&call->metadata);
		call_post(call);
	} else if (ok) {
		call_answer(call);
	} else {
		grpc_metadata_array_destroy(&call->metadata);
	}
}

static void *poller_main(void *queue)
{
	for (;;) {
		grpc_event event =
			grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);

		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (event.type == GRPC_OP_COMPLETE)
			call_event(event.tag, event.success != 0);
	}
}

static void reply_make(size_t bytes)
{
	grpc_slice slice = grpc_slice_malloc(bytes);

	__builtin_memset(GRPC_SLICE_START_PTR(slice), 0, bytes);
	fixed_reply = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
}

struct options {
	const char *address, *path;
	int pollers, slots;
	long reply_bytes; /* -1: echo */
};

static bool options_read(struct options *o, int argc, char **argv)
{
	static const struct option long_options[] = {
		{"address", required_argument, NULL, 'a'},     {"path", required_argument, NULL, 'm'},
		{"pollers", required_argument, NULL, 'p'},     {"slots", required_argument, NULL, 's'},
		{"reply-bytes", required_argument, NULL, 'r'}, {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case 'a':
			o->address = optarg;
			break;
		case 'm':
			o->path = optarg;
			break;
		case 'p':
			o->pollers = atoi(optarg);
			break;
		case 's':
			o->slots = atoi(optarg);
			break;
		case 'r':
			o->reply_bytes = atol(optarg);
			break;
		default:
			return false;
		}
	}
	return optind == argc && o->pollers > 0 && o->slots > 0;
}

static int server_make(const struct options *o, grpc_completion_queue **queues)
{
	grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
	grpc_arg arg = {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ALLOW_REUSEPORT};
	const grpc_channel_args args = {.num_args = 1, .args = &arg};
	int port;

	server = grpc_server_create(&args, NULL);
	method = grpc_server_register_method(server, o->path, NULL, GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER,
					     0);
	for (int i = 0; i < o->pollers; i++) {
		queues[i] = grpc_completion_queue_create_for_next(NULL);
		grpc_server_register_completion_queue(server, queues[i], NULL);
	}
	port = grpc_server_add_http2_port(server, o->address, credentials);
	grpc_server_credentials_release(credentials);
	return port;
}

static void wait_for_signal(void)
{
	sigset_t signals;
	int signal;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigwait(&signals, &signal);
}

static void signals_block(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

static void serve(const struct options *o, grpc_completion_queue **queues, struct call *calls)
{
	grpc_completion_queue *end = grpc_completion_queue_create_for_next(NULL);
	pthread_t *threads = calloc((size_t)o->pollers, sizeof(*threads));

	grpc_server_start(server);
	for (int i = 0; i < o->pollers; i++) {
		for (int k = 0; k < o->slots; k++) {
			struct call *call = &calls[i * o->slots + k];

			call->queue = queues[i];
			call_post(call);
		}
		pthread_create(&threads[i], NULL, poller_main, queues[i]);
	}
	wait_for_signal();
	grpc_server_shutdown_and_notify(server, end, NULL);
	grpc_server_cancel_all_calls(server);
	grpc_completion_queue_next(end, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
	for (int i = 0; i < o->pollers; i++) {
		grpc_completion_queue_shutdown(queues[i]);
		pthread_join(threads[i], NULL);
		grpc_completion_queue_destroy(queues[i]);
	}
	grpc_completion_queue_shutdown(end);
	while (grpc_completion_queue_next(end, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type !=
	       GRPC_QUEUE_SHUTDOWN)
		;
	grpc_completion_queue_destroy(end);
	free(threads);
}

int main(int argc, char **argv)
{
	struct options o = {.address = "127.0.0.1:0",
			    .path = "/echo.Echo/Echo",
			    .pollers = 2,
			    .slots = 100,
			    .reply_bytes = -1};
	grpc_completion_queue **queues;
	struct call *calls;
	int port;

	if (!options_read(&o, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	signals_block();
	grpc_init();
	queues = calloc((size_t)o.pollers, sizeof(*queues));
	calls = calloc((size_t)o.pollers * (size_t)o.slots, sizeof(*calls));
	if (!queues || !calls)
		return EXIT_FAILURE;
	if (o.reply_bytes >= 0)
		reply_make((size_t)o.reply_bytes);
	port = server_make(&o, queues);
	if (port == 0) {
		fprintf(stderr, "echo_server: cannot listen on %s\n", o.address);
		return EXIT_FAILURE;
	}
	printf("%d\n", port);
	fflush(stdout);
	serve(&o, queues, calls);
	grpc_server_destroy(server);
	if (fixed_reply)
		grpc_byte_buffer_destroy(fixed_reply);
	free(calls);
	free(queues);
	grpc_shutdown();
	return EXIT_SUCCESS;
}
