/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "edu/v1/edu_service.server.h"
#include "server/auth/authenticator.h"
#include "server/user/session_issue.h"
#include "server/user/user_names.h"

/*
 * RefreshSession. Of the session's tokens the newest is exchanged for its successor. The one before it gets
 * the same successor again, for a while: its answer may have been lost, or two of the caller's processes
 * asked at once; so does a run of the transaction that meets what an earlier run of it committed. Any other
 * shows that the session is in two hands: it ends for both.
 */
#define GRACE_US (10 * SECOND_US)

enum refresh_outcome { REFRESHED, REFRESH_INVALID, REFRESH_REUSED };

struct refresh {
	const struct app *app;
	struct arena *arena;
	RefreshSessionResponse *ret;
	struct refresh_token shown;
	uint8_t nonce[REFRESH_NONCE_LEN];
	int64_t event_id;
	enum refresh_outcome outcome;
	int64_t user_id, now_us;
};

static int end_session(struct db_conn *conn, struct refresh *m, const struct session *s, struct error *err)
{
	m->outcome = REFRESH_REUSED;
	if (s->revoke_us)
		return 0;
	int r = session_store_revoke(conn, s->session_id, m->now_us, err);
	return r < 0 ? r : session_append_event(conn, EVENT_SESSION_REVOKED, m->event_id, s, m->now_us, err);
}

/* Tells whether the token has been exchanged just now; a clock that is off by more makes it no. */
static bool within_grace(const struct refresh *m, const struct session *s)
{
	return llabs(m->now_us - s->token_us) < GRACE_US;
}

static int exchange(struct db_conn *conn, struct refresh *m, struct session *s, struct refresh_token *ret,
		    struct error *err)
{
	refresh_token_exchange(ret, m->nonce, &s->tokens);
	s->token_us = m->now_us;
	s->token_expire_us = session_token_end_us(m->app, s, m->now_us);
	return session_store_exchange(conn, s, err);
}

static int give_successor(struct db_conn *conn, struct refresh *m, struct session *s, enum refresh_kind kind,
			  struct error *err)
{
	struct refresh_token token = m->shown;
	struct user u;
	int r = user_store_lock(conn, m->arena, s->user_id, &u, err);
	if (r < 0)
		return r;
	if (kind == REFRESH_PREVIOUS)
		refresh_token_successor(&m->shown, &s->tokens, &token);
	else
		r = exchange(conn, m, s, &token, err);
	m->outcome = REFRESHED;
	return r < 0 ? r : session_issue(m->app, m->arena, s, &u, &token, &m->ret->session, err);
}

static int refresh_body(struct db_conn *conn, void *arg, struct error *err)
{
	struct refresh *m = arg;
	struct session s;

	int r = session_store_lock(conn, m->arena, m->shown.session_id, &s, err);
	m->outcome = REFRESH_INVALID;
	m->now_us = clock_now_us(m->app->clock);
	if (r <= 0)
		return r;
	m->user_id = s.user_id;
	enum refresh_kind kind = refresh_token_kind(&m->shown, &s.tokens);
	if (kind == REFRESH_UNKNOWN)
		return 0;
	if (kind == REFRESH_OLDER || (kind == REFRESH_PREVIOUS && !within_grace(m, &s)))
		return end_session(conn, m, &s, err);
	if (s.revoke_us || s.token_expire_us <= m->now_us)
		return 0;
	return give_successor(conn, m, &s, kind, err);
}

static int refresh_session(struct rpc_call *call, const RefreshSessionRequest *req,
			   RefreshSessionResponse *ret, struct error *err)
{
	struct refresh m = {
		.app = app_of(call), .arena = rpc_arena(call), .ret = ret, .outcome = REFRESH_INVALID};
	int r = app_new_ids(call, APP_IDS(&m.event_id), err);
	refresh_nonce_make(m.nonce);
	if (r >= 0 && refresh_token_parse(req->refresh_token, &m.shown))
		r = db_transaction(db_of(call), true, refresh_body, &m, err);
	if (r < 0)
		return r;
	switch (m.outcome) {
	case REFRESHED:
		return 0;
	case REFRESH_REUSED:
		auth_user_changed(m.app->auth, m.user_id);
		return error_raise(
			err, &REASON_REFRESH_TOKEN_REUSED,
			"The refresh token was exchanged before; the session has been ended, sign in again.");
	default:
		return error_raise(err, &REASON_REFRESH_TOKEN_INVALID,
				   "The refresh token is unknown or has ended; sign in again.");
	}
}

EDU_SERVICE_REFRESH_SESSION(refresh_session, RPC_ON_DB);
