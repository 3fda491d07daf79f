/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PURCHASE_PURCHASE_STORE_H
#define PURCHASE_PURCHASE_STORE_H

#include "server/base/request_key.h"
#include "server/db/db.h"
#include "server/money/ledger.h"
#include "server/purchase/purchase.h"

/* Purchases as they are stored, and the one statement that completes one. */

/* --- completing --- */

/* Everything a completed purchase writes; all of it made before, so that a re-run meets its own ids. */
struct purchase_order {
	const struct purchase *purchase;      /* COMPLETED */
	const struct ledger_posting *posting; /* empty when the total is zero */
	int64_t course_version;               /* whose terms it is made on */
	int64_t grant_id, event_id;           /* the ledger's transaction has the event's */
	const char *event_payload;
	struct request_key key;
	struct span reply; /* packed answer, stored under the key */
};

enum purchase_outcome {
	PURCHASE_MADE = 0,
	PURCHASE_REPLAYED = 1,      /* the key has an answer: `reply` */
	PURCHASE_KEY_REUSED = 2,    /* the key came with another body */
	PURCHASE_TERMS_CHANGED = 3, /* the course is no longer what was read: read it again */
	PURCHASE_ALREADY_LIVE = 4,  /* `live_purchase_id` */
	PURCHASE_NOT_COVERED = 5,   /* the wallet lacks `missing` */
};

struct purchase_result {
	enum purchase_outcome outcome;
	int64_t live_purchase_id; /* PURCHASE_ALREADY_LIVE */
	int64_t missing;          /* PURCHASE_NOT_COVERED: minor units, above zero */
	struct span reply;        /* PURCHASE_REPLAYED: in the arena */
};

/*
 * Completes the purchase, all or nothing: one statement, one round trip, one commit, repeated on conflicts
 * and settled by its key when a connection is lost. Whatever outcome but PURCHASE_MADE has written nothing.
 */
int purchase_store_complete(struct db_conn *conn, struct arena *arena, const struct purchase_order *order,
			    struct purchase_result *ret, struct error *err)
	__attribute__((warn_unused_result));

/*
 * The same within a transaction that claims the key and keeps the reply itself; the order's are not looked
 * at. PURCHASE_TERMS_CHANGED and PURCHASE_ALREADY_LIVE have written nothing; after PURCHASE_NOT_COVERED it
 * has to be rolled back.
 */
int purchase_store_make(struct db_conn *conn, struct arena *arena, const struct purchase_order *order,
			struct purchase_result *ret, struct error *err) __attribute__((warn_unused_result));

/*
 * For a purchase that is refused without being tried: whether the key has an answer already
 * (PURCHASE_REPLAYED, PURCHASE_KEY_REUSED), or else the user has a live purchase (PURCHASE_ALREADY_LIVE);
 * otherwise PURCHASE_MADE, nothing speaks against the refusal. Waits for a request with the same key that is
 * being answered just now.
 */
int purchase_store_earlier(struct db_conn *conn, struct arena *arena, const struct request_key *key,
			   int64_t now_us, int64_t user_id, int64_t course_id, struct purchase_result *ret,
			   struct error *err) __attribute__((warn_unused_result));

/* --- reading --- */

/* 1 and *ret, or 0 when there is no such purchase. */
int purchase_store_read(struct db_conn *conn, struct arena *arena, int64_t purchase_id, struct purchase *ret,
			struct error *err) __attribute__((warn_unused_result));

/*
 * A user's purchases, the newest first: at most `limit`, of those before `before_id` (INT64_MAX: from the
 * newest), of one course or of any (0). An array in the arena.
 */
int purchase_store_list(struct db_conn *conn, struct arena *arena, int64_t user_id, int64_t course_id,
			int64_t before_id, unsigned limit, struct purchase **ret, unsigned *ret_n,
			struct error *err) __attribute__((warn_unused_result));

extern const struct db_stmt_list purchase_stmts;

#endif
