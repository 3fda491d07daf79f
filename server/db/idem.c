/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/idem.h"

#include <string.h>

#include "server/db/table.h"

struct claimed {
	uint8_t body_hash[32];
	struct span reply;
};
#define CLAIMED_COLUMNS(F, C, R) F(R, "body_hash", FIXED, body_hash) C(R, "reply", BYTES, reply)
DB_ROW(claimed_row, struct claimed, CLAIMED_COLUMNS);

struct old {
	int64_t principal_id;
	uint32_t method;
	uint8_t request_id[16];
};
#define OLD_COLUMNS(F, C, R)                                                                                 \
	F(R, "principal_id", I64, principal_id)                                                              \
	C(R, "method", INT, method)                                                                          \
	C(R, "request_id", FIXED, request_id)
DB_ROW(old_row, struct old, OLD_COLUMNS);

enum { IDEM_CLAIM, IDEM_STORE, IDEM_PICK_OLD, IDEM_REMOVE, IDEM_AGE, IDEM_STATEMENTS };

static const struct db_stmt stmts[IDEM_STATEMENTS] = {
	[IDEM_CLAIM] = {"idem_claim", "iubbii", &claimed_row,
			IDEM_CLAIM_SQL " RETURNING " DB_NAMES(CLAIMED_COLUMNS)},
	[IDEM_STORE] =
		{"idem_store", "biub", NULL,
		 "UPDATE idempotency SET reply = ? WHERE principal_id = ? AND method = ? AND request_id = ?"},
	[IDEM_PICK_OLD] = {"idem_pick_old", "ii", &old_row,
			   RETENTION_PICK_SQL(OLD_COLUMNS, "idempotency", "idempotency_expire",
					      "expire_time")},
	[IDEM_REMOVE] = {"idem_remove", DB_LETTERS(OLD_COLUMNS), NULL,
			 "DELETE FROM idempotency WHERE principal_id = ? AND method = ? AND request_id = ?"},
	[IDEM_AGE] = {"idem_age", "", &db_row_i64, RETENTION_AGE_SQL("idempotency", "expire_time")},
};
const struct db_stmt_list idem_stmts = {"idem", stmts, IDEM_STATEMENTS};
const struct retention idem_retention = {
	.pick = &stmts[IDEM_PICK_OLD],
	.remove = &stmts[IDEM_REMOVE],
	.age = &stmts[IDEM_AGE],
};

int idem_reused(struct error *err)
{
	return error_raise(
		err, &RPC_REASON_REQUEST_ID_REUSED,
		"This request_id came before with another request; use a new one for a new request.");
}

int idem_claim(struct db_conn *conn, const struct request_key *key, int64_t now_us, int64_t keep_us,
	       struct arena *arena, struct span *ret_reply, struct error *err)
{
	struct claimed claimed;
	*ret_reply = span_of(NULL, 0);
	if (!key->present)
		return 0;
	int r = db_read(conn, &stmts[IDEM_CLAIM],
			DB_ARGS(db_i64(key->principal_id), db_u64(key->method),
				db_bytes(span_of(key->request_id, sizeof(key->request_id))),
				db_bytes(span_of(key->body_hash, sizeof(key->body_hash))), db_i64(now_us),
				db_i64(now_us + keep_us)),
			arena, &claimed, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_internal(err, "the claim of a request id returned no row");
	if (memcmp(claimed.body_hash, key->body_hash, sizeof(key->body_hash)) != 0)
		return idem_reused(err);
	*ret_reply = claimed.reply;
	return ret_reply->data != NULL;
}

int idem_store(struct db_conn *conn, const struct request_key *key, struct span reply, struct error *err)
{
	uint64_t affected = 0;
	if (!key->present)
		return 0;
	int r = db_exec(conn, &stmts[IDEM_STORE],
			DB_ARGS(db_bytes(reply), db_i64(key->principal_id), db_u64(key->method),
				db_bytes(span_of(key->request_id, sizeof(key->request_id)))),
			&affected, err);
	if (r == 0 && affected != 1)
		return error_internal(err, "a reply was to be stored for a request id that is not claimed");
	return r;
}
