/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRESS_DAY_H
#define PROGRESS_DAY_H

#include "server/progress/progress_day_store.h"

/*
 * Day facts: what a learner did in a course on a UTC day. A whole session belongs to the day of its least
 * start, so that the facts follow from the merged sessions alone: giving what a report adds to the day it
 * came would depend on the order of reports. When an earlier start is reported, the session moves to its day.
 */

/* Days since 1970-01-01, UTC. */
int64_t progress_day_of(int64_t us);

/*
 * What `n` reports, merged in this order, change of the day facts: `ret` has room for twice as many. In the
 * order of the table's key, each once, and none that changes nothing; returns how many.
 */
unsigned progress_day_changes(const struct report *const *reports, const struct progress_delta *deltas,
			      unsigned n, struct progress_day *ret);

#endif
