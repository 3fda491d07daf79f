/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "client/examples/import_oulad/import.h"
#include "client/examples/import_oulad/patience.h"
#include "edu/v1/edu_service.client.h"
#include "proto/runtime/array.h"

enum {
	CALL_TIMEOUT_MS = 30 * 1000,
	/* Nothing is under way yet, so a wrong target is said soon. */
	CONNECT_PATIENCE_MS = 3 * 1000,
};

/* No token until the account has signed in. */
static int connection_token(void *arg, const char *refused, struct arena *arena, const char **ret,
			    struct error *err)
{
	struct import *im = arg;

	*ret = NULL;
	if (!im->session)
		return 0;
	struct client_credentials session = client_session_credentials(im->session);
	return session.token(session.arg, refused, arena, ret, err);
}

static int channel_open(struct import *im, struct error *err)
{
	const struct service_desc *const services[] = {&edu_service_desc, NULL};
	const struct client_credentials credentials = {.token = connection_token, .arg = im};
	const struct client_options options = {
		.target = im->options->target,
		.tls = im->options->tls,
		.ca_file = im->options->ca_file,
		.authority = im->options->authority,
		.timeout_ms = CALL_TIMEOUT_MS,
		.user_agent = "import_oulad",
		.replayed_header = "edu-replayed",
	};
	int r = client_channel_new(&options, services, &im->channel, err);
	if (r == 0)
		client_channel_set_credentials(im->channel, &credentials);
	return r;
}

static int roles_check(const struct import *im, const User *user, struct error *err)
{
	static const struct {
		Role role;
		const char *name;
	} needed[] = {
		{ROLE_INSTRUCTOR, "INSTRUCTOR"}, {ROLE_PAYMENTS, "PAYMENTS"}, {ROLE_SUPPORT, "SUPPORT"}};

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		bool held = false;
		for (size_t j = 0; j < user->n_roles; j++)
			held |= user->roles[j] == needed[i].role;
		if (!held)
			return error_raise(err, &RPC_REASON_ROLE_MISSING, "%s lacks the role %s",
					   im->options->user, needed[i].name);
	}
	return 0;
}

static int session_keep(struct import *im, const Session *session, struct error *err)
{
	struct session_tokens tokens;

	if (!session || !session->user || !session_tokens_read(session, &tokens))
		return error_internal(err, "the session could not be kept");
	int r = roles_check(im, session->user, err);
	if (r == 0)
		r = client_session_new(im->channel, &tokens, NULL, &im->session, err);
	if (r < 0)
		session_tokens_done(&tokens);
	snprintf(im->user_id, sizeof(im->user_id), "%s", session->user->user_id);
	return r;
}

static int login(struct import *im, const char *user, const char *password_file, struct arena *arena,
		 Session **ret, struct error *err)
{
	const struct client_call_options nobody = {.token = ""};
	char password[SECRET_MAX];
	LoginRequest request = LOGIN_REQUEST_INIT;
	LoginResponse *response;
	struct patience p = {.limit_ms = CONNECT_PATIENCE_MS};
	int r = secret_read_file(password_file, password, err);

	if (r < 0)
		return r;
	request.login = (char *)user;
	request.password = password;
	do {
		tally_calls(&im->tally, 1);
		r = edu_service_login_call(im->channel, &request, &nobody, arena, &response, err);
	} while (patience_again(&p, r, err));
	explicit_bzero(password, sizeof(password));
	if (r == 0)
		*ret = response->session;
	return r;
}

static int sign_in(struct import *im, struct error *err)
{
	Session *session = NULL;
	struct arena arena;

	arena_init(&arena, IMPORT_ARENA_MAX);
	int r = login(im, im->options->user, im->options->password_file, &arena, &session, err);
	if (r == 0)
		r = session_keep(im, session, err);
	if (r < 0)
		connection_keep_error(err);
	arena_done(&arena);
	return r;
}

int connection_approver(struct import *im, struct arena *arena, const char **ret_token, struct error *err)
{
	const struct options *o = im->options;
	Session *session = NULL;
	int r = login(im, o->approver, o->approver_password_file, arena, &session, err);

	if (r == 0)
		*ret_token = session->access_token;
	return r;
}

int connection_open(struct import *im, struct error *err)
{
	int r = channel_open(im, err);

	return r < 0 ? r : sign_in(im, err);
}

void connection_close(struct import *im)
{
	client_session_free(im->session);
	client_channel_free(im->channel);
}

int connection_keep_error(struct error *err)
{
	const struct error_reason *kept = client_plain_reason(err->code);

	for (unsigned i = 0; err->reason && i < edu_service_desc.n_reasons; i++) {
		if (strcmp(edu_service_desc.reasons[i].name, err->reason->name) == 0)
			kept = &edu_service_desc.reasons[i];
	}
	err->reason = kept;
	return -err->code;
}
