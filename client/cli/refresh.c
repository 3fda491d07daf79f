/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/cli/cli.h"

/*
 * RefreshSession uses its token up. Asked for without one it exchanges the kept session's, and whenever it
 * exchanged that one, what comes is kept: otherwise the next command would show the old one again, which ends
 * the session as stolen.
 */

static const char *token_given(const struct invocation *i)
{
	const json_t *token = json_object_get(i->request, "refreshToken");

	return json_string_value(token ? token : json_object_get(i->request, "refresh_token"));
}

static bool is_refresh(const struct method_desc *method)
{
	return method->response == REFRESH_SESSION_RESPONSE_DESC;
}

/* Whether the session kept is the one to exchange. */
static int refresh_concerns_kept(struct cli *cli, const char *given, bool *ret, struct error *err)
{
	struct session_tokens kept;
	int r = session_file_load(&cli->session_file, &kept, err);

	*ret = false;
	if (r < 0)
		return r;
	if (!kept.refresh && !given)
		return error_raise(err, &RPC_REASON_TOKEN_MISSING, "no session is kept for %.64s",
				   cli->invocation.options.target);
	*ret = kept.refresh && (!given || strcmp(given, kept.refresh) == 0);
	session_tokens_done(&kept);
	return 0;
}

int refresh_begin(struct cli *cli, enum refresh *ret, struct error *err)
{
	struct session_tokens kept = {.access = NULL};

	bool is_kept;

	*ret = REFRESH_OTHER;
	if (!is_refresh(cli->invocation.method))
		return 0;
	const char *given = token_given(&cli->invocation);
	int r = refresh_concerns_kept(cli, given, &is_kept, err);
	if (r < 0 || !is_kept)
		return r;
	*ret = given ? REFRESH_SHOWN : REFRESH_KEPT;
	/* Another command may have exchanged it while this one waited for the lock. */
	struct session_store store = session_file_store(&cli->session_file);
	r = store.lock(store.arg, &kept, err);
	if (r == 0 && !kept.refresh)
		r = error_raise(err, &RPC_REASON_TOKEN_MISSING, "no session is kept any more");
	if (r == 0)
		json_object_set_new(cli->invocation.request, "refreshToken", json_string(kept.refresh));
	session_tokens_done(&kept);
	return r;
}

int refresh_keep(struct cli *cli, const ProtobufCMessage *reply, struct error *err)
{
	const RefreshSessionResponse *response = (const RefreshSessionResponse *)reply;

	return cli_keep_session(cli, response->session, err);
}

void refresh_end(struct cli *cli)
{
	struct session_store store = session_file_store(&cli->session_file);

	if (cli->session_file.lock >= 0)
		store.unlock(store.arg);
}
