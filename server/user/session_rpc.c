/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "edu/v1/edu_service.server.h"
#include "proto/runtime/codec.h"
#include "server/app.h"
#include "server/auth/authenticator.h"
#include "server/auth/password.h"
#include "server/auth/refresh.h"
#include "server/user/session_store.h"
#include "server/user/user_proto.h"

/* Login and RefreshSession. */

/* A session ends so long after it began, however often it is refreshed. */
#define SESSION_LIFETIME_US (INT64_C(365) * 24 * 3600 * 1000000)

/* How often a Login begins again because the stored hash changed under it. */
enum { LOGIN_TRIES = 3 };

/* A refresh token about to be handed out. */
struct fresh_token {
	char text[REFRESH_TOKEN_SIZE];
	struct refresh_token stored;
};

static void make_token(struct rpc_call *call, const struct session *s, int64_t now_us,
		       struct fresh_token *ret)
{
	int64_t end_us = now_us + app_of(call)->refresh_token_us;
	ret->stored.session_id = s->session_id;
	ret->stored.create_us = now_us;
	ret->stored.expire_us = end_us < s->expire_us ? end_us : s->expire_us;
}

/*
 * The answer of both. Runs while the user is locked, so that whoever changes its roles does so wholly before
 * or wholly after this access token was issued.
 */
static int answer(struct rpc_call *call, const struct session *s, const struct user *u,
		  const struct fresh_token *refresh, Session **ret, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct principal who = {
		.user_id = u->user_id,
		.session_id = s->session_id,
		.rights_epoch = u->rights_epoch,
		.roles = u->roles,
	};
	const char *access;
	int r = token_issue(app_of(call)->auth->tokens, &who, arena, &access, err);
	if (r < 0)
		return r;
	Session *m = codec_new(SESSION_DESC, arena);
	if (m) {
		m->session_id = app_id(arena, ID_SESSION, s->session_id);
		m->access_token = (char *)access;
		m->access_token_expire_time = app_timestamp(arena, who.expire_us);
		m->refresh_token = arena_strdup(arena, refresh->text);
		m->refresh_token_expire_time = app_timestamp(arena, refresh->stored.expire_us);
		m->user = user_to_proto(arena, u);
	}
	*ret = m;
	return app_built(arena, err);
}

static int append_event(struct db_conn *conn, const char *kind, int64_t event_id, const struct session *s,
			int64_t now_us, struct error *err)
{
	const struct event e = {
		.event_id = event_id,
		.kind = kind,
		.subject_id = s->session_id,
		.user_id = s->user_id,
		.create_us = now_us,
	};
	return event_append(conn, &e, err);
}

static int user_suspended(struct error *err)
{
	return error_raise(err, &REASON_USER_SUSPENDED, "The account is suspended; ask support.");
}

/* --- Login: database, password, database --- */

struct login {
	struct rpc_call *call;
	const LoginRequest *req;
	LoginResponse *ret;
	bool known;
	struct user user;   /* when known */
	const char *rehash; /* the password under today's parameters; NULL: the stored hash is good */
	unsigned tries;
	bool again; /* the stored hash is another than was verified */
	struct session session;
	struct fresh_token token;
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
	struct arena *arena = rpc_arena(m->call);
	struct user u;

	int r = user_store_lock(conn, arena, m->user.user_id, &u, err);
	if (r < 0)
		return r;
	m->again = strcmp(u.password_hash, m->user.password_hash) != 0;
	m->user = u;
	if (m->again)
		return 0;
	if (u.state != USER_ACTIVE)
		return user_suspended(err);
	r = m->rehash ? user_store_rehash(conn, u.user_id, u.password_hash, m->rehash, err) : 0;
	if (r >= 0)
		r = session_store_insert(conn, &m->session, err);
	if (r >= 0)
		r = session_store_insert_token(conn, &m->token.stored, err);
	if (r >= 0)
		r = append_event(conn, EVENT_SESSION_STARTED, m->event_id, &m->session, m->session.create_us,
				 err);
	return r < 0 ? r : answer(m->call, &m->session, &u, &m->token, &m->ret->session, err);
}

static int begin_session(struct rpc_call *call, void *state, struct error *err)
{
	struct login *m = state;
	int64_t now_us = app_now_us(call);
	int64_t session_id;
	int r = app_new_ids(call, APP_IDS(&session_id, &m->event_id), err);
	if (r < 0)
		return r;
	m->session = (struct session){
		.session_id = session_id,
		.user_id = m->user.user_id,
		.create_us = now_us,
		.expire_us = now_us + SESSION_LIFETIME_US,
	};
	refresh_token_make(m->token.text, m->token.stored.hash);
	make_token(call, &m->session, now_us, &m->token);
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
	const struct passwords *passwords = app_of(call)->passwords;

	if (!password_verify(passwords, m->known ? m->user.password_hash : NULL, m->req->password) ||
	    !m->known)
		return credentials_invalid(err);
	if (m->user.state != USER_ACTIVE)
		return user_suspended(err);
	m->rehash = NULL;
	if (password_needs_rehash(passwords, m->user.password_hash)) {
		char hash[PASSWORD_HASH_SIZE];
		int r = password_hash(passwords, m->req->password, hash, err);
		if (r < 0)
			return r;
		m->rehash = arena_strdup(rpc_arena(call), hash);
	}
	return rpc_run_on(call, RPC_ON_DB, begin_session, m);
}

