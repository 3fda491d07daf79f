/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_DUTIES_H
#define SERVER_DUTIES_H

#include "server/service.h"

/* What this release does in the background: the list of all kinds of due, and how long each table keeps its
 * rows. */
struct duties;

/* What it is given outlives it. */
int duties_start(const struct service_config *config, const struct db_config *db, struct app *app,
		 struct duties **ret, struct error *err) __attribute__((warn_unused_result));

/* Nothing is begun any more; returns at once. NULL is fine. */
void duties_end(struct duties *d);

/* The same; returns when nothing runs. NULL is fine. */
void duties_stop(struct duties *d);

#endif
