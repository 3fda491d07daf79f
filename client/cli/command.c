/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/cli/cli.h"
#include "client/cli/report.h"
#include "proto/runtime/json.h"

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
static int print_session(struct cli *cli, const ProtobufCMessage *reply, Session *session, struct error *err)
{
	if (cli->output.json || !session->user)
		return output_print(&cli->output, reply, false, err);
	return output_print(&cli->output, &session->user->base, false, err);
}

static int print_login(struct cli *cli, ProtobufCMessage *reply, struct error *err)
{
	LoginResponse *response = (LoginResponse *)reply;
	int r = cli_keep_session(cli, response->session, err);

	return r < 0 ? r : print_session(cli, reply, response->session, err);
}

static int print_refresh(struct cli *cli, ProtobufCMessage *reply, enum refresh refresh, struct error *err)
{
	RefreshSessionResponse *response = (RefreshSessionResponse *)reply;
	int r = refresh_keep(cli, reply, err);

	if (r < 0)
		return r;
	if (refresh == REFRESH_SHOWN)
		return output_print(&cli->output, reply, false, err);
	response->session->access_token = response->session->refresh_token = (char *)"";
	return print_session(cli, reply, response->session, err);
}

static int ask(struct cli *cli, const struct client_call_options *options, ProtobufCMessage **ret,
	       struct error *err, struct arena *arena)
{
	const struct method_desc *method = cli->invocation.method;
	struct client_call_options asked = *options;
	ProtobufCMessage *request;
	bool replayed = false;

	asked.replayed = &replayed;
	int r = json_to_message(method->request, cli->invocation.request, arena, &request, err);
	if (r == 0)
		r = client_unary(cli->channel, method, request, &asked, arena, ret, err);
	if (r == 0 && replayed)
		fputs("edu: this is the answer of the first time; nothing was done again\n", stderr);
	return r;
}

static int unary_run(struct cli *cli, const struct client_call_options *options, struct error *err,
		     struct arena *arena)
{
	ProtobufCMessage *reply;
	enum refresh refresh;
	int r = refresh_begin(cli, &refresh, err);

	if (r == 0)
		r = ask(cli, options, &reply, err, arena);
	if (r == 0 && refresh != REFRESH_OTHER)
		r = print_refresh(cli, reply, refresh, err);
	else if (r == 0 && is_login(cli->invocation.method))
		r = print_login(cli, reply, err);
	else if (r == 0)
		r = output_print(&cli->output, reply, false, err);
	refresh_end(cli);
	return r;
}

/* --- pages --- */

/* What people are told of a page besides its rows. */
static void note_page(const struct cli *cli, const char *next)
{
	if (cli->output.json)
		return;
	if (!cli->output.list.begun && !next)
		fputs("edu: the list is empty\n", stderr);
	if (next && !cli->invocation.options.all)
		fprintf(stderr, "edu: there are more: --all, or --page-token %s\n", next);
}

/* The memory of each page is used again for the next. */
static int pages_ask(struct cli *cli, const struct client_call_options *options, struct error *err,
		     struct arena *arena)
{
	const struct invocation *i = &cli->invocation;
	const char *next;

	do {
		ProtobufCMessage *reply = NULL;
		arena_reset(arena);
		int r = ask(cli, options, &reply, err, arena);
		if (r == 0)
			r = output_print(&cli->output, reply, i->options.all, err);
		if (r < 0)
			return r;
		next = output_next_page(reply);
		note_page(cli, next);
		if (next)
			request_set_page(&cli->invocation, next);
	} while (next && i->options.all);
	return 0;
}

/* Of a list that breaks off, what came is printed too. */
static int pages_run(struct cli *cli, const struct client_call_options *options, struct error *err,
		     struct arena *arena)
{
	struct error end_err;

	cli->output.list.open = cli->invocation.options.all && !cli->output.json;
	int r = pages_ask(cli, options, err, arena), end = output_end(&cli->output, &end_err);
	if (r < 0 || end == 0)
		return r;
	*err = end_err;
	return end;
}

static int method_run(struct cli *cli, const struct client_call_options *options, struct error *err,
		      struct arena *arena)
{
	const struct method_desc *method = cli->invocation.method;

	if (method->kind != METHOD_UNARY)
		return streaming_run(cli, options, err, arena);
	return request_has_pages(method) ? pages_run(cli, options, err, arena)
					 : unary_run(cli, options, err, arena);
}

static int call_run(struct cli *cli, struct error *err, struct arena *arena)
{
	const struct invocation *i = &cli->invocation;
	struct client_call_options options = {.timeout_ms = i->options.timeout_ms, .token = i->options.token};
	double begun = now_ms();

	if (request_has_secret(i->method))
		options.token = "";
	int r = method_run(cli, &options, err, arena);
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

/* Where a session is to be kept is looked at before its password is asked for. */
static int session_place(struct cli *cli, struct error *err)
{
	const struct options *o = &cli->invocation.options;
	int r = session_file_init(&cli->session_file, o->profile, o->target, err);

	return r == 0 && is_login(cli->invocation.method) ? session_file_prepare(&cli->session_file, err) : r;
}

/* How what failed before the call ends. */
static enum exit_code exit_code_before(const struct error *err)
{
	enum exit_code code = exit_code_of(err);

	return code == EXIT_LATER || code == EXIT_SESSION ? code : EXIT_USAGE;
}

enum exit_code command_run(struct cli *cli)
{
	const struct invocation *i = &cli->invocation;
	const char *request_id = NULL;
	struct arena arena;
	struct error err;

	error_clear(&err);
	output_begin(&cli->output, stdout);
	cli->output.json = i->options.output_json;
	arena_init(&arena, CLI_ARENA_MAX);
	int r = session_place(cli, &err);
	if (r == 0)
		r = request_complete(&cli->invocation, &request_id, &err);
	if (r == 0)
		r = cli_connect(cli, &err);
	enum exit_code code = r == 0 ? EXIT_DONE : exit_code_before(&err);
	if (r == 0) {
		r = call_run(cli, &err, &arena);
		code = r < 0 ? exit_code_of(&err) : EXIT_DONE;
		note_session(cli);
	}
	bool repeat = code == EXIT_LATER || code == EXIT_UNKNOWN || code == EXIT_FAULT || code == EXIT_OUTPUT;
	if (code == EXIT_USAGE)
		report_usage(stderr, i->command, &err);
	else if (r < 0)
		report_error(stderr, i->command, &err, cli->docs, repeat ? request_id : NULL,
			     i->options.output_json);
	arena_done(&arena);
	return code;
}