static int login(struct rpc_call *call, const LoginRequest *req, LoginResponse *ret, struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct login *m = arena_zalloc(arena, sizeof(*m));
	const char *name = user_text_fold(arena, req->login);
	int r = app_built(arena, err);
	if (r >= 0)
		r = auth_admit_text(app_of(call)->auth, RATE_LOGIN_ACCOUNT, name, err);
	if (r < 0)
		return r;
	m->call = call;
	m->req = req;
	m->ret = ret;
	if (strchr(name, '@'))
		r = user_store_by_email(db_of(call), arena, name, &m->user, err);
	else
		r = user_store_by_name(db_of(call), arena, name, &m->user, err);
	if (r < 0)
		return r;
	m->known = r > 0;
	return rpc_run_on(call, RPC_ON_PASSWORD, check_password, m);
}

/* --- RefreshSession --- */

enum refresh_outcome { REFRESHED, REFRESH_INVALID, REFRESH_REUSED };

struct refresh {
	struct rpc_call *call;
	RefreshSessionResponse *ret;
	uint8_t shown[REFRESH_HASH_LEN];
	struct fresh_token token;
	int64_t event_id;
	enum refresh_outcome outcome;
	int64_t user_id, now_us;
};

/* A token shown twice is in two hands: the session ends for both. */
static int end_family(struct db_conn *conn, struct refresh *m, const struct session *s, struct error *err)
{
	m->outcome = REFRESH_REUSED;
	if (s->revoke_us)
		return 0;
	int r = session_store_revoke(conn, s->session_id, m->now_us, err);
	return r < 0 ? r : append_event(conn, EVENT_SESSION_REVOKED, m->event_id, s, m->now_us, err);
}

static int exchange(struct db_conn *conn, struct refresh *m, const struct refresh_token *shown,
		    const struct session *s, struct error *err)
{
	struct user u;
	int r = user_store_lock(conn, rpc_arena(m->call), s->user_id, &u, err);
	if (r < 0)
		return r;
	if (u.state != USER_ACTIVE)
		return user_suspended(err);
	make_token(m->call, s, m->now_us, &m->token);
	if (!shown->used) {
		r = session_store_use_token(conn, m->shown, m->token.stored.hash, err);
		if (r >= 0)
			r = session_store_insert_token(conn, &m->token.stored, err);
	}
	return r < 0 ? r : answer(m->call, s, &u, &m->token, &m->ret->session, err);
}

static int refresh_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct refresh *m = arg;
	struct refresh_token shown;
	struct session s;

	int r = session_store_lock_token(conn, rpc_arena(m->call), m->shown, &shown, &s, err);
	m->outcome = REFRESH_INVALID;
	m->now_us = app_now_us(m->call);
	if (r <= 0)
		return r;
	m->user_id = s.user_id;
	/* Exchanged for the token of this very call: an earlier run of it did commit. */
	bool ours = shown.used && refresh_hash_equal(shown.successor, m->token.stored.hash);
	if (shown.used && !ours)
		return end_family(conn, m, &s, err);
	if (s.revoke_us || shown.expire_us <= m->now_us || s.expire_us <= m->now_us)
		return 0;
	m->outcome = REFRESHED;
	return exchange(conn, m, &shown, &s, err);
}

static int refresh_session(struct rpc_call *call, const RefreshSessionRequest *req,
			   RefreshSessionResponse *ret, struct error *err)
{
	struct refresh m = {.call = call, .ret = ret, .outcome = REFRESH_INVALID};
	int r = app_new_ids(call, APP_IDS(&m.event_id), err);
	refresh_token_make(m.token.text, m.token.stored.hash);
	if (r >= 0 && refresh_token_hash(req->refresh_token, m.shown))
		r = db_transaction(db_of(call), true, refresh_body, &m, err);
	if (r < 0)
		return r;
	switch (m.outcome) {
	case REFRESHED:
		return 0;
	case REFRESH_REUSED:
		auth_user_changed(app_of(call)->auth, m.user_id);
		return error_raise(
			err, &REASON_REFRESH_TOKEN_REUSED,
			"The refresh token was exchanged before; the session has been ended, sign in again.");
	default:
		return error_raise(err, &REASON_REFRESH_TOKEN_INVALID,
				   "The refresh token is unknown or has ended; sign in again.");
	}
}

EDU_SERVICE_LOGIN(login, RPC_ON_DB);
EDU_SERVICE_REFRESH_SESSION(refresh_session, RPC_ON_DB);
