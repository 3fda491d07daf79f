/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_SEQUENCING_H
#define SERVER_SEQUENCING_H

#include "server/service.h"

/* The sequencer of this release (server/db/sequencer.h), with what hangs on it: who may read an event, and
 * the events of what learners did. */
struct sequencing;

/* What it is given outlives it. */
int sequencing_start(const struct service_config *config, const struct db_config *db, struct app *app,
		     struct sequencing **ret, struct error *err) __attribute__((warn_unused_result));

void sequencing_stop(struct sequencing *s); /* NULL is fine */

#endif
