/* SPDX-License-Identifier: Apache-2.0 */
#include "server/purchase/purchase_store.h"

#include <stdio.h>
#include <string.h>

#include "proto/runtime/array.h"
#include "server/app/app.h"
#include "server/db/event.h"
#include "server/db/idem.h"
#include "server/purchase/purchase_names.h"

enum {
	COMPLETE,
	EARLIER,
	READ,
	LIST,
	LIST_OF_COURSE,
};

/*
 * A purchase in one round trip. The order of the steps is that of their locks and of the refusals:
 *
 *  - The key is claimed, or answers; a repeat in flight waits here for the first.
 *  - The course must still be what its terms were read from. The shared lock is held to the commit, so that
 *    nobody buys on the old terms once a change of the course has been answered; buyers of one course do not
 *    wait for each other.
 *  - The purchase is inserted; the unique key over `live` finds the other one. ON DUPLICATE KEY UPDATE makes
 *    racing buyers queue: after a plain INSERT those who waited for one that was rolled back deadlock.
 *  - The wallet is debited, if it covers the total. Its row lock orders everything a user buys.
 *  - The ledger, the grant, the enrollment, the event and the reply are written.
 *
 * The answer is selected after the end of the transaction: the outcome (enum purchase_outcome), the live
 * purchase, the missing amount, the stored reply.
 */
#define COMPLETE_PARAMETERS                                                                                  \
	" DECLARE v_principal_id BIGINT DEFAULT ?;"                                                          \
	" DECLARE v_method INT UNSIGNED DEFAULT ?;"                                                          \
	" DECLARE v_request_id BINARY(16) DEFAULT ?;"                                                        \
	" DECLARE v_body_hash BINARY(32) DEFAULT ?;"                                                         \
	" DECLARE v_now BIGINT DEFAULT ?;"                                                                   \
	" DECLARE v_keep_until BIGINT DEFAULT ?;"                                                            \
	" DECLARE v_purchase_id BIGINT DEFAULT ?;"                                                           \
	" DECLARE v_user_id BIGINT DEFAULT ?;"                                                               \
	" DECLARE v_course_id BIGINT DEFAULT ?;"                                                             \
	" DECLARE v_course_version BIGINT DEFAULT ?;"                                                        \
	" DECLARE v_course_revision BIGINT DEFAULT ?;"                                                       \
	" DECLARE v_currency_code CHAR(3) CHARACTER SET ascii COLLATE ascii_bin DEFAULT ?;"                  \
	" DECLARE v_total BIGINT DEFAULT ?;"                                                                 \
	" DECLARE v_transaction_id BIGINT DEFAULT ?;"
#define COMPLETE_PARAMETERS_IN "iubbiiiiiiisii"

#define CLAIM_KEY                                                                                            \
	IDEM_CLAIM_SQL_OF("v_principal_id", "v_method", "v_request_id", "v_body_hash", "v_now",              \
			  "v_keep_until")
#define OF_KEY " WHERE principal_id = v_principal_id AND method = v_method AND request_id = v_request_id;"

#define INSERT_PURCHASE                                                                                      \
	"  INSERT INTO purchase (purchase_id, user_id, course_id, course_revision,"                          \
	"    state, payment_source, currency_code, list_price, discount, tax, tax_inclusive, total,"         \
	"    charged, transaction_id, create_time, complete_time)"                                           \
	"   VALUES (v_purchase_id, v_user_id, v_course_id, v_course_revision,"                               \
	"    ?, ?, v_currency_code, ?, ?, ?, ?, v_total,"                                                    \
	"    ?, v_transaction_id, v_now, v_now)"                                                             \
	"   ON DUPLICATE KEY UPDATE user_id = v_user_id;"
#define INSERT_PURCHASE_IN "iiiiiii"

#define DEBIT_WALLET                                                                                         \
	"   UPDATE wallet SET balance = balance - v_total, update_time = GREATEST(update_time, v_now)"       \
	"    WHERE user_id = v_user_id AND currency_code = v_currency_code"                                  \
	"     AND balance >= v_total;"                                                                       \
	"   IF ROW_COUNT() = 0 THEN"                                                                         \
	"    SET v_missing = v_total - IFNULL((SELECT balance FROM wallet"                                   \
	"     WHERE user_id = v_user_id AND currency_code = v_currency_code), 0);"                           \
	"    SET v_outcome = IF(v_missing > 0, 5, 3);" /* 3: it was topped up in between */                  \
	"    LEAVE purchase;"                                                                                \
	"   END IF;"

