/* SPDX-License-Identifier: Apache-2.0 */
#include "server/user/session_store.h"

#include <assert.h>

#include "server/db/table.h"
#include "server/user/user.h"

#define TOKEN_COLUMNS(F, C, R)                                                                               \
	F(R, "token_hash", FIXED, tokens.newest_hash)                                                        \
	C(R, "token_nonce", FIXED, tokens.nonce)                                                             \
	C(R, "token_time", I64, token_us)                                                                    \
	C(R, "token_expire_time", I64, token_expire_us)
#define COLUMNS(F, C, R)                                                                                     \
	F(R, "session_id", I64, session_id)                                                                  \
	C(R, "user_id", I64, user_id)                                                                        \
	C(R, "create_time", I64, create_us)                                                                  \
	C(R, "expire_time", I64, expire_us)                                                                  \
	C(R, "revoke_time", I64_OR_NULL, revoke_us)                                                          \
	C(R, "session_hash", FIXED, tokens.session_hash)                                                     \
	C(R, "source", BYTES, source)                                                                        \
	TOKEN_COLUMNS(C, C, R)
DB_ROW(session_row, struct session, COLUMNS);
DB_ROW(token_row, struct session, TOKEN_COLUMNS);

struct old {
	int64_t session_id;
};
#define OLD_COLUMNS(F, C, R) F(R, "session_id", I64, session_id)
DB_ROW(old_row, struct old, OLD_COLUMNS);

enum stmt { INSERT, LOCK, EXCHANGE, REVOKE, BEGAN_AT, HOLDS, LOCK_HOLDING, PICK_OLD, REMOVE, AGE, N_STMTS };

static_assert(USER_ACTIVE == 1, "state in the statement");
#define HOLDS_SQL                                                                                            \
	"SELECT 1 FROM session s JOIN user u ON u.user_id = s.user_id WHERE s.session_id = ?"                \
	" AND s.revoke_time IS NULL AND u.user_id = ? AND u.rights_epoch = ? AND u.state = 1"

static const struct db_stmt stmts[N_STMTS] = {
	[INSERT] = {"session_insert", DB_LETTERS(COLUMNS), NULL, DB_INSERT("session", COLUMNS)},
	[LOCK] = {"session_lock", "i", &session_row,
		  DB_SELECT(COLUMNS, " FROM session WHERE session_id = ? FOR UPDATE")},
	[EXCHANGE] = {"session_exchange", DB_LETTERS(TOKEN_COLUMNS) "i", NULL,
		      DB_UPDATE("session", TOKEN_COLUMNS, " WHERE session_id = ?")},
	[REVOKE] = {"session_revoke", "ii", NULL,
		    "UPDATE session SET revoke_time = ? WHERE session_id = ? AND revoke_time IS NULL"},
	[BEGAN_AT] = {"session_began_at", "ib", &db_row_i64,
		      "SELECT 1 FROM session WHERE user_id = ? AND source = ? AND source <> '' LIMIT 1"},
	[HOLDS] = {"session_holds", "iii", &db_row_i64, HOLDS_SQL},
	[LOCK_HOLDING] = {"session_lock_holding", "iii", &db_row_i64, HOLDS_SQL " FOR UPDATE"},
	[PICK_OLD] = {"session_pick_old", "ii", &old_row,
		      RETENTION_PICK_SQL(OLD_COLUMNS, "session", "session_token_expire",
					 "token_expire_time")},
	[REMOVE] = {"session_remove", DB_LETTERS(OLD_COLUMNS), NULL,
		    "DELETE FROM session WHERE session_id = ?"},
	[AGE] = {"session_age", "", &db_row_i64, RETENTION_AGE_SQL("session", "token_expire_time")},
};

const struct db_stmt_list session_stmts = {"session", stmts, N_STMTS};
const struct retention session_retention = {
	.pick = &stmts[PICK_OLD],
	.remove = &stmts[REMOVE],
	.age = &stmts[AGE],
};

int session_store_insert(struct db_conn *conn, const struct session *s, struct error *err)
{
	return db_write(conn, &stmts[INSERT], &session_row, s, DB_NO_ARGS, err);
}

int session_store_lock(struct db_conn *conn, struct arena *arena, int64_t session_id, struct session *ret,
		       struct error *err)
{
	return db_read(conn, &stmts[LOCK], DB_ARGS(db_i64(session_id)), arena, ret, err);
}

int session_store_exchange(struct db_conn *conn, const struct session *s, struct error *err)
{
	return db_write(conn, &stmts[EXCHANGE], &token_row, s, DB_ARGS(db_i64(s->session_id)), err);
}

int session_store_revoke(struct db_conn *conn, int64_t session_id, int64_t now_us, struct error *err)
{
	return db_exec(conn, &stmts[REVOKE], DB_ARGS(db_i64(now_us), db_i64(session_id)), NULL, err);
}

int session_store_began_at(struct db_conn *conn, int64_t user_id, struct span source, struct error *err)
{
	return db_found(conn, &stmts[BEGAN_AT], DB_ARGS(db_i64(user_id), db_bytes(source)), err);
}

static int holds(struct db_conn *conn, enum stmt stmt, const struct principal *who, struct error *err)
{
	return db_found(conn, &stmts[stmt],
			DB_ARGS(db_i64(who->session_id), db_i64(who->user_id), db_i64(who->rights_epoch)),
			err);
}

int session_store_holds(struct db_conn *conn, const struct principal *who, struct error *err)
{
	return holds(conn, HOLDS, who, err);
}

int session_store_lock_holding(struct db_conn *conn, const struct principal *who, struct error *err)
{
	return holds(conn, LOCK_HOLDING, who, err);
}
