/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PURCHASE_PURCHASE_FEED_H
#define PURCHASE_PURCHASE_FEED_H

#include "server/base/cache.h"
#include "server/db/event.h"

/* Whatever becomes of a purchase changes what its user has access to: that of its course is forgotten. Called
 * for every event of the feed; does not block. */
void purchase_on_event(struct cache *access, const struct event *e);

#endif
