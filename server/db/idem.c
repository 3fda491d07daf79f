/* SPDX-License-Identifier: Apache-2.0 */
#include "server/db/idem.h"

#include <string.h>

enum { IDEM_CLAIM, IDEM_STORE, IDEM_STATEMENTS };

static const struct db_stmt stmts[IDEM_STATEMENTS] = {
	[IDEM_CLAIM] = {"idem_claim", "iubbii", DB_CELLS("bb"), IDEM_CLAIM_SQL " RETURNING body_hash, reply"},
	[IDEM_STORE] =
		{"idem_store", "biub", NULL,
		 "UPDATE idempotency SET reply = ? WHERE principal_id = ? AND method = ? AND request_id = ?"},
};
const struct db_stmt_list idem_stmts = {"idem", stmts, IDEM_STATEMENTS};

int idem_reused(struct error *err)
{
	return error_raise(
		err, &RPC_REASON_REQUEST_ID_REUSED,
		"This request_id came before with another request; use a new one for a new request.");
}

static bool same_body(const struct request_key *key, struct span stored)
{
	return stored.len == sizeof(key->body_hash) && memcmp(stored.data, key->body_hash, stored.len) == 0;
}

int idem_claim(struct db_conn *conn, const struct request_key *key, int64_t now_us, int64_t keep_us,
	       struct arena *arena, struct span *ret_reply, struct error *err)
{
	_cleanup_rows_ struct db_rows rows = {0};
	*ret_reply = span_of(NULL, 0);
	if (!key->present)
		return 0;
	int r = db_query_row(conn, &stmts[IDEM_CLAIM],
			     DB_ARGS(db_i64(key->principal_id), db_u64(key->method),
				     db_bytes(span_of(key->request_id, sizeof(key->request_id))),
				     db_bytes(span_of(key->body_hash, sizeof(key->body_hash))),
				     db_i64(now_us), db_i64(now_us + keep_us)),
			     &rows, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_internal(err, "the claim of a request id returned no row");
	struct span stored_hash = db_col_bytes(&rows, 0, arena);
	if (!stored_hash.data)
		return arena_full(err);
	if (!same_body(key, stored_hash))
		return idem_reused(err);
	if (db_is_null(&rows, 1))
		return 0;
	*ret_reply = db_col_bytes(&rows, 1, arena);
	return ret_reply->data ? 1 : arena_full(err);
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
