/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOBS_JOBS_H
#define JOBS_JOBS_H

#include "server/db/due.h"

/*
 * The background runner: does what is due (db/due.h), on threads with a connection each, on every server at
 * once. Rows of a kind are done several to a transaction. When one of those fails, as many rows are done
 * alone, each set aside first, in a transaction of its own, for a time that grows with its attempts. So a row
 * that fails, hangs or even ends the process is tried again ever more rarely, alone, and keeps nobody; for
 * the sake of the last, every server begins with rows alone. Kinds that take long share one of the threads,
 * so that the others go on with the rest.
 *
 * Kinds that the server does not know are left alone: a newer one put them. They are counted and named in the
 * log once.
 */
struct jobs;

/* A kind that this server does, and what its `run` is given. */
struct job {
	const struct due_kind *kind;
	void *arg;
};

struct jobs_config {
	const struct db_config *db;
	const struct db_stmt_list *const *stmts; /* due_stmts, and all that the jobs run; NULL-terminated */
	const struct job *jobs;
	unsigned n_jobs;
	unsigned threads; /* 2 or more keep slow kinds from the others; 0: none, and nothing is done */
	int poll_ms;      /* how soon what somebody else put is seen; 0: 500 */
	int time_ms;      /* what a transaction may take; 0: 10 s */
	/* Called every 10 s, on one of the threads; may be NULL. */
	void (*measure)(struct db_conn *conn, void *arg);
	void *arg;
};

/* What the config points to outlives the runner. */
int jobs_start(const struct jobs_config *config, struct jobs **ret, struct error *err)
	__attribute__((warn_unused_result));

/* Nothing is begun any more, and what is under way is given up where it can be, which is rolled back and
 * stays due. Returns at once. NULL is fine. */
void jobs_end(struct jobs *j);

/* The same; returns when nothing runs. NULL is fine. */
void jobs_stop(struct jobs *j);

#endif
