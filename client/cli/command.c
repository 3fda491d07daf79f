/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/cli/cli.h"
#include "client/cli/output.h"
#include "client/cli/report.h"
#include "proto/runtime/json.h"

int command_print(const struct cli *cli, const ProtobufCMessage *message, bool of_stream, struct error *err)
{
	if (cli->invocation.options.output_json)
		return output_json(stdout, message, of_stream, err);
	return output_table(stdout, message, err);
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static bool is_login(const struct method_desc *method)
{
	return method->response == LOGIN_RESPONSE_DESC;
}

/* Tokens belong in the file; people are shown who signed in. */
static int print_login(struct cli *cli, const ProtobufCMessage *reply, struct error *err)
{
	const LoginResponse *response = (const LoginResponse *)reply;
	int r = cli_keep_session(cli, reply, err);
	if (r < 0)
		return r;
	if (cli->invocation.options.output_json || !response->session->user)
		return command_print(cli, reply, false, err);
	return command_print(cli, &response->session->user->base, false, err);
}

static int unary_run(struct cli *cli, const struct client_call_options *options, struct error *err,
		     struct arena *arena)
{
	const struct method_desc *method = cli->invocation.method;
	ProtobufCMessage *request, *reply;
	struct client_call_options asked = *options;
	bool replayed = false;

	asked.replayed = &replayed;
	int r = json_to_message(method->request, cli->invocation.request, arena, &request, err);
	if (r < 0)
		return r;
	r = client_unary(cli->channel, method, request, &asked, arena, &reply, err);
	if (r < 0)
		return r;
	if (replayed)
		fputs("edu: this is the answer of the first time; nothing was done again\n", stderr);
	return is_login(method) ? print_login(cli, reply, err) : command_print(cli, reply, false, err);
}

static int call_run(struct cli *cli, struct error *err, struct arena *arena)
{
	const struct invocation *i = &cli->invocation;
	struct client_call_options options = {.timeout_ms = i->options.timeout_ms, .token = i->options.token};
	double begun = now_ms();

	if (request_has_secret(i->method))
		options.token = "";
	int r = i->method->kind == METHOD_UNARY ? unary_run(cli, &options, err, arena)
						: streaming_run(cli, &options, err, arena);
	if (i->options.verbose)
		fprintf(stderr, "edu: %s at %s: %s in %.1f ms\n", i->method->path, i->options.target,
			status_code_name(-r), now_ms() - begun);
	return r;
}

static void note_session(const struct cli *cli)
{
	if (!cli->session_failed)
		return;
	fprintf(stderr,
		"edu: the kept session cannot be used (%s), so this is what everybody sees; edu login begins "
		"another\n",
		cli->session_reason);
}

enum exit_code command_run(struct cli *cli)
{
	const struct invocation *i = &cli->invocation;
	const char *request_id = NULL;
	struct arena arena;
	struct error err;

	error_clear(&err);
	arena_init(&arena, CLI_ARENA_MAX);
	int r = request_complete(&cli->invocation, &request_id, &err);
	if (r == 0)
		r = cli_connect(cli, &err);
	enum exit_code code = r < 0 ? EXIT_USAGE : EXIT_DONE;
	if (r == 0) {
		r = call_run(cli, &err, &arena);
		code = r < 0 ? exit_code_of(&err) : EXIT_DONE;
		note_session(cli);
	}
	bool repeat = code == EXIT_LATER || code == EXIT_UNKNOWN || code == EXIT_FAULT;
	if (r < 0)
		report_error(stderr, i->command, &err, cli->docs, repeat ? request_id : NULL,
			     i->options.output_json);
	arena_done(&arena);
	return code;
}
