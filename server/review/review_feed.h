/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REVIEW_REVIEW_FEED_H
#define REVIEW_REVIEW_FEED_H

#include "server/base/cache.h"
#include "server/db/event.h"
#include "server/search/catalogue.h"

/* Forgets the course whose rating the event may have changed. Called for every event of the feed; does not
 * block. */
void review_on_event(struct cache *courses, struct catalogue *catalogue, const struct event *e);

#endif
