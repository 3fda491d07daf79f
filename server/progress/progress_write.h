/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRESS_WRITE_H
#define PROGRESS_WRITE_H

#include "server/app/app.h"
#include "server/db/combiner.h"
#include "server/progress/progress_store.h"

/*
 * How reports become durable: queued to the combiner, merged many to a transaction in a fixed table order
 * (session, lesson, course, day, mark, events), acknowledged after its commit.
 */
struct progress_write {
	struct report report;
	int64_t deadline_us;           /* monotonic; INT64_MAX: none */
	int64_t event_id;              /* made before, used when the report completes the lesson */
	struct progress_lesson merged; /* the row after the merge, once committed */
	void (*done)(struct progress_write *w, int r,
		     const struct error *err); /* once, on the combiner's thread */
	void *owner;
};

struct progress_writer_config {
	const struct db_config *db;
	unsigned lanes, queue, batch_max; /* batch_max 1 writes row by row, on as many connections as lanes */
	int wait_ms;                      /* how long a report may wait for its batch */
};

/* Makes app->progress. */
int progress_writer_start(struct app *app, const struct progress_writer_config *config, struct error *err)
	__attribute__((warn_unused_result));
void progress_writer_stop(struct app *app);

#endif
