/* SPDX-License-Identifier: Apache-2.0 */
#include "server/purchase/purchase_store.h"

#include <assert.h>
#include <string.h>

#include "edu/v1/access.tables.h"
#include "proto/runtime/array.h"
#include "server/access/grant.h"
#include "server/db/event.h"
#include "server/db/idem.h"
#include "server/db/table.h"
#include "server/money/wallet.h"
#include "server/purchase/purchase_names.h"

enum {
	COMPLETE,
	MAKE,
	EARLIER,
	READ,
	LIST,
	LIST_OF_COURSE,
};

#define PURCHASE_COLUMNS(F, C, R)                                                                            \
	F(R, "purchase_id", I64, purchase_id)                                                                \
	C(R, "user_id", I64, user_id)                                                                        \
	C(R, "course_id", I64, course_id)                                                                    \
	C(R, "course_revision", I64, course_revision)                                                        \
	C(R, "state", INT, state)                                                                            \
	C(R, "payment_source", INT, source)                                                                  \
	C(R, "complete_time", I64_OR_NULL, complete_us)
#define OWN_CHARGE_COLUMNS(F, C, R) CHARGE_COLUMNS(F, C, R, charge)
#define CHARGED_COLUMNS(F, C, R) PURCHASE_COLUMNS(F, C, R) CHARGE_COLUMNS(C, C, R, charge)
DB_ROW(charged_row, struct purchase, CHARGED_COLUMNS);

/* --- the one statement that completes a purchase --- */

struct completion {
	struct purchase_order order;
	struct purchase purchase; /* the order's */
	int64_t keep_until_us;
	const char *event_kind;
	struct ledger_record record;
};

/* What comes before the purchase's own columns. */
#define COMPLETE_PARAMETERS(F, C, R)                                                                         \
	F(R, "v_principal_id BIGINT", I64, order.key.principal_id)                                           \
	C(R, "v_method INT UNSIGNED", INT, order.key.method)                                                 \
	C(R, "v_request_id BINARY(16)", FIXED, order.key.request_id)                                         \
	C(R, "v_body_hash BINARY(32)", FIXED, order.key.body_hash)                                           \
	C(R, "v_now BIGINT", I64, purchase.charge.create_us)                                                 \
	C(R, "v_keep_until BIGINT", I64, keep_until_us)                                                      \
	C(R, "v_purchase_id BIGINT", I64, purchase.purchase_id)                                              \
	C(R, "v_user_id BIGINT", I64, purchase.user_id)                                                      \
	C(R, "v_course_id BIGINT", I64, purchase.course_id)                                                  \
	C(R, "v_course_version BIGINT", I64, order.course_version)                                           \
	C(R, "v_currency_code CHAR(3) CHARACTER SET ascii COLLATE ascii_bin", CODE,                          \
	  purchase.charge.currency_code)                                                                     \
	C(R, "v_total BIGINT", I64, purchase.charge.total)                                                   \
	LEDGER_PARAMETERS(C, C, R, record)                                                                   \
	C(R, "v_grant_id BIGINT", I64, order.grant_id)                                                       \
	C(R, "v_event_id BIGINT", I64, order.event_id)                                                       \
	C(R, "v_event_kind VARCHAR(48) CHARACTER SET utf8mb4", TEXT, event_kind)                             \
	C(R, "v_event_payload MEDIUMTEXT CHARACTER SET utf8mb4", TEXT, order.event_payload)                  \
	C(R, "v_reply MEDIUMBLOB", BYTES, order.reply)
DB_ROW(completion_row, struct completion, COMPLETE_PARAMETERS);

#define RESULT_COLUMNS(F, C, R)                                                                              \
	F(R, "v_outcome", INT, outcome)                                                                      \
	C(R, "v_found", I64, live_purchase_id)                                                               \
	C(R, "v_missing", I64, missing)                                                                      \
	C(R, "v_stored_reply", BYTES, reply)
DB_ROW(result_row, struct purchase_result, RESULT_COLUMNS);

