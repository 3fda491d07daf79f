/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_DUE_KINDS_H
#define APP_DUE_KINDS_H

/*
 * The numbers of what can be due (server/db/due.h), whichever area does it: they stand in rows, so that none
 * is ever used for something else. Servers leave rows alone whose number they do not know.
 */
enum due_number {
	DUE_RETENTION_IDEMPOTENCY = 1,
	DUE_RETENTION_SESSION = 2,
	DUE_RETENTION_LEASE = 3,
	DUE_RETENTION_EVENT = 4,
	DUE_RETENTION_PROGRESS_SESSION = 5,
	DUE_LEDGER_CHECKPOINT = 6,
	DUE_RETENTION_SEARCH_MISS = 30,
	DUE_COURSE_RANK = 31,
	DUE_COURSE_RANK_SOME = 32,
	DUE_RETENTION_CONTENT = 7,
	DUE_RETENTION_DOWNLOAD = 8,
};

#endif
