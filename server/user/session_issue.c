/* SPDX-License-Identifier: Apache-2.0 */
#include "server/user/session_issue.h"

#include "proto/runtime/codec.h"
#include "server/auth/authenticator.h"
#include "server/user/user_names.h"
#include "server/user/user_proto.h"

int64_t session_token_end_us(const struct app *app, const struct session *s, int64_t now_us)
{
	int64_t end_us = now_us + app->refresh_token_us;

	return end_us < s->expire_us ? end_us : s->expire_us;
}

int user_may_sign_in(const struct user *u, struct error *err)
{
	switch (u->state) {
	case USER_ACTIVE:
		return 0;
	case USER_SUSPENDED:
		break;
	}
	return error_raise(err, &REASON_USER_SUSPENDED, "The account is suspended; ask support.");
}

static Session *session_to_proto(struct arena *arena, const struct session *s, const struct user *u,
				 const struct refresh_token *refresh)
{
	char text[REFRESH_TOKEN_SIZE];
	Session *m = codec_new(SESSION_DESC, arena);
	if (!m)
		return NULL;
	refresh_token_format(refresh, text);
	m->session_id = app_id(arena, ID_SESSION, s->session_id);
	m->refresh_token = arena_strdup(arena, text);
	m->refresh_token_expire_time = app_timestamp(arena, s->token_expire_us);
	m->user = user_to_proto(arena, u);
	return m;
}

int session_issue(const struct app *app, struct arena *arena, const struct session *s, const struct user *u,
		  const struct refresh_token *refresh, Session **ret, struct error *err)
{
	struct principal who = {
		.user_id = u->user_id,
		.session_id = s->session_id,
		.rights_epoch = u->rights_epoch,
		.roles = u->roles,
	};
	const char *access;

	int r = user_may_sign_in(u, err);
	if (r == 0)
		r = token_issue(app->auth->tokens, &who, arena, &access, err);
	if (r < 0)
		return r;
	Session *m = session_to_proto(arena, s, u, refresh);
	if (m) {
		m->access_token = (char *)access;
		m->access_token_expire_time = app_timestamp(arena, who.expire_us);
	}
	*ret = m;
	return arena_check(arena, err);
}

int session_append_event(struct db_conn *conn, const char *kind, int64_t event_id, const struct session *s,
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
