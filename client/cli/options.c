/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/moments.h"
#include "client/cli/target.h"
#include "proto/runtime/array.h"

/* Core takes a word without a port for a service of port 443, and a port too large for another. */
static int set_target(struct options *o, const char *value, struct error *err)
{
	if (!target_is(value))
		return error_field(err, "target",
				   "must be HOST:PORT, [IPV6]:PORT, dns:///HOST:PORT or unix:/PATH, such as "
				   "localhost:50051, not \"%.32s\"",
				   value);
	o->target = value;
	return 0;
}

static int set_tls(struct options *o, const char *value, struct error *err)
{
	o->tls = true;
	return 0;
}

static int set_ca(struct options *o, const char *value, struct error *err)
{
	o->ca_file = value;
	o->tls = true;
	return 0;
}

static int set_authority(struct options *o, const char *value, struct error *err)
{
	o->authority = value;
	return 0;
}

static int set_token(struct options *o, const char *value, struct error *err)
{
	o->token = value;
	return 0;
}

/* A profile becomes part of a file's name. */
static int set_profile(struct options *o, const char *value, struct error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t n = strlen(value);

	if (n == 0 || n > 32 || strspn(value, allowed) != n)
		return error_field(err, "profile", "must be 1 to 32 letters, digits, - or _");
	o->profile = value;
	return 0;
}

static int set_timeout(struct options *o, const char *value, struct error *err)
{
	static const int64_t day_ms = 86400000;
	int64_t ns;

	if (!moment_parse_span(value, &ns) || ns < 1000000 || ns > day_ms * 1000000)
		return error_field(err, "timeout",
				   "must be a time from 1ms to a day, such as 500ms, 10s or 2m");
	o->timeout_ms = ns / 1000000;
	return 0;
}

static int set_output(struct options *o, const char *value, struct error *err)
{
	o->output_json = strcmp(value, "json") == 0;
	if (!o->output_json && strcmp(value, "table") != 0)
		return error_field(err, "output", "must be table or json");
	return 0;
}

static int set_json(struct options *o, const char *value, struct error *err)
{
	o->json = value;
	return 0;
}

static int set_password_file(struct options *o, const char *value, struct error *err)
{
	o->password_file = value;
	return 0;
}

static int set_verbose(struct options *o, const char *value, struct error *err)
{
	o->verbose = true;
	return 0;
}

static int set_all(struct options *o, const char *value, struct error *err)
{
	o->all = true;
	return 0;
}

static int set_version(struct options *o, const char *value, struct error *err)
{
	o->version = true;
	return 0;
}

static int set_help(struct options *o, const char *value, struct error *err)
{
	o->help = true;
	return 0;
}

static const struct option {
	const char *name, *shape, *help;
	int (*set)(struct options *o, const char *value, struct error *err);
} options[] = {
	{"target", "HOST:PORT", "Server to call; default $EDU_TARGET, else localhost:50051.", set_target},
	{"tls", "", "Call over TLS, trusting the system's roots.", set_tls},
	{"ca", "FILE", "Call over TLS, trusting these PEM certificates.", set_ca},
	{"authority", "NAME", "Name the server's certificate must have, when it is not the target's.",
	 set_authority},
	{"profile", "NAME", "Which kept session to use; default $EDU_PROFILE, else \"default\".",
	 set_profile},
	{"token", "TOKEN", "Access token to send instead of the kept session's; default $EDU_TOKEN.",
	 set_token},
	{"timeout", "TIME", "How long a call may take, such as 500ms or 2m; default 10s, of a stream none.",
	 set_timeout},
	{"json", "FILE",
	 "Read the request as proto3 JSON, - for stdin; flags add to it. A stream of requests is "
	 "read one object after the other.",
	 set_json},
	{"password-file", "FILE", "Read the request's password from the first line, - for stdin.",
	 set_password_file},
	{"output", "table|json",
	 "What to print. table is for people: percentages, bars, times to the second; as wide as the "
	 "terminal, and whole, aligned by blanks, into a file or a pipe. json has everything, exactly.",
	 set_output},
	{"all", "", "Print every page of a list, one below the other; as JSON a page a line.", set_all},
	{"verbose", "", "Say on stderr what is called and how long it took.", set_verbose},
	{"version", "", "Print the version.", set_version},
	{"help", "", "Explain the command.", set_help},
};

static const struct option *option_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	}
	return NULL;
}

bool option_find(const char *name, bool *takes_value)
{
	const struct option *option = option_by_name(name);

	if (option)
		*takes_value = option->shape[0];
	return option;
}

int option_set(struct options *o, const char *name, const char *value, struct error *err)
{
	return option_by_name(name)->set(o, value, err);
}

/* What a flag would be refused, a variable is too, by the variable's name. */
static int env_set(struct options *o, const char *variable, const char *option, const char *otherwise,
		   struct error *err)
{
	const char *value = getenv(variable);
	char must[sizeof(err->violations[0].description)];

	if (!value || !*value)
		return otherwise ? option_set(o, option, otherwise, err) : 0;
	int r = option_set(o, option, value, err);
	if (r == 0)
		return 0;
	snprintf(must, sizeof(must), "%s", err->violations[0].description);
	error_clear(err);
	return error_raise(err, &RPC_REASON_FIELD_INVALID, "$%s %s", variable, must);
}

int options_complete(struct options *o, struct error *err)
{
	int r = o->target ? 0 : env_set(o, "EDU_TARGET", "target", "localhost:50051", err);

	if (r == 0 && !o->profile)
		r = env_set(o, "EDU_PROFILE", "profile", "default", err);
	return r == 0 && !o->token ? env_set(o, "EDU_TOKEN", "token", NULL, err) : r;
}

void options_visit(void (*each)(void *arg, const char *name, const char *shape, const char *help), void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		each(arg, options[i].name, options[i].shape, options[i].help);
}