/*
 * A purchase in one round trip. The order of the steps is that of their locks and of the refusals:
 *
 *  - The key is claimed, or answers; a repeat in flight waits here for the first.
 *  - The course must still be what its terms were read from. The shared lock is held to the commit, so that
 *    nobody buys on the old terms once a change of the course has been answered; buyers of one course do not
 *    wait for each other.
 *  - The purchase is inserted; the unique key over `live` finds the other one. ON DUPLICATE KEY UPDATE makes
 *    racing buyers queue: after a plain INSERT those who waited for one that was rolled back deadlock.
 *  - The charge is written, and the wallet debited, if it covers the total. Its row lock orders everything a
 *    user buys.
 *  - The ledger, the grant, the enrollment, the event and the reply are written.
 *
 * The answer is selected after the end of the transaction: the outcome (enum purchase_outcome), the live
 * purchase, the missing amount, the stored reply.
 */
#define CLAIM_KEY                                                                                            \
	IDEM_CLAIM_SQL_OF("v_principal_id", "v_method", "v_request_id", "v_body_hash", "v_now",              \
			  "v_keep_until")
#define OF_KEY " WHERE principal_id = v_principal_id AND method = v_method AND request_id = v_request_id;"

/* `live` is written by whoever changes what it follows from; a completed purchase has its grant. */
#define OWN_NAMES DB_NAMES(PURCHASE_COLUMNS)
#define OWN_MARKS DB_MARKS(PURCHASE_COLUMNS)
#define INSERT_PURCHASE                                                                                      \
	"  INSERT INTO purchase (" OWN_NAMES ", live) VALUES (" OWN_MARKS ", 1)"                             \
	"   ON DUPLICATE KEY UPDATE user_id = v_user_id;"
#define INSERT_CHARGE " " DB_INSERT("charge", OWN_CHARGE_COLUMNS) ";"

/* Outcome 3: it was topped up in between. */
#define MISSING WALLET_MISSING_SQL("v_user_id", "v_currency_code", "v_total")
#define DEBIT_WALLET                                                                                         \
	WALLET_DEBIT_SQL("v_user_id", "v_currency_code", "v_total", "v_now")                                 \
	"   IF ROW_COUNT() = 0 THEN"                                                                         \
	"    SET v_missing = " MISSING ";"                                                                   \
	"    SET v_outcome = IF(v_missing > 0, 5, 3);"                                                       \
	"    LEAVE purchase;"                                                                                \
	"   END IF;"

#define POST_LEDGER LEDGER_POST_SQL("v_event_id", "v_purchase_id", "v_user_id", "v_now")

#define GIVE_ACCESS                                                                                          \
	"  " GRANT_COURSE_SQL_OF("v_grant_id", "v_user_id", "v_course_id", "1", "v_purchase_id", "v_now")
#define APPEND_EVENT                                                                                         \
	"  INSERT INTO event (event_id, kind, subject_id, user_id, course_id, organization_id, create_time," \
	"    payload)"                                                                                       \
	"   VALUES (v_event_id, v_event_kind, v_purchase_id, v_user_id, v_course_id, 0, v_now,"              \
	"    v_event_payload);"
#define KEEP_REPLY "  UPDATE idempotency SET reply = v_reply" OF_KEY

static_assert(PURCHASE_REPLAYED == 1 && PURCHASE_KEY_REUSED == 2 && PURCHASE_TERMS_CHANGED == 3 &&
		      PURCHASE_ALREADY_LIVE == 4 && PURCHASE_NOT_COVERED == 5,
	      "outcomes in the statement");
static_assert(COURSE_PUBLISHED == 3 && ACCESS_SOURCE_PURCHASE == 1, "states and kinds in the statement");
#define STEPS                                                                                                \
	"  SELECT course_id INTO v_found FROM course"                                                        \
	"   WHERE course_id = v_course_id AND version = v_course_version AND state = 3"                      \
	"   LOCK IN SHARE MODE;"                                                                             \
	"  IF v_found IS NULL THEN SET v_outcome = 3; LEAVE purchase; END IF;" INSERT_PURCHASE               \
	"  SELECT purchase_id INTO v_found FROM purchase"                                                    \
	"   WHERE user_id = v_user_id AND course_id = v_course_id AND live = 1;"                             \
	"  IF v_found <> v_purchase_id THEN SET v_outcome = 4; LEAVE purchase; END IF;" INSERT_CHARGE        \
	"  IF v_total > 0 THEN" DEBIT_WALLET POST_LEDGER "  END IF;" GIVE_ACCESS APPEND_EVENT

