/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USER_USER_NAMES_H
#define USER_USER_NAMES_H

#include "server/app/names.h"

#define USER_IDS(X)                                                                                          \
	X(ID_USER, "usr")                                                                                    \
	X(ID_SESSION, "ses")

/* Those that access tokens name and the contract does not yet. */
#define USER_TOKEN_IDS(X) X(ID_ORGANIZATION, "org")

USER_IDS(NAME_ID)
USER_TOKEN_IDS(NAME_ID)

#endif
