/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_DUE_H
#define DB_DUE_H

#include "server/db/db.h"

/*
 * What is to be done at a time: a row for each, of a kind and about a subject. Who wants something done puts
 * the row in the transaction that makes it necessary; server/jobs does it when its time has come, in a
 * transaction that takes the row away and does the work. So it is done once, whatever breaks in between, and
 * the row tells who has lost the answer to his COMMIT. Only the database's clock says what time it is.
 */

/* A row whose time has come. */
struct due {
	int kind;
	int64_t subject_id;
	int64_t due_us;    /* when it was to be done */
	unsigned attempts; /* that failed since it was put */
	int64_t now_us;    /* when it was taken */
};

/*
 * How rows of a kind are done. `run` does the work in the transaction that has taken the row away: when it
 * fails, nothing is done and the row stands again. It may put the row anew, for a later time. It runs on a
 * thread of the runner's, with its statements in the runner's list, and asks nobody but the database; what it
 * waits for ends at the transaction's deadline. `arg` is what the runner was given with the kind.
 */
struct due_kind {
	int number;       /* stands in the rows: server/app/due_kinds.h */
	const char *name; /* for the log and, as labels, for the metrics: DUE_NAME() */
	const char *labels;
	int (*run)(struct db_conn *conn, const struct due *due, void *arg, struct error *err);
	unsigned together; /* rows that may share a transaction and its commit; 0 is 1 */
	int64_t every_us;  /* not 0: there is always a row of subject 0, that is due again so much later */
};
#define DUE_NAME(text) .name = (text), .labels = "kind=\"" text "\""

/* --- for those who want something done; inside their transaction --- */

/* Sets when, or moves it: a kind has one row for a subject. What was tried before counts no more. Waits for
 * the row while it is being done, and then puts it anew. */
int due_at(struct db_conn *conn, int kind, int64_t subject_id, int64_t time_us, struct error *err)
	__attribute__((warn_unused_result));
int due_in(struct db_conn *conn, int kind, int64_t subject_id, int64_t after_us, struct error *err)
	__attribute__((warn_unused_result));

/* After how long what was more than a transaction does goes on: others get the disk, and replicas of the
 * database keep up. */
#define DUE_PAUSE_US (INT64_C(100) * 1000)

/* Nothing is to be done any more; fine when there is no row. Waits as due_at() does. */
int due_drop(struct db_conn *conn, int kind, int64_t subject_id, struct error *err)
	__attribute__((warn_unused_result));

extern const struct db_stmt_list due_stmts;

/* --- for the runner --- */

/* Since when the first row of a kind is due, or from when. */
struct due_line {
	int kind;
	int64_t first_us, now_us;
};

/* Every kind there are rows of, known or not; in the arena. */
int due_look(struct db_conn *conn, struct arena *arena, struct due_line **ret, unsigned *ret_n,
	     struct error *err) __attribute__((warn_unused_result));

/* How many rows of a kind are due. */
int due_count(struct db_conn *conn, int kind, int64_t *ret, struct error *err)
	__attribute__((warn_unused_result));

/* Puts the row of subject 0, due now, unless it is there. */
int due_begin(struct db_conn *conn, const struct due_kind *kind, struct error *err)
	__attribute__((warn_unused_result));

/* Rows of a kind that are due and that nobody else has locked, the longest due first, locked. `ret` has `n`.
 */
int due_claim(struct db_conn *conn, const struct due_kind *kind, unsigned n, struct due *ret, unsigned *ret_n,
	      struct error *err) __attribute__((warn_unused_result));

/* Locks this one again, unless it was done, moved or dropped or somebody has it: 1, or 0. */
int due_lock(struct db_conn *conn, const struct due *due, struct error *err)
	__attribute__((warn_unused_result));

/* Takes locked rows away, or those of a kind with every_us to their next time. */
int due_take(struct db_conn *conn, const struct due_kind *kind, const struct due *rows, unsigned n,
	     struct error *err) __attribute__((warn_unused_result));

/* Counts an attempt of a locked row, and has the next one wait until then, *due too. */
int due_put_off(struct db_conn *conn, struct due *due, int64_t until_us, struct error *err)
	__attribute__((warn_unused_result));

#endif
