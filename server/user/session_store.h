/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USER_SESSION_STORE_H
#define USER_SESSION_STORE_H

#include "server/auth/refresh.h"
#include "server/base/principal.h"
#include "server/db/db.h"

/* Sessions and the refresh tokens they are made of. */

struct session {
	int64_t session_id, user_id;
	int64_t create_us;
	int64_t expire_us; /* no refresh token of it lives longer */
	int64_t revoke_us; /* 0: it lives */
};

struct refresh_token {
	uint8_t hash[REFRESH_HASH_LEN];
	int64_t session_id;
	int64_t create_us, expire_us;
	bool used;                           /* exchanged for: */
	uint8_t successor[REFRESH_HASH_LEN]; /* when used */
};

int session_store_insert(struct db_conn *conn, const struct session *s, struct error *err)
	__attribute__((warn_unused_result));

/* 1 and the token with its session, both locked; 0 when there is no such token. */
int session_store_lock_token(struct db_conn *conn, struct arena *arena, const uint8_t hash[REFRESH_HASH_LEN],
			     struct refresh_token *ret, struct session *ret_session, struct error *err)
	__attribute__((warn_unused_result));

int session_store_insert_token(struct db_conn *conn, const struct refresh_token *t, struct error *err)
	__attribute__((warn_unused_result));

/* Marks a locked token as exchanged for another. */
int session_store_use_token(struct db_conn *conn, const uint8_t hash[REFRESH_HASH_LEN],
			    const uint8_t successor[REFRESH_HASH_LEN], struct error *err)
	__attribute__((warn_unused_result));

int session_store_revoke(struct db_conn *conn, int64_t session_id, int64_t now_us, struct error *err)
	__attribute__((warn_unused_result));

/* 1 when the session lives and the user is active with this rights_epoch; 0 when not. One round trip. */
int session_store_holds(struct db_conn *conn, const struct principal *who, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list session_stmts;

#endif
