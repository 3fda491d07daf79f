/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/help.h"
#include "client/cli/report.h"

static enum exit_code usage(const struct cli *cli, const struct error *err)
{
	report_usage(stderr, cli->invocation.command, err);
	return EXIT_USAGE;
}

/* A command, or a method by its own name. */
static const struct method_desc *find_topic(const struct cli *cli, const char *topic)
{
	const struct method_desc *method = invocation_method(cli->service, topic);

	return method ? method : service_method(cli->service, topic);
}

static enum exit_code help_topic(const struct cli *cli, const char *topic)
{
	const struct method_desc *method = find_topic(cli, topic);
	const struct own_command *own = own_commands;

	while (own->name && strcmp(own->name, topic) != 0)
		own++;
	if (!method && !own->name) {
		fprintf(stderr, "edu: there is no command \"%s\" to explain; see edu help\n", topic);
		return EXIT_USAGE;
	}
	if (method)
		help_method(stdout, method, cli->docs);
	else
		help_own(stdout, own);
	return EXIT_DONE;
}

static enum exit_code help(const struct cli *cli, const char *topic)
{
	if (topic)
		return help_topic(cli, topic);
	help_overview(stdout, cli->service, cli->docs);
	return EXIT_DONE;
}

static enum exit_code forget(struct cli *cli)
{
	const struct options *o = &cli->invocation.options;
	struct error err;

	error_clear(&err);
	if (session_file_init(&cli->session_file, o->profile, o->target, &err) < 0)
		return usage(cli, &err);
	int r = session_file_remove(&cli->session_file, &err);
	if (r < 0) {
		report_error(stderr, "forget", &err, cli->docs, NULL, o->output_json);
		return exit_code_of(&err);
	}
	if (r == 0)
		fprintf(stderr, "edu: no session was kept for %s\n", o->target);
	return EXIT_DONE;
}

static enum exit_code service_config(const struct cli *cli)
{
	const struct service_desc *services[] = {cli->service, NULL};
	struct arena arena;

	arena_init(&arena, CLI_ARENA_MAX);
	const char *config = client_service_config(services, &arena);
	if (config)
		puts(config);
	arena_done(&arena);
	return config ? EXIT_DONE : EXIT_FAULT;
}

static enum exit_code version(void)
{
	puts("edu " EDU_VERSION);
	return EXIT_DONE;
}

static enum exit_code run(struct cli *cli)
{
	const struct invocation *i = &cli->invocation;

	if (i->options.version)
		return version();
	if (i->method && !i->options.help)
		return command_run(cli);
	if (!i->command || strcmp(i->command, "help") == 0)
		return help(cli, i->topic);
	if (i->options.help)
		return help(cli, i->command);
	if (strcmp(i->command, "forget") == 0)
		return forget(cli);
	if (strcmp(i->command, "service-config") == 0)
		return service_config(cli);
	return version();
}

/* A full disk shows when what was printed is written, which may be only now. */
static enum exit_code written(enum exit_code code)
{
	struct error err;

	errno = 0;
	if (code != EXIT_DONE || output_flush(stdout, &err) == 0)
		return code;
	fprintf(stderr, "edu: %s\n", err.message);
	return EXIT_OUTPUT;
}

enum exit_code cli_main(const struct service_desc *service, int argc, char **argv)
{
	struct cli cli = {.service = service};
	struct error err;

	error_clear(&err);
	setenv("GRPC_VERBOSITY", "NONE", 0); /* what core would log we say */
	int r = docs_new(cli.service, &cli.docs, &err);
	if (r == 0)
		r = invocation_read(cli.service, argc, argv, request_base, &cli.invocation, &err);
	enum exit_code code = written(r < 0 ? usage(&cli, &err) : run(&cli));
	client_channel_free(cli.channel);
	client_session_free(cli.session);
	invocation_done(&cli.invocation);
	docs_free(cli.docs);
	return code;
}