#define DECLARES                                                                                             \
	DB_DECLARES(COMPLETE_PARAMETERS)                                                                     \
	" DECLARE v_outcome TINYINT DEFAULT -1;"                                                             \
	" DECLARE v_found BIGINT DEFAULT NULL;"                                                              \
	" DECLARE v_missing BIGINT DEFAULT NULL;"                                                            \
	" DECLARE v_stored_reply MEDIUMBLOB DEFAULT NULL;"
#define MADE "  SET v_outcome = 0, v_found = NULL;"
#define ANSWER " SELECT " DB_NAMES(RESULT_COLUMNS) ";"
#define COMPLETE_SQL                                                                                         \
	"BEGIN NOT ATOMIC" DECLARES " DECLARE v_stored_hash BINARY(32) DEFAULT NULL;"                        \
	" DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;"                              \
	" START TRANSACTION;"                                                                                \
	" purchase: BEGIN"                                                                                   \
	"  " CLAIM_KEY ";"                                                                                   \
	"  SELECT body_hash, reply INTO v_stored_hash, v_stored_reply FROM idempotency" OF_KEY               \
	"  IF v_stored_hash <> v_body_hash THEN SET v_outcome = 2; LEAVE purchase; END IF;"                  \
	"  IF v_stored_reply IS NOT NULL THEN SET v_outcome = 1; LEAVE purchase; END IF;" STEPS KEEP_REPLY   \
	"  COMMIT;" MADE " END purchase;"                                                                    \
	" IF v_outcome <> 0 THEN ROLLBACK; END IF;" ANSWER "END"

/* The same steps within a transaction whose key is claimed, and whose reply is kept, around them. */
#define MAKE_SQL "BEGIN NOT ATOMIC" DECLARES " purchase: BEGIN" STEPS MADE " END purchase;" ANSWER "END"

/* --- reading --- */

struct earlier {
	struct span body_hash, reply; /* of the key, when it has an answer */
	int64_t live_purchase_id;     /* 0: none */
};
#define EARLIER_COLUMNS(F, C, R)                                                                             \
	F(R, "i.body_hash", BYTES, body_hash)                                                                \
	C(R, "i.reply", BYTES, reply)                                                                        \
	C(R, "p.purchase_id", I64, live_purchase_id)
DB_ROW(earlier_row, struct earlier, EARLIER_COLUMNS);

#define SELECT DB_SELECT(CHARGED_COLUMNS, " FROM purchase JOIN charge ON charge_id = purchase_id")

static const struct db_stmt stmts[] = {
	[COMPLETE] = {"purchase_complete", DB_LETTERS(COMPLETE_PARAMETERS) DB_LETTERS(CHARGED_COLUMNS),
		      &result_row, COMPLETE_SQL},
	[MAKE] = {"purchase_make", DB_LETTERS(COMPLETE_PARAMETERS) DB_LETTERS(CHARGED_COLUMNS), &result_row,
		  MAKE_SQL},
	/* Locks the key's row, and so waits for whoever holds it; the row of nobody is not locked. */
	[EARLIER] =
		{"purchase_earlier", "iubiii", &earlier_row,
		 DB_SELECT(
			 EARLIER_COLUMNS,
			 " FROM (SELECT 1) one"
			 " LEFT JOIN idempotency i ON i.principal_id = ? AND i.method = ? AND i.request_id = ?"
			 "  AND i.expire_time > ?"
			 " LEFT JOIN purchase p ON p.user_id = ? AND p.course_id = ? AND p.live = 1"
			 " LOCK IN SHARE MODE")},
	[READ] = {"purchase_read", "i", &charged_row, SELECT " WHERE purchase_id = ?"},
	[LIST] = {"purchase_list", "iii", &charged_row,
		  SELECT " WHERE user_id = ? AND purchase_id < ? ORDER BY purchase_id DESC LIMIT ?"},
	[LIST_OF_COURSE] = {"purchase_list_of_course", "iiii", &charged_row,
			    SELECT " WHERE user_id = ? AND course_id = ? AND purchase_id < ?"
				   " ORDER BY purchase_id DESC LIMIT ?"},
};

const struct db_stmt_list purchase_stmts = {"purchase", stmts, ARRAY_SIZE(stmts)};

/* --- completing --- */

