/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_IDEM_H
#define DB_IDEM_H

#include "server/base/clock.h"
#include "server/base/request_key.h"
#include "server/db/db.h"
#include "server/db/retention.h"

/*
 * Exactly-once creates. The first statement of the transaction claims the key; a repeat in flight waits on
 * its row lock, then reads the stored reply. Only success is ever stored, in the transaction of the effect.
 * Keys live as long as their method says: IDEM_MONEY_US or IDEM_CREATE_US; an expired one is claimed as if it
 * had never been.
 */
#define IDEM_CREATE_US DAY_US
#define IDEM_MONEY_US (30 * DAY_US)

/*
 * Claims the key, or finds it taken. Fresh: 0 and ret_reply->data NULL. Repeated: 1 and the stored reply
 * (arena). REQUEST_ID_REUSED when the body differs. A key that is not present is always fresh.
 */
int idem_claim(struct db_conn *conn, const struct request_key *key, int64_t now_us, int64_t keep_us,
	       struct arena *arena, struct span *ret_reply, struct error *err)
	__attribute__((warn_unused_result));

/* Stores the reply of a claimed key; last before COMMIT. Nothing for a key that is not present. */
int idem_store(struct db_conn *conn, const struct request_key *key, struct span reply, struct error *err)
	__attribute__((warn_unused_result));

/* What both raise for a key that came with another body; for stores that claim by themselves. */
int idem_reused(struct error *err) __attribute__((cold));

/*
 * The claim as SQL, for compound statements: an expression for each value, as string literals. IDEM_CLAIM_SQL
 * has them as parameters: principal_id i, method u, request_id b, body_hash b, create_time i, expire_time i.
 *
 * It is an upsert that changes nothing when the key is there: a plain INSERT deadlocks those who wait when
 * the first is rolled back. It says nothing of fresh or repeated by itself (ROW_COUNT() depends on the
 * connection's flags), and inside a compound statement RETURNING cannot fill a variable, so a SELECT of the
 * row follows, which the upsert has locked: another body_hash is REQUEST_ID_REUSED, a reply that is not NULL
 * is to be replayed, and NULL means fresh.
 *
 *     BEGIN NOT ATOMIC
 *       DECLARE v_principal_id BIGINT DEFAULT ?; ...
 *       DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
 *       START TRANSACTION;
 *       IDEM_CLAIM_SQL_OF("v_principal_id", "v_method", "v_request_id", "v_body_hash", "v_now", "v_now + ?");
 *       SELECT body_hash, reply INTO v_stored_hash, v_stored_reply FROM idempotency
 *         WHERE principal_id = v_principal_id AND method = v_method AND request_id = v_request_id;
 *       ...
 *       UPDATE idempotency SET reply = ? WHERE ...;
 *       COMMIT;
 *       SELECT the outcome;
 *     END
 */
#define IDEM_CLAIM_SQL_OF(principal_id, method, request_id, body_hash, create_time, expire_time)             \
	"INSERT INTO idempotency (principal_id, method, request_id, body_hash, create_time, expire_time) "   \
	"VALUES (" principal_id ", " method ", " request_id ", " body_hash ", " create_time ", " expire_time \
	") ON DUPLICATE KEY UPDATE "                                                                         \
	"body_hash = IF(expire_time <= VALUES(create_time), VALUES(body_hash), body_hash), "                 \
	"reply = IF(expire_time <= VALUES(create_time), NULL, reply), "                                      \
	"create_time = IF(expire_time <= VALUES(create_time), VALUES(create_time), create_time), "           \
	"expire_time = IF(expire_time <= VALUES(create_time), VALUES(expire_time), expire_time)"
#define IDEM_CLAIM_SQL IDEM_CLAIM_SQL_OF("?", "?", "?", "?", "?", "?")

extern const struct db_stmt_list idem_stmts;

/* A key is over when it expires. By the server's clock, which is held against the database's within
 * NODE_CLOCK_MAX_US: none may be removed before it is over for longer than that. */
extern const struct retention idem_retention;

#endif
