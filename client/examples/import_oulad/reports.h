/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMPORT_REPORTS_H
#define IMPORT_REPORTS_H

#include "client/examples/import_oulad/import.h"

/*
 * Sends reports of progress without waiting for each, for all workers together never more than
 * --in-flight at once.
 */
struct report_pool;

int report_pool_new(struct import *im, unsigned in_flight, struct report_pool **ret, struct error *err)
	__attribute__((warn_unused_result));
void report_pool_free(struct report_pool *pool); /* no report may be under way; NULL is fine */

/* One learner's sessions to report. */
struct report_batch {
	const char *user_name, *token; /* of the learner */
	int64_t epoch;                 /* of the enrollment */
	unsigned *sessions;            /* indices into the data's */
	unsigned n_sessions;           /* at least one */
};

/*
 * Returns when every session has been answered: 0 when all are durable. `sessions` is written to.
 * Thread-safe.
 */
int report_pool_send(struct report_pool *pool, const struct report_batch *batch, struct error *err)
	__attribute__((warn_unused_result));

#endif
