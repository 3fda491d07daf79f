/* SPDX-License-Identifier: Apache-2.0 */
#include "server/money/checkpoint.h"

#include "server/app/due_kinds.h"
#include "server/money/checkpoint_store.h"

enum { BATCH = 1000 /* events */ };
#define EVERY_US MINUTE_US

static int run(struct db_conn *conn, const struct due *due, void *arg, struct error *err)
{
	bool more = false;
	int r = checkpoint_store_cut(conn, BATCH, &more, err);

	return r == 0 && more ? due_in(conn, due->kind, due->subject_id, DUE_PAUSE_US, err) : r;
}

const struct due_kind checkpoint_due = {
	.number = DUE_LEDGER_CHECKPOINT,
	DUE_NAME("ledger_checkpoint"),
	.run = run,
	.every_us = EVERY_US,
};
