/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROGRESS_FEED_H
#define PROGRESS_FEED_H

#include "server/app/app.h"

/* What an event means to what progress remembers: whatever becomes of a purchase drops the learner's access
 * from the cache. Called for every event of the feed; does not block. */
void progress_on_event(struct app *app, const struct event *e);

#endif
