/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PURCHASE_PURCHASE_NAMES_H
#define PURCHASE_PURCHASE_NAMES_H

#include "server/app/names.h"

#define PURCHASE_IDS(X)                                                                                      \
	X(ID_PURCHASE, "pur")                                                                                \
	X(ID_TRANSACTION, "txn")

PURCHASE_IDS(NAME_ID)

#endif
