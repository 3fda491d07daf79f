/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ORGANIZATION_ORGANIZATION_NAMES_H
#define ORGANIZATION_ORGANIZATION_NAMES_H

#include "server/app/names.h"

/* The contract names neither yet; access tokens name organizations. */
#define ORGANIZATION_UNNAMED_IDS(X)                                                                          \
	X(ID_ORGANIZATION, "org")                                                                            \
	X(ID_MEMBER, "mem")

/* Both name the member's user and the organization, which sees what concerns the user from the one to the
 * other. */
#define ORGANIZATION_EVENTS(X)                                                                               \
	X(EVENT_MEMBER_JOINED, "member.joined", ID_MEMBER)                                                   \
	X(EVENT_MEMBER_LEFT, "member.left", ID_MEMBER)

ORGANIZATION_UNNAMED_IDS(NAME_ID)
ORGANIZATION_EVENTS(NAME_EVENT)

#endif