#define POST_LEDGER                                                                                          \
	"   INSERT INTO ledger_transaction"                                                                  \
	"     (transaction_id, kind, purchase_id, actor_id, create_time)"                                    \
	"    VALUES (v_transaction_id, 2, v_purchase_id, v_user_id, v_now);"                                 \
	"   INSERT INTO ledger_entry"                                                                        \
	"     (transaction_id, line, account_kind, owner_id, currency_code, amount)"                         \
	"    SELECT v_transaction_id, e.line, e.account_kind, e.owner_id, e.currency_code, e.amount"         \
	"     FROM " LEDGER_LINES_TABLE " e;"
#define POST_LEDGER_IN "s"

#define GIVE_ACCESS                                                                                          \
	"  INSERT INTO access_grant"                                                                         \
	"    (grant_id, user_id, course_id, source_kind, purchase_id, start_time)"                           \
	"   VALUES (?, v_user_id, v_course_id, 1, v_purchase_id, v_now);"                                    \
	"  INSERT INTO enrollment (user_id, course_id, start_time)"                                          \
	"   VALUES (v_user_id, v_course_id, v_now)"                                                          \
	"   ON DUPLICATE KEY UPDATE start_time = enrollment.start_time;"                                     \
	"  INSERT INTO event (event_id, kind, subject_id, user_id, course_id,"                               \
	"    organization_id, create_time, payload)"                                                         \
	"   VALUES (?, ?, v_purchase_id, v_user_id, v_course_id, 0, v_now, ?);"
#define GIVE_ACCESS_IN "iiss"

#define COMPLETE_SQL                                                                                         \
	"BEGIN NOT ATOMIC" COMPLETE_PARAMETERS " DECLARE v_outcome TINYINT DEFAULT -1;"                      \
	" DECLARE v_found BIGINT DEFAULT NULL;"                                                              \
	" DECLARE v_missing BIGINT DEFAULT NULL;"                                                            \
	" DECLARE v_stored_hash BINARY(32) DEFAULT NULL;"                                                    \
	" DECLARE v_stored_reply MEDIUMBLOB DEFAULT NULL;"                                                   \
	" DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;"                              \
	" START TRANSACTION;"                                                                                \
	" purchase: BEGIN"                                                                                   \
	"  " CLAIM_KEY ";"                                                                                   \
	"  SELECT body_hash, reply INTO v_stored_hash, v_stored_reply FROM idempotency" OF_KEY               \
	"  IF v_stored_hash <> v_body_hash THEN SET v_outcome = 2; LEAVE purchase; END IF;"                  \
	"  IF v_stored_reply IS NOT NULL THEN SET v_outcome = 1; LEAVE purchase; END IF;"                    \
	"  SELECT course_id INTO v_found FROM course"                                                        \
	"   WHERE course_id = v_course_id AND version = v_course_version AND state = 3"                      \
	"   LOCK IN SHARE MODE;"                                                                             \
	"  IF v_found IS NULL THEN SET v_outcome = 3; LEAVE purchase; END IF;" INSERT_PURCHASE               \
	"  SELECT purchase_id INTO v_found FROM purchase"                                                    \
	"   WHERE user_id = v_user_id AND course_id = v_course_id AND live = 1;"                             \
	"  IF v_found <> v_purchase_id THEN SET v_outcome = 4; LEAVE purchase; END IF;"                      \
	"  IF v_total > 0 THEN" DEBIT_WALLET POST_LEDGER "  END IF;" GIVE_ACCESS                             \
	"  UPDATE idempotency SET reply = ?" OF_KEY "  COMMIT;"                                              \
	"  SET v_outcome = 0, v_found = NULL;"                                                               \
	" END purchase;"                                                                                     \
	" IF v_outcome <> 0 THEN ROLLBACK; END IF;"                                                          \
	" SELECT v_outcome, v_found, v_missing, v_stored_reply;"                                             \
	"END"
#define COMPLETE_IN COMPLETE_PARAMETERS_IN INSERT_PURCHASE_IN POST_LEDGER_IN GIVE_ACCESS_IN "b"

#define PURCHASE_COLUMNS                                                                                     \
	"purchase_id, user_id, course_id, course_revision, state, payment_source, currency_code,"            \
	" list_price, discount, tax, total, charged, transaction_id, create_time, complete_time, tax_inclusive"
#define PURCHASE_OUT "iiiiiisiiiiiiiii"

