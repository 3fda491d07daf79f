/* SPDX-License-Identifier: Apache-2.0 */
#include "server/user/session_store.h"

#include <string.h>

#include "server/app.h"

enum stmt { INSERT, LOCK_TOKEN, INSERT_TOKEN, USE_TOKEN, REVOKE, HOLDS, N_STMTS };

static const struct db_stmt stmts[N_STMTS] = {
	[INSERT] =
		{"session_insert", "iiii", "",
		 "INSERT INTO session (session_id, user_id, create_time, expire_time) VALUES (?, ?, ?, ?)"},
	[LOCK_TOKEN] = {"session_lock_token", "b", "iiibiiii",
			"SELECT t.session_id, t.create_time, t.expire_time, t.successor_hash, s.user_id, "
			"s.create_time,"
			" s.expire_time, s.revoke_time FROM refresh_token t JOIN session s ON s.session_id = "
			"t.session_id"
			" WHERE t.token_hash = ? FOR UPDATE"},
	[INSERT_TOKEN] = {"session_insert_token", "biii", "",
			  "INSERT INTO refresh_token (token_hash, session_id, create_time, expire_time)"
			  " VALUES (?, ?, ?, ?)"},
	[USE_TOKEN] = {"session_use_token", "bb", "",
		       "UPDATE refresh_token SET successor_hash = ? WHERE token_hash = ?"},
	[REVOKE] = {"session_revoke", "ii", "",
		    "UPDATE session SET revoke_time = ? WHERE session_id = ? AND revoke_time IS NULL"},
	[HOLDS] = {"session_holds", "iii", "i",
		   "SELECT 1 FROM session s JOIN user u ON u.user_id = s.user_id WHERE s.session_id = ?"
		   " AND s.revoke_time IS NULL AND u.user_id = ? AND u.rights_epoch = ? AND u.state = 1"},
};

const struct db_stmt_list session_stmts = {"session", stmts, N_STMTS};

static struct db_value hash_value(const uint8_t hash[REFRESH_HASH_LEN])
{
	return db_bytes(span_of(hash, REFRESH_HASH_LEN));
}

int session_store_insert(struct db_conn *conn, const struct session *s, struct error *err)
{
	return db_exec(conn, &stmts[INSERT],
		       DB_ARGS(db_i64(s->session_id), db_i64(s->user_id), db_i64(s->create_us),
			       db_i64(s->expire_us)),
		       NULL, err);
}

int session_store_lock_token(struct db_conn *conn, struct arena *arena, const uint8_t hash[REFRESH_HASH_LEN],
			     struct refresh_token *ret, struct session *ret_session, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_query_row(conn, &stmts[LOCK_TOKEN], DB_ARGS(hash_value(hash)), &rows, err);
	if (r <= 0)
		return r;
	*ret = (struct refresh_token){
		.session_id = db_col_i64(&rows, 0),
		.create_us = db_col_i64(&rows, 1),
		.expire_us = db_col_i64(&rows, 2),
		.used = !db_is_null(&rows, 3),
	};
	memcpy(ret->hash, hash, REFRESH_HASH_LEN);
	struct span successor = db_col_bytes(&rows, 3, arena);
	r = app_built(arena, err);
	if (r < 0)
		return r;
	if (successor.len == REFRESH_HASH_LEN)
		memcpy(ret->successor, successor.data, REFRESH_HASH_LEN);
	*ret_session = (struct session){
		.session_id = ret->session_id,
		.user_id = db_col_i64(&rows, 4),
		.create_us = db_col_i64(&rows, 5),
		.expire_us = db_col_i64(&rows, 6),
		.revoke_us = db_col_i64(&rows, 7),
	};
	return 1;
}

int session_store_insert_token(struct db_conn *conn, const struct refresh_token *t, struct error *err)
{
	return db_exec(conn, &stmts[INSERT_TOKEN],
		       DB_ARGS(hash_value(t->hash), db_i64(t->session_id), db_i64(t->create_us),
			       db_i64(t->expire_us)),
		       NULL, err);
}

int session_store_use_token(struct db_conn *conn, const uint8_t hash[REFRESH_HASH_LEN],
			    const uint8_t successor[REFRESH_HASH_LEN], struct error *err)
{
	return db_exec(conn, &stmts[USE_TOKEN], DB_ARGS(hash_value(successor), hash_value(hash)), NULL, err);
}

int session_store_revoke(struct db_conn *conn, int64_t session_id, int64_t now_us, struct error *err)
{
	return db_exec(conn, &stmts[REVOKE], DB_ARGS(db_i64(now_us), db_i64(session_id)), NULL, err);
}

int session_store_holds(struct db_conn *conn, const struct principal *who, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};

	return db_query_row(conn, &stmts[HOLDS],
			    DB_ARGS(db_i64(who->session_id), db_i64(who->user_id), db_i64(who->rights_epoch)),
			    &rows, err);
}
