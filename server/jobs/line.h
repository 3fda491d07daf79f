/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOBS_LINE_H
#define JOBS_LINE_H

#include <stdatomic.h>

#include "server/base/metrics.h"
#include "server/jobs/jobs.h"

/* A kind's line of rows that are due, and its turn on one of the runner's threads; in this room only. */
struct job_line {
	const struct due_kind *kind;
	void *arg;
	int time_ms; /* what a transaction may take */
	const _Atomic bool *stopping;
	atomic_uint alone; /* rows still to be done alone */
	atomic_bool slow;  /* its last turn took long */
	struct metric *done, *failed, *lag;
};

/* `stopping`: the runner's, for as long as the line. */
void job_line_init(struct job_line *line, const struct job *job, int time_ms, const _Atomic bool *stopping);

/* Does what is due, transaction after transaction, for some milliseconds: how many did something, or negative
 * when it is the database that fails. For any thread, and several at once. */
int job_line_turn(struct job_line *line, struct db_conn *conn, struct error *err)
	__attribute__((warn_unused_result));

#endif
