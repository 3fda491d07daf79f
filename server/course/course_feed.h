/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COURSE_COURSE_FEED_H
#define COURSE_COURSE_FEED_H

#include "server/base/cache.h"
#include "server/db/event.h"

/* Forgets what the event made stale. Called for every event of the feed; does not block. */
void course_on_event(struct cache *courses, struct cache *lessons, const struct event *e);

/* The same of what is remembered of who teaches, by user id. A review's events name its course and not who
 * teaches that: what reviews add up to is remembered for a time. */
void instructor_on_event(struct cache *instructors, const struct event *e);

#endif
