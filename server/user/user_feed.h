/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USER_USER_FEED_H
#define USER_USER_FEED_H

#include "server/auth/authenticator.h"
#include "server/db/event.h"

/* Has the tokens of a user whose rights changed, or a session of whom ended, confirmed anew. Called for every
 * event of the feed; does not block. */
void user_on_event(struct auth *auth, const struct event *e);

#endif
