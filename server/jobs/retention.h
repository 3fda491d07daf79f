/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOBS_RETENTION_H
#define JOBS_RETENTION_H

#include "server/base/clock.h"
#include "server/db/due.h"
#include "server/db/retention.h"

/*
 * What is dropped when: a job for each table, of which one server at a time removes what is over for longer
 * than the table's period, so many rows a transaction, with a pause after each.
 */
enum { RETENTION_BATCH = 1000 };

struct retention_job {
	const struct due_kind *kind;
	const struct retention *table;
	int64_t keep_us;
	struct metric *removed, *lag;
};

/* The kind of a table's job: RETENTION_KIND(DUE_RETENTION_SESSION, "session"). */
#define RETENTION_KIND(number_, table)                                                                       \
	{                                                                                                    \
		.number = (number_), DUE_NAME(table "_retention"), .run = retention_run,                     \
		.every_us = RETENTION_EVERY_US,                                                              \
	}
#define RETENTION_EVERY_US MINUTE_US
int retention_run(struct db_conn *conn, const struct due *due, void *arg /* a struct retention_job */,
		  struct error *err) __attribute__((warn_unused_result));

/* Registers its metrics, which every server has: the rows it removed, and how far behind the table is. */
void retention_init(struct retention_job *job);

/* Measures how far behind the table is. */
int retention_measure(struct retention_job *job, struct db_conn *conn, struct error *err)
	__attribute__((warn_unused_result));

#endif
