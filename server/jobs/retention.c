/* SPDX-License-Identifier: Apache-2.0 */
#include "server/jobs/retention.h"

#include "server/base/metrics.h"
#include "server/db/table.h"

enum { KEYS_MAX = 1 << 20 /* bytes of a batch's keys */ };

void retention_init(struct retention_job *job)
{
	job->removed = metric_counter("edu_retention_removed_rows_total",
				      "Rows that this server removed because their time was over.",
				      job->kind->labels);
	job->lag = metric_gauge("edu_retention_lag_seconds",
				"How long ago the oldest row that is still there should have been removed.",
				job->kind->labels);
}

/* The keys that were picked are the parameters of what removes them. */
static int remove_picked(struct db_conn *conn, const struct retention *table, const char *keys, unsigned n,
			 struct error *err)
{
	const struct db_row *key = table->pick->out;
	int r = table->remove_first ? db_write_all(conn, table->remove_first, key, keys, n, NULL, NULL, err)
				    : 0;
	return r < 0 ? r : db_write_all(conn, table->remove, key, keys, n, NULL, NULL, err);
}

int retention_run(struct db_conn *conn, const struct due *due, void *arg, struct error *err)
{
	struct retention_job *job = arg;
	struct arena arena;
	char *keys;
	unsigned n = 0;
	arena_init(&arena, KEYS_MAX);
	int r = db_read_all(conn, job->table->pick, DB_ARGS(db_i64(job->keep_us), db_i64(RETENTION_BATCH)),
			    &arena, &keys, &n, err);
	if (r == 0)
		r = remove_picked(conn, job->table, keys, n, err);
	arena_done(&arena);
	if (r == 0 && n == RETENTION_BATCH)
		r = due_in(conn, due->kind, due->subject_id, DUE_PAUSE_US, err);
	if (r == 0)
		metric_add(job->removed, n);
	return r;
}

int retention_measure(struct retention_job *job, struct db_conn *conn, struct error *err)
{
	int64_t age_us = 0;
	int r = db_read(conn, job->table->age, DB_NO_ARGS, NULL, &age_us, err);
	if (r >= 0)
		metric_set(job->lag, age_us > job->keep_us ? (age_us - job->keep_us) / 1000000 : 0);
	return r < 0 ? r : 0;
}
