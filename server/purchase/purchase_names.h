/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PURCHASE_PURCHASE_NAMES_H
#define PURCHASE_PURCHASE_NAMES_H

#include "server/app/names.h"

#define PURCHASE_IDS(X) X(ID_PURCHASE, "pur")

/* For who listens to whatever becomes of one. */
#define NOUN_PURCHASE "purchase"

/* purchase.completed also says that access began: its user has a grant of its course from then on. */
#define PURCHASE_PLATFORM_EVENTS(X) X(EVENT_PURCHASE_COMPLETED, "purchase.completed", ID_PURCHASE)

PURCHASE_IDS(NAME_ID)
PURCHASE_PLATFORM_EVENTS(NAME_EVENT)

#endif
