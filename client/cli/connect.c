/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "client/cli/cli.h"

/* A failure is remembered: a public call goes on without a token, and the user is told. */
static int connect_token(void *arg, const char *refused, struct arena *arena, const char **ret,
			 struct error *err)
{
	struct cli *cli = arg;
	struct client_credentials inner = client_session_credentials(cli->session);
	int r = inner.token(inner.arg, refused, arena, ret, err);

	cli->session_failed = r < 0;
	if (r < 0) {
		cli->session_err = *err;
		snprintf(cli->session_reason, sizeof(cli->session_reason), "%s", err->reason->name);
	}
	return r;
}

static int connect_session(struct cli *cli, struct error *err)
{
	struct session_tokens tokens;
	int r = session_file_load(&cli->session_file, &tokens, err);
	if (r < 0 || !tokens.access)
		return r;
	struct session_store store = session_file_store(&cli->session_file);
	r = client_session_new(cli->channel, &tokens, &store, &cli->session, err);
	if (r < 0) {
		session_tokens_done(&tokens);
		return r;
	}
	struct client_credentials credentials = {.token = connect_token, .arg = cli};
	client_channel_set_credentials(cli->channel, &credentials);
	return 0;
}

int cli_connect(struct cli *cli, struct error *err)
{
	const struct options *o = &cli->invocation.options;
	const struct service_desc *services[] = {cli->service, NULL};
	const struct client_options options = {
		.target = o->target,
		.tls = o->tls,
		.ca_file = o->ca_file,
		.authority = o->authority,
		.user_agent = "edu/" EDU_VERSION,
		.replayed_header = "edu-replayed",
	};
	int r = client_channel_new(&options, services, &cli->channel, err);
	if (r < 0 && err->n_violations == 1 && strcmp(err->violations[0].field, "ca_file") == 0)
		snprintf(err->violations[0].field, sizeof(err->violations[0].field),
			 "ca"); /* as the flag is called */
	if (r == 0)
		r = client_channel_connect(cli->channel, o->timeout_ms, err);
	if (r == 0 && !o->token && !request_has_secret(cli->invocation.method))
		r = connect_session(cli, err);
	return r;
}

int cli_keep_session(struct cli *cli, const Session *session, struct error *err)
{
	struct session_tokens tokens;

	if (!session || !session_tokens_read(session, &tokens))
		return error_internal(err, "the answer holds no session");
	int r = session_file_save(&cli->session_file, &tokens, err);
	session_tokens_done(&tokens);
	return r;
}
