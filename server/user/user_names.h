/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USER_USER_NAMES_H
#define USER_USER_NAMES_H

#include "server/app/names.h"

#define USER_IDS(X)                                                                                          \
	X(ID_USER, "usr")                                                                                    \
	X(ID_SESSION, "ses")

/* For who listens to whatever becomes of one. */
#define NOUN_USER "user"

/* Of user.roles_set, the user's rights_epoch was raised. */
#define USER_EVENTS(X)                                                                                       \
	X(EVENT_USER_REGISTERED, "user.registered", ID_USER)                                                 \
	X(EVENT_USER_UPDATED, "user.updated", ID_USER)                                                       \
	X(EVENT_USER_ROLES_SET, "user.roles_set", ID_USER)                                                   \
	X(EVENT_SESSION_STARTED, "session.started", ID_SESSION)                                              \
	X(EVENT_SESSION_REVOKED, "session.revoked", ID_SESSION)

#define USER_AUDITS(X)                                                                                       \
	X(AUDIT_CREATE_ADMIN, "create-admin", ID_USER)                                                       \
	X(AUDIT_SET_USER_ROLES, "SetUserRoles", ID_USER)                                                     \
	X(AUDIT_UPDATE_USER, "UpdateUser", ID_USER)

USER_IDS(NAME_ID)
USER_EVENTS(NAME_EVENT)
USER_AUDITS(NAME_AUDIT)

#endif
