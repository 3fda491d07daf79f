/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/input.h"
#include "proto/runtime/json.h"

/*
 * A stream on the command line: requests come from the flags (one), or from a file of JSON objects one after
 * the other; answers are printed as they arrive. Where both flow, a thread sends, so that a server that
 * answers while we send is never kept waiting.
 */
struct sender {
	struct cli *cli;
	struct client_stream *stream;
	bool many; /* requests come from the input */
	struct input input;
	int r;
	struct error err; /* of our input; what the server says is received */
};

static int sender_send(struct sender *s, const json_t *json, struct arena *arena)
{
	ProtobufCMessage *message;

	arena_reset(arena);
	int r = json_to_message(s->cli->invocation.method->request, json, arena, &message, &s->err);
	return r < 0 ? r : client_stream_send(s->stream, message, &s->err);
}

static int sender_copy(struct sender *s, struct arena *arena)
{
	json_t *json;
	int r = 0;

	while (r == 0) {
		r = input_next(&s->input, &json, &s->err);
		if (r <= 0)
			return r;
		r = sender_send(s, json, arena);
		json_decref(json);
	}
	return r;
}

static void *sender_run(void *arg)
{
	struct sender *s = arg;
	struct arena arena;

	arena_init(&arena, CLI_ARENA_MAX);
	s->r = s->many ? sender_copy(s, &arena) : sender_send(s, s->cli->invocation.request, &arena);
	if (s->r == 0)
		s->r = client_stream_half_close(s->stream, &s->err);
	if (s->r < 0)
		client_stream_cancel(s->stream);
	arena_done(&arena);
	return NULL;
}

static int receive_all(struct cli *cli, struct client_stream *stream, struct error *err, struct arena *arena)
{
	struct arena message_arena;
	ProtobufCMessage *message;
	int r;

	arena_init(&message_arena, CLI_ARENA_MAX);
	while ((r = client_stream_receive(stream, &message_arena, &message, err)) > 0) {
		r = output_print(&cli->output, message, true, err);
		if (r < 0)
			break;
		arena_reset(&message_arena);
	}
	/* The reason must outlive the arena it came in. */
	if (r < 0 && err->reason) {
		struct error_reason *reason = arena_memdup(arena, err->reason, sizeof(*reason));
		char *name = arena_strdup(arena, err->reason->name);
		if (reason && name)
			reason->name = name;
		err->reason = reason && name ? reason : client_plain_reason(err->code);
	}
	arena_done(&message_arena);
	return r;
}

static int exchange(struct sender *s, struct error *err, struct arena *arena)
{
	pthread_t thread;

	if (s->cli->invocation.method->kind != METHOD_BIDI) {
		sender_run(s);
		return receive_all(s->cli, s->stream, err, arena);
	}
	int r = pthread_create(&thread, NULL, sender_run, s);
	if (r != 0)
		return error_internal(err, "no thread to send from: %s", strerror(r));
	r = receive_all(s->cli, s->stream, err, arena);
	/* The server has said its last word: what a terminal or a pipe might still bring is not waited for.
	 */
	if (s->many)
		input_stop(&s->input);
	pthread_join(thread, NULL);
	return r;
}

static int stream_run(struct sender *s, const struct client_call_options *options, struct error *err,
		      struct arena *arena)
{
	int r = client_stream_open(s->cli->channel, s->cli->invocation.method, options, &s->stream, err);
	if (r < 0)
		return r;
	r = exchange(s, err, arena);
	client_stream_free(s->stream);
	if (s->r < 0) {
		*err = s->err;
		return s->r;
	}
	return r;
}

int streaming_run(struct cli *cli, const struct client_call_options *options, struct error *err,
		  struct arena *arena)
{
	const struct invocation *i = &cli->invocation;
	struct sender sender = {.cli = cli};

	error_clear(&sender.err);
	sender.many = i->options.json && i->method->kind != METHOD_SERVER_STREAM;
	if (!sender.many)
		return stream_run(&sender, options, err, arena);
	if (i->n_flags > 0)
		return error_raise(
			err, &RPC_REASON_FIELD_INVALID,
			"a stream of requests comes from --json or is one request of flags, not both");
	int r = input_open(&sender.input, i->options.json, err);
	if (r < 0)
		return r;
	r = stream_run(&sender, options, err, arena);
	input_close(&sender.input);
	return r;
}
