/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/session_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "edu/v1/edu_service.server.h"

_Atomic int session_newest, session_oldest, session_lifetime, session_refreshes, session_refused;
_Atomic int session_busy, session_handled;

static struct rpc_server *server;

static int authenticate(void *arg, const struct rpc_bearer *bearer, struct principal *ret, struct error *err)
{
	const struct span token = bearer->token;
	char text[16] = "";
	int n;

	if (token.len < sizeof(text))
		memcpy(text, token.data, token.len);
	if (sscanf(text, "a%d", &n) != 1)
		return error_raise(err, &RPC_REASON_TOKEN_INVALID, "not ours");
	if (n < session_oldest) {
		session_refused++;
		return error_raise(err, &RPC_REASON_TOKEN_EXPIRED, "the access token has ended");
	}
	*ret = (struct principal){.user_id = 7, .roles = ROLE_MASK_LEARNER};
	return 0;
}

static Session *session_make(struct rpc_call *call, int n)
{
	Session *s = arena_zalloc(rpc_arena(call), sizeof(*s));
	User *user = arena_zalloc(rpc_arena(call), sizeof(*user));
	Google__Protobuf__Timestamp *expire = arena_zalloc(rpc_arena(call), sizeof(*expire));

	*s = (Session)SESSION_INIT;
	*user = (User)USER_INIT;
	google__protobuf__timestamp__init(expire);
	user->user_name = (char *)"ada";
	expire->seconds = time(NULL) + session_lifetime;
	s->access_token = arena_printf(rpc_arena(call), "a%d", n);
	s->refresh_token = arena_printf(rpc_arena(call), "r%d", n);
	s->access_token_expire_time = expire;
	s->user = user;
	return s;
}

static int busy(struct error *err)
{
	session_handled++;
	if (session_busy == 0)
		return 0;
	session_busy--;
	return error_raise(err, &RPC_REASON_OVERLOADED, "a queue is full");
}

static int login(struct rpc_call *call, const LoginRequest *req, LoginResponse *ret, struct error *err)
{
	int r = busy(err);
	if (r < 0)
		return r;
	if (strcmp(req->login, "ada") != 0 || strcmp(req->password, "correct horse") != 0)
		return error_raise(err, &REASON_CREDENTIALS_INVALID, "No user has this name and password.");
	session_newest = 0;
	ret->session = session_make(call, 0);
	return RPC_DONE;
}

/* Slow enough for others to come meanwhile. */
static int refresh_session(struct rpc_call *call, const RefreshSessionRequest *req,
			   RefreshSessionResponse *ret, struct error *err)
{
	char newest[16];

	session_refreshes++;
	usleep(50000);
	snprintf(newest, sizeof(newest), "r%d", session_newest);
	if (strcmp(req->refresh_token, newest) != 0)
		return error_raise(err, &REASON_REFRESH_TOKEN_REUSED,
				   "the refresh token was exchanged before");
	ret->session = session_make(call, ++session_newest);
	return RPC_DONE;
}

static int get_user(struct rpc_call *call, const GetUserRequest *req, GetUserResponse *ret, struct error *err)
{
	User *user = arena_zalloc(rpc_arena(call), sizeof(*user));

	*user = (User)USER_INIT;
	user->user_id = arena_printf(rpc_arena(call), "%lld", (long long)rpc_principal(call)->user_id);
	user->user_name = (char *)"ada";
	ret->user = user;
	return rpc_subject(call, rpc_principal(call)->user_id, false, err);
}

static int record_read(struct rpc_call *call, int64_t subject_id, struct error *err)
{
	return error_internal(err, "here everybody reads of himself");
}

static int get_course(struct rpc_call *call, const GetCourseRequest *req, GetCourseResponse *ret,
		      struct error *err)
{
	Course *course = arena_zalloc(rpc_arena(call), sizeof(*course));
	int r = busy(err);

	if (r < 0)
		return r;
	*course = (Course)COURSE_INIT;
	course->course_id = req->course_id;
	course->creator_id = arena_printf(rpc_arena(call), "%lld", (long long)rpc_principal(call)->user_id);
	ret->course = course;
	return RPC_DONE;
}

EDU_SERVICE_LOGIN(login, RPC_ON_POLLER);
EDU_SERVICE_REFRESH_SESSION(refresh_session, RPC_ON_DB);
EDU_SERVICE_GET_USER(get_user, RPC_ON_POLLER);
EDU_SERVICE_GET_COURSE(get_course, RPC_ON_POLLER);

int session_server_start(void)
{
	static const struct rpc_row *const rows[] = {&edu_service_row_login, &edu_service_row_refresh_session,
						     &edu_service_row_get_user, &edu_service_row_get_course,
						     NULL};
	static const struct service_desc *const services[] = {NULL};
	struct rpc_server_config config;
	struct error err;

	session_newest = session_oldest = session_refreshes = session_refused = 0;
	session_busy = session_handled = 0;
	session_lifetime = 900;
	rpc_server_config_defaults(&config);
	config.address = "127.0.0.1:0";
	config.drain_notice_ms = 0;
	config.drain_ms = 2000;
	config.auth.authenticate = authenticate;
	config.record_read = record_read;
	config.executors[RPC_ON_DB].threads = 2;
	config.executors[RPC_ON_PASSWORD].threads = 1;
	if (rpc_server_new(&config, rows, services, &server, &err) < 0 ||
	    rpc_server_start(server, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		abort();
	}
	return rpc_server_port(server);
}

void session_server_stop(void)
{
	rpc_server_stop(server);
	rpc_server_free(server);
}