static const struct db_stmt stmts[] = {
	[COMPLETE] = {"purchase_complete", COMPLETE_IN, "iiib", COMPLETE_SQL},
	/* Locks the key's row, and so waits for whoever holds it; the row of nobody is not locked. */
	[EARLIER] = {"purchase_earlier", "iubiii", "bbi",
		     "SELECT i.body_hash, i.reply, p.purchase_id FROM (SELECT 1) one"
		     " LEFT JOIN idempotency i ON i.principal_id = ? AND i.method = ? AND i.request_id = ?"
		     "  AND i.expire_time > ?"
		     " LEFT JOIN purchase p ON p.user_id = ? AND p.course_id = ? AND p.live = 1"
		     " LOCK IN SHARE MODE"},
	[READ] = {"purchase_read", "i", PURCHASE_OUT,
		  "SELECT " PURCHASE_COLUMNS " FROM purchase WHERE purchase_id = ?"},
	[LIST] = {"purchase_list", "iii", PURCHASE_OUT,
		  "SELECT " PURCHASE_COLUMNS " FROM purchase"
		  " WHERE user_id = ? AND purchase_id < ? ORDER BY purchase_id DESC LIMIT ?"},
	[LIST_OF_COURSE] = {"purchase_list_of_course", "iiii", PURCHASE_OUT,
			    "SELECT " PURCHASE_COLUMNS " FROM purchase"
			    " WHERE user_id = ? AND course_id = ? AND purchase_id < ?"
			    " ORDER BY purchase_id DESC LIMIT ?"},
};

const struct db_stmt_list purchase_stmts = {"purchase", stmts, ARRAY_SIZE(stmts)};

/* --- completing --- */

struct complete_run {
	struct arena *arena;
	const struct db_value *args;
	unsigned n_args;
	struct purchase_result *ret;
};

static int complete_once(struct db_conn *conn, void *arg, struct error *err)
{
	struct complete_run *run = arg;
	struct db_rows rows _cleanup_rows_ = {0};
	int r = db_query_row(conn, &stmts[COMPLETE], run->args, run->n_args, &rows, err);

	if (r < 0)
		return r;
	if (r == 0)
		return error_internal(err, "a purchase without an outcome");
	run->ret->outcome = (enum purchase_outcome)db_col_i64(&rows, 0);
	run->ret->live_purchase_id = db_col_i64(&rows, 1);
	run->ret->missing = db_col_i64(&rows, 2);
	run->ret->reply = db_col_bytes(&rows, 3, run->arena);
	return app_built(run->arena, err);
}

int purchase_store_complete(struct db_conn *conn, struct arena *arena, const struct purchase_order *order,
			    struct purchase_result *ret, struct error *err)
{
	const struct request_key *key = order->key;
	const struct purchase *p = order->purchase;
	const char *lines = ledger_lines(order->posting, arena);

	if (!lines)
		return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE, "The purchase needs too much memory.");
	const struct db_value args[] = {
		db_i64(key->principal_id),
		db_u64(key->method),
		db_bytes(span_of(key->request_id, sizeof(key->request_id))),
		db_bytes(span_of(key->body_hash, sizeof(key->body_hash))),
		db_i64(p->create_us),
		db_i64(p->create_us + IDEM_MONEY_US),
		db_i64(p->purchase_id),
		db_i64(p->user_id),
		db_i64(p->course_id),
		db_i64(order->course_version),
		db_i64(p->course_revision),
		db_str(p->currency_code),
		db_i64(p->total),
		p->transaction_id ? db_i64(p->transaction_id) : db_null(),
		db_i64(p->state),
		db_i64(p->source),
		db_i64(p->list_price),
		db_i64(p->discount),
		db_i64(p->tax),
		db_i64(p->tax_inclusive),
		db_i64(p->charged),
		db_str(lines),
		db_i64(order->grant_id),
		db_i64(order->event_id),
		db_str(EVENT_PURCHASE_COMPLETED),
		(struct db_value){.type = 's', .s = order->event_payload},
		db_bytes(order->reply),
	};
	struct complete_run run = {arena, args, ARRAY_SIZE(args), ret};
	int r;

	memset(ret, 0, sizeof(*ret));
	r = db_retry(conn, complete_once, &run, err);
	/* What may exist is an outcome; any other key is of an id that was made for this purchase. */
	if (r == -STATUS_ALREADY_EXISTS)
		return error_internal(err, "an id of a new purchase exists already: %s",
				      db_duplicate_key(conn));
	return r;
}