struct complete_run {
	const struct db_stmt *stmt;
	struct arena *arena;
	struct db_value args[DB_COUNT(COMPLETE_PARAMETERS) + DB_COUNT(CHARGED_COLUMNS)];
	struct purchase_result *ret;
};

static int complete_once(struct db_conn *conn, void *arg, struct error *err)
{
	struct complete_run *run = arg;
	return db_read_one(conn, run->stmt, run->args, ARRAY_SIZE(run->args), run->arena, run->ret, err);
}

/* By db_retry() unless a transaction goes on, which is repeated as a whole. */
static int complete(struct db_conn *conn, struct arena *arena, const struct db_stmt *stmt, bool alone,
		    const struct purchase_order *order, struct purchase_result *ret, struct error *err)
{
	const struct charge *charge = &order->purchase->charge;
	struct completion completion = {
		.order = *order,
		.purchase = *order->purchase,
		.keep_until_us = charge->create_us + IDEM_MONEY_US,
		.event_kind = EVENT_PURCHASE_COMPLETED,
	};
	struct complete_run run = {.stmt = stmt, .arena = arena, .ret = ret};
	int r = ledger_record(order->posting, arena, &completion.record, err);
	if (r < 0)
		return r;
	db_row_values(&completion_row, &completion, run.args);
	db_row_values(&charged_row, order->purchase, run.args + DB_COUNT(COMPLETE_PARAMETERS));
	r = alone ? db_retry(conn, complete_once, &run, err) : complete_once(conn, &run, err);
	/* What may exist is an outcome; any other key is of an id that was made for this purchase. */
	if (r == -STATUS_ALREADY_EXISTS)
		return error_internal(err, "an id of a new purchase exists already: %s",
				      db_duplicate_key(conn));
	return r;
}

int purchase_store_complete(struct db_conn *conn, struct arena *arena, const struct purchase_order *order,
			    struct purchase_result *ret, struct error *err)
{
	return complete(conn, arena, &stmts[COMPLETE], true, order, ret, err);
}

int purchase_store_make(struct db_conn *conn, struct arena *arena, const struct purchase_order *order,
			struct purchase_result *ret, struct error *err)
{
	return complete(conn, arena, &stmts[MAKE], false, order, ret, err);
}

int purchase_store_earlier(struct db_conn *conn, struct arena *arena, const struct request_key *key,
			   int64_t now_us, int64_t user_id, int64_t course_id, struct purchase_result *ret,
			   struct error *err)
{
	struct earlier e;
	int r = db_read_one(conn, &stmts[EARLIER],
			    DB_ARGS(db_i64(key->principal_id), db_u64(key->method),
				    db_bytes(span_of(key->request_id, sizeof(key->request_id))),
				    db_i64(now_us), db_i64(user_id), db_i64(course_id)),
			    arena, &e, err);
	if (r < 0)
		return r;
	*ret = (struct purchase_result){.outcome = PURCHASE_MADE, .reply = e.reply};
	if (e.reply.data) {
		bool same = e.body_hash.len == sizeof(key->body_hash) &&
			    !memcmp(e.body_hash.data, key->body_hash, e.body_hash.len);
		ret->outcome = same ? PURCHASE_REPLAYED : PURCHASE_KEY_REUSED;
	} else if (e.live_purchase_id) {
		ret->outcome = PURCHASE_ALREADY_LIVE;
		ret->live_purchase_id = e.live_purchase_id;
	}
	return 0;
}

/* --- reading --- */

int purchase_store_read(struct db_conn *conn, struct arena *arena, int64_t purchase_id, struct purchase *ret,
			struct error *err)
{
	return db_read(conn, &stmts[READ], DB_ARGS(db_i64(purchase_id)), arena, ret, err);
}

int purchase_store_list(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
			int64_t before_id, unsigned limit, struct purchase **ret, unsigned *ret_n,
			struct error *err)
{
	if (course_id)
		return db_read_all(
			conn, &stmts[LIST_OF_COURSE],
			DB_ARGS(db_i64(user_id), db_i64(course_id), db_i64(before_id), db_i64(limit)), arena,
			ret, ret_n, err);
	return db_read_all(conn, &stmts[LIST], DB_ARGS(db_i64(user_id), db_i64(before_id), db_i64(limit)),
			   arena, ret, ret_n, err);
}
