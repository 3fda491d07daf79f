/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_IDEM_H
#define DB_IDEM_H

#include "server/base/request_key.h"
#include "server/db/db.h"

/*
 * Exactly-once creates. The first statement of the transaction claims the key; a repeat in flight waits on
 * its row lock, then reads the stored reply. Only success is ever stored, in the transaction of the effect.
 * Keys live as long as their method says: IDEM_MONEY_US or IDEM_CREATE_US.
 */
#define IDEM_CREATE_US (INT64_C(24) * 3600 * 1000000)
#define IDEM_MONEY_US (INT64_C(30) * 24 * 3600 * 1000000)

/*
 * Claims the key, or finds it taken. Fresh: 0 and ret_reply->data NULL. Repeated: 1 and the stored reply
 * (arena). REQUEST_ID_REUSED when the body differs. A key that is not present is always fresh.
 */
int idem_claim(struct db_conn *conn, const struct request_key *key, int64_t now_us, int64_t keep_us,
	       struct arena *arena, struct span *ret_reply, struct error *err)
	__attribute__((warn_unused_result));

/* Stores the reply of a claimed key; last before COMMIT. */
int idem_store(struct db_conn *conn, const struct request_key *key, struct span reply, struct error *err)
	__attribute__((warn_unused_result));

/* The claim as SQL text for compound statements, with its 6 parameters, is documented in idem.c; see
 * purchase_store.c. */

extern const struct db_stmt_list idem_stmts;

#endif
