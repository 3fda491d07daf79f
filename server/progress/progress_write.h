/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRESS_WRITE_H
#define PROGRESS_WRITE_H

#include "server/app.h"
#include "server/db/combiner.h"
#include "server/progress/progress_store.h"

/*
 * How reports become durable: queued to the combiner, merged many to a transaction in a fixed table order
 * (session, lesson, course, events), acknowledged after its commit.
 */
struct progress_write {
	struct report report;
	int64_t event_id;              /* made before, used when the report completes the lesson */
	struct progress_lesson merged; /* the row after the merge, once committed */
	void (*done)(struct progress_write *w, int r,
		     const struct error *err); /* once, on the combiner's thread */
	void *owner;
};

/* Makes app->progress. `batch_max` 1 writes row by row, over as many connections as there are lanes. */
int progress_writer_start(struct app *app, const struct db_config *db, unsigned lanes, unsigned queue,
			  unsigned batch_max, struct error *err) __attribute__((warn_unused_result));
void progress_writer_stop(struct app *app);

#endif
