/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "edu/v1/edu_service.server.h"
#include "server/auth/attempt.h"
#include "server/auth/authenticator.h"
#include "server/auth/password.h"
#include "server/user/session_issue.h"
#include "server/user/user_names.h"
#include "server/user/user_proto.h"

/* Login: database, password, database. */

/* A session ends so long after it began, however often it is refreshed. */
#define SESSION_LIFETIME_US (365 * DAY_US)

/* How often a Login begins again because the stored hash changed under it. */
enum { LOGIN_TRIES = 3 };

struct login {
	const struct app *app;
	struct arena *arena;
	const LoginRequest *req;
	LoginResponse *ret;
	bool known;
	struct user user;   /* when known */
	const char *rehash; /* the password under today's parameters; NULL: the stored hash is good */
	struct attempt attempt;
	unsigned tries;
	bool again; /* the stored hash is another than was verified */
	struct session session;
	struct refresh_token token;
	int64_t event_id;
};

static int credentials_invalid(struct error *err)
{
	return error_raise(err, &REASON_CREDENTIALS_INVALID, "No user has this name with this password.");
}

static int check_password(struct rpc_call *call, void *state, struct error *err);

static int login_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct login *m = arg;
	struct user u;

	int r = user_store_lock(conn, m->arena, m->user.user_id, &u, err);
	if (r < 0)
		return r;
	m->again = strcmp(u.password_hash, m->user.password_hash) != 0;
	m->user = u;
	if (m->again)
		return 0;
	r = m->rehash ? user_store_rehash(conn, u.user_id, u.password_hash, m->rehash, err) : 0;
	if (r >= 0)
		r = session_store_insert(conn, &m->session, err);
	if (r >= 0)
		r = session_append_event(conn, EVENT_SESSION_STARTED, m->event_id, &m->session,
					 m->session.create_us, err);
	return r < 0 ? r : session_issue(m->app, m->arena, &m->session, &u, &m->token, &m->ret->session, err);
}

static int begin_session(struct rpc_call *call, void *state, struct error *err)
{
	struct login *m = state;
	int64_t now_us = clock_now_us(m->app->clock);
	int64_t session_id;
	int r = app_new_ids(call, APP_IDS(&session_id, &m->event_id), err);
	if (r < 0)
		return r;
	m->session = (struct session){
		.session_id = session_id,
		.user_id = m->user.user_id,
		.create_us = now_us,
		.expire_us = now_us + SESSION_LIFETIME_US,
		.source = attempt_source(&m->attempt),
		.token_us = now_us,
	};
	m->session.token_expire_us = session_token_end_us(m->app, &m->session, now_us);
	refresh_token_begin(session_id, &m->token, &m->session.tokens);
	r = db_transaction(db_of(call), false, login_body, m, err);
	if (r < 0 || !m->again)
		return r;
	if (++m->tries == LOGIN_TRIES)
		return credentials_invalid(err);
	return rpc_run_on(call, RPC_ON_PASSWORD, check_password, m);
}

/* As much work for an unknown user as for a wrong password. */
static int check_password(struct rpc_call *call, void *state, struct error *err)
{
	struct login *m = state;
	const struct passwords *passwords = m->app->passwords;
	int r = attempt_begin(&m->attempt, err);

	if (r < 0)
		return r;
	if (!password_verify(passwords, m->known ? m->user.password_hash : NULL, m->req->password) ||
	    !m->known)
		return credentials_invalid(err);
	attempt_right(&m->attempt);
	r = user_may_sign_in(&m->user, err);
	if (r < 0)
		return r;
	m->rehash = NULL;
	if (password_needs_rehash(passwords, m->user.password_hash)) {
		char hash[PASSWORD_HASH_SIZE];
		r = password_hash(passwords, m->req->password, hash, err);
		if (r < 0)
			return r;
		m->rehash = arena_strdup(m->arena, hash);
	}
	return rpc_run_on(call, RPC_ON_DB, begin_session, m);
}

/* The same for an unknown user, as far as anybody can tell. */
static int ask_attempt(struct login *m, struct db_conn *conn, const char *name, const char *address,
		       struct error *err)
{
	const int64_t user_id = m->known ? m->user.user_id : 0;
	struct attempt *a = &m->attempt;

	attempt_init(a, m->app->auth->rates, user_id, name, address);
	if (attempt_needs_history(a)) {
		int r = session_store_began_at(conn, user_id, attempt_source(a), err);

		if (r < 0)
			return r;
		a->spared = r > 0;
	}
	return attempt_ask(a, err);
}

static int find_user(struct login *m, struct db_conn *conn, const char *name, struct error *err)
{
	int r = strchr(name, '@') ? user_store_by_email(conn, m->arena, name, &m->user, err)
				  : user_store_by_name(conn, m->arena, name, &m->user, err);

	m->known = r > 0;
	return r < 0 ? r : 0;
}

static int login(struct rpc_call *call, const LoginRequest *req, LoginResponse *ret, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct db_conn *conn = db_of(call);
	struct login *m = arena_zalloc(arena, sizeof(*m));
	const char *name = user_login_fold(arena, req->login);
	int r = arena_check(arena, err);
	if (r < 0)
		return r;
	m->app = app_of(call);
	m->arena = arena;
	m->req = req;
	m->ret = ret;
	r = find_user(m, conn, name, err);
	if (r >= 0)
		r = ask_attempt(m, conn, name, rpc_peer_address(call), err);
	return r < 0 ? r : rpc_run_on(call, RPC_ON_PASSWORD, check_password, m);
}

EDU_SERVICE_LOGIN(login, RPC_ON_DB);
