/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USER_SESSION_ISSUE_H
#define USER_SESSION_ISSUE_H

#include "edu/v1/edu_service.tables.h"
#include "server/app/app.h"
#include "server/user/session_store.h"
#include "server/user/user_store.h"

/* What Login and RefreshSession share. */

/* The end of a refresh token of the session that is made now. */
int64_t session_token_end_us(const struct app *app, const struct session *s, int64_t now_us);

/*
 * The answer: both tokens, and who signed in. USER_SUSPENDED for a user who may not. Runs while the user is
 * locked, so that whoever changes its rights does so wholly before or wholly after this access token was
 * made.
 */
int session_issue(const struct app *app, struct arena *arena, const struct session *s, const struct user *u,
		  const struct refresh_token *refresh, Session **ret, struct error *err)
	__attribute__((warn_unused_result));

int session_append_event(struct db_conn *conn, const char *kind, int64_t event_id, const struct session *s,
			 int64_t now_us, struct error *err) __attribute__((warn_unused_result));

/* USER_SUSPENDED when the state of the user does not allow it. */
int user_may_sign_in(const struct user *u, struct error *err) __attribute__((warn_unused_result));

#endif
