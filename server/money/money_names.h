/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MONEY_MONEY_NAMES_H
#define MONEY_MONEY_NAMES_H

#include "server/app/names.h"
#include "server/user/user_names.h"

#define MONEY_IDS(X) X(ID_TRANSACTION, "txn")

#define MONEY_PLATFORM_EVENTS(X) X(EVENT_WALLET_TOPPED_UP, "wallet.topped_up", ID_USER)

#define MONEY_AUDITS(X) X(AUDIT_TOP_UP_WALLET, "TopUpWallet", ID_USER)

MONEY_IDS(NAME_ID)
MONEY_PLATFORM_EVENTS(NAME_EVENT)
MONEY_AUDITS(NAME_AUDIT)

#endif
