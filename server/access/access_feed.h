/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ACCESS_ACCESS_FEED_H
#define ACCESS_ACCESS_FEED_H

#include "server/base/cache.h"
#include "server/db/event.h"

/* Forgets the one thing that the event made stale: see access_names.h. Called for every event of the feed;
 * does not block. */
void access_on_event(struct cache *access, const struct event *e);

#endif
