/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USER_USER_FEED_H
#define USER_USER_FEED_H

#include "server/auth/revocation.h"
#include "server/db/event.h"

/* Voids the tokens that the event says are void. Called for every event of the feed; does not block. */
void user_on_event(struct revocations *revocations, const struct event *e);

#endif
