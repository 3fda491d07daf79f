/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USER_SESSION_STORE_H
#define USER_SESSION_STORE_H

#include "server/auth/refresh.h"
#include "server/base/principal.h"
#include "server/db/db.h"
#include "server/db/retention.h"

/* Sessions, each with what is stored of its refresh tokens. */

struct session {
	int64_t session_id, user_id;
	int64_t create_us;
	struct span source; /* the network it was begun from, as auth/attempt.h names it */
	int64_t expire_us;  /* no refresh token of it lives longer */
	int64_t revoke_us;  /* 0: it lives */
	struct refresh_stored tokens;
	int64_t token_us, token_expire_us; /* when the newest token was made, and when it ends */
};

int session_store_insert(struct db_conn *conn, const struct session *s, struct error *err)
	__attribute__((warn_unused_result));

/* 1 and the session, locked; 0 when there is none. */
int session_store_lock(struct db_conn *conn, struct arena *arena, int64_t session_id, struct session *ret,
		       struct error *err) __attribute__((warn_unused_result));

/* Writes the newest token of a locked session. */
int session_store_exchange(struct db_conn *conn, const struct session *s, struct error *err)
	__attribute__((warn_unused_result));

int session_store_revoke(struct db_conn *conn, int64_t session_id, int64_t now_us, struct error *err)
	__attribute__((warn_unused_result));

/* 1 when the user has begun a session from there that is still kept; 0 when not, and for nowhere. */
int session_store_began_at(struct db_conn *conn, int64_t user_id, struct span source, struct error *err)
	__attribute__((warn_unused_result));

/* 1 when the session lives and the user is active with this rights_epoch; 0 when not. One round trip. */
int session_store_holds(struct db_conn *conn, const struct principal *who, struct error *err)
	__attribute__((warn_unused_result));
/* The same, and it stays so until the transaction is over. */
int session_store_lock_holding(struct db_conn *conn, const struct principal *who, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list session_stmts;

/*
 * A session is over when its newest refresh token ends, revoked or not: until then an older one that is shown
 * is told from one that somebody made up. Without its row no token of it is accepted. The last access tokens
 * of a session outlive it by no more than their own life, and need its row.
 */
extern const struct retention session_retention;

#endif