int purchase_store_earlier(struct db_conn *conn, struct arena *arena, const struct request_key *key,
			   int64_t now_us, int64_t user_id, int64_t course_id, struct purchase_result *ret,
			   struct error *err)
{
	struct db_rows rows _cleanup_rows_ = {0};
	int r = db_query_row(conn, &stmts[EARLIER],
			     DB_ARGS(db_i64(key->principal_id), db_u64(key->method),
				     db_bytes(span_of(key->request_id, sizeof(key->request_id))),
				     db_i64(now_us), db_i64(user_id), db_i64(course_id)),
			     &rows, err);

	memset(ret, 0, sizeof(*ret));
	if (r < 0)
		return r;
	if (r == 0)
		return error_internal(err, "a lookup of one row without a row");
	if (!db_is_null(&rows, 1)) {
		struct span hash = db_col_bytes(&rows, 0, arena);

		ret->reply = db_col_bytes(&rows, 1, arena);
		r = app_built(arena, err);
		if (r < 0)
			return r;
		bool same =
			hash.len == sizeof(key->body_hash) && !memcmp(hash.data, key->body_hash, hash.len);
		ret->outcome = same ? PURCHASE_REPLAYED : PURCHASE_KEY_REUSED;
	} else if (!db_is_null(&rows, 2)) {
		ret->outcome = PURCHASE_ALREADY_LIVE;
		ret->live_purchase_id = db_col_i64(&rows, 2);
	}
	return 0;
}

/* --- reading --- */

static int purchase_of_row(const struct db_rows *rows, struct arena *arena, struct purchase *ret)
{
	const char *currency = db_col_str(rows, 6, arena);

	if (!currency)
		return -STATUS_RESOURCE_EXHAUSTED;
	*ret = (struct purchase){
		.purchase_id = db_col_i64(rows, 0),
		.user_id = db_col_i64(rows, 1),
		.course_id = db_col_i64(rows, 2),
		.course_revision = db_col_i64(rows, 3),
		.state = (enum purchase_state)db_col_i64(rows, 4),
		.source = (enum purchase_source)db_col_i64(rows, 5),
		.list_price = db_col_i64(rows, 7),
		.discount = db_col_i64(rows, 8),
		.tax = db_col_i64(rows, 9),
		.total = db_col_i64(rows, 10),
		.charged = db_col_i64(rows, 11),
		.transaction_id = db_col_i64(rows, 12),
		.create_us = db_col_i64(rows, 13),
		.complete_us = db_col_i64(rows, 14),
		.tax_inclusive = db_col_i64(rows, 15),
	};
	snprintf(ret->currency_code, sizeof(ret->currency_code), "%s", currency);
	return 0;
}

static int out_of_memory(struct error *err)
{
	return error_raise(err, &RPC_REASON_MESSAGE_TOO_LARGE,
			   "The answer needs too much memory; ask for less.");
}

int purchase_store_read(struct db_conn *conn, struct arena *arena, int64_t purchase_id, struct purchase *ret,
			struct error *err)
{
	struct db_rows rows _cleanup_rows_ = {0};
	int r = db_query_row(conn, &stmts[READ], DB_ARGS(db_i64(purchase_id)), &rows, err);

	if (r <= 0)
		return r;
	return purchase_of_row(&rows, arena, ret) < 0 ? out_of_memory(err) : 1;
}

static int read_list(struct db_rows *rows, struct arena *arena, struct purchase *list, unsigned limit,
		     unsigned *ret_n, struct error *err)
{
	unsigned n = 0;
	int r;

	while ((r = db_next(rows, err)) > 0 && n < limit)
		if (purchase_of_row(rows, arena, &list[n++]) < 0)
			return out_of_memory(err);
	*ret_n = n;
	return r < 0 ? r : 0;
}

int purchase_store_list(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
			int64_t before_id, unsigned limit, struct purchase **ret, unsigned *ret_n,
			struct error *err)
{
	struct db_rows rows _cleanup_rows_ = {0};
	struct purchase *list = arena_array(arena, limit, sizeof(*list));
	int r;

	if (!list)
		return out_of_memory(err);
	if (course_id)
		r = db_query(conn, &stmts[LIST_OF_COURSE],
			     DB_ARGS(db_i64(user_id), db_i64(course_id), db_i64(before_id), db_i64(limit)),
			     &rows, err);
	else
		r = db_query(conn, &stmts[LIST], DB_ARGS(db_i64(user_id), db_i64(before_id), db_i64(limit)),
			     &rows, err);
	if (r == 0)
		r = read_list(&rows, arena, list, limit, ret_n, err);
	if (r == 0)
		*ret = list;
	return r;
}
