/* SPDX-License-Identifier: Apache-2.0 */
#include "server/user/session_store.h"

#include <string.h>

#include "server/app/app.h"

#define COLUMNS                                                                                              \
	"session_id, user_id, create_time, expire_time, session_hash, token_hash, token_nonce, token_time, " \
	"token_expire_time"

enum stmt { INSERT, LOCK, EXCHANGE, REVOKE, BEGAN_AT, HOLDS, LOCK_HOLDING, N_STMTS };

#define HOLDS_SQL                                                                                            \
	"SELECT 1 FROM session s JOIN user u ON u.user_id = s.user_id WHERE s.session_id = ?"                \
	" AND s.revoke_time IS NULL AND u.user_id = ? AND u.rights_epoch = ? AND u.state = 1"

static const struct db_stmt stmts[N_STMTS] = {
	[INSERT] = {"session_insert", "iiiibbbiib", "",
		    "INSERT INTO session (" COLUMNS ", source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
	[LOCK] = {"session_lock", "i", "iiiibbbiii",
		  "SELECT " COLUMNS ", revoke_time FROM session WHERE session_id = ? FOR UPDATE"},
	[EXCHANGE] =
		{"session_exchange", "bbiii", "",
		 "UPDATE session SET token_hash = ?, token_nonce = ?, token_time = ?, token_expire_time = ?"
		 " WHERE session_id = ?"},
	[REVOKE] = {"session_revoke", "ii", "",
		    "UPDATE session SET revoke_time = ? WHERE session_id = ? AND revoke_time IS NULL"},
	[BEGAN_AT] = {"session_began_at", "ib", "i",
		      "SELECT 1 FROM session WHERE user_id = ? AND source = ? AND source <> '' LIMIT 1"},
	[HOLDS] = {"session_holds", "iii", "i", HOLDS_SQL},
	[LOCK_HOLDING] = {"session_lock_holding", "iii", "i", HOLDS_SQL " FOR UPDATE"},
};

const struct db_stmt_list session_stmts = {"session", stmts, N_STMTS};

#define BYTES(array) db_bytes(span_of(array, sizeof(array)))

int session_store_insert(struct db_conn *conn, const struct session *s, struct error *err)
{
	return db_exec(conn, &stmts[INSERT],
		       DB_ARGS(db_i64(s->session_id), db_i64(s->user_id), db_i64(s->create_us),
			       db_i64(s->expire_us), BYTES(s->tokens.session_hash),
			       BYTES(s->tokens.newest_hash), BYTES(s->tokens.nonce), db_i64(s->token_us),
			       db_i64(s->token_expire_us), db_bytes(s->source)),
		       NULL, err);
}

/* Of a column whose length is fixed; zeros when the arena is full. */
static void read_bytes(const struct db_rows *rows, unsigned column, struct arena *arena, uint8_t *ret,
		       size_t len)
{
	struct span bytes = db_col_bytes(rows, column, arena);

	memset(ret, 0, len);
	if (bytes.data && bytes.len == len)
		memcpy(ret, bytes.data, len);
}

int session_store_lock(struct db_conn *conn, struct arena *arena, int64_t session_id, struct session *ret,
		       struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	int r = db_query_row(conn, &stmts[LOCK], DB_ARGS(db_i64(session_id)), &rows, err);
	if (r <= 0)
		return r;
	*ret = (struct session){
		.session_id = db_col_i64(&rows, 0),
		.user_id = db_col_i64(&rows, 1),
		.create_us = db_col_i64(&rows, 2),
		.expire_us = db_col_i64(&rows, 3),
		.token_us = db_col_i64(&rows, 7),
		.token_expire_us = db_col_i64(&rows, 8),
		.revoke_us = db_col_i64(&rows, 9),
	};
	read_bytes(&rows, 4, arena, ret->tokens.session_hash, sizeof(ret->tokens.session_hash));
	read_bytes(&rows, 5, arena, ret->tokens.newest_hash, sizeof(ret->tokens.newest_hash));
	read_bytes(&rows, 6, arena, ret->tokens.nonce, sizeof(ret->tokens.nonce));
	r = app_built(arena, err);
	return r < 0 ? r : 1;
}

int session_store_exchange(struct db_conn *conn, const struct session *s, struct error *err)
{
	return db_exec(conn, &stmts[EXCHANGE],
		       DB_ARGS(BYTES(s->tokens.newest_hash), BYTES(s->tokens.nonce), db_i64(s->token_us),
			       db_i64(s->token_expire_us), db_i64(s->session_id)),
		       NULL, err);
}

int session_store_revoke(struct db_conn *conn, int64_t session_id, int64_t now_us, struct error *err)
{
	return db_exec(conn, &stmts[REVOKE], DB_ARGS(db_i64(now_us), db_i64(session_id)), NULL, err);
}

int session_store_began_at(struct db_conn *conn, int64_t user_id, struct span source, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};

	return db_query_row(conn, &stmts[BEGAN_AT], DB_ARGS(db_i64(user_id), db_bytes(source)), &rows, err);
}

static int holds(struct db_conn *conn, const struct db_stmt *stmt, const struct principal *who,
		 struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};

	return db_query_row(conn, stmt,
			    DB_ARGS(db_i64(who->session_id), db_i64(who->user_id), db_i64(who->rights_epoch)),
			    &rows, err);
}

int session_store_holds(struct db_conn *conn, const struct principal *who, struct error *err)
{
	return holds(conn, &stmts[HOLDS], who, err);
}

int session_store_lock_holding(struct db_conn *conn, const struct principal *who, struct error *err)
{
	return holds(conn, &stmts[LOCK_HOLDING], who, err);
}
